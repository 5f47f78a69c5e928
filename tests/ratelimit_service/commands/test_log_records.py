from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.commands import log_records
from ratelimit_service.commands.log_records import LineError


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("0", 0),
        ("1763870400", 1_763_870_400_000_000),
        ("1763870400.5", 1_763_870_400_500_000),
        ("1763870400.123456789", 1_763_870_400_123_456),
        ("2025-11-23T04:00:00Z", 1_763_870_400_000_000),
        ("2025-11-23T04:00:00.123Z", 1_763_870_400_123_000),
        ("2025-11-23t05:00:00.1+01:00", 1_763_870_400_100_000),
        ("2025-11-23 04:00:00.123456789-00:00", 1_763_870_400_123_456),
    ],
)
def test_a_time_is_seconds_or_rfc_3339(text: str, microseconds: int) -> None:
    assert log_records.microseconds(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "1e9",
        "1763870400000",
        "nan",
        "1,5",
        "٣",
        "2025-11-23",
        "2025-11-23T04:00:00",
        "2025-13-23T04:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "2025-11-23T04:00:60Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(LineError, match="its time is neither"):
        log_records.microseconds(text)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  (gets its zone)
def test_both_forms_of_an_instant_are_the_same(instant: datetime) -> None:
    whole = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert log_records.microseconds(instant.isoformat()) == whole
    assert log_records.microseconds(f"{whole // 1_000_000}.{whole % 1_000_000:06}") == whole


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a", "1"),
        ("b.c", "x"),
        ("b.d.e", "true"),
        ("f.g", "flat"),  # a name with a dot goes before the way into an object
        ("number", "1.50"),  # as it is written
        ("nothing", None),
        ("empty", None),
        ("dash", None),
        ("a.b", None),
        ("absent", None),
    ],
)
def test_dots_lead_into_objects_and_values_stay_as_they_are_written(path: str, text: str | None) -> None:
    record = log_records.json_record(
        '{"a": 1, "b": {"c": "x", "d": {"e": true}}, "f.g": "flat", "f": {"g": "deep"}, "number": 1.50,'
        ' "nothing": null, "empty": "", "dash": "-"}'
    )
    assert log_records.value(record, path) == text


def test_what_is_no_single_value_is_refused() -> None:
    for text in ('{"a": {}}', '{"a": [1]}'):
        with pytest.raises(LineError, match="its 'a' is not a single value"):
            log_records.value(log_records.json_record(text), "a")


@pytest.mark.parametrize("text", ["", "{", "[1]", "1", "null", "[" * 100_000, '{"a": 1} x'])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(LineError, match="is not"):
        log_records.json_record(text)


def test_a_line_of_csv_has_the_columns_of_the_header() -> None:
    assert log_records.csv_record('1,"a,b",', ["x", "y", "z"]) == {"x": "1", "y": "a,b", "z": ""}
    with pytest.raises(LineError, match="has 1 columns, and the header has 3"):
        log_records.csv_record("1", ["x", "y", "z"])
    with pytest.raises(LineError, match="is not CSV"):
        log_records.csv_record('1,"open', ["x", "y"])


def test_hits_are_a_whole_number_and_one_where_nothing_is_said() -> None:
    assert [log_records.hits(text) for text in (None, "0", "7", "4294967295")] == [1, 0, 7, 2**32 - 1]
    for text in ("-1", "1.5", "4294967296", "x", "٣", "9" * 5_000):
        with pytest.raises(LineError, match="its 'hits' is not a whole number"):
            log_records.hits(text)


def test_a_line_is_utf_8() -> None:
    assert log_records.text("é\r\n".encode()) == "é"
    with pytest.raises(LineError, match="is not UTF-8"):
        log_records.text(b"\xff")
