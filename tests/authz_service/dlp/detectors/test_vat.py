"""VAT numbers in texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.vat import DETECTORS
from tests.authz_service.dlp.detectors.finding import SURROUNDINGS, Finder, digits
from tests.authz_service.dlp.detectors.test_vat_check_digits import RIGHT

found = Finder(DETECTORS)


@given(st.sampled_from([number for number in RIGHT if len(number) > 10]), SURROUNDINGS)
def test_a_number_is_found_at_any_place(number: str, around: tuple[str, str]) -> None:
    """Compact, as tax offices write it."""
    assert found(around[0] + number + around[1]) == [number]


@pytest.mark.parametrize(
    "number",
    ["DE 136695976", "DE 136 695 976", "ATU 13585627", "AT U13585627", "BE 0428.759.497", "BE 0428 759 497",
     "FR 40 303 265 045", "FR40 303265045", "NL 004495445 B01", "NL 0044.95.445.B.01", "IT 00743110157",
     "ES B58378431", "PL 856 734 62 15", "XI 980 7806 84", "LU 150 274 42"],
)  # fmt: skip
def test_a_number_is_found_in_groups(number: str) -> None:
    """As imprints write it."""
    assert found(number) == [number]
    assert found(f"Our VAT no. is {number}.") == [number]
    assert found(f'"vat": "{number}"') == [number]


@pytest.mark.parametrize("number", ["CZ640903926", "LV32345678901", "XIGD123", "PL 856-734-62-15"])
def test_what_has_no_rule_needs_a_word(number: str) -> None:
    """As do numbers that are too short for theirs, and hyphens, which products have."""
    assert found(number) == []
    assert found(f"VAT {number}") == [number]


@given(digits(8))
def test_a_broken_check_digit_is_refused(body: str) -> None:
    """Of ten German numbers that differ in the last digit, one is right."""
    right = [digit for digit in "0123456789" if found(f"DE{body}{digit}")]
    assert len(right) == (1 if body[0] != "0" else 0)


@pytest.mark.parametrize(
    "text",
    ["DE136695977", "xDE136695976", "DE1366959761", "DE136695976x", "de136695976", "DE-136695976-1", "FADE136695976",
     "SIDE136695976", "DE000000000", "ATU00000000", "DE 13669597", "IT IS 2025", "BE 2024-01-01", "FR 1 2 3",
     "SE 123456789700", "US136695976", "GB980780684", ""],
)  # fmt: skip
def test_what_only_looks_like_one_is_not_found(text: str) -> None:
    """Broken, joined, of another country."""
    assert found(text) == []


def test_a_number_with_a_hyphen_is_found_beside_the_words_for_reversed_tax() -> None:
    """The customer's number has to stand there."""
    assert found("Reverse charge: customer IT-01714910864 accounts for it") == ["IT-01714910864"]
    assert found("train IT-01714910864") == []
