"""What a service's `serve` finds around it, whichever process it runs in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from service_kit.health import Health
from service_kit.rpc import Service


class Host(Protocol):
    """Carries the calls of services."""

    async def start(self) -> str:
        """Take calls, and return the address with the port that is really used; raises `ListenError`."""
        ...

    async def stop(self) -> None:
        """Say NOT_SERVING, take no new connections, and let the calls in flight finish in bounded time."""
        ...


MakeHost = Callable[[Sequence[Service], Health, Sequence[str]], Host]


@dataclass(frozen=True, slots=True)
class Process:
    """The process of a service: when to end, where to listen, and how to be called.

    `host` makes the gRPC host for services, their health, and further names that health answers for. `shared`: there
    are other workers on the same ports, and the metrics of all are added up. `number` is the worker's.
    """

    stop: asyncio.Event
    environment: Mapping[str, str]
    http: str
    host: MakeHost
    server: str
    shared: bool = False
    number: int = 0
