"""What is made of runs through the gateway: medians over turns, what it adds, whether it kept up, and the goals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import gateway_report
from bench.gateway import TURNS, Comparison, Run, calmest, is_calm, share_cores
from bench.gateway_report import Goal, goals
from bench.gateway_stack import PARTS
from bench.percentiles import Percentiles


def _run(rate: float = 1_000.0, p50: float = 1.0, p99: float = 2.0, failed: dict[str, int] | None = None) -> Run:
    cpu = dict.fromkeys([*PARTS, "load"], 10.0)
    return Run(rate, Percentiles(p50=p50, p99=p99), None, failed or {}, cpu, 0.0)


def _at(wanted: float | None, gateway: list[Run], alone: list[Run]) -> Comparison:
    return Comparison("a load", wanted, gateway, alone)


def _reached(found: list[Comparison]) -> dict[str, float | None]:
    return {goal.name: goal.reached for goal in goals(found)}


def test_what_is_added_is_the_median_of_the_differences_within_each_pair() -> None:
    gateway = [_run(p50=2.0), _run(p50=9.0), _run(p50=4.0)]
    alone = [_run(p50=1.0), _run(p50=1.0), _run(p50=1.5)]
    assert _at(1_000, gateway, alone).added.p50 == 2.5


@pytest.mark.parametrize(("rate", "sustained"), [(1_000.0, True), (985.0, True), (970.0, False)])
def test_a_rate_is_sustained_if_about_as_many_were_answered_in_time(rate: float, *, sustained: bool) -> None:
    assert _at(1_000, [_run(rate)], [_run()]).is_sustained is sustained


def test_saturation_is_always_sustained() -> None:
    assert _at(None, [_run(1.0)], [_run()]).is_sustained


def test_requests_that_did_not_end_well_are_summed_over_all_runs_of_both() -> None:
    gateway = [_run(failed={"503": 2}), _run(failed={"503": 1, "429": 1})]
    assert _at(100, gateway, [_run(failed={"503": 1}), _run()]).failed == {"503": 4, "429": 1}


def test_the_pairs_that_count_are_those_in_which_others_did_least_whatever_their_latencies() -> None:
    pairs = [
        (replace(_run(p50=p50), others=others), _run()) for p50, others in ((1, 0.9), (9, 0.1), (1, 0.3), (9, 0.0))
    ]
    assert [gateway.others for gateway, _ in calmest(pairs)] == [0.0, 0.1, 0.3][:TURNS]
    assert [is_calm(pair) for pair in pairs] == [False, True, False, True]


def test_goals_take_the_fastest_saturation_and_the_latencies_at_their_rate() -> None:
    found = [
        _at(500, [_run(p50=50.0, p99=50.0)], [_run()]),
        _at(1_000, [_run(p50=2.0, p99=9.0)], [_run(p50=1.0, p99=2.0)]),
        _at(None, [_run(900.0)], [_run()]),
        _at(None, [_run(1_100.0)], [_run()]),
    ]
    assert list(_reached(found).values()) == [1_100.0, 1.0, 7.0, 0]


def test_a_rate_that_was_not_sustained_reaches_no_latency() -> None:
    found = [_at(1_000, [_run(900.0, p50=150.0)], [_run()])]
    assert _reached(found)["p50 added at 1,000/s"] is None
    assert not any(goal.is_met for goal in goals(found) if goal.unit)


@pytest.mark.parametrize(
    ("reached", "at_least", "met"),
    [(4.0, True, True), (3.9, True, False), (4.0, False, True), (4.1, False, False), (None, False, False)],
)
def test_a_goal_is_a_least_or_a_most(reached: float | None, *, at_least: bool, met: bool) -> None:
    assert Goal("", "", 4.0, reached, at_least).is_met is met


@pytest.mark.parametrize(
    ("usable", "gateway", "load"),
    [((0, 1), (0, 1), (0, 1)), ((0, 1, 2, 3), (0, 1), (2, 3)), ((5,), (5,), (5,)), ((), (), ())],
)
def test_the_gateway_gets_two_cores_and_the_load_others_if_there_are_any(
    usable: tuple[int, ...], gateway: tuple[int, ...], load: tuple[int, ...]
) -> None:
    assert share_cores(usable) == (gateway, load)


def test_the_report_says_what_was_missed_and_what_was_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        _at(100, [_run(100.0)], [_run(100.0)]),
        _at(500, [_run(300.0, failed={"503": 1})], [_run(500.0)]),
        _at(None, [_run(300.0)], [_run()]),
    ]
    gateway_report.head(bodies=True)
    for each in found:
        gateway_report.show(each)
    gateway_report.tail(found)
    said = capsys.readouterr().out
    assert "not sustained" in said
    assert "1 ended in: 503" in said
    assert "Not measured: 1,000/s, 2,000/s" in said
    assert [line.split()[-1] for line in said.splitlines()[-4:]] == ["MISSED"] * 4
    assert [load["sustained"] for load in gateway_report.values(found)["loads"]] == [True, False, True]
