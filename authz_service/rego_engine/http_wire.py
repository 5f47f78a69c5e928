"""One HTTP exchange on a connection of its own: every step of it by a deadline, every octet counted.

Python's own `http.client` reads the answer. A larger client would bring pools, proxies, retries and redirects, each of
which would have to be switched off again to keep the bounds.
"""

from __future__ import annotations

import functools
import http.client
import io
import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from authz_service.rego_engine.builtins.http_messages import HttpResponse, NetworkFault, Tls
from authz_service.rego_engine.errors import BuiltinFault

MAX_ANSWER_HEAD_OCTETS: Final = 262_144  # of status lines, headers and the framing of chunks
MAX_PEM_OCTETS: Final = 1_048_576  # of one file or variable with certificates or a key
MAX_ADDRESSES: Final = 4  # of a name that are tried
MAX_LOOK_UPS: Final = 32  # of names at a time: one that hangs is left behind, and counts until it ends

_SENT_AT_ONCE: Final = 16_384  # octets: one record of TLS
_NOT_SHOWN: Final = {"transfer-encoding", "trailer"}  # they are about the transport, not about the answer

_look_ups = threading.BoundedSemaphore(MAX_LOOK_UPS)


class Deadline:
    """When all of a request must be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, or raise `TimeoutError`."""
        found = self._end - time.monotonic()
        if found <= 0:
            raise TimeoutError
        return found


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a request goes."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Wire:
    """Makes exchanges. An answer's body has at most `most_octets`; `environment` is where TLS may name a variable."""

    def __init__(self, environment: Mapping[str, str], most_octets: int) -> None:
        self._environment = environment
        self._most_octets = most_octets

    def exchange(
        self, endpoint: Endpoint, method: str, message: bytes, *, tls: Tls, deadline: Deadline
    ) -> HttpResponse:
        """Send a request's octets and return the answer."""
        context = _context(tls, self._environment) if endpoint.scheme == "https" else None
        try:
            with _connected(endpoint, deadline) as plain:
                if context is None:
                    return _answer(plain, method, message, deadline, self._most_octets)
                name = tls.server_name or endpoint.host
                with context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False) as secured:
                    secured.settimeout(deadline.left())
                    secured.do_handshake()
                    return _answer(secured, method, message, deadline, self._most_octets)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NetworkFault(f'{method} "{endpoint}": {_reason(error)}') from None


def _answer(
    connection: socket.socket, method: str, message: bytes, deadline: Deadline, most_octets: int
) -> HttpResponse:
    for start in range(0, len(message), _SENT_AT_ONCE):
        connection.settimeout(deadline.left())
        connection.sendall(message[start : start + _SENT_AT_ONCE])
    source: Any = _Source(_Octets(connection, deadline, most_octets + MAX_ANSWER_HEAD_OCTETS))
    with http.client.HTTPResponse(source, method=method) as answer:
        answer.begin()
        body = answer.read(most_octets + 1)
        if len(body) > most_octets:
            raise _TooLargeError
        if answer.length:  # what is missing of the length that was announced
            raise http.client.IncompleteRead(body)
        pairs = ((name.lower(), _text(value)) for name, value in answer.headers.items())
        headers = tuple(pair for pair in pairs if pair[0] not in _NOT_SHOWN)
        return HttpResponse(answer.status, _text(answer.reason), headers, body)


class _TooLargeError(ValueError):
    """An answer has more octets than it may."""


class _Octets(io.RawIOBase):
    """What comes over a connection, by a deadline and no more than `most`, however slowly it drips."""

    def __init__(self, connection: socket.socket, deadline: Deadline, most: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.left())
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise _TooLargeError
        return count


class _Source:
    """As much of a socket as `http.client.HTTPResponse` asks for."""

    def __init__(self, octets: _Octets) -> None:
        self._octets = octets

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._octets)


def _text(value: str) -> str:
    """Return a header's text: `http.client` takes the octets for Latin-1, and leaves blanks at the end."""
    return value.strip(" \t").encode("latin-1", "replace").decode("utf-8", "replace")


def _connected(endpoint: Endpoint, deadline: Deadline) -> socket.socket:
    failure: OSError = TimeoutError()
    addresses = list(_addresses(endpoint, deadline))[:MAX_ADDRESSES]
    for number, (family, kind, protocol, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(deadline.left() / (len(addresses) - number))
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _addresses(endpoint: Endpoint, deadline: Deadline) -> Iterator[tuple[int, int, int, Any]]:
    """Look a name up in a thread that is left behind when the resolver takes too long: it heeds no deadline."""
    places = _look_ups
    if not places.acquire(blocking=False):
        raise OSError("too many names are being looked up")
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError, ValueError):
            found.append(None)
        finally:
            places.release()

    thread = threading.Thread(target=look_up, name="http.send name look-up", daemon=True)
    thread.start()
    thread.join(deadline.left())
    if not found:
        raise TimeoutError
    if not found[0]:
        raise OSError("no such host")
    for family, kind, protocol, _, address in found[0]:
        yield family, kind, protocol, address


def _reason(error: Exception) -> str:
    """Say why there is no answer, without quoting anything of it."""
    if isinstance(error, TimeoutError):
        return "request timed out"
    if isinstance(error, _TooLargeError):
        return "the answer is larger than it may be"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason}"
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno else str(error)
    return f"the answer is no HTTP: {type(error).__name__}"


def _context(tls: Tls, environment: Mapping[str, str]) -> ssl.SSLContext:
    """Return the settings of TLS. Those without a file, a variable or a secret in them are kept."""
    tls = replace(tls, server_name="")
    if tls.has_client or tls.authorities_file or tls.authorities_variable:
        return _new_context(tls, environment)
    return _kept_context(tls)


@functools.lru_cache(maxsize=16)
def _kept_context(tls: Tls) -> ssl.SSLContext:
    return _new_context(tls, {})


def _new_context(tls: Tls, environment: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.skips_verification:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    authorities = [
        tls.authorities.replace("\\n", "\n"),
        _file(tls.authorities_file),
        _variable(tls.authorities_variable, environment),
    ]
    if tls.use_system_certificates or not any(authorities):
        context.load_default_certs()
    for text in filter(None, authorities):
        try:
            context.load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            raise BuiltinFault("could not append certificates") from None
    pairs = [
        (tls.certificate, tls.key),
        (_file(tls.certificate_file), _file(tls.key_file)),
        (_variable(tls.certificate_variable, environment), _variable(tls.key_variable, environment)),
    ]
    for certificate, key in pairs:
        if certificate and key:
            _load_pair(context, certificate, key)
    return context


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Load a client's certificate and key. OpenSSL takes them from a file only: one that only this process can open."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(f"{certificate}\n{key}\n".encode(errors="replace"))
        file.flush()
        try:
            context.load_cert_chain(file.name, password="")  # else OpenSSL asks the terminal
        except (ssl.SSLError, ValueError, OSError):
            raise BuiltinFault("tls: the client's certificate and key cannot be used") from None


def _file(path: str) -> str:
    if not path:
        return ""
    try:
        file = Path(path)
        if not file.is_file():  # a pipe would be waited for
            raise BuiltinFault("a file of TLS is no file")
        with file.open("rb") as opened:
            data = opened.read(MAX_PEM_OCTETS + 1)
    except (OSError, ValueError):
        raise BuiltinFault("a file of TLS cannot be read") from None
    if len(data) > MAX_PEM_OCTETS:
        raise BuiltinFault(f"a file of TLS is larger than {MAX_PEM_OCTETS} octets")
    return data.decode("utf-8", "replace")


def _variable(name: str, environment: Mapping[str, str]) -> str:
    return environment.get(name, "") if name else ""
