from __future__ import annotations

import json

from ratelimit_service.commands import bucket_names, bucket_rows
from ratelimit_service.commands.bucket_names import Rules, Stored
from tests.ratelimit_service import configured

NOW_US = 1_763_870_400_000_000
START = NOW_US // 1_000_000
LIMITS = configured.limits(
    """
    domain: d
    descriptors:
      - key: user
        rate_limit: {unit: minute, requests_per_unit: 8}
      - key: plan
        value: free*
        share_threshold: true
        rate_limit: {unit: hour, requests_per_unit: 10, algorithm: sliding_window}
    """
)


def stored(name: str, value: str) -> Stored:
    parsed = bucket_names.parse(name)
    assert parsed is not None
    return Stored(parsed, value.encode(), NOW_US)


def test_a_bucket_that_is_in_use_is_a_row_with_its_rule() -> None:
    row = bucket_rows.row_of(stored("rl:{d}:w60:user=alice", f"{START} 6"), Rules(LIMITS))
    assert row is not None
    assert bucket_rows.cells(row) == (
        "75.0 %",
        "6 of 8",
        "ends in 1 min",
        "fixed_window of 1 minute",
        "d",
        "user=alice",
        "0.yaml:4",
    )


def test_without_the_configuration_a_row_has_neither_rule_nor_limit() -> None:
    row = bucket_rows.row_of(stored("rl:{d}:w60:user=alice", f"{START} 6"), None)
    assert row is not None
    assert bucket_rows.cells(row)[:2] == ("", "6")
    assert bucket_rows.cells(row)[-1] == ""


def test_a_bucket_that_is_not_in_use_is_no_row() -> None:
    assert bucket_rows.row_of(stored("rl:{d}:w60:user=alice", f"{START - 60} 6"), None) is None


def test_a_table_has_a_heading_and_nothing_is_no_table() -> None:
    row = bucket_rows.row_of(stored("rl:{d}:w60:user=alice", f"{START} 6"), None)
    assert row is not None
    assert [line.split()[0] for line in bucket_rows.table([row])] == ["used", "6"]
    assert list(bucket_rows.table([])) == []


def test_a_row_is_told_in_json_with_its_key_and_what_can_be_read_of_it() -> None:
    slice_us = 3_600_000_000 // 50
    hashed = "#" + "a" * 64
    shared = bucket_rows.row_of(stored("rl:{d}:s3600:plan~free%2A", f"{NOW_US // slice_us} 5"), Rules(LIMITS))
    other = bucket_rows.row_of(stored(f"rl:{{d}}:b:user={hashed}", f"{NOW_US + 1_500_000} 0 1"), Rules(LIMITS))
    assert shared is not None
    assert other is not None
    assert json.loads(json.dumps([bucket_rows.to_json(shared), bucket_rows.to_json(other)])) == [
        {
            "bucket": "rl:{d}:s3600:plan~free%2A",
            "domain": "d",
            "algorithm": "sliding_window",
            "span_seconds": 3_600,
            "entries": [{"key": "plan", "pattern": "free*"}],
            "used": 5,
            "size": 10,
            "percent": 50.0,
            "seconds_left": 51 * slice_us / 1_000_000,
            "rule": {"path": "plan=free*", "source": "0.yaml", "line": 6},
        },
        {
            "bucket": f"rl:{{d}}:b:user={hashed}",
            "domain": "d",
            "algorithm": "token_bucket",
            "span_seconds": None,
            "entries": [{"key": "user", "value": None}],
            "used": None,
            "size": None,
            "percent": None,
            "seconds_left": 1.5,
            "rule": None,
        },
    ]
