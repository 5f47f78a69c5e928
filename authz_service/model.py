"""The values that travel through the pipeline. All are frozen; none knows protobuf, HTTP clients or Rego."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class Peer(NamedTuple):
    """One end of the connection. `principal` is the name in its verified certificate, `certificate` URL-encoded PEM."""

    address: str = ""
    port: int = 0
    principal: str = ""
    certificate: str = ""
    service: str = ""
    labels: Mapping[str, str] = _EMPTY
    is_pipe: bool = False  # `address` is then a socket's path


class HttpRequest(NamedTuple):
    """A request as Envoy shows it. Header names are lower-case, repeated headers joined by commas.

    `header_lines` are the headers one by one and as bytes, where Envoy has sent them so (`encode_raw_headers`).
    `path` is path and query as Envoy forwards them; `size` is -1 where the body's length is unknown; `seconds` and
    `nanos` are when Envoy saw the request, since the epoch; `metadata` is filter metadata by filter name.
    """

    method: str
    path: str
    host: str = ""
    scheme: str = ""
    protocol: str = ""
    id: str = ""
    headers: Mapping[str, str] = _EMPTY
    header_lines: Sequence[tuple[str, bytes]] = ()
    body: bytes = b""
    body_is_raw: bool = False
    size: int = -1
    seconds: int | None = None
    nanos: int = 0
    source: Peer = Peer()
    destination: Peer = Peer()
    sni: str = ""
    context_extensions: Mapping[str, str] = _EMPTY
    metadata: Mapping[str, Mapping[str, Any]] = _EMPTY
    route_metadata: Mapping[str, Mapping[str, Any]] = _EMPTY


class Binding(enum.StrEnum):
    """What a caller has proven to hold, beside a token or in place of one."""

    NONE = "none"
    DPOP = "dpop"  # the key that the token is bound to (RFC 9449)
    MTLS = "mtls"  # the certificate that the token is bound to (RFC 8705)
    CERTIFICATE = "certificate"  # a certificate, and no token at all


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a token is bound to (RFC 7800): thumbprints of a DPoP key and of a certificate, base64url, or None."""

    jkt: str | None = None
    x5t_s256: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate that the proxy has verified. `sha256` is of its DER form, base64url without padding."""

    sha256: str
    subject: str
    uris: Sequence[str] = ()
    dns_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, as a verified token or certificate says.

    `claims` are all of the token's claims, `issued_at` and `expires_at` in epoch seconds, `confirmation` is what the
    token is bound to. `binding` says what the caller has proven to hold, with this request.
    """

    user: str
    agent: str | None
    roles: Sequence[str]
    issuer: str
    claims: Mapping[str, Any]
    expires_at: float
    issued_at: float | None = None
    token_id: str | None = None
    tenant: str | None = None
    confirmation: Confirmation | None = None
    binding: Binding = Binding.NONE
    certificate: Certificate | None = None


class Location(enum.StrEnum):
    """Where in an exchange something was found."""

    HEADER = "header"
    COOKIE = "cookie"
    QUERY = "query"
    PATH = "path"
    BODY = "body"
    TRAILER = "trailer"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something sensitive in an exchange: what kind, by which detector, where, what becomes of it. Never its value.

    `name` is that of the header, cookie or parameter, or the JSON path; empty for the path. Of several that are alike
    `offset` (in bytes of the text as it is read) and `hash` (keyed) are the first's, `confidence` is the highest.
    """

    entity: str
    detector: str
    location: Location
    name: str
    action: str = "replace"
    confidence: float = 1.0
    offset: int = 0
    hash: str = ""
    count: int = 1


class Mutations(NamedTuple):
    """What to change of a request that passes. Header names are lower-case; query values are percent-encoded."""

    set_headers: Sequence[tuple[str, str]] = ()
    remove_headers: Sequence[str] = ()
    set_query: Sequence[tuple[str, str]] = ()
    remove_query: Sequence[str] = ()
    response_headers: Sequence[tuple[str, str]] = ()


class Outcome(enum.StrEnum):
    """How a check ends."""

    ALLOW = "allow"
    DENY = "deny"  # because of the request
    ERROR = "error"  # because of us


class DecidedBy(enum.StrEnum):
    """Whose code a decision bears."""

    POLICY = "policy"
    GATEWAY = "gateway"


class Decision(NamedTuple):
    """The one answer to a check. For `ALLOW`, `mutations` and `metadata` count; else `status`, `headers` and `body`.

    A `body` that is None is still to be written in the client's form, see `denials`.
    """

    outcome: Outcome
    decision_id: str
    code: str
    reason: str
    policy_id: str
    by: DecidedBy = DecidedBy.POLICY
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: str | None = None
    mutations: Mutations = Mutations()
    metadata: Mapping[str, Any] = _EMPTY
