"""Dates and times, but for layouts (`test_time_layouts`, `test_time_reading`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import times
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

SECOND = 10**9
DAY = 86_400 * SECOND
MOON = -14_182_940 * SECOND  # 1969-07-20 20:17:40 UTC
LEAP = 1_709_164_800 * SECOND  # 2024-02-29 00:00:00 UTC
SPRING = 1_711_846_800 * SECOND  # 2024-03-31 01:00:00 UTC, when clocks go forward in London

CASES: list[tuple[str, list[Value], Value]] = [
    ("time.date", [MOON], [1969, 7, 20]),
    ("time.date", [[MOON, "Asia/Tokyo"]], [1969, 7, 21]),
    ("time.clock", [MOON], [20, 17, 40]),
    ("time.clock", [[MOON, ""]], [20, 17, 40]),
    ("time.clock", [[SPRING - 1, "Europe/London"]], [0, 59, 59]),
    ("time.clock", [[SPRING, "Europe/London"]], [2, 0, 0]),
    ("time.clock", [[0, "Asia/Kathmandu"]], [5, 30, 0]),
    ("time.weekday", [MOON], "Sunday"),
    ("time.weekday", [[MOON, "Asia/Tokyo"]], "Monday"),
    ("time.format", [MOON], "1969-07-20T20:17:40Z"),
    ("time.format", [[MOON + 5, "America/New_York"]], "1969-07-20T16:17:40.000000005-04:00"),
    ("time.format", [[MOON, "UTC", "RFC850"]], "Sunday, 20-Jul-69 20:17:40 UTC"),
    ("time.format", [[LEAP, "Europe/Paris", "02.01.2006 15:04 MST"]], "29.02.2024 01:00 CET"),
    ("time.parse_ns", ["2006-01-02", "2024-02-29"], LEAP),
    ("time.parse_ns", ["RFC1123Z", "Thu, 29 Feb 2024 05:30:00 +0530"], LEAP),
    ("time.parse_rfc3339_ns", ["2024-02-29T00:00:00.000000007Z"], LEAP + 7),
    ("time.parse_rfc3339_ns", ["2024-02-28T19:00:00-05:00"], LEAP),
    ("time.add_date", [LEAP, 1, 0, 0], 1_740_787_200 * SECOND),
    ("time.add_date", [LEAP, 0, -1, 2], 1_706_659_200 * SECOND),
    ("time.add_date", [[SPRING - DAY, "Europe/London"], 0, 0, 1], SPRING),
    ("time.add_date", [[SPRING - DAY + 1800 * SECOND, "Europe/London"], 0, 0, 1], SPRING + 1800 * SECOND),
    ("time.diff", [0, LEAP], [54, 1, 28, 0, 0, 0]),
    ("time.diff", [LEAP, 0], [54, 1, 28, 0, 0, 0]),
    ("time.diff", [LEAP - 1, LEAP - DAY + 61 * SECOND], [0, 0, 0, 23, 58, 58]),
    ("time.diff", [[0, "Asia/Tokyo"], [DAY, "America/New_York"]], [0, 0, 1, 0, 0, 0]),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_times_are_what_opa_says(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_now_is_the_time_of_the_evaluation() -> None:
    assert TABLE["time.now_ns"].function(Context(time_ns=MOON)) == MOON
    assert not TABLE["time.now_ns"].pure


@pytest.mark.parametrize(
    ("name", "operands", "reason"),
    [
        ("time.date", [2**63], "timestamp too big"),
        ("time.clock", [0.5], "timestamp too big"),
        ("time.date", [[0, "Mars/Olympus"]], "unknown time zone Mars/Olympus"),
        ("time.date", [[0, "../UTC"]], "unknown time zone ../UTC"),
        ("time.date", [[0, "Europe"]], "unknown time zone Europe"),
        ("time.date", [[0, "A" * 10_000]], f"unknown time zone {'A' * 10_000}"),
        ("time.parse_rfc3339_ns", ["2300-01-01T00:00:00Z"], "time outside of valid range"),
        ("time.add_date", [0, 300, 0, 0], "time outside of valid range"),
        ("time.add_date", [2**63 - 1, 0, 0, 1], "time outside of valid range"),
        ("time.add_date", [0, 10**4000, 0, 0], "time outside of valid range"),
        ("time.add_date", [0, 0, 0, -(10**4000)], "time outside of valid range"),
    ],
)
def test_times_out_of_range_are_faults(name: str, operands: list[Value], reason: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (BUILTIN_ERROR, reason)


@pytest.mark.parametrize(
    ("name", "operands", "reason"),
    [
        ("time.date", ["0"], "operand 1 must be either number (ns) or [number (ns), string (tz)] but got string"),
        ("time.date", [{}], "operand 1 must be either number (ns) or [number (ns), string (tz)] but got object"),
        ("time.date", [[]], "operand 1 must be either number (ns) or [number (ns), string (tz)] but got array"),
        ("time.date", [[0, 1]], "operand 1 must be string but got number"),
        ("time.add_date", [0, 1.5, 0, 0], "operand 2 must be integer number but got floating-point number"),
    ],
)
def test_operands_of_other_types_are_faults(name: str, operands: list[Value], reason: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, reason)


MOMENTS = st.integers(-(2**63), 2**63 - 1)


@given(MOMENTS)
def test_what_is_written_by_default_is_read_again(moment: int) -> None:
    assert call("time.parse_rfc3339_ns", call("time.format", moment)) == moment


@given(MOMENTS, st.sampled_from(["America/Sao_Paulo", "Asia/Kolkata", "Europe/Dublin", "Pacific/Apia"]))
def test_what_is_written_with_an_offset_is_read_again(moment: int, zone: str) -> None:
    layout = "2006-01-02T15:04:05.999999999-07:00:00"
    assert call("time.parse_ns", layout, call("time.format", [moment, zone, layout])) == moment


@given(st.integers(-3 * 10**9, 3 * 10**9), st.integers(-1000, 1000))
def test_adding_days_is_what_the_calendar_says(seconds: int, days: int) -> None:
    expected = datetime.fromtimestamp(seconds, UTC) + timedelta(days=days)
    added = call("time.add_date", seconds * SECOND, 0, 0, days)
    assert call("time.date", added) == [expected.year, expected.month, expected.day]
    assert call("time.clock", added) == [expected.hour, expected.minute, expected.second]


@given(MOMENTS, MOMENTS)
def test_a_difference_is_the_same_both_ways_and_never_negative(one: int, two: int) -> None:
    found = call("time.diff", one, two)
    assert found == call("time.diff", two, one)
    assert all(part >= 0 for part in found)


@pytest.mark.parametrize("name", declared(times))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
