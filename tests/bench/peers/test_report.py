"""The page that a run writes."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from bench.peers import report
from bench.peers.results import Ratio
from tests.bench.peers import samples

TEMPLATE = (Path(__file__).parents[3] / "bench" / "peers" / "benchmarks.md.in").read_text()


def test_a_ratio_is_told_with_its_spread() -> None:
    """Two digits each."""
    assert report.times(Ratio(1.5, 1.234, 1.789)) == "1.50x (1.23 to 1.79)"


def test_the_page_tells_both_sides_and_the_ratio_of_each_workload() -> None:
    """At saturation and at the equal rate, latencies in milliseconds."""
    page = report.page(samples.results(), TEMPLATE)
    assert "| 3 descriptors | 20,000 | 10,000 | **2.00x (2.00 to 2.00)** | 20,000 | 10,000 | 2.00x" in page
    assert "| 3 descriptors | 5,000 | 0.50 / 1.00 / 2.00 / 4.00 | 1.00 / 2.00 / 4.00 / 8.00 | **0.50x" in page


def test_every_table_has_as_many_cells_in_each_row() -> None:
    """A row that is short would shift figures under another head."""
    lines = report.page(samples.results(), TEMPLATE).splitlines()
    tables = [list(group) for is_row, group in groupby(lines, lambda line: line.startswith("|")) if is_row]
    assert len(tables) == 6
    for table in tables:
        assert len({row.count("|") for row in table}) == 1, table


def test_what_was_tried_is_told_with_what_was_taken() -> None:
    """Of the peer's settings."""
    page = report.page(samples.results(), TEMPLATE)
    assert "| their limiter | WINDOW=0 | 3 descriptors | 9,000 | 9,100 |  |" in page
    assert "| their limiter | WINDOW=150us | 3 descriptors | 10,000 | 10,100 | taken |" in page


def test_where_the_peer_is_better_is_told_for_each_workload_and_program() -> None:
    """Fewer calls for CPU time, longer latencies, a longer start."""
    losses = report.losses(samples.results(factor=0.5, start=1.0))
    assert losses == [
        f"ShouldRateLimit; {title}: calls for CPU time 0.50x (0.50 to 0.50); p50 2.00x (2.00 to 2.00);"
        " p99 2.00x (2.00 to 2.00)"
        for title in ("3 descriptors", "10 descriptors")
    ] + ["our limiter to their limiter: time until the first answer 10.0x"]


def test_where_the_peer_is_never_better_the_page_says_so() -> None:
    """And lists nothing."""
    found = samples.results(factor=2.0)
    assert report.losses(found) == []
    assert "Nowhere, in this run." in report.page(found, TEMPLATE)


def test_the_summary_has_a_line_for_each_workload() -> None:
    """Under the names of both."""
    lines = report.summary(samples.results()).splitlines()
    assert lines[0].startswith("ShouldRateLimit: our limiter to their limiter")
    assert [line.split("  ")[1].strip() for line in lines[1:]] == ["3 descriptors", "10 descriptors"]
