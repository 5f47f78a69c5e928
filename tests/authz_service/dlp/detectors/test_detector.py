"""What stands around a candidate."""

from __future__ import annotations

import pytest
import re2

from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.detectors.detector import CAPITALS_AND_DIGITS, DIGITS, stands_alone


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        (b"12", True),
        (b" 12 ", True),
        (b"a12b", True),
        (b"012", False),
        (b"120", False),
        (b"0120", False),
        (b"-12.", True),
    ],
)
def test_a_candidate_stands_alone_between_other_characters_and_at_the_ends(text: bytes, alone: bool) -> None:  # noqa: FBT001
    """One neighbour of its own alphabet makes it a part of something longer."""
    start = text.index(b"12")
    assert stands_alone(text, start, start + 2, DIGITS) is alone


def test_the_alphabets_are_bytes() -> None:
    """Lower-case letters and anything beyond ASCII are not in them."""
    assert bytes(sorted(DIGITS)) == b"0123456789"
    assert bytes(sorted(CAPITALS_AND_DIGITS)) == b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_each_detector_has_a_name_of_its_own() -> None:
    """Audit lines and policies tell them apart by it."""
    names = [detector.name for detector in ALL]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("detector", ALL, ids=[detector.name for detector in ALL])
def test_no_detector_finds_something_in_nothing(detector: Detector) -> None:
    """An empty match would never move on."""
    assert re2.compile(detector.pattern.encode()).search(b"") is None
