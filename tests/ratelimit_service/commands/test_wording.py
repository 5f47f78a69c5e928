from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.commands import wording
from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit

DAY = 86_400


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (FixedWindow(100, Unit.MINUTE), "100 per minute, fixed_window"),
        (SlidingWindow(5, Unit.HOUR, multiplier=6), "5 per 6 hours, sliding_window"),
        (TokenBucket(1_000, Unit.DAY, burst=20), "1,000 per day, token_bucket, burst 20"),
    ],
)
def test_a_limit_is_told_in_the_words_of_the_configuration(limit: Limit, text: str) -> None:
    assert wording.limit(limit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (60, "1 minute"), (300, "5 minutes"), (90, "90 seconds"), (7 * DAY, "1 week"), (DAY, "1 day")],
)
def test_a_span_is_told_in_the_longest_unit_that_it_is_whole_in(seconds: int, text: str) -> None:
    assert wording.span(seconds) == text


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0 ms"),
        (1, "1 ms"),
        (999_999, "1000 ms"),
        (1_000_000, "1 s"),
        (59_000_001, "1 min"),
        (7_500_000_000, "2 h 5 min"),
        (3_600_000_000, "1 h"),
        (3_601_000_000, "1 h"),
        (DAY * 40 * 1_000_000 + 7_200_000_000, "40 d 2 h"),
    ],
)
def test_a_while_is_told_by_its_two_largest_units(microseconds: int, text: str) -> None:
    assert wording.duration(microseconds) == text


def test_an_instant_is_told_as_rfc_3339_has_it() -> None:
    assert wording.instant(1_763_870_400_123_456) == "2025-11-23T04:00:00.123Z"


def test_things_are_counted_with_their_plural() -> None:
    assert wording.count(1, "rule") == "1 rule"
    assert wording.count(2_000, "rule") == "2,000 rules"
    assert wording.count(2, "entry", "entries") == "2 entries"


@given(st.text())
def test_no_text_moves_the_cursor_or_passes_for_another(text: str) -> None:
    shown = wording.plain(text)
    assert shown.isprintable()
    assert (json.loads(shown) if shown.startswith('"') else shown) == text


def test_an_ordinary_text_stands_as_it_is() -> None:
    assert wording.entries([("user", "alice"), ("endpoint", "/reports"), ("name", "é")]) == (
        "user=alice, endpoint=/reports, name=é"
    )
    assert wording.entries([("user", ""), ("a b", "x=y")]) == 'user="", "a b"="x=y"'
    assert wording.plain("\x1b[2J") == '"\\u001b[2J"'


def test_columns_of_a_table_are_aligned() -> None:
    assert list(wording.table([("a", "1", "x"), ("bcd", "234", "")], right={1})) == ["a      1  x", "bcd  234"]
    assert list(wording.table([])) == []
