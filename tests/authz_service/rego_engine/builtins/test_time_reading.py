"""How times are read by layouts."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import times  # noqa: F401  (its import declares time.parse_ns)
from authz_service.rego_engine.builtins.time_layouts import NAMED
from authz_service.rego_engine.builtins.time_reading import day_number, days_in_month
from authz_service.rego_engine.errors import BUILTIN_ERROR, BuiltinFault
from tests.authz_service.rego_engine.builtins.operands import call, fault

SECOND = 10**9
NOON = 1_709_208_000 * SECOND  # 2024-02-29 12:00:00 UTC


@pytest.mark.parametrize(
    ("layout", "text", "moment"),
    [
        ("2006-01-02 15:04:05", "2024-02-29 12:00:00", NOON),
        ("2006-01-02 15:04", "2024-02-29   12:00", NOON),
        ("2006-01-02 15:04:05", "2024-02-29 12:00:00.25", NOON + 250_000_000),
        ("2006-01-02 15:04:05.000", "2024-02-29 12:00:00,250", NOON + 250_000_000),
        ("2006-01-02 15:04:05.999", "2024-02-29 12:00:00", NOON),
        ("2006-01-02 15:04:05.9", "2024-02-29 12:00:00.1234567899", NOON + 123_456_789),
        ("2006 002 15", "2024 060 12", NOON),
        ("2006 __2 3PM", "2024  60 12PM", NOON),
        ("06/1/2 3pm", "24/2/29 12pm", NOON),
        ("January 2 2006 15", "february 29 2024 12", NOON),
        ("Monday Jan 2 2006 15", "sunday FEB 29 2024 12", NOON),
        ("2006-01-02 15 MST", "2024-02-29 12 CEST", NOON),
        ("2006-01-02 15 MST", "2024-02-29 12 GMT+3", NOON),
        ("2006-01-02 15 MST", "2024-02-29 12 +03", NOON),
        ("2006-01-02 15 MST", "2024-02-29 12 WITA", NOON),
        ("2006-01-02 15 Z07:00", "2024-02-29 12 Z", NOON),
        ("2006-01-02 15 Z0700", "2024-02-29 14 +0200", NOON),
        ("2006-01-02 15 -07", "2024-02-29 07 -05", NOON),
        ("2006-01-02 15 -07:00:00", "2024-02-29 13 +01:00:00", NOON),
        ("06", "69", -365 * 86_400 * SECOND),
        ("06", "68", 3_092_601_600 * SECOND),
    ],
)
def test_a_time_is_read_as_opa_reads_it(layout: str, text: str, moment: int) -> None:
    assert call("time.parse_ns", layout, text) == moment


@pytest.mark.parametrize(
    ("layout", "text", "reason"),
    [
        ("2006-01-02", "2023-02-29", 'parsing time "2023-02-29": day out of range'),
        ("2006-01-02", "2023-13-01", 'parsing time "2023-13-01": month out of range'),
        ("2006-01-02", "2023-1-01", 'parsing time "2023-1-01" as "2006-01-02": cannot parse "1-01" as "01"'),
        ("2006-01-02", "2023-01-01Z", 'parsing time "2023-01-01Z": extra text: "Z"'),
        ("15 2006", "24 2020", 'parsing time "24 2020": hour out of range'),
        ("2006 002", "2023 366", 'parsing time "2023 366": day-of-year out of range'),
        ("2006 002 Jan", "2023 040 Jan", 'parsing time "2023 040 Jan": day-of-year does not match month'),
        ("-07:00 2006", "+25:00 2020", 'parsing time "+25:00 2020": time zone offset hour out of range'),
        ("RFC3339", "now", 'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"'),
        ("MST 2006", "Zulu 2020", 'parsing time "Zulu 2020" as "MST 2006": cannot parse "Zulu 2020" as "MST"'),
        ("05.000 2006", "05.12 2020", 'parsing time "05.12 2020" as "05.000 2006": cannot parse ".12 2020" as ".000"'),
        ("2006", "\u0661\u0662\u0663\u0664", None),
        ("2006", "9" * 1_001, "time is longer than 1000 characters"),
    ],
)
def test_what_does_not_fit_the_layout_is_a_fault(layout: str, text: str, reason: str | None) -> None:
    found = fault("time.parse_ns", layout, text)
    assert found.code == BUILTIN_ERROR
    assert reason is None or found.text == reason


@given(st.integers(1, 9000), st.integers(1, 12), st.integers(0, 400), st.integers(-50, 50))
def test_days_are_counted_as_the_calendar_has_them_in_every_cycle(year: int, month: int, day: int, cycles: int) -> None:
    expected = date(year, month, 1).toordinal() - date(1970, 1, 1).toordinal() + day - 1
    assert day_number(year, month, day) == expected
    assert day_number(year + 400 * cycles, month, day) == expected + 146_097 * cycles
    following = date(year + month // 12, month % 12 + 1, 1)
    assert days_in_month(year, month) == (following - date(year, month, 1)).days


@given(st.sampled_from([*NAMED, "2006 __2", "3:4:5.000PM 002", "_2 Jan 06 MST"]), st.data())
def test_no_text_whatever_raises_anything_but_a_fault(layout: str, data: st.DataObject) -> None:
    start = call("time.format", [data.draw(st.integers(-(2**63), 2**63 - 1)), "UTC", layout])
    cut = data.draw(st.integers(0, len(start)))
    text = start[:cut] + data.draw(st.text(alphabet="0123456789 :.,+-ZAPM\x00\ud800", max_size=5)) + start[cut:]
    with contextlib.suppress(BuiltinFault):
        assert type(call("time.parse_ns", layout, text)) is int
