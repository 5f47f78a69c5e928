"""Values as Rego writes them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.rego_text import quote, show, write
from authz_service.rego_engine.values import Value, make_object, make_set


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (2.5, "2.5"),
        (Decimal("0.33333333333333333334"), "0.33333333333333333334"),
        ("a", '"a"'),
        ([], "[]"),
        ([1, "x", [None]], '[1, "x", [null]]'),
        ({}, "{}"),
        ({"b": 1, "a": [True]}, '{"a": [true], "b": 1}'),
        (make_object([(1, 2), ([3], 4)]), "{1: 2, [3]: 4}"),
        (make_set([]), "set()"),
        (make_set([2, 1, "x", [3]]), '{1, 2, "x", [3]}'),
    ],
)
def test_a_value_is_written_as_in_a_policy(value: Value, text: str) -> None:
    assert write(value) == text


def test_only_a_text_by_itself_is_shown_without_quotation_marks() -> None:
    assert (show("a"), show(["a"])) == ("a", '["a"]')


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('"\\\n\t\x00\x7f', r'"\"\\\n\t\x00\x7f"'),
        ("grün\u2028\u00ad😀", '"grün\\u2028\\u00ad😀"'),
        ("\udcff", r'"\xff"'),
        ("\U000e0001", r'"\U000e0001"'),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, quoted: str) -> None:
    assert quote(text) == quoted


def test_all_but_ascii_may_be_escaped() -> None:
    assert quote("ü😀", ascii_only=True) == r'"\u00fc\U0001f600"'


def test_another_mark_leaves_the_usual_one_alone() -> None:
    assert (quote("'", mark="'"), quote('"', mark="'")) == (r"'\''", "'\"'")


@given(st.text(max_size=10), st.text(max_size=10))
def test_two_texts_are_never_quoted_alike(one: str, other: str) -> None:
    assert (quote(one) == quote(other)) is (one == other)
