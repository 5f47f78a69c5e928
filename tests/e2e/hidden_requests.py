"""Requests that hide the protected path: by name, whole HTTP/1.1 messages and the headers of HTTP/2 streams.

What is `BARRED` must be refused. What is `HIDDEN` rides on a request that is allowed: it may be answered, if what it
hides stays hidden. `{token}` and `{marker}` stand for the caller's token and for what tells one request from another.
"""

from __future__ import annotations

from collections.abc import Mapping

HOST = b"api.company.example"
CREDENTIAL = b"Authorization: Bearer {token}\r\nX-Marker: {marker}\r\n"
USUAL = b"Host: " + HOST + b"\r\n" + CREDENTIAL
LAST = b"Connection: close\r\n\r\n"
SECRET = b"/hr/salaries"
Headers = tuple[tuple[bytes, bytes], ...]


def get(target: bytes, *lines: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    """Return the message that asks for a target, and for nothing after it."""
    return b"GET " + target + b" " + version + b"\r\n" + USUAL + b"".join(line + b"\r\n" for line in lines) + LAST


def _start(method: bytes, target: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return method + b" " + target + b" " + version + b"\r\n"


SECOND = get(SECRET)
WITHIN = b"GET /hr/salaries HTTP/1.1\r\n\r\n"

BARRED: Mapping[str, bytes] = {
    **{
        f"method {method.decode()}": _start(method, SECRET) + USUAL + LAST
        for method in (b"HEAD", b"OPTIONS", b"TRACE", b"DELETE", b"PROPFIND", b"get", b"GETX", b"QUERY")
    },
    **{
        f"method {method.decode()} with a body": _start(method, SECRET) + USUAL + b"Content-Length: 1\r\n" + LAST + b"1"
        for method in (b"POST", b"PUT", b"PATCH", b"GET")
    },
    "CONNECT to a path": _start(b"CONNECT", SECRET) + USUAL + LAST,
    "CONNECT to a host": _start(b"CONNECT", b"api.company.example:443") + USUAL + LAST,
    "OPTIONS of everything": _start(b"OPTIONS", b"*") + USUAL + LAST,
    "GET of everything": _start(b"GET", b"*") + USUAL + LAST,
    "HTTP/1.0": get(SECRET, version=b"HTTP/1.0"),
    "HTTP/0.9": b"GET /hr/salaries\r\n\r\n",
    "HTTP/2.0 in name": get(SECRET, version=b"HTTP/2.0"),
    "no version": _start(b"GET", SECRET, b"") + USUAL + LAST,
    "two spaces before the target": get(b" /hr/salaries"),
    "a tab before the target": b"GET\t/hr/salaries HTTP/1.1\r\n" + USUAL + LAST,
    "a space within the target": get(b"/public /hr/salaries"),
    "line feeds alone": get(SECRET).replace(b"\r\n", b"\n"),
    "empty lines in front": b"\r\n\r\n" + get(SECRET),
    "host with a port": _start(b"GET", SECRET) + b"Host: api.company.example:8443\r\n" + CREDENTIAL + LAST,
    "host with a path": _start(b"GET", SECRET) + b"Host: api.company.example/public?\r\n" + CREDENTIAL + LAST,
    "host that is a path": _start(b"GET", b"/public") + b"Host: public.example/hr/salaries\r\n" + CREDENTIAL + LAST,
    "two hosts": get(SECRET, b"Host: public.example"),
    "two hosts, a public path": get(b"/public", b"Host: x/hr/salaries"),
    "no host": _start(b"GET", SECRET) + CREDENTIAL + LAST,
    "absolute target, another host": get(b"https://public.example/hr/salaries"),
    "upgrade to h2c": get(SECRET, b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    "upgrade to a websocket": get(SECRET, b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    "another path in an original-url header": get(SECRET, b"X-Original-URL: /public"),
    "another path in a rewrite-url header": get(SECRET, b"X-Rewrite-URL: /public"),
    "another path in envoy's header": get(SECRET, b"x-envoy-original-path: /public"),
    "a role of the caller's own": get(SECRET, b"x-agent-gateway-roles: hr_access"),
    "connection names the credential": get(SECRET, b"X-Note: 1").replace(b"close", b"close, Authorization"),
    "header with underscores": get(b"/public", b"X_Original_URL: /hr/salaries"),
    "header with a space before the colon": get(b"/public", b"X-Original-URL : /hr/salaries"),
    "length and chunks": _start(b"POST", b"/public") + USUAL
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks and length, a GET": _start(b"GET", b"/public") + USUAL
    + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SECOND,
    "two lengths": _start(b"GET", b"/public") + USUAL + b"Content-Length: 0\r\nContent-Length: 4\r\n\r\n" + SECOND,
    "a list of lengths": _start(b"GET", b"/public") + USUAL + b"Content-Length: 0, 4\r\n\r\n" + SECOND,
    "a signed length": _start(b"GET", b"/public") + USUAL + b"Content-Length: +0\r\n\r\n" + SECOND,
    "a coding that is not known": _start(b"GET", b"/public") + USUAL + b"Transfer-Encoding: xchunked\r\n\r\n" + SECOND,
    "two codings": _start(b"GET", b"/public") + USUAL
    + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND,
    "a chunk without a size": _start(b"GET", b"/public") + USUAL
    + b"Transfer-Encoding: chunked\r\n\r\n\r\n\r\n" + SECOND,
    "a NUL in a header": get(b"/public", b"X-Note: a\x00b"),
}  # fmt: skip

HIDDEN: Mapping[str, bytes] = {
    **{
        f"header {name}": get(b"/public", name.encode() + b": /hr/salaries")
        for name in (
            "X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Path", "X-Forwarded-Prefix",
            "X-Forwarded-Uri", "X-Forwarded-URL", "X-Envoy-Original-Path", "X-Agent-Gateway-Endpoint", "x-ORIGINAL-uRl",
        )
    },
    "folded header": get(b"/public", b"X-Note: a", b" X-Original-URL: /hr/salaries"),
    "a bare carriage return in a header": get(b"/public", b"X-Note: 1\rX-Original-URL: /hr/salaries"),
    "header X-HTTP-Method-Override": get(b"/public", b"X-HTTP-Method-Override: DELETE"),
    "forwarded host with a path": get(b"/public", b"X-Forwarded-Host: api.company.example/hr/salaries"),
    "forwarded path": get(b"/public", b"Forwarded: for=1.2.3.4;path=/hr/salaries"),
    "pipelined": _start(b"GET", b"/public") + USUAL + b"\r\n" + SECOND,
    "pipelined, another spelling": _start(b"GET", b"/public") + USUAL + b"\r\n" + get(b"/public/..;/hr/salaries"),
    "pipelined behind a refusal": _start(b"GET", SECRET) + USUAL + b"\r\n" + SECOND,
    "behind an empty body": _start(b"GET", b"/public") + USUAL + b"Content-Length: 0\r\n\r\n" + SECOND,
    "behind the last chunk": _start(b"GET", b"/public") + USUAL
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "within a chunk": _start(b"GET", b"/public") + USUAL + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    + b"%x\r\n%s\r\n0\r\n\r\n" % (len(WITHIN), WITHIN),
    "within a chunk's extension": _start(b"GET", b"/public") + USUAL
    + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0;GET /hr/salaries HTTP/1.1\r\n\r\n",
    "within a trailer": _start(b"GET", b"/public") + USUAL
    + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\nX-Original-URL: /hr/salaries\r\n\r\n",
    "within a body that asks to go on": _start(b"GET", b"/public") + USUAL
    + b"Expect: 100-continue\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(WITHIN), WITHIN),
    "within a body": _start(b"GET", b"/public") + USUAL
    + b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(WITHIN), WITHIN),
    "behind an upgrade": _start(b"GET", b"/public") + USUAL
    + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n" + SECOND,
}  # fmt: skip


def stream(path: bytes, *more: tuple[bytes, bytes], method: bytes = b"GET", authority: bytes = HOST) -> Headers:
    """Return the headers that ask for a path."""
    pseudo = ((b":method", method), (b":scheme", b"https"), (b":authority", authority), (b":path", path))
    return (*pseudo, (b"authorization", b"Bearer {token}"), (b"x-marker", b"{marker}"), *more)


BARRED_STREAMS: Mapping[str, Headers] = {
    **{
        f"method {method.decode()}": stream(SECRET, method=method)
        for method in (b"HEAD", b"OPTIONS", b"TRACE", b"DELETE", b"get", b"GET /hr/salaries HTTP/1.1\r\nX:")
    },
    "two paths": (*stream(b"/public")[:4], (b":path", SECRET), *stream(b"/public")[4:]),
    "a path behind the headers": (*stream(b"/public"), (b":path", SECRET)),
    "no path": (*stream(b"")[:3], *stream(b"")[4:]),
    "an empty path": stream(b""),
    "another request within the path": stream(b"/public HTTP/1.1\r\nHost: x\r\n\r\nGET /hr/salaries"),
    "a space within the path": stream(b"/public /hr/salaries"),
    "an authority with a path": stream(b"/public", authority=b"api.company.example/hr/salaries?"),
    "a scheme with a path": (
        (b":method", b"GET"),
        (b":scheme", b"https://x/hr/salaries?"),
        *stream(b"/public")[2:],
    ),
    "a header with a line break": stream(b"/public", (b"x-note", b"a\r\nX-Original-URL: /hr/salaries")),
    "a header name with a line break": stream(b"/public", (b"x: a\r\nx-original-url", SECRET)),
    "a header name in upper case": stream(b"/public", (b"X-Original-URL", SECRET)),
    "a transfer coding": stream(b"/public", (b"transfer-encoding", b"chunked")),
    "a length that is not so": stream(b"/public", (b"content-length", b"40")),
    "another host": stream(b"/public", (b"host", b"x/hr/salaries")),
    "everything": stream(b"*", method=b"OPTIONS"),
    "CONNECT": ((b":method", b"CONNECT"), (b":authority", b"api.company.example:443"), *stream(b"")[4:]),
    "CONNECT with a protocol": (
        *stream(SECRET, method=b"CONNECT")[:4],
        (b":protocol", b"websocket"),
        *stream(b"")[4:],
    ),
}

HIDDEN_STREAMS: Mapping[str, Headers] = {
    "original-url": stream(b"/public", (b"x-original-url", SECRET)),
    "rewrite-url": stream(b"/public", (b"x-rewrite-url", SECRET)),
    "forwarded prefix": stream(b"/public", (b"x-forwarded-prefix", SECRET)),
    "the query": stream(b"/public?/../hr/salaries"),
}


def filled(text: bytes, token: str, marker: str) -> bytes:
    """Put the caller's token and the marker in."""
    return text.replace(b"{token}", token.encode()).replace(b"{marker}", marker.encode())
