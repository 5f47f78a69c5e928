"""Medians, ratios with their spread, and the way to JSON and back."""

from __future__ import annotations

import json

import pytest

from bench.peers import results
from bench.peers.results import Turns, per_core
from tests.bench.peers import samples


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_pairs() -> None:
    """Pairs are the runs that came one after the other, not the sorted ones."""
    turns = Turns([samples.run(rate=rate) for rate in (10, 30, 20)], [samples.run(rate=rate) for rate in (10, 10, 40)])
    ratio = turns.ratio(lambda run: run.rate)
    assert (ratio.of_medians, ratio.least, ratio.most) == (2.0, 0.5, 3.0)


def test_calls_for_cpu_time_are_the_inverse_of_cpu_time_for_a_call() -> None:
    """25 µs a call are 40,000 calls in a second of CPU time."""
    assert per_core(samples.run(cpu=25.0)) == pytest.approx(40_000)


@pytest.mark.parametrize(("busy", "elsewhere"), [(1.0, False), (0.9, False), (0.7, True)])
def test_a_server_that_leaves_its_core_idle_at_saturation_was_bounded_elsewhere(
    busy: float, *, elsewhere: bool
) -> None:
    """By either side."""
    full, other = [samples.run(busy=1.0)], [samples.run(busy=busy)]
    assert Turns(full, other).bounded_elsewhere() is elsewhere
    assert Turns(other, full).bounded_elsewhere() is elsewhere


def test_results_come_back_from_json_as_they_were() -> None:
    """So that the docs can be written again without measuring."""
    found = samples.results()
    assert results.from_json(json.loads(json.dumps(results.to_json(found)))) == found
