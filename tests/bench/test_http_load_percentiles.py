"""Percentiles are values that were measured, and the middle run is taken for each of them."""

from __future__ import annotations

import pytest

from bench.h2load import read_log
from bench.percentiles import Percentiles, middle, percentiles


def test_a_percentile_is_the_value_at_its_rank_in_milliseconds() -> None:
    found = percentiles(number / 1_000 for number in range(1_000, 0, -1))
    assert (found.p50, found.p95, found.p99, found.p999, found.most) == (500, 950, 990, 999, 1_000)


@pytest.mark.parametrize(("count", "p95"), [(1, 1), (20, 19), (21, 20), (100, 95)])
def test_a_rank_is_rounded_up(count: int, p95: float) -> None:
    assert percentiles(number / 1_000 for number in range(1, count + 1)).p95 == p95


def test_nothing_measured_gives_zeros() -> None:
    assert percentiles([]) == Percentiles()


def test_of_several_runs_each_percentile_has_its_own_median() -> None:
    runs = [Percentiles(p50=1, p99=90), Percentiles(p50=2, p99=10), Percentiles(p50=300, p99=20)]
    assert middle(runs) == Percentiles(p50=2, p99=20)


def test_a_difference_is_taken_for_each_percentile() -> None:
    assert Percentiles(p50=3, p99=9) - Percentiles(p50=1, p99=4) == Percentiles(p50=2, p99=5)


def test_the_log_of_h2load_gives_statuses_and_latencies() -> None:
    log = read_log("1700000000000000\t200\t1500\n1700000000000100\t503\t2500\n1700000000000200\t-1\t900\n")
    assert log.statuses == {"200": 1, "503": 1, "-1": 1}
    assert (log.latency.p50, log.latency.most) == (1.5, 2.5)
