"""What looks like personal data and is none: how often it is taken for some, over all families."""

from __future__ import annotations

from collections import Counter

import pytest

from authz_service.dlp.detectors import contact, crypto, government_ids, payments, people, vat
from authz_service.dlp.scan import Scanner
from tests.authz_service.dlp.detectors.finding import Finder
from tests.authz_service.dlp.detectors.near_misses import KINDS, near_misses

PERSONAL = (
    *government_ids.DETECTORS,
    *vat.DETECTORS,
    *payments.DETECTORS,
    *crypto.DETECTORS,
    *contact.DETECTORS,
    *people.DETECTORS,
)
COUNT = 2_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hardly_any_of_two_thousand_near_misses_is_taken_for_personal_data(seed: int) -> None:
    """One of a thousand may be right by chance: check digits have ten values."""
    find = Finder(PERSONAL)
    taken = [text for text in near_misses(COUNT, seed) if find(text)]
    assert len(taken) <= COUNT // 1_000, taken


def test_ordinary_texts_seldom_wake_a_detector() -> None:
    """The hints pass over most of what is nobody's: only what they strike is searched."""
    scanner = Scanner(PERSONAL)
    texts = [text.encode() for text in near_misses(COUNT, 4)]
    # Of the kinds, those with an at sign, four octets, nine digits and the like are made to wake one.
    assert sum(scanner.suspects(text) for text in texts) < COUNT / 2
    prose = b"The quick brown fox jumps over the lazy dog, 42 times in 2026; see chapter 7 (page 113) at 10:30. " * 20
    assert not scanner.suspects(prose)


def test_every_kind_is_drawn() -> None:
    """Each as often as the others, and no text is always the same."""
    texts = list(near_misses(len(KINDS) * 20, 5))
    kinds = Counter(number % len(KINDS) for number, _ in enumerate(texts))
    assert set(kinds.values()) == {20}
    assert len(set(texts)) > len(KINDS) * 10
