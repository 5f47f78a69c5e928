"""The window that a coded body asks for is read from its first bytes."""

from __future__ import annotations

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.windows import HEAD_BYTES, MAX_WINDOW, brotli_window, zstd_window

MIB = 1024 * 1024


@pytest.mark.parametrize("bits", range(10, 25))
def test_brotli_says_its_window_in_its_first_byte(bits: int) -> None:
    data = brotli.compress(b"some text", lgwin=bits)
    assert brotli_window(data[0]) == 1 << bits


@given(st.integers(0, 255))
def test_no_first_byte_of_brotli_asks_for_more_than_there_is(first: int) -> None:
    assert 1 << 10 <= brotli_window(first) <= 16 * MIB


@pytest.mark.parametrize("bits", range(10, 24))
def test_a_frame_of_zstd_says_its_window(bits: int) -> None:
    terms = zstandard.ZstdCompressionParameters(window_log=bits)
    coder = zstandard.ZstdCompressor(compression_params=terms).compressobj()
    assert zstd_window((coder.compress(b"text") + coder.flush())[:HEAD_BYTES]) == 1 << bits


@given(
    st.one_of(st.integers(1, 70_000), st.sampled_from([255, 256, 65_791, 65_792, MAX_WINDOW])), st.binary(max_size=4)
)
def test_a_frame_is_read_as_zstd_itself_reads_it(size: int, cut: bytes) -> None:
    """Of a text of known length, which may be its own window."""
    head = zstandard.ZstdCompressor().compress(bytes(size))[:HEAD_BYTES]
    assert zstd_window(head) == zstandard.get_frame_parameters(head).window_size
    assert zstd_window(head + cut) == zstd_window(head)


@given(st.integers(0, 255), st.binary(min_size=13, max_size=13))
def test_any_header_that_zstd_reads_is_read_alike(descriptor: int, rest: bytes) -> None:
    head = b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + rest
    try:
        told = zstandard.get_frame_parameters(head)
    except zstandard.ZstdError:
        return
    assert zstd_window(head) == min(told.window_size, MAX_WINDOW)


@given(st.binary(max_size=HEAD_BYTES))
def test_whatever_does_not_tell_counts_as_the_most(head: bytes) -> None:
    assert 0 <= zstd_window(head) <= MAX_WINDOW
    assert zstd_window(head[:4]) == MAX_WINDOW
