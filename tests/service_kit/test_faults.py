"""Faults: what is wrong, where, and all of it at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.faults import ConfigurationError, Fault, Faults

FAULTS = st.builds(Fault, st.sampled_from(["a.yaml", "b.yaml", "NAME"]), st.integers(0, 999), st.text(max_size=5))


def test_a_fault_with_a_line_reads_as_file_line_text() -> None:
    """Editors and terminals make a link of `file:line:`."""
    assert str(Fault("limits.yaml", 7, "is wrong")) == "limits.yaml:7: is wrong"


def test_a_fault_without_a_line_leaves_the_line_out() -> None:
    """A variable of the environment has no line."""
    assert str(Fault("LOG_LEVEL", 0, "is wrong")) == "LOG_LEVEL: is wrong"


def test_nothing_is_raised_where_nothing_is_wrong() -> None:
    """A configuration without faults goes on."""
    Faults().raise_if_any()


def test_the_error_has_one_line_for_each_fault_in_the_order_of_file_and_line() -> None:
    """An operator reads from top to bottom, whatever order the reader went in."""
    faults = Faults()
    faults.add("b.yaml", 1, "third")
    faults.add("a.yaml", 10, "second")
    faults.add("a.yaml", 9, "first")
    with pytest.raises(ConfigurationError) as raised:
        faults.raise_if_any()
    assert str(raised.value) == "a.yaml:9: first\na.yaml:10: second\nb.yaml:1: third"


@given(st.lists(FAULTS, min_size=1))
def test_no_fault_is_lost_and_none_is_invented(noted: list[Fault]) -> None:
    """The error carries exactly what was noted."""
    faults = Faults()
    for fault in noted:
        faults.add(fault.source, fault.line, fault.text)
    with pytest.raises(ConfigurationError) as raised:
        faults.raise_if_any()
    assert raised.value.faults == tuple(sorted(noted))


def test_a_warning_is_kept_apart_and_raises_nothing() -> None:
    """What works is no fault, whatever may be said of it."""
    faults = Faults()
    faults.warn("a.yaml", 3, "means nothing here")
    faults.raise_if_any()
    assert (faults.found, faults.warnings) == ([], [Fault("a.yaml", 3, "means nothing here")])


def test_a_warning_is_no_line_of_the_error() -> None:
    """Who has to mend something reads only what is to be mended."""
    faults = Faults()
    faults.warn("a.yaml", 1, "is odd")
    faults.add("a.yaml", 2, "is wrong")
    with pytest.raises(ConfigurationError) as raised:
        faults.raise_if_any()
    assert str(raised.value) == "a.yaml:2: is wrong"
