"""Form encoding."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bodies.form import MAX_FIELDS, FormError, read_form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=1", {"a": ["1"]}),
        ("a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
        ("a=&b&=c", {"a": [""], "b": [""], "": ["c"]}),
        ("&&a=1&", {"a": ["1"]}),
        ("a+b=c+d%2B", {"a b": ["c d+"]}),
        ("%61=%c3%BC&a==", {"a": ["ü", "="]}),
        ("a=%ff", {"a": ["\ufffd"]}),
        ("a=%C3é%A9%c3%a9x%00", {"a": ["\ufffdé\ufffdéx\x00"]}),
        ("a[]=1&a[]=2", {"a[]": ["1", "2"]}),
    ],
)
def test_each_name_has_its_values_in_their_order(text: str, expected: dict[str, list[str]]) -> None:
    assert read_form(text) == expected


@pytest.mark.parametrize("text", ["a=%", "a=%z1", "a=%1", "%=1", "a=1;b=2", ";", "a=%2"])
def test_a_broken_escape_or_a_semicolon_is_an_error(text: str) -> None:
    with pytest.raises(FormError):
        read_form(text)


def test_fields_are_bounded() -> None:
    assert len(read_form("&".join(f"a{number}" for number in range(MAX_FIELDS)))) == MAX_FIELDS
    with pytest.raises(FormError):
        read_form("&" * MAX_FIELDS)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=20))
def test_what_a_client_encodes_is_read_back(fields: list[tuple[str, str]]) -> None:
    expected: dict[str, list[str]] = {}
    for name, value in fields:
        expected.setdefault(name, []).append(value)
    assert read_form(urlencode(fields)) == expected


@given(st.lists(st.from_regex(r"%[0-9a-fA-F]{2}", fullmatch=True) | st.text(max_size=3)).map("".join))
def test_escapes_are_undone_as_everywhere(text: str) -> None:
    text = text.translate(dict.fromkeys(map(ord, "&=+;")))
    if not re.search("%(?![0-9a-fA-F]{2})", text):
        assert read_form(f"a={text}") == {"a": [unquote(text)]}


@given(st.text())
def test_any_text_is_fields_or_an_error(text: str) -> None:
    try:
        assert all(read_form(text).values())
    except FormError:
        assert ";" in text or "%" in text
