"""The texts that detection is judged by."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bench.dlp_corpus import EACH_NEAR_MISS, EACH_VALUE, VALUES, corpus
from bench.dlp_near_misses import NEAR_MISSES


def test_it_is_large_enough_and_has_every_entity_and_kind() -> None:
    assert EACH_VALUE * len(VALUES) >= 20_000
    assert EACH_NEAR_MISS * len(NEAR_MISSES) >= 20_000
    samples = corpus(1, 3, 2)
    assert Counter(sample.entity for sample in samples if sample.entity) == dict.fromkeys(VALUES, 3)
    assert Counter(sample.kind for sample in samples if not sample.entity) == dict.fromkeys(NEAR_MISSES, 2)


def test_it_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert corpus(1, 3, 3) == corpus(1, 3, 3)
    assert corpus(1, 3, 3) != corpus(2, 3, 3)


@pytest.mark.parametrize("entity", VALUES)
def test_a_value_is_where_the_sample_says(entity: str) -> None:
    for sample in corpus(5, 4, 0):
        if sample.entity == entity:
            assert 0 <= sample.start < sample.end <= len(sample.text)
            value = sample.text[sample.start : sample.end]
            assert value == value.strip()
            assert sample.text.count(value) == 1


@pytest.mark.parametrize("make", NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_a_near_miss_is_some_text_and_seldom_the_same(make: object) -> None:
    assert callable(make)
    texts = {make(random.Random(seed)).text for seed in range(40)}
    assert "" not in texts
    assert len(texts) > 5
