"""Clients that send a body cut as they are told, and tell a whole answer from one that was broken off.

Neither has a window of its own in mind: what they send is short.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events

PATIENCE = 30.0
READ = 65_536  # bytes at once
Pairs = Sequence[tuple[str, str]]


@dataclass
class Arrived:
    """What a client received. `is_whole` says whether its end was an end: not a reset, nor a connection that closed."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    is_whole: bool = False


@dataclass(frozen=True)
class Request:
    """What is sent. Without parts it is a GET, unless they are None: then a POST whose headers are its end."""

    path: str
    parts: Sequence[bytes] | None = ()
    headers: Pairs = ()
    trailers: Pairs = ()
    until: Callable[[], object] | None = None  # where it is broken off behind its parts: what is waited for before

    @property
    def method(self) -> str:
        return "GET" if self.parts == () and not self.trailers else "POST"


def send(port: int, request: Request, *, http2: bool) -> Arrived:
    """Send it on a connection of its own, and read all of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        return (_http2 if http2 else _http1)(connection, request)


def _http1(connection: socket.socket, request: Request) -> Arrived:
    fields = [("host", "api.example"), ("te", "trailers"), ("connection", "close"), *request.headers]
    if request.method == "POST":
        fields.append(("content-length", "0") if request.parts is None else ("transfer-encoding", "chunked"))
    connection.sendall(f"{request.method} {request.path} HTTP/1.1\r\n{_lines(fields)}\r\n".encode())
    raw = b""
    with contextlib.suppress(ConnectionError):
        if request.method == "POST" and request.parts is not None:
            for part in filter(None, request.parts):
                connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            if request.until is not None:
                request.until()
                return Arrived()
            connection.sendall(f"0\r\n{_lines(request.trailers)}\r\n".encode())
        while data := connection.recv(READ):
            raw += data
    return _read(raw)


def _lines(fields: Pairs) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in fields)


def _read(raw: bytes) -> Arrived:
    """Read an answer of HTTP/1.1 to the end of its connection."""
    head, end, rest = raw.partition(b"\r\n\r\n")
    if not end:
        return Arrived()
    first, *lines = head.decode("latin-1").split("\r\n")
    arrived = Arrived(int(first.split(" ")[1]), _named(lines))
    if arrived.headers.get("transfer-encoding") != "chunked":
        arrived.body = rest
        arrived.is_whole = len(rest) == int(arrived.headers.get("content-length", "0"))
        return arrived
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            arrived.is_whole = rest.endswith(b"\r\n")
            arrived.trailers = _named(rest.decode("latin-1").split("\r\n")[:-2])
            break
        arrived.body += rest[:length]
        rest = rest[length + 2 :]
    return arrived


def _named(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(": ") for line in lines)
    return {name.lower(): value for name, _, value in pairs}


def _http2(connection: socket.socket, request: Request) -> Arrived:
    session = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
    session.initiate_connection()
    head = [(":method", request.method), (":scheme", "http"), (":authority", "api.example"), (":path", request.path)]
    no_body = request.parts is None or request.method == "GET"
    session.send_headers(1, [*head, ("te", "trailers"), *request.headers], end_stream=no_body)
    if not no_body:
        for part in request.parts or ():
            session.send_data(1, part)
        if request.until is not None:
            connection.sendall(session.data_to_send())
            request.until()
            session.reset_stream(1, h2.errors.ErrorCodes.CANCEL)
            connection.sendall(session.data_to_send())
            return Arrived()
        if request.trailers:
            session.send_headers(1, request.trailers, end_stream=True)
        else:
            session.end_stream(1)
    connection.sendall(session.data_to_send())
    arrived = Arrived()
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(READ):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    arrived.headers = {str(name): str(value) for name, value in event.headers}
                    arrived.status = int(arrived.headers[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    arrived.body += event.data or b""
                    session.acknowledge_received_data(event.flow_controlled_length or 0, 1)
                elif isinstance(event, h2.events.TrailersReceived):
                    arrived.trailers = {str(name): str(value) for name, value in event.headers}
                elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                    arrived.is_whole = isinstance(event, h2.events.StreamEnded)
                    return arrived
            connection.sendall(session.data_to_send())
    return arrived
