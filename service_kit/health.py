"""What the process says of itself: one state, told over gRPC (grpc.health.v1) and over HTTP (/readyz)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from service_kit.rpc import RpcError, Service, Status
from service_kit.wire import health_pb2

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
MAX_WATCHERS = 1000  # open Watch streams


class Health:
    """Ready when no part has a problem and the process is not draining. Lives on one event loop."""

    def __init__(self, parts: Iterable[str]) -> None:
        """`parts` are what must be there before a call may be served; each starts as not ready."""
        self._problems: dict[str, str | None] = dict.fromkeys(parts, "starting")
        self._notes: dict[str, str] = {}
        self._draining = False
        self._changed = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether calls can be answered."""
        return not self._draining and not any(self._problems.values())

    @property
    def draining(self) -> bool:
        """Whether the process has begun to end."""
        return self._draining

    def report(self) -> dict[str, str]:
        """Each part with `ok` or its problem, and the notes, for /readyz."""
        parts = {part: problem or "ok" for part, problem in self._problems.items()}
        return parts | self._notes | ({"process": "draining"} if self._draining else {})

    def set(self, part: str, problem: str | None) -> None:
        """Say that a part is well (`None`) or what its problem is."""
        if part not in self._problems:
            raise KeyError(part)
        self._problems[part] = problem
        self._notify()

    def note(self, name: str, text: str) -> None:
        """Tell something in /readyz that does not decide readiness, such as a policy's revision."""
        self._notes[name] = text

    def drain(self) -> None:
        """Answer NOT_SERVING from now on; nothing takes it back."""
        self._draining = True
        self._notify()

    async def changed(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class HealthServicer:
    """Health checking over gRPC. All services of a process share its one state."""

    def __init__(self, health: Health, services: Iterable[str]) -> None:
        self._health = health
        self._names = frozenset(services) | {""}
        self._watchers = 0

    def service(self) -> Service:
        """The service to serve."""
        handlers: dict[str, Callable[[Any], Any]] = {"Check": self.check, "List": self.list, "Watch": self.watch}
        return Service(health_pb2.DESCRIPTOR.services_by_name["Health"], handlers)

    async def check(self, request: health_pb2.HealthCheckRequest) -> health_pb2.HealthCheckResponse:
        """Answer at once; an unknown service is NOT_FOUND."""
        if request.service not in self._names:
            raise RpcError(Status.NOT_FOUND, "unknown service")
        return health_pb2.HealthCheckResponse(status=self._status())

    async def list(self, request: health_pb2.HealthListRequest) -> health_pb2.HealthListResponse:
        """Answer for every service of the process."""
        del request
        status = health_pb2.HealthCheckResponse(status=self._status())
        return health_pb2.HealthListResponse(statuses=dict.fromkeys(self._names, status))

    async def watch(self, request: health_pb2.HealthCheckRequest) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Answer now and at each change; ends when the process drains, so that no stream holds it up."""
        if self._watchers >= MAX_WATCHERS:
            raise RpcError(Status.RESOURCE_EXHAUSTED, f"more than {MAX_WATCHERS} watchers")
        self._watchers += 1
        try:
            last = None
            while True:
                status = self._status() if request.service in self._names else SERVICE_UNKNOWN
                if status != last:
                    last = status
                    yield health_pb2.HealthCheckResponse(status=status)
                    continue  # It may have changed while the caller took this one.
                if self._health.draining:
                    return
                await self._health.changed()
        finally:
            self._watchers -= 1

    def _status(self) -> health_pb2.HealthCheckResponse.ServingStatus:
        return SERVING if self._health.ready else NOT_SERVING
