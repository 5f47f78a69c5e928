"""Social security numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.government_ids import DETECTORS
from authz_service.dlp.scan import Scanner

SCANNER = Scanner(DETECTORS)


def found(text: str) -> list[str]:
    """What is found, as it stands there."""
    data = text.encode()
    return [data[span.start : span.end].decode() for span in SCANNER.scan(data)]


@pytest.mark.parametrize(
    "number",
    [
        "123-45-6789",
        "123 45 6789",
        "123.45.6789",
        "123\u201345\u20136789",
        "123\u00a045\u00a06789",
        "123\u221245\t6789",
        "001-01-0001",
        "665-99-9999",
        "667-01-0001",
        "899-99-9999",
    ],
)
def test_a_grouped_number_is_found(number: str) -> None:
    """Alone and in a sentence."""
    for text in (number, f"ssn={number}.", f"a{number}b", f"\u2028{number}", f"é{number}é", f"({number})"):
        assert found(text) == [number]


@pytest.mark.parametrize(
    "text",
    ["000-12-3456", "666-12-3456", "900-12-3456", "999-12-3456", "123-00-4567", "123-45-0000", "123456789",
     "123-456789", "123-45-678", "12-345-6789", "0123-45-6789", "123-45-67890", "123_45_6789", "123--45-6789",
     "123-4-56789", "abc-de-fghi", "१२३-४५-६७८९", ""],
)  # fmt: skip
def test_what_was_never_given_out_or_is_grouped_otherwise_is_not(text: str) -> None:
    """The Social Security Administration's rules; there is no check digit."""
    assert found(text) == []


def test_a_true_number_inside_a_refused_candidate_is_found() -> None:
    """The search goes on one character further, not behind the candidate."""
    assert found("999-123-45-6789") == ["123-45-6789"]
    assert found("000-12-3456 123-45-6789") == ["123-45-6789"]
    assert found("123-45-6789,987-65-4321,234 56 7890") == ["123-45-6789", "234 56 7890"]


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 9999), st.sampled_from("- "))
def test_exactly_the_numbers_that_can_exist_are_found(area: int, group: int, serial: int, separator: str) -> None:
    """Area 000, 666 and 9xx, group 00 and serial 0000 do not."""
    number = f"{area:03}{separator}{group:02}{separator}{serial:04}"
    exists = area not in {0, 666} and area < 900 and group != 0 and serial != 0
    assert found(number) == ([number] if exists else [])
