"""The real sender of http.send: to listed hosts and nowhere else, in bounded time, with bounded answers.

A host is held against the list before any look-up of its name, and again for each redirect. There is no proxy, no
netrc, no connection that is used twice. It blocks: it runs in the worker thread of an evaluation.
"""

from __future__ import annotations

import base64
import ipaddress
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urljoin

from authz_service.rego_engine.builtins import http_urls
from authz_service.rego_engine.builtins.http_messages import HttpRequest, HttpResponse, NetworkFault, Tls
from authz_service.rego_engine.builtins.http_responses import KeptResponses
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.http_wire import Deadline, Endpoint, Wire

MAX_RESPONSE_OCTETS: Final = 1_048_576  # of a body
MAX_REDIRECTS: Final = 10

_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = 65_535
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_KEEP_METHOD: Final = {307, 308}
_SECRET_HEADERS: Final = {"authorization", "cookie", "cookie2", "proxy-authorization", "www-authenticate"}
_BODY_HEADERS: Final = {"content-type", "content-encoding", "content-language", "content-location"}
_WITH_BODY: Final = {"PATCH", "POST", "PUT"}
_FIRST_DELAY: Final = 0.1  # seconds before a request is sent again, twice as long each time
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


class Hosts:
    """The hosts that requests may go to: each `host`, for every port, or `host:port`."""

    def __init__(self, entries: Iterable[str]) -> None:
        """Read the list.

        Raises:
            ValueError: an entry is no host and no host with a port.
        """
        self._listed = frozenset(map(_entry, entries))

    def have(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint's host, as it is written, is listed."""
        return (endpoint.host, None) in self._listed or (endpoint.host, endpoint.port) in self._listed


def _entry(text: str) -> tuple[str, int | None]:
    try:
        return _host(text), None
    except ValueError:
        host, _, port = text.rpartition(":")
        return _host(host), _port(port)


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT)) else 0
    if not 0 < number <= _MAX_PORT:
        raise ValueError("invalid port after host")
    return number


def _host(text: str) -> str:
    """Return a host's one spelling: a name in lower case without a point at the end, an address without brackets."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return ipaddress.ip_address(bare).compressed
    except ValueError:
        name = text.lower().removesuffix(".")
    if not name or not name.isascii() or any(mark in name for mark in ":/?#@[]%\\ ") or not name.isprintable():
        raise ValueError(f"{text!r} is no host")
    return name


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL as it is connected to and asked for."""

    endpoint: Endpoint
    authority: str
    path: str
    credentials: str

    @classmethod
    def read(cls, text: str) -> _Target:
        try:
            url = http_urls.parse(text)
            endpoint = _endpoint(url)
        except ValueError as fault:
            raise BuiltinFault(f"URL cannot be used: {fault}") from None
        query = f"?{quote(url.raw_query, safe=_ASCII)}" if url.raw_query or url.forces_query else ""
        path = quote(url.escaped_path, safe=_ASCII) or "/"
        return cls(endpoint, url.host, path + query, url.user or "")


def _endpoint(url: http_urls.Url) -> Endpoint:
    if url.scheme not in _PORTS:
        raise ValueError(f'unsupported protocol scheme "{url.scheme}"')
    bare, colon, port = ("", "", "") if url.host.endswith("]") else url.host.rpartition(":")
    return Endpoint(url.scheme, _host(bare if colon else url.host), _port(port) if port else _PORTS[url.scheme])


class HttpClient:
    """Sends requests to listed hosts. `environment` has the variables that requests may name for TLS."""

    def __init__(
        self,
        hosts: Hosts,
        *,
        environment: Mapping[str, str] | None = None,
        responses: KeptResponses | None = None,
        most_octets: int = MAX_RESPONSE_OCTETS,
    ) -> None:
        self.responses = KeptResponses() if responses is None else responses
        self._hosts = hosts
        self._wire = Wire(environment or {}, most_octets)

    def send(self, request: HttpRequest, seconds: float) -> HttpResponse:
        """Send a request, again after a network fault as often as it says, all of it within `seconds`."""
        deadline = Deadline(seconds)
        for attempt in range(request.retries):
            try:
                return self._send(request, deadline)
            except NetworkFault:
                delay = _FIRST_DELAY * 2**attempt
                if not _has(deadline, delay):
                    raise
                time.sleep(delay)
        return self._send(request, deadline)

    def _send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        target = _Target.read(request.url)
        for _ in range(MAX_REDIRECTS + 1):
            if not self._hosts.have(target.endpoint):
                raise BuiltinFault(f"disallowed host: {target.endpoint.host}:{target.endpoint.port} is not listed")
            response = self._wire.exchange(
                target.endpoint, request.method, _message(request, target), tls=_tls(request), deadline=deadline
            )
            location = response.header("location")
            if not request.follows_redirects or response.status not in _REDIRECTS or not location:
                return response
            url = _resolved(request.url, location)
            following = _Target.read(url)
            request = _redirected(request, response.status, url, target, following)
            target = following
        raise NetworkFault(f"stopped after {MAX_REDIRECTS} redirects")


def _resolved(base: str, location: str) -> str:
    """Return a redirect's URL. Where it really leads is read from it afterwards, as for every URL."""
    try:
        return urljoin(base, location)
    except ValueError:
        raise BuiltinFault("URL cannot be used: it is not the target of a redirect") from None


def _has(deadline: Deadline, seconds: float) -> bool:
    try:
        return deadline.left() > seconds
    except TimeoutError:
        return False


def _tls(request: HttpRequest) -> Tls:
    """Return a request's TLS settings; where they name no server, the Host header does."""
    tls = request.tls
    if tls.server_name or not request.host:
        return tls
    return replace(tls, server_name=request.host.partition(":")[0])


def _message(request: HttpRequest, target: _Target) -> bytes:
    """Return a request's octets (RFC 9112). What its parts may consist of was checked when it was read."""
    given = {name.lower() for name, _ in request.headers}
    lines = [f"{request.method} {target.path} HTTP/1.1", f"Host: {request.host or target.authority}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if "user-agent" not in given:
        lines.append("User-Agent: agent-gateway")
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: identity")
    if target.credentials and "authorization" not in given:
        secret = base64.b64encode(unquote_to_bytes(target.credentials)).decode()
        lines.append(f"Authorization: Basic {secret}")
    if request.body or request.method in _WITH_BODY:
        lines.append(f"Content-Length: {len(request.body)}")
    lines += ["Connection: close", "", ""]
    return octets("\r\n".join(lines)) + request.body


def _redirected(request: HttpRequest, status: int, url: str, before: _Target, after: _Target) -> HttpRequest:
    """Return the request that a redirect asks for (RFC 9110 section 15.4). Secrets go to the same origin only."""
    if before.endpoint.scheme == "https" != after.endpoint.scheme:
        raise BuiltinFault("a redirect from https to http is not followed")
    dropped: set[str] = set()
    host = request.host
    if before.endpoint != after.endpoint:
        dropped |= _SECRET_HEADERS
        host = ""
    method, body = request.method, request.body
    if status not in _KEEP_METHOD:
        dropped |= _BODY_HEADERS
        method, body = method if method == "HEAD" else "GET", b""
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in dropped)
    return replace(request, url=url, method=method, body=body, host=host, headers=headers)
