"""Characters at random, which all the generators draw."""

from __future__ import annotations

import random


def digits(rng: random.Random, count: int) -> str:
    """So many digits, the first of them not 0."""
    return str(rng.randrange(10 ** (count - 1), 10**count))


def some(rng: random.Random, alphabet: str, count: int) -> str:
    """So many characters of an alphabet."""
    return "".join(rng.choices(alphabet, k=count))
