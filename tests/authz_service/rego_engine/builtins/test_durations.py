"""time.parse_duration_ns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import durations
from authz_service.rego_engine.errors import BUILTIN_ERROR
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("90s", 90 * SECOND),
        ("2h5m", 7500 * SECOND),
        ("-1.25s", -1_250_000_000),
        ("+7us", 7_000),
        ("3\N{MICRO SIGN}s", 3_000),
        ("3\N{GREEK SMALL LETTER MU}s", 3_000),
        ("15ms12ns", 15_000_012),
        ("0", 0),
        ("-0", 0),
        (".5m", 30 * SECOND),
        ("1.h", 3600 * SECOND),
        ("2d", 172_800 * SECOND),
        ("1w2d", 777_600 * SECOND),
        ("1y", 365 * 86_400 * SECOND),
        ("0.5d30m", 45_000 * SECOND),
        ("9223372036854775807ns", 2**63 - 1),
        ("-9223372036854775808ns", -(2**63)),
        ("0.0000000000000000000000001h", 0),
    ],
)
def test_a_duration_is_read_as_opa_reads_it(text: str, nanoseconds: int) -> None:
    assert call("time.parse_duration_ns", text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("5", 'time: missing unit in duration "5"'),
        ("5q", 'time: unknown unit "q" in duration "5q"'),
        ("h", 'time: invalid duration "h"'),
        ("1day", 'time: invalid duration "1day"'),
        ("1d-1h", 'time: invalid duration "1d-1h"'),
        ("9223372036854775808ns", 'time: invalid duration "9223372036854775808ns"'),
        ("293y", 'time: invalid duration "293y"'),
        ("1.2.3h", 'time: missing unit in duration "1.2.3h"'),
        ("9" * 400 + "y", f'time: invalid duration "{"9" * 400}y"'),
        ("1s\ud800", 'time: invalid duration "1s\ud800"'),
        ("1" * 1_001, "duration is longer than 1000 characters"),
    ],
)
def test_what_is_no_duration_is_a_fault(text: str, reason: str) -> None:
    found = fault("time.parse_duration_ns", text)
    assert (found.code, found.text) == (BUILTIN_ERROR, reason)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_the_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int) -> None:
    total = call("time.parse_duration_ns", f"{hours}h{minutes}m{seconds}s")
    assert total == ((hours * 60 + minutes) * 60 + seconds) * SECOND


@pytest.mark.parametrize("name", declared(durations))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
