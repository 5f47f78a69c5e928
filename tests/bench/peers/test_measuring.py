"""The small parts of measuring that need no processes."""

from __future__ import annotations

import pytest

from bench.peers.machine import processor
from bench.peers.measuring import round_down


@pytest.mark.parametrize(("rate", "rounded"), [(12_345.6, 12_000), (999, 990), (87, 87), (0.4, 1)])
def test_a_rate_is_rounded_down_to_two_digits(rate: float, rounded: float) -> None:
    """And is never none."""
    assert round_down(rate) == rounded


def test_the_processor_is_named_by_its_model() -> None:
    """Of the first core."""
    assert processor("processor: 0\nmodel name\t: A CPU @ 2 GHz\nmodel name\t: B\n") == "A CPU @ 2 GHz"
