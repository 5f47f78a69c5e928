"""Where and how a process listens: what both hosts and both services' settings need to say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key as PEM files; with `client_ca` every client must show a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class ListenError(Exception):
    """The address cannot be listened on. Its text says why."""


def port_of(address: str) -> int:
    """The port at the end of `host:port`. grpcio itself takes 65536 for port 0, and would listen elsewhere."""
    text = address.rpartition(":")[2]
    if ":" not in address or not text.isascii() or not text.isdecimal() or int(text[:6]) > MAX_PORT:
        raise ListenError(f"cannot listen on {address}: it does not end with a port from 0 to {MAX_PORT}")
    return int(text[:6])
