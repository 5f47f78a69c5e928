"""JSON of unknown origin."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bundles.json_reading import (
    MAX_DEPTH,
    MAX_LARGE_EXPONENTS,
    JsonError,
    Literal,
    read,
    read_literally,
)


def test_numbers_are_exact() -> None:
    text = b"[1.0, 1e3, 0.1, 0.33333333333333333334, 123456789012345678901234567890]"
    assert read(text) == [1, 1000, 0.1, Decimal("0.33333333333333333334"), 123456789012345678901234567890]
    assert type(read(b"1.0")) is int


def test_numbers_can_be_read_as_they_are_written() -> None:
    numbers = read_literally(b'{"a": [1.0, -0, 1E+3, "1"]}')["a"]
    assert numbers == ["1.0", "-0", "1E+3", "1"]
    assert [isinstance(number, Literal) for number in numbers] == [True, True, True, False]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
)


@given(VALUES)
def test_what_is_json_is_read(value: Any) -> None:
    assert read(json.dumps(value).encode()) == value
    assert read(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (b"", 1, "is not JSON"),
        (b"[1,\n2,\n]", 3, "is not JSON"),
        (b"{}\n{}", 2, "is not JSON"),
        (b"a: 1", 1, "is not JSON"),
        (b"\xef\xbb\xbf{}", 1, "is not JSON"),
        ("{}".encode("utf-16"), 1, "is not UTF-8"),
        (b'[1,\n"\xff"]', 2, "is not UTF-8"),
        (b'"\xed\xa0\x80"', 1, "is not UTF-8"),
        (b'"\n"', 1, "is not JSON"),
        (b"NaN", 0, "is not JSON"),
        (b"-Infinity", 0, "is not JSON"),
        (b"9" * 5000, 0, "is not JSON that can be read"),
        (b"1e5000", 0, "is not JSON that can be read"),
        (rb'["\ud800"]', 0, "half a surrogate pair in a string"),
        (rb'{"a": {"\uDFff": 1}}', 0, "half a surrogate pair in a key"),
        (b"[" * 1_000_000, 0, "is not JSON that can be read"),
        (b"[" * 500 + b"]" * 500, 0, "nested deeper"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, 0, "nested deeper"),
    ],
)
def test_what_is_none_is_refused_with_its_line(text: bytes, line: int, problem: str) -> None:
    with pytest.raises(JsonError, match=problem) as caught:
        read(text)
    assert caught.value.line == line


def test_a_surrogate_pair_is_a_character() -> None:
    assert read(rb'["\ud83d\ude00", "\\ud800"]') == ["😀", r"\ud800"]


def test_nesting_is_taken_up_to_the_bound() -> None:
    read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(JsonError, match=f"deeper than {MAX_DEPTH} levels"):
        read(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize("number", ["1e4000", "-1.5E+0004000", "1e100"])
def test_few_bytes_do_not_become_many_digits(number: str) -> None:
    """Some such numbers are taken, a document full of them is not."""
    read(f"[{', '.join([number] * MAX_LARGE_EXPONENTS)}]".encode())
    with pytest.raises(JsonError, match="a hundred digits"):
        read(f"[{','.join([number] * (MAX_LARGE_EXPONENTS + 1))}]".encode())


def test_digits_in_texts_are_no_numbers() -> None:
    assert len(read(json.dumps(["1e4000"] * 5000).encode())) == 5000
