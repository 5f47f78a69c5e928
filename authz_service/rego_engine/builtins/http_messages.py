"""A request of http.send and its response, as they go through the port that sends them."""

from __future__ import annotations

from dataclasses import dataclass

from authz_service.rego_engine.errors import BuiltinFault


class NetworkFault(BuiltinFault):
    """A request had no answer: policies can tell this from a request that is wrong."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What a request says about TLS. Each text is as a policy gave it: a PEM text, a file's path, a variable's name."""

    use_system_certificates: bool = False
    authorities: str = ""
    authorities_file: str = ""
    authorities_variable: str = ""
    certificate: str = ""
    certificate_file: str = ""
    certificate_variable: str = ""
    key: str = ""
    key_file: str = ""
    key_variable: str = ""
    skips_verification: bool = False
    server_name: str = ""

    @property
    def has_client(self) -> bool:
        """Whether there is a client's certificate, and so a secret."""
        return bool(self.certificate or self.certificate_file or self.certificate_variable)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request. Its `host`, where not empty, is the Host header, and by it the name that TLS demands."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    host: str = ""
    body: bytes = b""
    follows_redirects: bool = False
    retries: int = 0  # after a network fault, in the same time
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response; header names are in lower case."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty text."""
        return next((value for one, value in self.headers if one == name), "")
