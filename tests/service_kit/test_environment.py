"""Environment variables, read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.environment import Environment
from service_kit.faults import Faults

ANY_TEXT = st.one_of(
    st.text(max_size=40), st.from_regex(r"-?[0-9]{1,30}", fullmatch=True), st.sampled_from(["٣", "1_0"])
)


DEFAULTS = {"NUMBER": "5", "RATIO": "0.8", "ON": "true", "COLOUR": "blue", "WAIT": "1500ms", "TEXT": "x", "FILE": ""}


def environment(**values: str) -> Environment:
    """Read these variables."""
    return Environment(values, DEFAULTS, Faults())


def told(read: Environment) -> list[str]:
    """Say what was found wrong, in the order of reading."""
    return [str(fault) for fault in read.faults.found]


@pytest.mark.parametrize("values", [{}, dict.fromkeys(DEFAULTS, "")])
def test_an_unset_or_empty_variable_reads_as_its_default(values: dict[str, str]) -> None:
    """Container platforms write `NAME=` for a value that nobody gave."""
    read = environment(**values)
    assert read.text("TEXT") == "x"
    assert read.integer("NUMBER", minimum=0, maximum=9) == 5
    assert read.number("RATIO", minimum=0, maximum=1) == 0.8
    assert read.flag("ON") is True
    assert read.choice("COLOUR", ("red", "blue")) == "blue"
    assert read.seconds("WAIT", minimum=0, maximum=9) == 1.5
    assert read.file("FILE") is None
    assert told(read) == []


def test_a_variable_without_a_default_cannot_be_asked_for() -> None:
    """The table of defaults is the table of what is read."""
    with pytest.raises(KeyError):
        environment().text("OTHER")


def test_every_fault_is_told_by_name_in_one_run() -> None:
    """One start is enough to see all that is wrong; what is returned meanwhile is of the right type."""
    read = environment(NUMBER="http", RATIO="most", ON="maybe", COLOUR="green", WAIT="soon")
    assert read.integer("NUMBER", minimum=1, maximum=65535) == 1
    assert read.number("RATIO", minimum=0.5, maximum=1) == 0.5
    assert read.flag("ON") is False
    assert read.choice("COLOUR", ("red", "blue")) == "red"
    assert read.seconds("WAIT", minimum=2, maximum=3) == 2.0
    assert told(read) == [
        "NUMBER: must be a whole number from 1 to 65535, but is 'http'",
        "RATIO: must be a number from 0.5 to 1, but is 'most'",
        "ON: must be true or false, but is 'maybe'",
        "COLOUR: must be one of red, blue, but is 'green'",
        "WAIT: must be a duration such as 10ms, 2s or 5m, but is 'soon'",
    ]


@pytest.mark.parametrize(("value", "expected"), [("0", 0), ("9", 9), ("007", 7)])
def test_a_whole_number_may_stand_on_its_bounds(value: str, expected: int) -> None:
    """Both bounds are included."""
    read = environment(NUMBER=value)
    assert read.integer("NUMBER", minimum=0, maximum=9) == expected
    assert told(read) == []


def test_a_negative_number_is_read_where_the_bounds_allow_it() -> None:
    """The sign belongs to the number."""
    assert environment(NUMBER="-1").integer("NUMBER", minimum=-1, maximum=9) == -1


@pytest.mark.parametrize("value", ["10", "-1", "1.0", " 1", "+1", "1_0", "٣", "0" * 20 + "99999", "0" * 5000 + "1"])
def test_what_is_not_a_whole_number_within_bounds_is_a_fault(value: str) -> None:
    """Leading zeros do not smuggle a number past its bounds."""
    read = environment(NUMBER=value)
    assert read.integer("NUMBER", minimum=0, maximum=9) == 0
    assert told(read) == [f"NUMBER: must be a whole number from 0 to 9, but is {value!r}"]


@given(ANY_TEXT, st.integers(-100, 0), st.integers(1, 10**12))
def test_a_number_that_is_read_is_within_its_bounds(value: str, minimum: int, maximum: int) -> None:
    """Whatever the text, no reader returns anything else, and a refusal is told."""
    read = environment(NUMBER=value)
    number = read.integer("NUMBER", minimum=minimum, maximum=maximum)
    assert minimum <= number <= maximum
    assert read.faults.found or number == int(value or DEFAULTS["NUMBER"])


@pytest.mark.parametrize(("value", "expected"), [("0", 0.0), ("0.8", 0.8), ("1", 1.0), ("1.000000000", 1.0)])
def test_a_number_with_a_fraction_may_stand_on_its_bounds(value: str, expected: float) -> None:
    """A whole one is a number too."""
    read = environment(RATIO=value)
    assert read.number("RATIO", minimum=0, maximum=1) == expected
    assert told(read) == []


def test_a_negative_number_with_a_fraction_is_read_where_the_bounds_allow_it() -> None:
    """The sign belongs to the number."""
    assert environment(RATIO="-0.25").number("RATIO", minimum=-1, maximum=1) == -0.25


@pytest.mark.parametrize("value", ["1.1", "-0.1", "nan", "inf", "1e-1", ".", "1.", "0,8", " 1", "٣", "0.1234567890"])
def test_what_is_not_a_number_within_bounds_is_a_fault(value: str) -> None:
    """Python would take some of these, and `nan` would pass any bound."""
    read = environment(RATIO=value)
    assert read.number("RATIO", minimum=0, maximum=1) == 0
    assert told(read) == [f"RATIO: must be a number from 0 to 1, but is {value!r}"]


@pytest.mark.parametrize("value", ["true", "1", "t", "TRUE", "True"])
def test_true_is_written_in_several_ways(value: str) -> None:
    """As the reference rate limit service reads its flags."""
    assert environment(ON=value).flag("ON") is True


@pytest.mark.parametrize("value", ["false", "0", "f", "FALSE", "False"])
def test_false_is_written_in_several_ways(value: str) -> None:
    """As the reference rate limit service reads its flags."""
    assert environment(ON=value).flag("ON") is False


def test_a_choice_does_not_heed_case() -> None:
    """`LOG_LEVEL=Info` is what people write."""
    assert environment(COLOUR="RED").choice("COLOUR", ("red", "blue")) == "red"


@pytest.mark.parametrize(
    ("value", "seconds"), [("10ms", 0.01), ("2s", 2.0), ("5m", 300.0), ("1h", 3600.0), ("0s", 0.0)]
)
def test_a_duration_is_read_in_seconds(value: str, seconds: float) -> None:
    """Each unit has its own factor."""
    read = environment(WAIT=value)
    assert read.seconds("WAIT", minimum=0, maximum=3600) == pytest.approx(seconds)
    assert told(read) == []


@pytest.mark.parametrize(
    ("value", "seconds"), [("1.5s", 1.5), ("1m30s", 90.0), ("2m0.5s", 120.5), ("1h1m1s1ms", 3661.001)]
)
def test_a_duration_may_have_parts_and_fractions(value: str, seconds: float) -> None:
    read = environment(WAIT=value)
    assert read.seconds("WAIT", minimum=0, maximum=9_999) == pytest.approx(seconds)
    assert told(read) == []


@pytest.mark.parametrize(
    "value", ["1", "-1s", "s", "1d", "1 s", "1.s", ".5s", "1m 30s", "1s2", "1s1s1s1s1s", "1234567890s", "٣s"]
)
def test_what_is_not_a_duration_is_a_fault(value: str) -> None:
    """A number without a unit is nobody's guess."""
    read = environment(WAIT=value)
    read.seconds("WAIT", minimum=0, maximum=9)
    assert told(read) == [f"WAIT: must be a duration such as 10ms, 2s or 5m, but is {value!r}"]


@pytest.mark.parametrize("value", ["4ms", "3s"])
def test_a_duration_out_of_bounds_is_told_with_them(value: str) -> None:
    """In the units that people write."""
    read = environment(WAIT=value)
    read.seconds("WAIT", minimum=0.005, maximum=2.5)
    assert told(read) == [f"WAIT: must be from 5ms to 2.5s, but is {value!r}"]


def test_a_file_is_read_as_its_path(tmp_path: Path) -> None:
    """What it holds is for others to read."""
    (tmp_path / "a.pem").touch()
    read = environment(FILE=f"{tmp_path}/a.pem")
    assert read.file("FILE") == tmp_path / "a.pem"
    assert told(read) == []


@pytest.mark.parametrize("name", ["absent.pem", ".", "x" * 5000])
def test_a_file_that_is_not_there_is_told_by_variable_and_path(tmp_path: Path, name: str) -> None:
    """A folder is no file."""
    read = environment(FILE=f"{tmp_path}/{name}")
    read.file("FILE")
    assert told(read) == [f"FILE: names no file: {tmp_path}/{name}"]


@given(ANY_TEXT)
def test_no_text_raises_anything_but_gives_faults(value: str) -> None:
    """What the environment holds is nobody's promise."""
    read = environment(**dict.fromkeys(DEFAULTS, value))
    read.text("TEXT")
    read.integer("NUMBER", minimum=0, maximum=9)
    assert 0 <= read.number("RATIO", minimum=0, maximum=1) <= 1
    read.flag("ON")
    read.choice("COLOUR", ("red",))
    read.file("FILE")
    assert read.seconds("WAIT", minimum=0, maximum=9) >= 0
    assert {fault.source for fault in read.faults.found} <= DEFAULTS.keys()
