"""Which calls a host lets in: those that share its bound, those in reserve, and those that their service bounds itself.

A stream may last for hours. Were it to count as a call that is answered in a millisecond does, a thousand of them would
leave no place for any; so a service of such streams has places of its own (`Service.own_calls`).
"""

from __future__ import annotations

from collections.abc import Iterable

from service_kit.rpc import Service

HEALTH = frozenset({"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List"})
HEALTH_CALLS = 64  # of these beyond the bound of calls: a full service is not to be taken for a dead one


class Admission:
    """Counts calls in and out. Not for several threads."""

    __slots__ = ("_apart", "_bound", "_shared", "most")

    def __init__(self, services: Iterable[Service], concurrent_calls: int) -> None:
        """`concurrent_calls` bounds the calls of all services that have no places of their own."""
        own = [service for service in services if service.own_calls]
        self.most = concurrent_calls + HEALTH_CALLS + sum(service.own_calls for service in own)
        self._apart = frozenset(method.path for service in own for method in service.methods())
        self._bound = concurrent_calls
        self._shared = 0

    def enter(self, path: str) -> bool:
        """Let a call in, or say that there is no place for it. One that was let in must `leave`."""
        if path in self._apart:
            return True
        if self._shared >= self._bound and (path not in HEALTH or self._shared >= self._bound + HEALTH_CALLS):
            return False
        self._shared += 1
        return True

    def leave(self, path: str) -> None:
        """Give a call's place to others."""
        if path not in self._apart:
            self._shared -= 1
