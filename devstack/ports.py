"""Which ports the parts listen on, all on 127.0.0.1."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, fields

HOST = "127.0.0.1"
_FIRST = 10_000  # below what systems give to outgoing connections: those come and go at any moment
_BLOCKS, _BLOCK = 60, 200  # ports in 60 blocks, so that processes that look at once seldom look in the same one


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
                probe.bind((HOST, number))
            except OSError:
                taken.append(f"{number} ({field.name})")
    if taken:
        raise PortTakenError(f"in use: {', '.join(taken)}. Free ports instead: make run DEVSTACK_ARGS='--ports auto'")
    return ports


def free() -> Ports:
    """Return ports that are free now."""
    return Ports(**{field.name: free_port() for field in fields(Ports)})


def free_port(*, beside: int = 0) -> int:
    """Return a port that is free now; with `beside`, one for which port + `beside` is free too.

    It is not held until it is used. So that nothing else takes it meanwhile, a process has a block of ports to itself,
    gives none of them again before all others, and they are none that an outgoing connection may get.
    """
    for port in itertools.islice(_own_ports, _BLOCK):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for number in {port, port + beside}:
                held.enter_context(socket.socket()).bind((HOST, number))
            return port
    raise PortTakenError(f"no port is free from {_FIRST} to {_FIRST + _BLOCKS * _BLOCK}")


def _block(process: int, start: int) -> Iterator[int]:
    first = _FIRST + process % _BLOCKS * _BLOCK
    return (first + (start + number) % _BLOCK for number in itertools.count())


_own_ports = _block(os.getpid(), random.SystemRandom().randrange(_BLOCK))
