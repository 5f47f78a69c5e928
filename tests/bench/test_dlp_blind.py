"""The texts that were written blind, and the marks that say where their values are."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.vat_check_digits import CHECKS
from bench.dlp_blind import EACH_NEAR_MISS, EACH_VALUE, corpus
from bench.dlp_blind_near_ids import MACHINES
from bench.dlp_blind_near_trade import TRADE
from bench.dlp_blind_text import also, mark, unmark
from bench.dlp_blind_vat import STATES
from bench.dlp_corpus import VALUES

_KINDS = {**MACHINES, **TRADE}


def test_it_is_large_enough_and_has_every_entity_and_kind() -> None:
    """As many of each as the figures are told of."""
    assert EACH_VALUE >= 300
    assert EACH_NEAR_MISS * len(_KINDS) >= 10_000
    samples = corpus(1, 3, 2)
    assert Counter(sample.entity for sample in samples if sample.entity) == dict.fromkeys(VALUES, 3)
    assert Counter(sample.kind for sample in samples if not sample.entity) == dict.fromkeys(_KINDS, 2)


def test_it_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    """So that figures can be told again."""
    assert corpus(1, 3, 3) == corpus(1, 3, 3)
    assert corpus(1, 3, 3) != corpus(2, 3, 3)


@pytest.mark.parametrize("seed", range(4))
def test_a_value_is_where_the_sample_says_and_no_mark_is_left(seed: int) -> None:
    """Marks that a carrier had escaped would stay in the text."""
    for sample in corpus(seed, 12, 12):
        assert not any(0xE000 <= ord(character) <= 0xF8FF for character in sample.text)
        assert "\\ue00" not in sample.text
        assert bool(sample.entity) == (0 <= sample.start < sample.end <= len(sample.text))
        for entity, start, end in sample.also:
            assert entity in VALUES
            assert sample.text[start:end]


@given(st.lists(st.tuples(st.sampled_from(["", "email_address", "iban"]), st.text("abc \n", min_size=1)), max_size=6))
def test_marks_come_off_and_tell_what_stood_between_them(parts: list[tuple[str, str]]) -> None:
    """In whatever order values, others and text follow."""
    marked = "".join(also(entity, text) if entity else text for entity, text in parts) + mark("value")
    text, start, end, others = unmark(marked)
    assert text == "".join(text for _, text in parts) + "value"
    assert text[start:end] == "value"
    assert [(entity, text[begin:stop]) for entity, begin, stop in others] == [part for part in parts if part[0]]


@pytest.mark.parametrize("state", STATES)
def test_a_state_s_vat_numbers_satisfy_the_rule_that_was_worked_out_apart_from_it(state: str) -> None:
    """Two who read the same standard, and neither the other's work."""
    rng = random.Random(5)
    assert all(CHECKS[state.encode()](STATES[state](rng).encode()) for _ in range(60))


@pytest.mark.parametrize("make", _KINDS.values(), ids=_KINDS)
def test_a_near_miss_is_some_text_and_seldom_the_same(make: object) -> None:
    """Ten thousand of them say more than ten."""
    assert callable(make)
    texts = {make(random.Random(seed)) for seed in range(40)}
    assert "" not in texts
    assert len(texts) > 5
