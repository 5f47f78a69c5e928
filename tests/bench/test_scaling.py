"""Which sizes are tried, and how a row is told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bench.scaling import TIMES, Row, line, measure, passed_over
from bench.scaling_cases import CASES


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], ""),
        ([Row(1_000, setup=5.9, median=10.0)], ""),
        ([Row(1_000, setup=6.1, median=10.0)], "setup would take about 61 s"),
        ([Row(100, setup=1.0, median=10.0), Row(1_000, setup=30.0, median=10.0)], "setup would take about 900 s"),
        ([Row(100, setup=9.0, median=10.0), Row(1_000, setup=9.0, median=10.0)], ""),
        ([Row(1_000, setup=1.0, median=20_000.0)], "a decision takes 20 ms at 1,000"),
    ],
)
def test_a_size_is_passed_over_if_it_would_take_too_long(rows: list[Row], why: str) -> None:
    said = passed_over(rows, 10_000)
    assert (why in said) if why else not said


def test_a_row_tells_its_ratio_to_the_smallest_size() -> None:
    assert line("things", [Row(10, 0.1, 2.0, 3.0), Row(100, 1.0, 5.0, 9.0)]).split() == [
        "100", "things", "1.00", "5.0", "9.0", "2.50x",
    ]  # fmt: skip


def test_a_row_that_was_stopped_says_why_and_has_no_figures() -> None:
    assert line("things", [Row(10, stopped="not measured")]).split() == ["10", "things", "not", "measured"]


def test_a_size_is_measured_in_a_process_of_its_own() -> None:
    row = measure("limit_files", 10)
    assert not row.stopped
    assert 0 < row.median <= (row.p99 or 0)


def test_every_case_begins_small_and_grows_tenfold() -> None:
    for case in CASES.values():
        assert all(after == TIMES * before for before, after in pairwise(case.sizes))
