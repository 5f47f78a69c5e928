"""Environment variables, read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.environment import Environment
from service_kit.faults import Faults

ANY_TEXT = st.one_of(
    st.text(max_size=40), st.from_regex(r"-?[0-9]{1,30}", fullmatch=True), st.sampled_from(["٣", "1_0"])
)


def environment(**values: str) -> Environment:
    """Read these variables."""
    return Environment(values, Faults())


def told(read: Environment) -> list[str]:
    """Say what was found wrong, in the order of reading."""
    return [str(fault) for fault in read.faults.found]


def test_an_unset_variable_reads_as_its_default() -> None:
    """Every reader has one."""
    read = environment()
    assert read.text("A", "x") == "x"
    assert read.integer("A", 5, minimum=0, maximum=9) == 5
    assert read.flag("A", default=True) is True
    assert read.choice("A", ("red", "blue"), "blue") == "blue"
    assert read.seconds("A", 1.5) == 1.5
    assert told(read) == []


def test_an_empty_variable_counts_as_unset() -> None:
    """Container platforms write `NAME=` for a value that nobody gave."""
    read = environment(A="")
    assert read.text("A", "x") == "x"
    assert read.integer("A", 5, minimum=0, maximum=9) == 5
    assert read.flag("A", default=True) is True
    assert read.choice("A", ("red", "blue"), "blue") == "blue"
    assert read.seconds("A", 1.5) == 1.5
    assert told(read) == []


def test_every_fault_is_told_by_name_in_one_run() -> None:
    """One start is enough to see all that is wrong."""
    read = environment(PORT="http", ON="maybe", COLOUR="green", WAIT="soon")
    assert read.integer("PORT", 80, minimum=1, maximum=65535) == 80
    assert read.flag("ON", default=False) is False
    assert read.choice("COLOUR", ("red", "blue"), "red") == "red"
    assert read.seconds("WAIT", 2.0) == 2.0
    assert told(read) == [
        "PORT: must be a whole number from 1 to 65535, but is 'http'",
        "ON: must be true or false, but is 'maybe'",
        "COLOUR: must be one of red, blue, but is 'green'",
        "WAIT: must be a duration such as 10ms, 2s or 5m, but is 'soon'",
    ]


@pytest.mark.parametrize(("value", "expected"), [("0", 0), ("9", 9), ("007", 7)])
def test_a_whole_number_may_stand_on_its_bounds(value: str, expected: int) -> None:
    """Both bounds are included."""
    assert environment(A=value).integer("A", 5, minimum=0, maximum=9) == expected


def test_a_negative_number_is_read_where_the_bounds_allow_it() -> None:
    """The sign belongs to the number."""
    assert environment(A="-1").integer("A", 0, minimum=-1, maximum=9) == -1


@pytest.mark.parametrize("value", ["10", "-1", "1.0", " 1", "+1", "1_0", "٣", "0" * 20 + "99999", "0" * 5000 + "1"])
def test_what_is_not_a_whole_number_within_bounds_is_a_fault(value: str) -> None:
    """Leading zeros do not smuggle a number past its bounds."""
    read = environment(A=value)
    assert read.integer("A", 5, minimum=0, maximum=9) == 5
    assert told(read) == [f"A: must be a whole number from 0 to 9, but is {value!r}"]


@given(ANY_TEXT, st.integers(-100, 0), st.integers(1, 10**12))
def test_a_number_that_is_read_is_within_its_bounds(value: str, minimum: int, maximum: int) -> None:
    """Whatever the text, no reader returns anything else, and a refusal is told."""
    read = environment(A=value)
    number = read.integer("A", 0, minimum=minimum, maximum=maximum)
    assert minimum <= number <= maximum
    assert number == 0 or str(number) == value.lstrip("0") or number == int(value)


@pytest.mark.parametrize("value", ["true", "1", "t", "TRUE", "True"])
def test_true_is_written_in_several_ways(value: str) -> None:
    """As the reference rate limit service reads its flags."""
    assert environment(A=value).flag("A", default=False) is True


@pytest.mark.parametrize("value", ["false", "0", "f", "FALSE", "False"])
def test_false_is_written_in_several_ways(value: str) -> None:
    """As the reference rate limit service reads its flags."""
    assert environment(A=value).flag("A", default=True) is False


def test_a_choice_does_not_heed_case() -> None:
    """`LOG_LEVEL=Info` is what people write."""
    assert environment(A="RED").choice("A", ("red", "blue"), "blue") == "red"


@pytest.mark.parametrize(
    ("value", "seconds"), [("10ms", 0.01), ("2s", 2.0), ("5m", 300.0), ("1h", 3600.0), ("0s", 0.0)]
)
def test_a_duration_is_read_in_seconds(value: str, seconds: float) -> None:
    """Each unit has its own factor."""
    assert environment(A=value).seconds("A", 9.0) == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["1", "1.5s", "-1s", "s", "1d", "1 s", "1m30s", "1234567890s", "٣s"])
def test_what_is_not_a_duration_is_a_fault(value: str) -> None:
    """A number without a unit is nobody's guess."""
    read = environment(A=value)
    assert read.seconds("A", 9.0) == 9.0
    assert told(read) == [f"A: must be a duration such as 10ms, 2s or 5m, but is {value!r}"]


@given(ANY_TEXT)
def test_no_text_raises_anything_but_gives_faults(value: str) -> None:
    """What the environment holds is nobody's promise."""
    read = environment(A=value)
    read.text("A", "x")
    read.integer("A", 0, minimum=0, maximum=9)
    read.flag("A", default=False)
    read.choice("A", ("red",), "red")
    assert read.seconds("A", 1.0) >= 0
    assert {fault.source for fault in read.faults.found} <= {"A"}
