"""Requests to the gateway byte for byte as they are given, over TLS: HTTP/1.1, and HTTP/2 with headers of any kind."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.e2e.stack import Gateway

SECONDS = 20.0
CHUNK_BYTES = 65_536
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: chunked", re.IGNORECASE)


@contextlib.contextmanager
def _connected(gateway: Gateway, protocol: str) -> Iterator[ssl.SSLSocket]:
    url = urlsplit(gateway.state.gateway_url)
    trust = ssl.create_default_context(cafile=gateway.state.ca_file)
    trust.set_alpn_protocols([protocol])
    plain = socket.create_connection((url.hostname or "", url.port or 0), timeout=SECONDS)
    with plain, trust.wrap_socket(plain, server_hostname=url.hostname) as connection:
        assert connection.selected_alpn_protocol() == protocol
        yield connection


def http1(gateway: Gateway, data: bytes) -> list[int]:
    """Send the bytes; return the status of each answer until the gateway closes. None is a closed connection."""
    received = bytearray()
    with _connected(gateway, "http/1.1") as connection, contextlib.suppress(ConnectionError, ssl.SSLEOFError):
        connection.sendall(data)
        while part := connection.recv(CHUNK_BYTES):
            received += part
    return list(_statuses(bytes(received)))


def _statuses(data: bytes) -> Iterator[int]:
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        yield status
        length = _LENGTH.search(head)
        if _CHUNKED.search(head):
            data = data.partition(b"0\r\n\r\n")[2]
        elif length is not None:
            data = data[int(length[1]) :]


def http2(gateway: Gateway, headers: Sequence[tuple[bytes, bytes]], body: bytes = b"") -> list[int]:
    """Send one stream with these headers, in this order, well-formed or not; return its status, if there is one."""
    config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    session = h2.connection.H2Connection(config)
    statuses: list[int] = []
    with (
        _connected(gateway, "h2") as connection,
        contextlib.suppress(ConnectionError, ssl.SSLEOFError, h2.exceptions.ProtocolError),
    ):
        session.initiate_connection()
        session.send_headers(1, headers, end_stream=not body)
        if body:
            session.send_data(1, body, end_stream=True)
        connection.sendall(session.data_to_send())
        while part := connection.recv(CHUNK_BYTES):
            for event in session.receive_data(part):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses += [int(value) for name, value in event.headers if name == b":status"]
                if isinstance(event, h2.events.StreamEnded | h2.events.StreamReset | h2.events.ConnectionTerminated):
                    return statuses
            connection.sendall(session.data_to_send())
    return statuses
