"""The queue takes what it has room for, and no call ever waits for it or fails by it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from authz_service.decision_log.queueing import DecisionQueue
from authz_service.decision_log.record import OVERHEAD_BYTES
from authz_service.decision_log.shaping import Fate, Shaper
from tests.authz_service.decision_log.records import SCANNER, record_of

PATIENCE = 30.0


class Sink:
    """A sink in memory, which can be slow or broken."""

    def __init__(self, *, fate: Fate | None = Fate.WRITTEN, broken: bool = False) -> None:
        self.lines: list[dict[str, Any]] = []
        self.fate = fate
        self.broken = broken
        self.free = threading.Event()
        self.free.set()
        self.entered = threading.Event()

    def write(self, lines: Sequence[bytes]) -> Fate | None:
        self.entered.set()
        assert self.free.wait(PATIENCE)
        if self.broken:
            raise OSError("no space")
        self.lines += [json.loads(line) for line in lines]
        return self.fate


class Counted:
    """What became of the records."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()

    def __call__(self, fate: str, records: int) -> None:
        self.fates[fate] += records


def queue_of(*sinks: Sink, **bounds: int) -> tuple[DecisionQueue, Counted]:
    counted = Counted()
    return DecisionQueue(Shaper(SCANNER, {}), sinks, counted, **bounds), counted


def test_each_sink_has_each_event_in_order() -> None:
    sinks = Sink(), Sink(fate=None)
    queue, counted = queue_of(*sinks)
    for number in range(1_000):
        queue.record(record_of({"n": number}))
    queue.close()
    for sink in sinks:
        assert [line["input"]["n"] for line in sink.lines] == list(range(1_000))
    assert counted.fates == {"written": 1_000}  # the other counts for itself
    assert queue.waiting == 0


@pytest.mark.parametrize("bounds", [{"records": 10}, {"most_bytes": 10 * (OVERHEAD_BYTES + 100)}])
def test_what_there_is_no_room_for_is_left_out_and_counted(bounds: dict[str, int]) -> None:
    """By number and by bytes; and there is room again once what was there is written."""
    sink = Sink()
    sink.free.clear()
    queue, counted = queue_of(sink, **bounds)
    queue.record(record_of({"n": 0}))
    assert sink.entered.wait(PATIENCE)
    for number in range(1, 26):
        queue.record(record_of({"n": number}))
    assert counted.fates == {"full": 15}
    assert queue.waiting == 10
    sink.free.set()
    queue.close()
    assert [line["input"]["n"] for line in sink.lines] == list(range(11))
    assert counted.fates == {"full": 15, "written": 11}


def broken() -> dict[str, Any]:
    raise RuntimeError("s3cret")


@pytest.mark.parametrize("document", [broken, lambda: {"a": object()}])
def test_a_record_that_cannot_be_shaped_concerns_no_other(document: Callable[[], dict[str, Any]]) -> None:
    sink = Sink()
    queue, counted = queue_of(sink)
    queue.record(replace(record_of(), document=document))
    queue.record(record_of({"n": 1}))
    queue.close()
    assert [line["input"] for line in sink.lines] == [{"n": 1}]
    assert counted.fates == {"failed": 1, "written": 1}


def test_a_sink_that_fails_is_counted_and_the_others_have_their_lines() -> None:
    bad, good = Sink(broken=True), Sink()
    queue, counted = queue_of(bad, good)
    queue.record(record_of({"n": 1}))
    queue.close()
    assert len(good.lines) == 1
    assert counted.fates == {"failed": 1, "written": 1}


def test_after_the_end_nothing_is_taken() -> None:
    queue, counted = queue_of(Sink())
    queue.close()
    queue.record(record_of())
    assert counted.fates == {"full": 1}


def test_the_end_waits_no_longer_than_it_is_told_to() -> None:
    """A sink that hangs does not keep the service from ending."""
    sink = Sink()
    sink.free.clear()
    queue, _ = queue_of(sink)
    queue.record(record_of())
    assert sink.entered.wait(PATIENCE)
    queue.close(0.05)
    sink.free.set()
