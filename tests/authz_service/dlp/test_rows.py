"""Rows of digits that every match of a pattern has."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.compiled import Compiled
from authz_service.dlp.detectors import EVERY, Detector
from authz_service.dlp.rows import LEAST, ROW
from authz_service.dlp.width import shape_of

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
FOUND = re2.compile(ROW.encode(), _OPTIONS)
WITH_ROW = [detector for detector in EVERY if shape_of(detector.hint).row.digits >= LEAST]


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [
        ("[0-9]{9}", 9),
        (r"\b[0-36-8][0-9]{8,12}\b", 9),
        (r"(?:^|[^0-9])[0-9]{3}[ -]?[0-9]{3}", 6),
        ("[0-9]{4}(?:[ -][0-9]{4}){3}", 16),
        ("(?:4[0-9]|55)[0-9]{9,15}", 11),
        (r"\([0-9]{3}\) ?[0-9]{7}", 10),
        ("[0-9]{6}(?:[0-9]{3})?[0-9]", 7),
        (r"\Q12\E34", 4),
        ("[0-9]{5}[a-z][0-9]{4}", 5),
        ("[0-9]{4}[a-z][0-9]{5}", 5),
        ("[0-9]{5}(?:[ ]{2}){2}[0-9]{4}", 5),
        ("(?:[0-9]{3}x){3}", 3),
        ("[0-9]{5}.?[0-9]{4}", 5),
        ("[0-9]{5}[ ]*[0-9]{4}", 5),
        ("[0-9]{5}(?:a1)?[0-9]{4}", 5),
        ("[0-9]{9}|abc", 0),
        ("(?:[0-9]{9})?", 0),
        ("[0-9a-f]{9}", 0),
        (r"\d{9}", 9),
        ("", 0),
    ],
)
def test_a_pattern_is_known_by_the_digits_of_every_match(pattern: str, digits: int) -> None:
    """Those close together: what is not there for certain does not count, and a letter parts them."""
    assert shape_of(pattern).row.digits == digits


@pytest.mark.parametrize("detector", WITH_ROW, ids=[detector.name for detector in WITH_ROW])
@given(data=st.data())
def test_whatever_a_hint_of_numbers_finds_has_a_row(detector: Detector, data: st.DataObject) -> None:
    """Else it would not be sought there."""
    text = data.draw(st.from_regex(re.compile(detector.hint.encode())))
    assert FOUND.search(text) is not None


@given(
    st.recursive(
        st.sampled_from(["1", "[0-9]", "[5-9]", "-", "[ .]", "x", "(?:)"]),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=5).map("".join),
            st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
            st.tuples(inner, st.sampled_from(["?", "{2}", "{3}", "{0,2}", "{1,3}", "{5}"])).map(
                lambda two: f"(?:{two[0]}){two[1]}"
            ),
        ),
        max_leaves=12,
    ),
    st.data(),
)
def test_any_match_has_the_digits_that_its_pattern_tells(pattern: str, data: st.DataObject) -> None:
    """Whatever is joined, repeated or left to choose."""
    digits = shape_of(pattern).row.digits
    if digits:
        text = data.draw(st.from_regex(re.compile(pattern.encode()), fullmatch=True))
        row = rb"[0-9](?:[ \t().\x80-\xff-]{0,3}[0-9]){%d}" % (digits - 1)
        assert re.search(row, text) is not None


def test_detectors_of_numbers_are_told_only_where_they_could_be() -> None:
    """A date and a short number are no row."""
    compiled = Compiled(EVERY)
    assert WITH_ROW
    assert list(compiled.matching(b"on 2026-11-28, 12 of 12345678 were here")) == []
    names = {compiled.detectors[index].name for index in compiled.matching(b"card 4111 1111 1111 1111 here")}
    assert "payment_card_grouped" in names
