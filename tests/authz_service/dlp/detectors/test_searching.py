"""RE2's own search, which hands out places alone."""

from __future__ import annotations

import pytest
import re2

from authz_service.dlp.detectors.searching import ANYWHERE, AT_THE_BEGINNING, search_of


def test_the_first_match_between_two_places_is_told() -> None:
    search = search_of("a(b)?")
    assert list(search(ANYWHERE, b"xabxa", 0, 5)) == [(1, 3)]
    assert list(search(ANYWHERE, b"xabxa", 2, 5)) == [(4, 5)]
    assert list(search(ANYWHERE, b"xabxa", 0, 2)) == [(1, 2)]


def test_what_is_not_there_is_nowhere() -> None:
    assert list(search_of("(q)", groups=True)(ANYWHERE, b"abc", 0, 3)) == [(-1, -1), (-1, -1)]
    assert list(search_of("b")(AT_THE_BEGINNING, b"ab", 0, 2)) == [(-1, -1)]


def test_groups_are_told_where_they_are_asked_for() -> None:
    assert list(search_of("a(b)?(c)", groups=True)(ANYWHERE, b"\xffac", 0, 3)) == [(1, 3), (-1, -1), (2, 3)]


def test_a_word_is_seen_to_go_on_before_the_place() -> None:
    assert search_of(r"\bb")(ANYWHERE, b"ab", 1, 2)[0] == (-1, -1)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(re2.error):
        search_of("(")
