"""Dates of birth."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.people import DETECTORS, is_past_day
from tests.authz_service.dlp.detectors.finding import SURROUNDINGS, Finder

found = Finder(DETECTORS)

FORMS = [
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %B %Y", "%B %d, %Y",
    "%d %b %Y", "%b %d %Y", "%d-%b-%Y", "%d-%b-%y", "%m/%d/%y", "%d. %m. %Y", "%Y%m%d", "%dth of %B %Y",
]  # fmt: skip
WORDS = ["dob: ", "DOB ", "date of birth: ", '"birthDate": "', '"date_of_birth":"', "born on ", "geboren am ",
         "née le ", "birthday=", "customerDob=", "<birthdate>", "D.O.B. "]  # fmt: skip


@given(st.dates(dt.date(1900, 1, 1), dt.date(2025, 1, 1)), st.sampled_from(FORMS), st.sampled_from(WORDS), SURROUNDINGS)
def test_a_date_beside_its_word_is_found_at_any_place(
    day: dt.date, form: str, word: str, around: tuple[str, str]
) -> None:
    """In the forms that people write."""
    date = day.strftime(form)
    text = f"{around[0]} {word}{date}{around[1]}"
    assert found(text) == [date], text
    assert found(around[0] + date + around[1]) == []


@pytest.mark.parametrize(
    "text",
    ["dob 1985-13-01", "dob 1985-02-30", "dob 1899-12-31", "dob 2999-01-01", "dob 31.02.1985", "dob 0.1.1985",
     "dob 45.13.1985", "created 1985-03-12", '"dob": null, "created": "1985-03-12"', "dob_updated_at: 2024-03-12",
     "dob 11985-03-12", "dob 1985-03-123", "born in 1985", "dob 1985-03", "newborn 12345678", "reborn 1985-03-12",
     "dob 1985-03-12-7", "dob 30 Febuary 1985", ""],
)  # fmt: skip
def test_what_is_no_day_or_another_day_is_not_found(text: str) -> None:
    """The calendar, the years, the words."""
    assert found(text) == []


def test_a_moment_is_found_by_its_day() -> None:
    """What serialisers make of a date."""
    assert found('"dob": "1985-03-12T00:00:00Z"') == ["1985-03-12"]


@pytest.mark.parametrize(
    ("written", "past"),
    [
        (b"2026-03-01", True),
        (b"2026-03-02", False),
        (b"1 March 2026", True),
        (b"2 March 2026", False),
        (b"01/03/26", True),
        (b"02/03/27", True),  # 1927
        (b"1900-01-01", True),
        (b"1899-12-31", False),
        (b"2024-02-29", True),
        (b"2025-02-29", False),
        (b"2025", False),
        (b"1 2 3 4", False),
    ],
)
def test_no_one_is_born_tomorrow(written: bytes, past: bool) -> None:  # noqa: FBT001
    """Today is the first of March, 2026."""
    assert is_past_day(written, dt.date(2026, 3, 1)) is past


@pytest.mark.parametrize(
    "text",
    ["född den {} i Lund", "født {}", "urodzony {} w Krakowie", "narozena {}", "Дата рождения: {}", "生年月日 {}",
     "született {}", "nascida em {}", "Syntymäaika: {}"],
)  # fmt: skip
def test_a_day_of_birth_is_found_in_the_languages_of_europe_and_beyond(text: str) -> None:
    """Letters outside ASCII count in small letters only."""
    assert found(text.lower().format("1975-03-12")) == ["1975-03-12"]
