"""A body is given to the redactor in slices, with a pause after each, so that others have their turn."""

from __future__ import annotations

import random

import pytest

from authz_service.dlp.codings import Encoder
from authz_service.exchange.body import FREE_WINDOW, PAUSE, SLICE_BYTES, Body, Terms


class _Recorder:
    """Remembers how much it was given at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def feed(self, data: bytes) -> bytes:
        self.sizes.append(len(data))
        return data

    def finish(self) -> bytes:
        return b"."


def test_a_redactor_gets_slices_and_others_a_pause_after_each() -> None:
    recorder = _Recorder()
    body = Body(recorder, (), Terms(), limit_bytes=0)
    found = list(body.feed(bytes(5 * SLICE_BYTES + 1)))
    assert recorder.sizes == [SLICE_BYTES] * 5 + [1]
    assert found.count(PAUSE) == 5


def test_small_parts_have_a_pause_once_there_were_many_whatever_their_size() -> None:
    body = Body(_Recorder(), (), Terms(), limit_bytes=0)
    assert [PAUSE in list(body.feed(b"x")) for _ in range(128)].count(True) == 2
    assert [PAUSE in list(body.feed(bytes(SLICE_BYTES // 4))) for _ in range(16)].count(True) == 4


class _Clock:
    """CPU time, by how much was looked at: `cost` seconds for a byte."""

    def __init__(self, recorder: _Recorder, cost: float) -> None:
        self._recorder, self._cost = recorder, cost

    def __call__(self) -> float:
        return self._cost * sum(self._recorder.sizes)


def test_text_that_takes_long_comes_in_smaller_slices_with_as_many_pauses() -> None:
    recorder = _Recorder()
    body = Body(recorder, (), Terms(clock=_Clock(recorder, 0.9e-6)), limit_bytes=0)
    found = list(body.feed(bytes(20_000)))
    assert b"".join(found) == bytes(20_000)
    assert recorder.sizes[:3] == [4_096, 2_048, 1_024]
    assert set(recorder.sizes[2:-1]) == {1_024}
    assert found.count(PAUSE) >= len(recorder.sizes) - 1


def test_slices_grow_again_where_text_takes_no_time() -> None:
    recorder = _Recorder()
    clock = _Clock(recorder, 1e-4)
    body = Body(recorder, (), Terms(clock=clock), limit_bytes=0)
    list(body.feed(bytes(10_000)))
    assert recorder.sizes[-2] == 512
    clock._cost = 0.0
    list(body.feed(bytes(20_000)))
    assert max(recorder.sizes[-3:]) == SLICE_BYTES


def test_a_coded_body_is_bounded_by_the_terms() -> None:
    recorder = _Recorder()
    body = Body(recorder, ("gzip",), Terms(max_ratio=10_000, free_bytes=0), limit_bytes=0)
    coded = Encoder(("gzip",)).feed(bytes(1_000_000), flush=True)
    assert sum(map(len, body.feed(coded))) > 0
    assert sum(recorder.sizes) == 1_000_000
    assert max(recorder.sizes) <= SLICE_BYTES


def test_the_end_is_encoded_too() -> None:
    body = Body(_Recorder(), ("gzip",), Terms(), limit_bytes=0)
    encoder = Encoder(("gzip",))
    out = b"".join([*body.feed(encoder.feed(b"text") + encoder.finish()), *body.finish()])
    twice = Body(_Recorder(), ("gzip",), Terms(), limit_bytes=0)
    assert b"".join(twice.decoded(out)) == b"text."


@pytest.mark.parametrize("coding", ["zstd", "br"])
def test_a_window_counts_beyond_the_first_bytes_of_a_body(coding: str) -> None:
    """So that small bodies pass whatever long ones hold."""
    for size, counted in ((FREE_WINDOW, 0), (FREE_WINDOW + 100_000, 100_000)):
        encoder = Encoder((coding,))
        body = Body(_Recorder(), (coding,), Terms(), limit_bytes=0)
        assert sum(map(len, body.feed(encoder.feed(random.Random(1).randbytes(size), flush=True)))) > 0
        assert body.windows == counted


def test_a_body_without_a_coding_holds_no_window() -> None:
    body = Body(_Recorder(), (), Terms(), limit_bytes=0)
    list(body.feed(bytes(2 * FREE_WINDOW)))
    assert body.windows == 0
