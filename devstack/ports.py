"""Which ports the parts listen on, all on 127.0.0.1."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass, fields


class PortTakenError(Exception):
    """A documented port is in use by somebody else."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each listener; the defaults are the documented ones."""

    gateway: int = 8443
    envoy_admin: int = 9901
    authz_grpc: int = 9191
    authz_http: int = 9192
    ratelimit_grpc: int = 8081
    ratelimit_http: int = 8080
    valkey: int = 6390
    issuer: int = 8089
    upstream: int = 8090


def documented() -> Ports:
    """Return the documented ports, or raise `PortTakenError` naming every one that is in use."""
    ports = Ports()
    taken = []
    for field in fields(ports):
        number = getattr(ports, field.name)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                taken.append(f"{number} ({field.name})")
    if taken:
        raise PortTakenError(f"in use: {', '.join(taken)}. Free ports instead: make run DEVSTACK_ARGS='--ports auto'")
    return ports


def free() -> Ports:
    """Return ports that are free now. All are held at once while they are chosen, so that no two are the same."""
    with ExitStack() as held:
        numbers = {}
        for field in fields(Ports):
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            numbers[field.name] = probe.getsockname()[1]
    return Ports(**numbers)
