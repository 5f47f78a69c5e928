"""A body is given to the redactor in slices, with a pause after each, so that others have their turn."""

from __future__ import annotations

from authz_service.dlp.codings import Encoder
from authz_service.exchange.body import PAUSE, SLICE_BYTES, Body, Terms


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
