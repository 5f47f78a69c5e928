"""The checksums that tokens carry."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.token_checksums import base62_crc32, checksum_holds
from tests.authz_service.dlp.detectors.surroundings import BASE62

ORDER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODIES = st.text(alphabet=BASE62, min_size=30, max_size=30).map(str.encode)


@given(BODIES)
def test_a_checksum_reads_back_as_the_crc_of_the_body(body: bytes) -> None:
    """Six digits, the highest first."""
    written = base62_crc32(body).decode()
    assert len(written) == 6
    assert sum(ORDER.index(digit) * 62**place for place, digit in enumerate(reversed(written))) == zlib.crc32(body)
    assert checksum_holds(body + written.encode())


@given(BODIES, st.integers(0, 35), st.sampled_from(BASE62))
def test_a_changed_character_breaks_it(body: bytes, place: int, other: str) -> None:
    """Any one, of the body or of the checksum: a CRC finds each error of up to 32 bits in a row."""
    whole = body + base62_crc32(body)
    changed = whole[:place] + other.encode() + whole[place + 1 :]
    assert checksum_holds(changed) is (changed == whole)


def test_a_crc_of_few_bits_has_zeros_in_front() -> None:
    """That of nothing is nought."""
    assert base62_crc32(b"") == b"000000"
