"""Codings are undone and done again however the body is cut; what is malformed, goes on or expands is refused."""

from __future__ import annotations

import contextlib
import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.codings import SLICE_BYTES, SUPPORTED, CodingError, Decoder, Encoder, codings_of

ENCODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}
MIB = 1024 * 1024
TEXTS = st.one_of(st.binary(max_size=300), st.integers(1, 40_000).map(lambda size: b"a number: 42. " * size))


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    parts = []
    for size in sizes:
        parts.append(data[:size])
        data = data[size:]
    return [*parts, data]


def _decode(codings: tuple[str, ...], parts: list[bytes]) -> bytes:
    decoder = Decoder(codings)
    text = b"".join(out for part in parts for out in decoder.feed(part))
    decoder.finish()
    return text


def _refused(codings: tuple[str, ...], *parts: bytes) -> str:
    with pytest.raises(CodingError) as caught:
        _decode(codings, list(parts))
    return caught.value.code


@pytest.mark.parametrize("coding", SUPPORTED)
@given(text=TEXTS, sizes=st.lists(st.integers(0, 200), max_size=20))
def test_what_another_maker_encoded_is_read_however_it_is_cut(coding: str, text: bytes, sizes: list[int]) -> None:
    assert _decode((coding,), _cut(ENCODE[coding](text), sizes)) == text


@pytest.mark.parametrize("coding", SUPPORTED)
def test_a_body_that_comes_byte_by_byte_is_read(coding: str) -> None:
    text = b"one, two, three " * 50
    data = ENCODE[coding](text)
    assert _decode((coding,), [data[i : i + 1] for i in range(len(data))]) == text


@given(
    codings=st.lists(st.sampled_from(SUPPORTED), max_size=2).map(tuple),
    texts=st.lists(st.binary(max_size=100), max_size=5),
    flush=st.booleans(),
)
def test_what_is_encoded_again_decodes_to_the_same(
    codings: tuple[str, ...], texts: list[bytes], *, flush: bool
) -> None:
    encoder = Encoder(codings)
    data = [*(encoder.feed(text, flush=flush) for text in texts), encoder.finish()]
    assert _decode(codings, data) == b"".join(texts)


@pytest.mark.parametrize("codings", [(each,) for each in SUPPORTED] + [("gzip", "br"), ("zstd", "deflate")])
def test_a_flush_lets_a_reader_decode_all_that_came(codings: tuple[str, ...]) -> None:
    encoder, decoder = Encoder(codings), Decoder(codings)
    for event in (b"data: 1\n\n", b": heartbeat\n\n", b"data: 2\n\n"):
        assert b"".join(decoder.feed(encoder.feed(event, flush=True))) == event


@pytest.mark.parametrize("coding", SUPPORTED)
def test_a_body_of_no_bytes_is_whole_and_stays_one(coding: str) -> None:
    assert _decode((coding,), [b""]) == b""
    encoder = Encoder((coding,))
    assert encoder.feed(b"", flush=True) + encoder.finish() == b""


@pytest.mark.parametrize("coding", SUPPORTED)
@given(left=st.integers(1, 200))
def test_a_body_that_ends_within_its_coding_is_refused(coding: str, left: int) -> None:
    data = ENCODE[coding](bytes(range(256)))
    assert _refused((coding,), data[: min(left, len(data) - 1)]) in {"coding_truncated", "coding_malformed"}


@pytest.mark.parametrize("coding", SUPPORTED)
@pytest.mark.parametrize("cut", [True, False])
def test_a_body_that_goes_on_behind_its_coding_is_refused(coding: str, *, cut: bool) -> None:
    data, more = ENCODE[coding](b"the end"), b"4111 1111 1111 1111"
    parts = (data, more) if cut else (data + more,)
    assert _refused((coding,), *parts) in {"coding_goes_on", "coding_malformed", "coding_truncated"}


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_and_frames_that_follow_one_another_are_read_as_one(coding: str) -> None:
    assert _decode((coding,), [ENCODE[coding](b"one ") + ENCODE[coding](b"two")]) == b"one two"


def test_deflate_is_read_as_zlib_and_raw() -> None:
    raw = zlib.compressobj(wbits=-15)
    data = raw.compress(b"raw text") + raw.flush()
    assert _decode(("deflate",), [data]) == b"raw text"
    assert _decode(("deflate",), [data[:1], data[1:]]) == b"raw text"
    assert _decode(("deflate",), [zlib.compress(b"zlib text")]) == b"zlib text"


@pytest.mark.parametrize("coding", SUPPORTED)
def test_a_body_that_expands_without_bounds_is_refused_before_it_is_held(coding: str) -> None:
    decoder = Decoder((coding,))
    bomb = ENCODE[coding](bytes(64 * 1024 * 1024))
    sizes: list[int] = []
    with pytest.raises(CodingError, match="coding_expands"):
        sizes.extend(map(len, decoder.feed(bomb)))
    assert max(sizes, default=0) <= SLICE_BYTES
    assert sum(sizes) < 16 * 1024 * 1024


def test_a_bomb_within_a_bomb_is_measured_by_what_came() -> None:
    bomb = gzip.compress(gzip.compress(bytes(256 * 1024 * 1024), 9), 9)
    assert _refused(("gzip", "gzip"), bomb) == "coding_expands"


@given(data=st.binary(min_size=1, max_size=200), coding=st.sampled_from(SUPPORTED))
def test_any_bytes_end_in_a_text_or_a_refusal(data: bytes, coding: str) -> None:
    with contextlib.suppress(CodingError):
        _decode((coding,), [data])


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", ()),
        ("identity", ()),
        ("GZip", ("gzip",)),
        ("x-gzip", ("gzip",)),
        ("gzip, br", ("gzip", "br")),
        ("identity,  zstd ,", ("zstd",)),
    ],
)
def test_the_header_is_read_as_a_list(header: str, codings: tuple[str, ...]) -> None:
    assert codings_of(header) == codings


@pytest.mark.parametrize("header", ["compress", "gzip;q=1", "dcb", "gzip br", "gzip, aes128gcm"])
def test_a_coding_that_is_not_known_is_refused(header: str) -> None:
    with pytest.raises(CodingError, match="unknown_coding"):
        codings_of(header)


def test_more_than_two_codings_are_refused() -> None:
    with pytest.raises(CodingError, match="too_many_codings"):
        codings_of("gzip, gzip, gzip")


@pytest.mark.parametrize(("coding", "most"), [("zstd", 2 * MIB), ("br", 4 * MIB), ("gzip", 0), ("deflate", 0)])
def test_a_decoder_tells_what_its_window_holds(coding: str, most: int) -> None:
    """As much as has come out, up to the window that the body has asked for."""
    text = random.Random(7).randbytes(5 * MIB)
    if coding == "zstd":  # of a length that is not known before
        coder = zstandard.ZstdCompressor(level=3).compressobj()
        data = coder.compress(text) + coder.flush()
    else:
        data = brotli.compress(text, quality=1, lgwin=22) if coding == "br" else ENCODE[coding](text)
    decoder, out, held = Decoder((coding,)), 0, []
    for start in range(0, len(data), 100_000):
        out += sum(map(len, decoder.feed(data[start : start + 100_000])))
        held.append((decoder.held, min(out, most)))
    decoder.finish()
    assert out == len(text)
    assert [got for got, _ in held] == [expected for _, expected in held]
    assert held[-1][0] == most


def test_both_of_two_codings_hold_a_window() -> None:
    text = random.Random(7).randbytes(MIB)
    decoder = Decoder(("zstd", "zstd"))
    for _ in decoder.feed(ENCODE["zstd"](ENCODE["zstd"](text))):
        pass
    assert 2 * MIB <= decoder.held <= 2 * MIB + 10_000
