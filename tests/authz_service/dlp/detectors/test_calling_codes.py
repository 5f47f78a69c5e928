"""Numbering plans."""

from __future__ import annotations

import pytest
from hypothesis import given

from authz_service.dlp.detectors.calling_codes import LONGEST, PLANS, SHORTEST, is_north_american, split
from tests.authz_service.dlp.detectors.finding import digits


def test_no_code_begins_another() -> None:
    """E.164: a number can be read from left to right."""
    codes = [*PLANS, b"1"]
    assert [(one, two) for one in codes for two in codes if one != two and two.startswith(one)] == []
    assert all(1 <= len(code) <= 3 and code.isdigit() for code in codes)


def test_the_plans_are_of_possible_lengths() -> None:
    """Fifteen digits in all."""
    for code, (shortest, longest) in PLANS.items():
        assert SHORTEST <= shortest <= longest
        assert len(code) + longest <= LONGEST


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (b"442079460018", (b"44", b"2079460018")),
        (b"12025550123", (b"1", b"2025550123")),
        (b"4930123456", (b"49", b"30123456")),
        (b"35312345678", (b"353", b"12345678")),
        (b"15551234567", (b"1", b"5551234567")),
        (b"11025550123", None),
        (b"120255501234", None),
        (b"44207946", None),
        (b"999123456789", None),
        (b"", None),
    ],
)
def test_a_number_is_parted_where_its_plan_says(number: bytes, parts: tuple[bytes, bytes] | None) -> None:
    """None where no plan has it."""
    assert split(number) == parts


@given(digits(10))
def test_north_american_numbers_follow_their_plan(number: str) -> None:
    """NXX NXX XXXX; N11 is a service, N9X is kept for the day when ten digits are too few."""
    area, exchange = number[:3], number[3:6]
    exists = area[0] in "23456789" and area[1] != "9" and area[1:] != "11"
    exists = exists and exchange[0] in "23456789" and exchange[1:] != "11"
    assert is_north_american(number.encode()) is (exists and len(set(area + exchange)) > 1)


def test_other_lengths_are_not_north_american() -> None:
    """Nor other signs."""
    assert not is_north_american(b"202555012")
    assert not is_north_american(b"20255501234")
    assert not is_north_american(b"202-555-01")
