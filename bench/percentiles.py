"""Percentiles of latencies, and of several runs the middle one. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

MILLISECONDS = 1e3


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds below which so many percent lie. All 0 where nothing was measured."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    p999: float = 0.0
    most: float = 0.0

    def __sub__(self, other: Percentiles) -> Percentiles:
        """How much more each is; the difference of percentiles, which is not the percentile of differences."""
        return Percentiles(*(mine - its for mine, its in zip(astuple(self), astuple(other), strict=True)))


def percentiles(seconds: Iterable[float]) -> Percentiles:
    """Sort and read off: of `n` values, percentile p is the one at rank ceil(p·n)."""
    ordered = sorted(seconds)
    if not ordered:
        return Percentiles()
    # In thousandths, in whole numbers: 0.95 · n in floating point would now and then take the next rank.
    ranks = [-(-len(ordered) * thousandths // 1_000) - 1 for thousandths in (500, 950, 990, 999, 1_000)]
    return Percentiles(*(ordered[rank] * MILLISECONDS for rank in ranks))


def middle(runs: Sequence[Percentiles]) -> Percentiles:
    """Of each percentile the median over runs: one that a busy machine disturbed does not count."""
    return Percentiles(*map(statistics.median, zip(*map(astuple, runs), strict=True)))
