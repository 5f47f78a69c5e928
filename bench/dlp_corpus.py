"""Texts with ground truth, the same ones for the same seed: values of every entity, and near misses.

Made by generators that share nothing with the detectors: no pattern, no checksum, no example.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.dlp_carriers import carry
from bench.dlp_credentials import CREDENTIALS
from bench.dlp_near_misses import NEAR_MISSES
from bench.dlp_personal import PERSONAL

VALUES = {**PERSONAL, **CREDENTIALS}
EACH_VALUE = 480
EACH_NEAR_MISS = 600


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that holds one value of `entity` from `start` up to `end`, or, where that is empty, one near miss.

    `also` are others in it, by entity, start and end: they need not be found, and it is no false alarm if they are.
    """

    id: int
    text: str
    start: int
    end: int
    entity: str
    kind: str
    also: tuple[tuple[str, int, int], ...] = ()


def corpus(seed: int, each_value: int = EACH_VALUE, each_near_miss: int = EACH_NEAR_MISS) -> list[Sample]:
    """Make the texts, mixed."""
    rng = random.Random(seed)
    samples = [*_values(rng, each_value), *_near_misses(rng, each_near_miss)]
    rng.shuffle(samples)
    return [Sample(number, *sample) for number, sample in enumerate(samples)]


def _values(rng: random.Random, each: int) -> Iterator[tuple[str, int, int, str, str]]:
    for entity, (make, _) in VALUES.items():
        for _ in range(each):
            value = make(rng)
            text, start = carry(rng, value)
            yield text, start, start + len(value.text), entity, "value"


def _near_misses(rng: random.Random, each: int) -> Iterator[tuple[str, int, int, str, str]]:
    for kind, make in NEAR_MISSES.items():
        for _ in range(each):
            value = make(rng)
            text, start = carry(rng, value)
            yield text, start, start + len(value.text), "", kind
