"""The shape of base64, and where texts begin in it."""

from __future__ import annotations

import base64
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.base64_shape import REACH, other_text, texts

TEXT = b"A letter of no great length, with 123-45-6789 in it, and a name: Anna Muster, 14 Main Street."
WRITTEN = base64.b64encode(TEXT).rstrip(b"=")


def of(row: bytes) -> list[bytes]:
    return [row[start:end] for start, end in texts(row)]


@pytest.mark.parametrize("between", [b"", b" ", b"\n", b"\r\n\t", b",\n  "])
def test_a_text_is_one_however_long(between: bytes) -> None:
    """Its line ends too."""
    written = base64.b64encode((TEXT + between) * 20)
    assert of(written) == [written]


@given(st.binary(max_size=90).map(base64.b64encode), st.integers(0, 60))
def test_no_other_text_begins_in_one_that_is_plain(row: bytes, first: int) -> None:
    """Whatever follows it."""
    plain = base64.b64encode(TEXT + b"\r\n\t" + TEXT)
    row = (plain[: first // 4 * 4] + row).replace(b"=", b"A")
    found = other_text(row, 0, 0, 0, ends=True)
    assert found < 0 or found >= first // 4 * 4 - 14


@pytest.mark.parametrize("before", [b"a", b"a/", b"usr", b"/usr/lib/", b"data-"])
def test_a_text_behind_a_path_begins_behind_it(before: bytes) -> None:
    parts = of(before + WRITTEN)
    assert parts[-1] in {WRITTEN, before + WRITTEN}
    assert len(parts) == 1 + (len(before) % 4 != 0)


@pytest.mark.parametrize("size", range(60, 93))
def test_texts_that_are_glued_together_come_apart(size: int) -> None:
    """Where one ends with a whole four it is no matter. A four at the end can look so in both steps."""
    one = base64.b64encode(TEXT[:size]).rstrip(b"=")
    if size % 3 == 0:
        assert of(one + WRITTEN) == [one + WRITTEN]
        return
    first, second = of(one + WRITTEN)
    assert abs(len(first) - len(one)) in {0, 4}
    assert abs(len(second) - len(WRITTEN)) in {0, 4}


def test_two_fours_are_enough_to_get_back_into_the_steps_of_the_row() -> None:
    """So that what stood out of step hides nothing that is in step."""
    short = base64.b64encode(b"\0\0\0" + b"ab12cd" + b"\0\0\0")
    row = b"AAAA" + b"AA" + base64.b64encode(b"123-45-6789 or so.") + b"AA" + short
    assert any(start % 4 == 0 and row[start:end].startswith(b"YWIx") for start, end in texts(row))


@given(st.lists(st.sampled_from([b"A", b"_", b"abcdefgh", WRITTEN, WRITTEN[:17], base64.b64encode(b"\0" * 9)])))
def test_the_parts_are_the_row(parts: list[bytes]) -> None:
    row = b"".join(parts)
    assert b"".join(of(row)) == row


@given(st.binary(max_size=60).map(base64.b64encode), st.integers(0, 3), st.integers(0, 80))
def test_what_comes_later_changes_nothing_of_what_is_known(row: bytes, own: int, cut: int) -> None:
    """A place that is told before the end stays."""
    row = (b"a" + row + WRITTEN[:30]).replace(b"=", b"A")
    early = other_text(row[:cut], 0, own, 0, ends=False)
    late = other_text(row, 0, own, 0, ends=True)
    assert early in {-1, late}
    if early < 0 <= late:
        assert late > cut - REACH - 4 or late > len(row) - REACH


def test_random_rows_are_left_alone_nearly_always() -> None:
    """Pictures and digests are no texts."""
    rows = [base64.b64encode(random.Random(seed).randbytes(48)) for seed in range(1000)]
    assert sum(len(of(row)) > 1 for row in rows) < 40


def test_rows_full_of_signs_take_time_in_proportion() -> None:
    """Of these each text ends where the next one begins."""
    begun = time.process_time()
    of(WRITTEN[:17] * 20_000)
    of(b"a" + WRITTEN * 3_000)
    of(b"MTIz" * 100_000)
    assert time.process_time() - begun < 30
