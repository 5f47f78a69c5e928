"""Audit events on their way to a stream."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable

import pytest

from audit_log.event import DecisionEvent
from audit_log.sink import AuditUnavailableError, LineSink

EVENT = DecisionEvent(
    time=0.0, decision="allow", decision_id="0", request_id="", user=None, agent_id=None, roles=(), issuer=None,
    policy_id="p", policy_revision="r", policy_loaded=0.0, code="c", reason="", status=200, method="GET", host="h",
    path="/", source="",
    findings=(),
)  # fmt: skip
SECONDS = 20.0  # a test fails after that


def event(number: int) -> DecisionEvent:
    """An event with a number."""
    return EVENT._replace(decision_id=str(number))


def numbers(text: str) -> list[int]:
    """The numbers of the events in a text."""
    assert text == "" or text.endswith("\n")
    return [int(json.loads(line)["decision_id"]) for line in text.splitlines()]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def refusal(sink: LineSink) -> str:
    """Why the sink takes no event; empty where it takes it."""
    try:
        sink.record(event(7))
    except AuditUnavailableError as refused:
        return str(refused)
    return ""


class Gated(io.StringIO):
    """A stream that holds up each write until it is opened, and counts flushes."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.writing = threading.Event()
        self.flushes = 0

    def write(self, text: str) -> int:
        self.writing.set()
        assert self.open.wait(SECONDS)
        return super().write(text)

    def flush(self) -> None:
        self.flushes += 1


class Broken(io.StringIO):
    """A stream that fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, _: str) -> int:
        raise self._error


def test_events_are_written_as_lines_in_their_order() -> None:
    """All of them, once the sink is closed."""
    stream = io.StringIO()
    sink = LineSink(stream)
    for number in range(500):
        sink.record(event(number))
    sink.close()
    assert numbers(stream.getvalue()) == list(range(500))
    assert sink.waiting == 0


def test_events_of_many_threads_stay_whole_and_in_each_threads_order() -> None:
    """No line runs into another."""
    stream = io.StringIO()
    sink = LineSink(stream)

    def record(first: int) -> None:
        for step in range(100):
            sink.record(event(first + step))

    threads = [threading.Thread(target=record, args=(first,)) for first in range(0, 400, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    sink.close()
    written = numbers(stream.getvalue())
    assert sorted(written) == list(range(400))
    for first in range(0, 400, 100):
        assert [number for number in written if first <= number < first + 100] == list(range(first, first + 100))


def test_a_line_is_flushed_when_no_other_waits() -> None:
    """A quiet service's events are not held back."""
    stream = Gated()
    stream.open.set()
    sink = LineSink(stream)
    sink.record(event(1))
    eventually(lambda: stream.flushes > 0)
    assert numbers(stream.getvalue()) == [1]
    sink.close()


def test_lines_that_wait_together_are_flushed_together() -> None:
    """One call to the disk for all of them."""
    stream = Gated()
    sink = LineSink(stream)
    for number in range(100):
        sink.record(event(number))
    stream.open.set()
    sink.close()
    assert numbers(stream.getvalue()) == list(range(100))
    assert stream.flushes <= 3


def test_a_slow_stream_holds_up_nobody_until_the_queue_is_full() -> None:
    """Then an event is refused, and with it its request; what was taken is written."""
    stream = Gated()
    sink = LineSink(stream, capacity=10)
    sink.record(event(0))
    assert stream.writing.wait(SECONDS)
    for number in range(1, 11):
        sink.record(event(number))
    assert sink.waiting == 10
    started = time.monotonic()
    with pytest.raises(AuditUnavailableError, match="queue is full"):
        sink.record(event(11))
    assert time.monotonic() - started < 5
    stream.open.set()
    eventually(lambda: sink.waiting == 0)
    sink.record(event(12))
    sink.close()
    assert numbers(stream.getvalue()) == [*range(11), 12]


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        BrokenPipeError(),
        ValueError("I/O operation on closed file"),
        MemoryError(),
        RuntimeError("reentrant call"),
    ],
)
def test_a_broken_stream_refuses_every_event_from_then_on(error: Exception) -> None:
    """Until the service is started anew."""
    sink = LineSink(Broken(error))
    sink.record(event(1))
    eventually(lambda: refusal(sink) == "the audit stream is broken")
    assert refusal(sink) == "the audit stream is broken"
    sink.close()


def test_closing_in_the_midst_of_a_turn_wakes_the_writer_once_more() -> None:
    """Just between its last look at whether it is closed and its going back to sleep."""
    stream = io.StringIO()
    sink = LineSink(stream)
    clear = sink._wake.clear

    def close_and_clear() -> None:
        with sink._guard:
            sink._closed.set()
        sink._wake.set()
        clear()

    sink._wake.clear = close_and_clear  # type: ignore[method-assign]  # no other way into this moment
    sink.record(event(1))
    sink._thread.join(SECONDS)
    assert not sink._thread.is_alive()
    assert sink.close() == 0
    assert numbers(stream.getvalue()) == [1]


def test_closing_tells_how_many_events_are_lost(caplog: pytest.LogCaptureFixture) -> None:
    """To the caller and to the log, which has their number alone."""
    stream = Gated()
    sink = LineSink(stream)
    for number in range(3):
        sink.record(event(number))
    assert stream.writing.wait(SECONDS)
    assert sink.close(0.05) == 3
    assert [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records] == [
        ("audit events were not written", {"events": 3})
    ]
    stream.open.set()
    assert sink.close() == 0


def test_closing_a_broken_sink_takes_no_time() -> None:
    """Even with a full queue, which nobody empties any more."""
    sink = LineSink(Broken(OSError()), capacity=2)
    eventually(lambda: refusal(sink) == "the audit stream is broken")
    started = time.monotonic()
    sink.close()
    assert time.monotonic() - started < 2


def test_closing_waits_no_longer_than_it_is_told_to() -> None:
    """A hanging disk must not keep a service from stopping."""
    for capacity in (1, 100):
        stream = Gated()
        sink = LineSink(stream, capacity)
        sink.record(event(0))
        assert stream.writing.wait(SECONDS)
        sink.record(event(1))
        started = time.monotonic()
        sink.close(0.05)
        assert time.monotonic() - started < 5
        stream.open.set()


def test_a_closed_sink_takes_no_more_events() -> None:
    """They would never be written, and their requests must not pass."""
    stream = io.StringIO()
    sink = LineSink(stream)
    sink.record(event(1))
    sink.close()
    with pytest.raises(AuditUnavailableError, match="closed"):
        sink.record(event(2))
    assert numbers(stream.getvalue()) == [1]


def test_a_stream_of_any_encoding_takes_any_event() -> None:
    """A terminal may be set to ASCII."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    sink = LineSink(stream)
    sink.record(event(1)._replace(user="Zoë", path="/\u2028\ud800" + "é" * 2000))
    sink.record(event(2))
    sink.close()
    assert numbers(raw.getvalue().decode()) == [1, 2]


def test_the_queue_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few large events can hold as much as many small ones."""
    monkeypatch.setattr("audit_log.sink.QUEUE_BYTES", 10)
    sink = LineSink(io.StringIO())
    with pytest.raises(AuditUnavailableError, match="queue is full"):
        sink.record(event(1))
    sink.close()
