"""Exchanges over Envoy's ext_proc v3, each a stream of messages.

Envoy takes the clean end of a stream for leave to go on without us, whatever `failure_mode_allow` says. So a stream
ends cleanly only after Envoy has ended its side of it and everything was answered; else it ends with a status, on which
Envoy refuses the exchange.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from audit_log.body_event import BodyEvent
from audit_log.sink import AuditSink, AuditUnavailableError
from authz_service.denials import Denials
from authz_service.exchange.body import Terms
from authz_service.exchange.events import BodyCame, Event, HeadersCame, Pause, Record
from authz_service.exchange.inspection import Bodies, Subject
from authz_service.exchange.machine import Exchange
from authz_service.exchange.refusals import UnexpectedError
from authz_service.exchange.room import FullError, Room, Share
from authz_service.pipeline import Clock
from authz_service.servicers.ext_proc_messages import event_of, metadata_of, modes_of, response_of
from authz_service.servicers.idling import Idling
from service_kit.lifetime import in_short_turns
from service_kit.rpc import RpcError, Service, Status
from service_kit.wire import ext_proc_pb2

# Of the event loop, between two slices of a body: about as many as a Check takes, which would else wait for a slice in
# each of them.
_PASSES = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Bounds of the work. `message_seconds` is for one message: where bodies stream, Envoy sets no limit of its own.

    `exchanges` may be open at once: each is a call for as long as it lasts, and none takes the place of a Check. One of
    which nothing comes for `idle_seconds`, or an eighth more, ends. `room_bytes` are of parts that are worked on at
    once, as they come; `window_bytes` of what the codings of all bodies hold between parts: whoever holds that keeps no
    part from passing.
    """

    exchanges: int = 2_000
    idle_seconds: float = 900.0
    message_seconds: float = 10.0
    room_bytes: int = 64 * 1024 * 1024
    window_bytes: int = 64 * 1024 * 1024


class ExtProcServicer:
    """`envoy.service.ext_proc.v3.ExternalProcessor`."""

    def __init__(  # noqa: PLR0913  (the parts, wired once)
        self,
        bodies: Bodies,
        *,
        audit: AuditSink,
        clock: Clock,
        new_id: Callable[[], str],
        terms: Terms,
        denials: Denials,
        pace: Pace | None = None,
        told: Callable[[Record], None] = lambda _: None,
        ended: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`told` hears of every record too, and `ended` how each exchange ended, for metrics."""
        self.open = 0  # exchanges
        self._bodies = bodies
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._terms = terms
        self._denials = denials
        self._pace = pace or Pace()
        self._room = Room(self._pace.room_bytes)
        self._windows = Room(self._pace.window_bytes)
        self._idling = Idling(self._pace.idle_seconds)
        self._told = told
        self._ended = ended

    def service(self) -> Service:
        """The service to serve."""
        descriptor = ext_proc_pb2.DESCRIPTOR.services_by_name["ExternalProcessor"]
        return Service(descriptor, {"Process": self.process}, own_calls=self._pace.exchanges)

    async def process(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Answer one exchange, if there is a place for it."""
        if self.open >= self._pace.exchanges:
            self._ended("too_many")
            raise RpcError(Status.RESOURCE_EXHAUSTED, "too many exchanges at once")
        self.open += 1
        windows, waiting = Share(self._windows), self._idling.begin()
        exchange: Exchange | None = None
        subject = Subject("")
        code = "cut_off"
        try:
            async for request in requests:
                waiting.heard()
                event = event_of(request)
                if exchange is None:
                    subject = self._subject(request, event)
                    exchange = self._begun(request, subject)
                size = len(event.data) if isinstance(event, BodyCame) else 0
                deadline = self._clock.elapsed() + self._pace.message_seconds
                with self._room.holding(size), in_short_turns():
                    for action in exchange.handle(event):
                        if isinstance(action, Pause | Record):
                            await self._do(action, subject, deadline)
                            windows.hold(exchange.windows)
                        else:
                            yield response_of(action)
                windows.hold(exchange.windows)
                waiting.waits()
            code = _end_of(exchange)
        except asyncio.CancelledError:
            if not waiting.gave_up():
                raise
            code = "idle"
            raise RpcError(Status.DEADLINE_EXCEEDED, "nothing of the exchange came for too long") from None
        except Exception as error:
            code, status = _ended_by(error)
            if status is None:
                raise
            raise status from None
        finally:
            self.open -= 1
            windows.hold(0)
            self._idling.end(waiting)
            self._close(exchange, subject, code)
        if exchange is not None and exchange.is_open:
            # Envoy does end so where its client has gone. Were it anything else, this must not read as leave to go on.
            raise RpcError(Status.CANCELLED, "the exchange is not over")

    def _begun(self, request: Any, subject: Subject) -> Exchange:
        inspection = self._bodies.inspect(subject)
        return Exchange(modes_of(request), inspection, subject.decision_id, self._terms, self._denials)

    async def _do(self, action: Pause | Record, subject: Subject, deadline: float) -> None:
        """Do what is not for Envoy; raises `RpcError` where a message has had all of its time."""
        if isinstance(action, Record):
            self._record(action, subject)
            return
        for _ in range(_PASSES):
            await asyncio.sleep(0)
        if self._clock.elapsed() > deadline:
            raise RpcError(Status.DEADLINE_EXCEEDED, "a part of a body took too long")

    def _close(self, exchange: Exchange | None, subject: Subject, code: str) -> None:
        """Write down what an exchange that ends early had held. Nothing passes any more that this could hold up."""
        self._ended(code)
        try:
            for record in exchange.cut_off(code) if exchange is not None else ():
                self._record(record, subject)
        except AuditUnavailableError as error:
            log.error("audit event not kept", extra={"fields": {"detail": str(error)}})

    def _record(self, record: Record, subject: Subject) -> None:
        event = BodyEvent(
            time=self._clock.now(),
            decision_id=subject.decision_id,
            request_id=subject.request_id,
            direction=record.direction.value,
            code=record.code,
            status=record.status,
            findings=record.findings,
        )
        self._audit.record(event)
        self._told(record)

    def _subject(self, request: Any, event: Event) -> Subject:
        metadata = metadata_of(request)
        fields = event.fields if isinstance(event, HeadersCame) else ()
        request_id = next((value for name, value in fields if name == "x-request-id"), "")
        return Subject(str(metadata.get("decision_id") or self._new_id()), request_id, metadata)


def _ended_by(error: Exception) -> tuple[str, RpcError | None]:
    """The code of an exchange that an error ends, and the status where it has none of its own."""
    match error:
        case UnexpectedError():
            return "unexpected", RpcError(Status.INVALID_ARGUMENT, str(error))
        case FullError():
            return "overloaded", RpcError(Status.RESOURCE_EXHAUSTED, "too many bodies at once")
        case AuditUnavailableError():
            log.error("audit event not kept, exchange cut off", extra={"fields": {"detail": str(error)}})
            return "cut_off", RpcError(Status.UNAVAILABLE, "the audit log is not available")
        case RpcError():
            return "failed", None
        case _:
            return "internal_error", None  # the host ends the call with a status, and logs the type and place


def _end_of(exchange: Exchange | None) -> str:
    """How an exchange ended that Envoy has ended."""
    return "cut_off" if exchange is not None and exchange.is_open else "over"
