"""JSON of unknown origin."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bodies.json_body import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_EXPONENT_DIGITS,
    MAX_EXPONENTS,
    MAX_LARGE_EXPONENTS,
    MAX_VALUES,
    Budget,
    JsonBodyError,
    read_json,
)
from authz_service.rego_engine import numbers, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("true", True),
        ('"\\u00fc\\ud83d\\ude00"', "ü😀"),
        ('{"a": [1, {"b": "c"}]}', {"a": [1, {"b": "c"}]}),
        ("12345678901234567890123456789", 12345678901234567890123456789),
        ("1.0", 1),
        ("0.1", 0.1),
        ("0.12345678901234567890123", Decimal("0.12345678901234567890123")),
        (" [ ] ", []),
        ('{"": {}}', {"": {}}),
    ],
)
def test_any_value_is_read_with_its_numbers_exact(text: str, expected: Any) -> None:
    found = read_json(text.encode())
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}', '{"a": 1, "\\u0061": 2}', '[{"b": {"a": 1, "a": 1}}]', "NaN", "[Infinity]", "-Infinity", "",
        "1 2", "{}x", "{", "[1,]", "{'a': 1}", "\ufeff{}", '"\\ud800"', '{"\\udc00": 1}', '"\\ud800x"', '"a\nb"',
        "01", "+1",
        ".5",
        "0x1", "1e5000", "nul", "// x\n1", "9" * 5_000,
    ],
)  # fmt: skip
def test_what_readers_differ_about_is_an_error_that_tells_nothing_of_it(text: str) -> None:
    with pytest.raises(JsonBodyError) as caught:
        read_json(text.encode("utf-8", "surrogatepass"))
    assert str(caught.value) in {
        "a member's name stands twice in one object",
        "NaN and Infinity are no JSON",
        "half of a surrogate pair",
        "no JSON, or nested too deeply, or a number out of bounds",
    }


@pytest.mark.parametrize("content", [b"\xff", b'"\xed\xa0\x80"', '{"a":1}'.encode("utf-16"), b"\x00"])
def test_what_is_not_utf_8_is_an_error(content: bytes) -> None:
    with pytest.raises(JsonBodyError):
        read_json(content)


def test_size_depth_count_and_exponents_are_bounded() -> None:
    good = [
        b'"' + b"a" * (MAX_BYTES - 2) + b'"',
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH,
        b"[" + b",".join([b"1"] * (MAX_VALUES - 1)) + b"]",
        b"[" + b",".join([b"1e100"] * MAX_LARGE_EXPONENTS) + b"]",
        b"[" + b",".join([b"1e4000"] * (MAX_EXPONENT_DIGITS // 4_000)) + b"]",
        b"[" + b",".join([b"1e-5"] * MAX_EXPONENTS) + b"]",
        b'["' + b"[{," * (MAX_VALUES + 1) + b'", "\\"' + b"[" * MAX_VALUES + b'"]',
    ]
    for content in good:
        read_json(content)
    bad = [
        b'"' + b"a" * (MAX_BYTES - 1) + b'"',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b"[" + b",".join([b"1"] * MAX_VALUES) + b"]",
        b"[" + b",".join([b".1".rjust(3, b"0")] * (MAX_VALUES + 1)) + b"]",
        b"[" + b",".join([b"1e100"] * (MAX_LARGE_EXPONENTS + 1)) + b"]",
        b"[" + b",".join([b"1e0004000"] * (MAX_EXPONENT_DIGITS // 4_000 + 1)) + b"]",
        b"[" + b",".join([b"1E-5"] * (MAX_EXPONENTS + 1)) + b"]",
        b"[" + b",".join([b"[{}]"] * (MAX_VALUES // 2)) + b"]",
    ]
    for content in bad:
        with pytest.raises(JsonBodyError):
            read_json(content)


@pytest.mark.parametrize(
    "number", ["1e99", "1e-4000", "1e4000", "1E5", "1" * 3_900 + "e99", "1e0004000", "1.5e-5", "0e4000"]
)
def test_numbers_with_exponents_end_before_they_take_long(number: str) -> None:
    """Each is a few bytes and much work: a full body of them must not stop the event loop."""
    count = min(MAX_VALUES - 1, (MAX_BYTES - 2) // (len(number) + 1))
    content = f"[{','.join([number] * count)}]".encode()
    if number.endswith("e99") and len(number) > MAX_DEPTH:
        assert len(read_json(content)) == count
    else:
        with pytest.raises(JsonBodyError, match=r"too many|more than"):
            read_json(content)


def test_what_is_read_of_one_body_is_spent_from_one_budget() -> None:
    """So that many small parts cost no more than one large one."""
    half = b"[" + b",".join([b"1"] * (MAX_VALUES // 2)) + b"]"
    large = b"[" + b",".join([b"1e1000"] * (MAX_EXPONENT_DIGITS // 1_000)) + b"]"
    for content, times in ((half, 1), (large, 1), (b"[" + b",".join([b"1e5"] * (MAX_EXPONENTS // 3)) + b"]", 3)):
        budget = Budget()
        for _ in range(times):
            read_json(content, budget)
        with pytest.raises(JsonBodyError):
            read_json(content, budget)
        read_json(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


def exact(value: Any) -> Any:
    """The value with each number in the form that the engine has."""
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return numbers.normalize(value) if isinstance(value, float) else value


@given(JSON, st.booleans())
def test_what_is_written_is_read_back(value: Any, escaped: bool) -> None:  # noqa: FBT001  (drawn)
    assert values.equal(read_json(json.dumps(value, ensure_ascii=escaped).encode()), exact(value))


@given(st.binary() | st.text(alphabet='{}[]",:\\u0123dDe+-.truefalsn ').map(str.encode))
def test_any_content_is_a_value_or_an_error(content: bytes) -> None:
    try:
        found = read_json(content)
    except JsonBodyError:
        return
    json.dumps(found, default=str).encode()
