"""Detectors → a table of them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable

import pytest

from authz_service.dlp import catalogue
from authz_service.dlp.catalogue import Entry
from authz_service.dlp.detectors import EVERY, Detector, validators
from authz_service.dlp.detectors.context import AFTER, BEFORE, Context
from authz_service.dlp.detectors.detector import DIGITS, LETTERS_AND_DIGITS, stands_alone

Accepts = Callable[[bytes, int, int], float]


def checks(pattern: str, accepts: Accepts, *examples: bytes, tail: frozenset[int] = frozenset()) -> tuple[str, ...]:
    """What a detector turns out to check."""
    values = itertools.cycle(examples)
    detector = Detector(
        "a", "a", pattern, pattern, accepts, tail=tail, longest=99, before=BEFORE, after=AFTER,
        example=lambda: next(values),
    )  # fmt: skip
    return catalogue.entries([detector])[0].checks


def always(text: bytes, start: int, end: int) -> float:
    """Whatever has the form."""
    del text, start, end
    return 0.9


def test_a_detector_that_judges_nothing_goes_by_its_form() -> None:
    """A tail is a part of it."""
    assert checks("k_[a-z]{3}", always, b"k_abc") == ("form",)
    assert checks("k_[a-z]{3}", always, b"k_abcdefghi1", tail=LETTERS_AND_DIGITS) == ("form",)


@pytest.mark.parametrize(
    ("pattern", "accepts"),
    [
        ("k_[a-z]{3}", lambda text, start, end: float(stands_alone(text, start, end, LETTERS_AND_DIGITS))),
        (r"k_[a-z]{3}\b", always),
        (r"\bk_[a-z]{3}", always),
    ],
)
def test_one_that_minds_its_neighbours_is_seen_to(pattern: str, accepts: Accepts) -> None:
    """On either side, and by the pattern or by the judge."""
    assert checks(pattern, accepts, b"= k_abc,", b"k_xyz") == ("form", "neighbours")


def test_one_with_check_digits_is_seen_to_refuse_what_is_changed() -> None:
    """Or to be less sure of it; one that refuses a few values has none."""

    def luhn(text: bytes, start: int, end: int) -> float:
        return float(validators.luhn(text[start:end]))

    def sure(text: bytes, start: int, end: int) -> float:
        return 1.0 if luhn(text, start, end) else 0.8

    def few(text: bytes, start: int, end: int) -> float:
        return float(text[start] != 0x39 and end > 0)

    values = (b"4111111111111111", b"5500000000000004")
    assert checks("[0-9]{16}", luhn, *values) == ("form", "check digits")
    assert checks("[0-9]{16}", sure, *values) == ("form", "check digits")
    assert checks("[0-9]{16}", few, *values) == ("form",)


def test_one_that_wants_randomness_is_seen_to_refuse_words() -> None:
    """Whatever is filled in."""

    def many_letters(text: bytes, start: int, end: int) -> float:
        return float(len(set(text[start:end])) >= 12)

    assert checks("[a-z0-9]{32}", many_letters, hashlib.sha256(b"a").hexdigest()[:32].encode()) == (
        "form",
        "randomness",
    )


def test_one_that_wants_words_is_seen_to_refuse_the_value_alone() -> None:
    """Wherever they stand."""
    words = Context(("badge",))

    def near(text: bytes, start: int, end: int) -> float:
        return float(stands_alone(text, start, end, DIGITS) and words.near(text, start, end))

    assert checks("[0-9]{6}", near, b"badge 123456", b"123456 (badge)") == ("form", "neighbours", "context")


def test_a_refused_candidate_before_the_value_is_passed_over() -> None:
    """As the scanner does."""

    def even(text: bytes, start: int, end: int) -> float:
        return float(int(text[start:end]) % 2 == 0)

    detector = Detector("a", "a", "[0-9]{2}", "[0-9]{2}", even, example=lambda: b"11 22")
    assert catalogue.entries([detector])[0].confidence == 1.0


def test_one_that_makes_no_value_up_is_told_by_its_form_alone() -> None:
    """And so is one that refuses its own."""
    detector = Detector("b", "b", "x", "x", always, source="RFC 1")
    refused = Detector("a", "a", "x", "x", lambda text, start, end: float(not text[start:end]), example=lambda: b"x")
    assert catalogue.entries([detector, refused]) == [
        Entry("a", "a", None, ("form",), ""),
        Entry("b", "b", None, ("form",), "RFC 1"),
    ]


LINES = (
    Entry("iban", "iban", 1.0, ("form", "check digits"), "ISO 13616"),
    Entry("us_ssn", "us_ssn_bare", None, ("form",), ""),
)


def test_the_table_has_columns() -> None:
    """With nothing behind the last."""
    assert catalogue.to_text(LINES) == (
        "entity  detector     confidence  checked by          source\n"
        "iban    iban         1.00        form, check digits  ISO 13616\n"
        "us_ssn  us_ssn_bare  -           form                -\n"
    )


def test_the_page_has_a_row_for_each() -> None:
    """In which no text ends a cell."""
    page = catalogue.to_markdown((*LINES, Entry("x", "x", 0.5, ("form",), "a|b")))
    assert page.startswith("# What can be found\n")
    assert page.endswith(
        "| `iban` | `iban` | 1.00 | form, check digits | ISO 13616 |\n"
        "| `us_ssn` | `us_ssn_bare` | - | form | - |\n"
        "| `x` | `x` | 0.50 | form | a\\|b |\n"
    )


def test_the_json_has_an_object_for_each() -> None:
    """With the same in it."""
    assert catalogue.to_json(LINES[:1]) == [
        {
            "entity": "iban",
            "detector": "iban",
            "confidence": 1.0,
            "checks": ["form", "check digits"],
            "source": "ISO 13616",
        }
    ]


def test_the_catalogue_of_ours_is_the_same_each_time() -> None:
    """Though each value is another: else the page would change with nobody's doing."""
    first = catalogue.entries(EVERY)
    assert len(first) == len(EVERY)
    assert all(catalogue.entries(EVERY) == first for _ in range(3))
