"""ProcessingRequest ↔ events, actions ↔ ProcessingResponse (Envoy's ext_proc v3).

Envoy takes the clean end of a stream for leave to go on without us, whatever `failure_mode_allow` says. So a stream
ends cleanly only after Envoy has ended its side of it and everything was answered; else it ends with a status, on which
Envoy refuses the exchange.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit_log.body_event import BodyEvent
from audit_log.sink import AuditSink, AuditUnavailableError
from authz_service.denials import Denials
from authz_service.dlp.actions import Direction
from authz_service.exchange.body import Terms
from authz_service.exchange.events import (
    Action,
    Answer,
    BodyCame,
    BodyGoes,
    Change,
    Event,
    Fields,
    HeadersCame,
    HeadersGo,
    Mode,
    Pause,
    Record,
    TrailersCame,
)
from authz_service.exchange.inspection import Bodies, Subject
from authz_service.exchange.machine import Exchange, Modes
from authz_service.exchange.refusals import UnexpectedError
from authz_service.exchange.room import FullError, Room, Share
from authz_service.pipeline import Clock
from service_kit.lifetime import in_short_turns
from service_kit.rpc import RpcError, Service, Status
from service_kit.wire import envoy_core_pb2, envoy_type_pb2, ext_proc_mode_pb2, ext_proc_pb2

METADATA = "envoy.filters.http.ext_authz"  # the namespace in which ext_authz says who calls

# Of the event loop, between two slices of a body: about as many as a Check takes, which would else wait for a slice in
# each of them.
_PASSES = 4

log = logging.getLogger(__name__)

_OPTION = envoy_core_pb2.HeaderValueOption
_SEND = ext_proc_mode_pb2.ProcessingMode
_MODES = {
    _SEND.NONE: Mode.NONE,
    _SEND.BUFFERED: Mode.BUFFERED,
    _SEND.STREAMED: Mode.STREAMED,
    _SEND.FULL_DUPLEX_STREAMED: Mode.FULL_DUPLEX,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """Bounds of the work. `message_seconds` is for one message: where bodies stream, Envoy sets no limit of its own.

    `exchanges` may be open at once: each is a call for as long as it lasts, and none takes the place of a Check. One of
    which nothing comes for `idle_seconds` ends. `room_bytes` are of parts that are worked on at once, as they come;
    `window_bytes` of what the codings of all bodies hold between parts: whoever holds that keeps no part from passing.
    """

    exchanges: int = 2_000
    idle_seconds: float = 900.0
    message_seconds: float = 10.0
    room_bytes: int = 64 * 1024 * 1024
    window_bytes: int = 64 * 1024 * 1024


class IdleError(Exception):
    """Nothing of an exchange came for too long."""


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
        windows = Share(self._windows)
        exchange: Exchange | None = None
        subject = Subject("")
        code = "cut_off"
        try:
            async for request in _in_time(requests, self._pace.idle_seconds):
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
            code = _end_of(exchange)
        except Exception as error:
            code, status = _ended_by(error)
            if status is None:
                raise
            raise status from None
        finally:
            self.open -= 1
            windows.hold(0)
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


async def _in_time(requests: AsyncIterator[Any], seconds: float) -> AsyncIterator[Any]:
    """Yield what comes; raises `IdleError` where nothing does for so long."""
    coming = aiter(requests)
    while True:
        try:
            async with asyncio.timeout(seconds):
                request = await anext(coming, None)
        except TimeoutError:
            raise IdleError from None
        if request is None:
            return
        yield request


def _ended_by(error: Exception) -> tuple[str, RpcError | None]:
    """The code of an exchange that an error ends, and the status where it has none of its own."""
    match error:
        case UnexpectedError():
            return "unexpected", RpcError(Status.INVALID_ARGUMENT, str(error))
        case FullError():
            return "overloaded", RpcError(Status.RESOURCE_EXHAUSTED, "too many bodies at once")
        case IdleError():
            return "idle", RpcError(Status.DEADLINE_EXCEEDED, "nothing of the exchange came for too long")
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


def event_of(request: Any) -> Event:
    """Read a message; raises `RpcError` for one that is none of an exchange."""
    if request.observability_mode:
        raise RpcError(Status.INVALID_ARGUMENT, "answers would not be heeded in observability_mode")
    kind = request.WhichOneof("request")
    if kind is None:
        raise RpcError(Status.INVALID_ARGUMENT, "a message without a part of an exchange")
    side, _, part = kind.partition("_")
    direction, message = Direction(side), getattr(request, kind)
    if part == "headers":
        return HeadersCame(direction, _fields(message.headers), message.end_of_stream)
    if part == "body":
        return BodyCame(direction, message.body, message.end_of_stream)
    return TrailersCame(direction, _fields(message.trailers))


def modes_of(request: Any) -> Modes:
    """Read how bodies come, which the first message says; raises `RpcError` where that is not safe, or not said."""
    if request.WhichOneof("request") not in {"request_headers", "response_headers"}:
        raise RpcError(Status.INVALID_ARGUMENT, "an exchange begins with headers")
    if not request.HasField("protocol_config"):
        raise RpcError(Status.INVALID_ARGUMENT, "the first message does not say how bodies come")
    said = request.protocol_config
    modes = [_MODES.get(mode) for mode in (said.request_body_mode, said.response_body_mode)]
    if modes[0] is None or modes[1] is None:
        raise RpcError(Status.INVALID_ARGUMENT, "a body mode that lets a part of a body pass unseen")
    return Modes(modes[0], modes[1])


def metadata_of(request: Any) -> Mapping[str, Any]:
    """What ext_authz said of the request, empty where it said nothing."""
    if METADATA not in request.metadata_context.filter_metadata:
        return {}
    fields = request.metadata_context.filter_metadata[METADATA].fields
    return {name: _plain(fields[name]) for name in fields}


def _plain(value: Any) -> Any:
    """A value of a Struct. MessageToDict takes five times as long, for each exchange."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        return {name: _plain(fields[name]) for name in fields}
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    if kind == "number_value" and not math.isfinite(value.number_value):
        raise RpcError(Status.INVALID_ARGUMENT, "metadata that cannot be read")
    return None if kind in {None, "null_value"} else getattr(value, kind)


def response_of(action: Action) -> Any:
    """Write an action as Envoy reads it."""
    if isinstance(action, Answer):
        return ext_proc_pb2.ProcessingResponse(
            immediate_response=ext_proc_pb2.ImmediateResponse(
                status=envoy_type_pb2.HttpStatus(code=envoy_type_pb2.StatusCode.Name(action.status)),
                headers=_mutation(Change(action.headers)),
                body=action.body.encode(),
                details=action.code,
            )
        )
    assert not isinstance(action, Record | Pause)  # noqa: S101  (those are not for Envoy)
    mutation = _mutation(action.change)
    response = ext_proc_pb2.ProcessingResponse()
    if isinstance(action, HeadersGo):
        part = getattr(response, f"{action.direction}_headers")
        part.response.header_mutation.CopyFrom(mutation)
    elif isinstance(action, BodyGoes):
        common = getattr(response, f"{action.direction}_body").response
        common.header_mutation.CopyFrom(mutation)
        _put_body(common, action)
    else:
        part = getattr(response, f"{action.direction}_trailers")
        part.header_mutation.CopyFrom(mutation)
        part.SetInParent()
    return response


def _put_body(common: Any, action: BodyGoes) -> None:
    if action.streamed:
        streamed = common.body_mutation.streamed_response
        streamed.body, streamed.end_of_stream = action.data or b"", action.end
        streamed.SetInParent()
    elif action.data:
        common.body_mutation.body = action.data
    elif action.data is not None:
        common.body_mutation.clear_body = True


def _fields(headers: Any) -> Fields:
    """Header fields as text. Bytes that are not UTF-8 are replaced: nothing is written back that was not changed."""
    return [(each.key, (each.raw_value or each.value.encode()).decode("utf-8", "replace")) for each in headers.headers]


def _mutation(change: Change) -> Any:
    """Write a change: the first of a name overwrites, the others of that name are added to it."""
    return ext_proc_pb2.HeaderMutation(set_headers=list(_options(change.set)), remove_headers=change.remove)


def _options(fields: Fields) -> Iterator[Any]:
    seen: set[str] = set()
    for name, value in fields:
        action = _OPTION.APPEND_IF_EXISTS_OR_ADD if name in seen else _OPTION.OVERWRITE_IF_EXISTS_OR_ADD
        seen.add(name)
        header = envoy_core_pb2.HeaderValue(key=name, raw_value=value.encode())
        yield _OPTION(header=header, append_action=action)
