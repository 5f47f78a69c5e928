"""Rego's text → its tokens."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz_service.rego_engine.lexer import tokens

PIECES = [
    *('"', "`", '$"', "$`", "{", "}", "[", "]", "(", ")", "\\", "\\{", "#"),
    *("\n", " ", "a", "1", ".", "é", "\ufeff", "\0", ":="),
]


def kinds(text: str) -> list[tuple[str, str]]:
    """Kinds and texts."""
    return [(token.kind.value, token.text) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("allow2 _x", [("name", "allow2"), ("name", "_x")]),
        ("1 2.5 1e5 1.5E-3 0a2b", [("number", each) for each in ("1", "2.5", "1e5", "1.5E-3", "0a2b")]),
        (".5", [("sign", "."), ("number", "5")]),
        ('"a\\"b" "c"', [("string", '"a\\"b"'), ("string", '"c"')]),
        ('"a\\\\" b', [("string", '"a\\\\"'), ("name", "b")]),
        ("`a\\` b", [("string", "`a\\`"), ("name", "b")]),
        ('`a\n"{` b', [("string", '`a\n"{`'), ("name", "b")]),
        ('x # "{\ny', [("name", "x"), ("name", "y")]),
        ('"#" x', [("string", '"#"'), ("name", "x")]),
        ("a:=b", [("name", "a"), ("sign", ":="), ("name", "b")]),
        ("==!=<=>= = <>!:|", [("sign", each) for each in ("==", "!=", "<=", ">=", "=", "<", ">", "!", ":", "|")]),
        ("f([{1}])", [("name", "f"), *(("open", o) for o in "([{"), ("number", "1"), *(("close", c) for c in "}])")]),
        ('$"a"', [("template", '$"a"')]),
        ('$"a{x}b{y}c"', [
            ("template", '$"a{'), ("name", "x"), ("template", "}b{"), ("name", "y"), ("template", '}c"'),
        ]),
        ('$"a\\{b" x', [("template", '$"a\\{b"'), ("name", "x")]),
        ("$`a\\{\nb\\` x", [("template", "$`a\\{\nb\\`"), ("name", "x")]),
        ('$"}" x', [("template", '$"}"'), ("name", "x")]),
        ('$"{{"a": 1}}" x', [
            ("template", '$"{'), ("open", "{"), ("string", '"a"'), ("sign", ":"), ("number", "1"), ("close", "}"),
            ("template", '}"'), ("name", "x"),
        ]),
        ('$"{"}"}" x', [("template", '$"{'), ("string", '"}"'), ("template", '}"'), ("name", "x")]),
        ('$"{$`{y}`}" x', [
            ("template", '$"{'), ("template", "$`{"), ("name", "y"), ("template", "}`"), ("template", '}"'),
            ("name", "x"),
        ]),
    ],
)  # fmt: skip
def test_a_text_has_these_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('"open\nx', 2),
        ('$"open\nx', 2),
        ('"open\\\nx', 3 - 1),
        ("$\n!\n\0\nx", 4),
        ("#\r\n\r\nx", 3),
        ("$`\n{1}\n` x", 3),
    ],
)
def test_what_is_left_open_ends_with_its_line_and_rows_go_on(text: str, row: int) -> None:
    """As in Rego, only what stands in backquotes has more than one line."""
    *_, last = tokens(text)
    assert (last.text, last.row) == ("x", row)


def test_a_bracket_is_as_deep_as_what_it_stands_in() -> None:
    found = [(token.text, token.depth) for token in tokens('a[b(c)] $"{d}" e')]
    assert found == [
        ("a", 0), ("[", 0), ("b", 1), ("(", 1), ("c", 2), (")", 1), ("]", 0),
        ('$"{', 0), ("d", 1), ('}"', 1), ("e", 0),
    ]  # fmt: skip


def test_brackets_that_were_never_opened_lead_nowhere() -> None:
    """Neither below the text nor out of a template's hole."""
    assert [token.depth for token in tokens('}]) $"{)]x}" y')] == [0, 0, 0, 0, 1, 1, 1, 1, 0]


def test_a_token_tells_whether_space_is_before_it() -> None:
    assert [token.spaced for token in tokens("p[x] [y]#\nz")] == [False, False, False, False, True, False, False, True]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
@example('$"{"')
@example('$"{$"{$"{')
@example('"\\')
def test_any_text_has_tokens_in_which_it_is_whole(text: str) -> None:
    """Between them stand white space and comments alone."""
    place, depth = 0, 0
    for token in tokens(text):
        between = text[place : token.start]
        assert all(not line.strip(" \t\r\ufeff") or "#" in line for line in between.split("\n"))
        assert text.startswith(token.text, token.start)
        assert token.row == text.count("\n", 0, token.start) + 1
        assert token.spaced == bool(between)
        assert 0 <= token.depth <= depth + 1
        place, depth = token.start + len(token.text), token.depth
    assert all(not line.strip(" \t\r\ufeff") or "#" in line for line in text[place:].split("\n"))
