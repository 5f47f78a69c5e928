"""Messages become events and actions messages; a stream never ends cleanly before its exchange does."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import AsyncIterator
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from audit_log.body_event import BodyEvent
from audit_log.sink import AuditEvent, AuditUnavailableError
from authz_service.denials import Denials
from authz_service.dlp.actions import Direction
from authz_service.exchange.body import Terms
from authz_service.pipeline import Clock
from authz_service.servicers.ext_proc import ExtProcServicer, Pace
from authz_service.servicers.ext_proc_messages import METADATA
from service_kit.rpc import RpcError, Status
from service_kit.wire import envoy_core_pb2, ext_proc_mode_pb2, ext_proc_pb2
from tests.authz_service.exchange.fixed_bodies import FORBIDDEN, HARMLESS, SECRET, FixedBodies

Message = ext_proc_pb2.ProcessingRequest
MODES = ext_proc_mode_pb2.ProcessingMode
REQUEST = Direction.REQUEST


class Audit:
    """Keeps events, or refuses them."""

    def __init__(self, *, full: bool = False) -> None:
        self.events: list[AuditEvent] = []
        self._full = full

    def record(self, event: AuditEvent) -> None:
        if self._full:
            raise AuditUnavailableError("full")
        self.events.append(event)


class Stage:
    """A servicer with what it writes to."""

    def __init__(self, *, full: bool = False, elapsed: float = 0.0, **pace: Any) -> None:
        self.audit = Audit(full=full)
        self.bodies = FixedBodies()
        self.ended: list[str] = []
        self._times = 0.0
        self._step = elapsed
        self.servicer = ExtProcServicer(
            self.bodies, audit=self.audit, clock=Clock(lambda: 1.0, self._elapsed), new_id=lambda: "new",
            terms=Terms(), denials=Denials(), pace=Pace(**pace),
            ended=self.ended.append,
        )  # fmt: skip

    def _elapsed(self) -> float:
        self._times += self._step
        return self._times

    def play(self, *requests: Any) -> tuple[list[Any], RpcError | None]:
        """What is answered, and what the stream ends with."""
        answers: list[Any] = []

        async def each() -> AsyncIterator[Any]:
            for request in requests:
                yield request

        async def run() -> None:
            async for answer in self.servicer.process(each()):
                answers.append(answer)  # noqa: PERF401  (those before an error are kept)

        try:
            asyncio.run(run())
        except RpcError as error:
            return answers, error
        return answers, None


def _headers(*fields: tuple[str, str], modes: tuple[Any, Any] = (MODES.BUFFERED, MODES.NONE), end: bool = False) -> Any:
    message = Message()
    part = message.request_headers
    part.end_of_stream = end
    part.headers.headers.extend(
        envoy_core_pb2.HeaderValue(key=name, raw_value=value.encode()) for name, value in fields
    )
    message.protocol_config.request_body_mode, message.protocol_config.response_body_mode = modes
    message.protocol_config.SetInParent()
    return message


def _body(data: bytes, *, end: bool = True) -> Any:
    return Message(request_body=ext_proc_pb2.HttpBody(body=data, end_of_stream=end))


def test_an_exchange_is_answered_message_by_message() -> None:
    stage = Stage()
    answers, error = stage.play(_headers(("content-length", "16"), ("x-request-id", "r-1")), _body(SECRET))
    assert error is None
    assert [each.WhichOneof("response") for each in answers] == ["request_headers", "request_body"]
    common = answers[1].request_body.response
    assert common.body_mutation.body == HARMLESS
    (header,) = common.header_mutation.set_headers
    assert (header.header.key, header.header.raw_value) == ("content-length", b"6")
    (event,) = stage.audit.events
    assert isinstance(event, BodyEvent)
    assert (event.decision_id, event.request_id, event.direction, event.time) == ("new", "r-1", "request", 1.0)


def test_the_decision_is_the_one_that_ext_authz_made() -> None:
    stage = Stage()
    first = _headers(end=True)
    first.metadata_context.filter_metadata[METADATA].update({"decision_id": "d-7", "dlp": {"*": "mask"}})
    stage.play(first)
    (inspected,) = stage.bodies.inspected
    assert inspected.subject.decision_id == "d-7"
    assert inspected.subject.metadata == {"decision_id": "d-7", "dlp": {"*": "mask"}}


def _observed() -> Any:
    message = _headers()
    message.observability_mode = True
    return message


def _silent() -> Any:
    message = _headers()
    message.ClearField("protocol_config")
    return message


def _strange() -> Any:
    message = _headers()
    message.metadata_context.filter_metadata[METADATA].fields["x"].number_value = float("nan")
    return message


@pytest.mark.parametrize(
    "message",
    [
        Message(),
        _body(b"x"),
        Message(request_trailers=ext_proc_pb2.HttpTrailers()),
        _silent(),
        _observed(),
        _strange(),
        _headers(modes=(MODES.BUFFERED_PARTIAL, MODES.NONE)),
        _headers(modes=(MODES.NONE, MODES.GRPC)),
    ],
)
def test_a_first_message_that_is_not_safe_ends_with_a_status(message: Any) -> None:
    answers, error = Stage().play(message)
    assert answers == []
    assert error is not None
    assert error.status is Status.INVALID_ARGUMENT


def test_what_is_out_of_order_ends_with_a_status_and_is_written_down() -> None:
    stage = Stage()
    _, error = stage.play(
        _headers(modes=(MODES.FULL_DUPLEX_STREAMED, MODES.NONE)), _body(SECRET, end=False), _headers()
    )
    assert error is not None
    assert error.status is Status.INVALID_ARGUMENT
    (event,) = stage.audit.events
    assert isinstance(event, BodyEvent)
    assert event.code == "unexpected"


def test_a_stream_that_ends_within_a_body_does_not_end_cleanly() -> None:
    _, error = Stage().play(_headers(), *[])
    assert error is not None
    assert error.status is Status.CANCELLED
    _, error = Stage().play(_headers(modes=(MODES.STREAMED, MODES.NONE)), _body(b"x", end=False))
    assert error is not None


def test_a_blocked_request_is_answered_at_once_and_nothing_after_it() -> None:
    stage = Stage()
    answers, error = stage.play(_headers(), _body(FORBIDDEN), _body(SECRET))
    assert error is None
    answer = answers[-1].immediate_response
    assert answer.status.code == 403
    assert answer.details == "secret_found"
    assert b'"decision_id": "new"' in answer.body
    assert len(answers) == 2


def test_an_event_that_is_not_kept_ends_the_exchange() -> None:
    answers, error = Stage(full=True).play(_headers(), _body(SECRET))
    assert len(answers) == 1
    assert error is not None
    assert error.status is Status.UNAVAILABLE


def test_bodies_beyond_the_room_are_refused() -> None:
    stage = Stage(room_bytes=10)
    with stage.servicer._room.holding(8):
        _, error = stage.play(_headers(), _body(b"x" * 3))
    assert error is not None
    assert error.status is Status.RESOURCE_EXHAUSTED


def test_a_part_that_takes_too_long_is_refused() -> None:
    _, error = Stage(elapsed=0.6, message_seconds=1.0).play(_headers(), _body(bytes(100_000)))
    assert error is not None
    assert error.status is Status.DEADLINE_EXCEEDED


def test_others_have_their_turn_while_a_long_body_is_looked_at() -> None:
    turns = 0

    async def run() -> None:
        async def each() -> AsyncIterator[Any]:
            yield _headers()
            yield _body(bytes(1024 * 1024))

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in Stage().servicer.process(each()):
            pass
        task.cancel()

    asyncio.run(run())
    assert turns >= 60


def test_a_caller_that_goes_away_leaves_no_room_taken_and_what_was_found() -> None:
    stage = Stage()

    async def run() -> None:
        async def each() -> AsyncIterator[Any]:
            yield _headers(modes=(MODES.FULL_DUPLEX_STREAMED, MODES.NONE))
            yield _body(SECRET + b" ", end=False)
            await asyncio.sleep(60)

        answers = stage.servicer.process(each())
        await anext(answers)
        await anext(answers)
        await answers.aclose()  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(run())
    assert stage.servicer._room.taken == 0
    assert [event.code for event in stage.audit.events if isinstance(event, BodyEvent)] == ["cut_off"]


def test_how_each_exchange_ended_is_told_and_its_place_is_free_again() -> None:
    stage = Stage(exchanges=1)
    stage.play(_headers(), _body(HARMLESS))
    stage.play(_headers(), _body(FORBIDDEN))
    stage.play(_headers())
    stage.play(_body(b"x"))
    stage.play()
    assert stage.ended == ["over", "over", "cut_off", "failed", "over"]
    assert stage.servicer.open == 0


def test_an_exchange_for_which_there_is_no_place_ends_before_anything_is_read() -> None:
    stage = Stage(exchanges=1)
    reads: list[str] = []

    async def each() -> AsyncIterator[Any]:
        yield _headers()
        for _ in range(2):
            with pytest.raises(RpcError, match="too many exchanges") as raised:
                await anext(aiter(stage.servicer.process(never())))
            assert raised.value.status is Status.RESOURCE_EXHAUSTED
        yield _body(HARMLESS)

    async def never() -> AsyncIterator[Any]:
        reads.append("one")
        yield

    async def run() -> list[Any]:
        return [answer async for answer in stage.servicer.process(each())]

    assert len(asyncio.run(run())) == 2
    assert (stage.ended, reads) == (["too_many", "too_many", "over"], [])
    assert stage.servicer.service().own_calls == 1


def test_an_exchange_of_which_nothing_comes_ends_with_a_status_and_what_was_found() -> None:
    stage = Stage(idle_seconds=0.05)

    async def each() -> AsyncIterator[Any]:
        yield _headers(modes=(MODES.STREAMED, MODES.NONE))
        yield _body(SECRET, end=False)
        await asyncio.Event().wait()

    async def run() -> None:
        async for _ in stage.servicer.process(each()):
            pass

    with pytest.raises(RpcError) as raised:
        asyncio.run(run())
    assert raised.value.status is Status.DEADLINE_EXCEEDED
    (event,) = stage.audit.events
    assert isinstance(event, BodyEvent)
    assert (event.code, len(event.findings), stage.ended) == ("idle", 1, ["idle"])


def _coded(size: int) -> bytes:
    coder = zstandard.ZstdCompressor().compressobj()
    return coder.compress(random.Random(size).randbytes(size)) + coder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


def test_windows_of_bodies_that_are_open_are_bounded_in_all_exchanges_together() -> None:
    """Each could hold 8 MiB for as long as it likes. A body without a window goes on meanwhile."""
    stage = Stage(window_bytes=5 * 1024 * 1024)
    modes = (MODES.FULL_DUPLEX_STREAMED, MODES.NONE)
    first = _headers(("content-encoding", "zstd"), modes=modes)
    part = _body(_coded(3 * 1024 * 1024), end=False)
    statuses = []

    async def exchange(requests: list[Any], go_on: asyncio.Event, came: asyncio.Event) -> None:
        async def each() -> AsyncIterator[Any]:
            for request in requests:
                yield request
            came.set()
            await go_on.wait()

        try:
            async for _ in stage.servicer.process(each()):
                pass
        except RpcError as error:
            statuses.append(error.status)

    async def run() -> None:
        go_on, came = asyncio.Event(), [asyncio.Event() for _ in range(3)]
        held = [asyncio.ensure_future(exchange([first, part], go_on, each)) for each in came[:2]]
        await asyncio.gather(*(each.wait() for each in came[:2]))
        await exchange([first, part], go_on, came[2])  # a third window of 2 MiB
        assert statuses == [Status.RESOURCE_EXHAUSTED]
        plain = asyncio.ensure_future(exchange([_headers(modes=modes), _body(b"x" * 1000)], go_on, came[2]))
        await came[2].wait()
        assert statuses == [Status.RESOURCE_EXHAUSTED]
        go_on.set()
        await asyncio.gather(plain, *held)

    asyncio.run(run())
    assert sorted(stage.ended) == ["cut_off", "cut_off", "over", "overloaded"]
    assert stage.play(first, part)[1] is not None  # all has been given back: it ends for want of an end only
    assert stage.ended[-1] == "cut_off"


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: its clock jumps to where something is due."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


@given(beats=st.lists(st.floats(0.01, 99.9), max_size=20), silence=st.floats(125.1, 1000))
def test_heartbeats_within_the_idle_time_keep_an_exchange_open_and_a_silence_ends_it(
    beats: list[float], silence: float
) -> None:
    """However they fall: the wait after each may be nearly as long as what is configured."""
    came = []

    async def each() -> AsyncIterator[Any]:
        yield _headers(modes=(MODES.STREAMED, MODES.NONE))
        for seconds in (*beats, silence):
            await asyncio.sleep(seconds)
            came.append(seconds)
            yield _body(b": ", end=False)

    async def run() -> None:
        stage = Stage(idle_seconds=100.0)
        with pytest.raises(RpcError) as raised:
            async for _ in stage.servicer.process(each()):
                pass
        assert raised.value.status is Status.DEADLINE_EXCEEDED
        assert (came, stage.ended) == (beats, ["idle"])

    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        runner.run(run())
