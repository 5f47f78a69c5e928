"""Where and how a process listens: what the hosts and both services' settings need to say it."""

from __future__ import annotations

import enum
import socket
from dataclasses import dataclass
from pathlib import Path

MAX_PORT = 65_535
MAX_WORKERS = 64


class Server(enum.StrEnum):
    """Which gRPC host serves: `auto` is pyvoy where it runs, and grpcio elsewhere."""

    AUTO = "auto"
    PYVOY = "pyvoy"
    GRPCIO = "grpcio"


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key as PEM files; with `client_ca` every client must show a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a service listens, and what carries its calls.

    `grpc` is `host:port` (a v6 host in brackets, port 0 for a free one) or `unix:///path`; `http` is `host:port`.
    `workers` processes share the ports. `admin` is a folder for the admin sockets of pyvoy's Envoys, for who asks.
    """

    grpc: str
    http: str
    tls: Tls | None = None
    server: Server = Server.AUTO
    workers: int = 1
    admin: Path | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a gRPC host."""

    receive_bytes: int = 4 * 1024 * 1024  # one request message
    send_bytes: int = 4 * 1024 * 1024  # one response message
    concurrent_calls: int = 2_000  # further ones end with RESOURCE_EXHAUSTED; `Service.own_calls` come beside them
    connection_calls: int = 1_000  # on one connection; further ones wait there, or come by another
    request_seconds: float = 10.0  # for a message to come whole once a call waits for it (pyvoy)
    unfinished_bytes: int = 256 * 1024 * 1024  # of messages that are not whole, in all calls together (pyvoy)
    connections: int = 10_000  # further ones are closed at once (pyvoy)
    drain_seconds: float = 10.0  # how long calls in flight may take to finish when the process ends


class ListenError(Exception):
    """The address cannot be listened on. Its text says why."""


def port_of(address: str) -> int:
    """The port at the end of `host:port`. grpcio itself takes 65536 for port 0, and would listen elsewhere."""
    text = address.rpartition(":")[2]
    if ":" not in address or not text.isascii() or not text.isdecimal() or int(text[:6]) > MAX_PORT:
        raise ListenError(f"cannot listen on {address}: it does not end with a port from 0 to {MAX_PORT}")
    return int(text[:6])


def try_to_bind(address: str) -> None:
    """Find out why `host:port` cannot be had, before a server is asked that says only that it cannot."""
    host, port = address.rpartition(":")[0].strip("[]"), port_of(address)
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from error


def resolved(address: str) -> str:
    """The same address with a number for its host: Envoy takes no names there. Raises `ListenError`."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        found = socket.getaddrinfo(host, port_of(address), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from error
    number = found[0][4][0]
    return f"[{number}]:{port_of(address)}" if ":" in str(number) else f"{number}:{port_of(address)}"
