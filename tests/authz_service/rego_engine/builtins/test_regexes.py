"""Regular expressions."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import patterns, regexes
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR, BuiltinFault, DeadlineExceeded
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("regex.match", ["^/v[0-9]+/", "/v12/users"], True),
    ("regex.match", ["^/v[0-9]+/$", "/v12/users"], False),
    ("regex.match", ["^a$", "a\n"], False),
    ("regex.match", ["(?i)ärger", "ÄRGER"], True),
    ("regex.match", ["", ""], True),
    ("regex.match", [r"\Q\C\E", r"\C"], True),
    ("regex.is_valid", ["(a|b)+"], True),
    ("regex.is_valid", ["(a"], False),
    ("regex.is_valid", [r"\C"], False),
    ("regex.is_valid", ["a{1001}"], False),
    ("regex.split", [", *", "a,b,  c"], ["a", "b", "c"]),
    ("regex.split", ["", "grün"], ["g", "r", "ü", "n"]),
    ("regex.split", ["x*", "axbxc"], ["a", "b", "c"]),
    ("regex.split", ["x", ""], [""]),
    ("regex.split", ["", ""], []),
    ("regex.split", ["b", "abcb"], ["a", "c", ""]),
    ("regex.find_n", ["[0-9]+", "1 and 22 and 333", 2], ["1", "22"]),
    ("regex.find_n", ["[0-9]+", "1 and 22", -1], ["1", "22"]),
    ("regex.find_n", ["[0-9]+", "1 and 22", 0], []),
    ("regex.find_n", ["b*", "abba", -1], ["", "bb", ""]),
    ("regex.find_n", ["", "ü", -1], ["", ""]),
    ("regex.find_all_string_submatch_n", ["(k)=(v)?", "k=v k=", -1], [["k=v", "k", "v"], ["k=", "k", ""]]),
    ("regex.find_all_string_submatch_n", ["(.)", "abc", 1], [["a", "a"]]),
    ("regex.replace", ["2024-05-06", "([0-9]+)-([0-9]+)-([0-9]+)", "$3.$2.${1}"], "06.05.2024"),
    ("regex.replace", ["john", "(?P<first>.)", "<$first>"], "<j><o><h><n>"),
    ("regex.replace", ["a", "a", "$$1 $x $9 ${ $"], "$1   ${ $"),
    ("regex.replace", ["abba", "b*", "-"], "-a-a-"),
    ("regex.replace", ["ab", "(a)", "$1x"], "b"),
    ("regex.template_match", ["urn:shop:{[a-z]+}", "urn:shop:cart", "{", "}"], True),
    ("regex.template_match", ["urn.shop:{[a-z]+}", "urn:shop:cart", "{", "}"], False),
    ("regex.template_match", ["id:<[0-9]{2}>", "id:42", "<", ">"], True),
    ("regex.template_match", ["id:{[0-9]{2}}", "id:421", "{", "}"], False),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_patterns_match_as_opas_do(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_a_pattern_that_is_no_text_is_not_valid() -> None:
    assert call("regex.is_valid", 1) is False


@pytest.mark.parametrize(
    ("name", "operands", "code", "text"),
    [
        ("regex.match", ["(", "x"], BUILTIN_ERROR, "error parsing regexp"),
        ("regex.match", [r"\C", "x"], BUILTIN_ERROR, "error parsing regexp: invalid escape sequence"),
        ("regex.match", ["a(?!b)", "x"], BUILTIN_ERROR, "error parsing regexp"),
        ("regex.match", [1, "x"], TYPE_ERROR, "operand 1 must be string but got number"),
        ("regex.split", ["(", ""], BUILTIN_ERROR, "error parsing regexp"),
        ("regex.find_n", ["a", "a", "1"], TYPE_ERROR, "operand 3 must be number but got string"),
        ("regex.template_match", ["a{b", "a", "{", "}"], BUILTIN_ERROR, 'unbalanced braces in "a{b"'),
        ("regex.template_match", ["a}b{", "a", "{", "}"], BUILTIN_ERROR, 'unbalanced braces in "a}b{"'),
        ("regex.template_match", ["a{(}", "a", "{", "}"], BUILTIN_ERROR, "error parsing regexp"),
        (
            "regex.template_match",
            ["a", "a", "{{", "}"],
            BUILTIN_ERROR,
            "start delimiter has to be exactly one character long but is 2 long",
        ),
    ],
)
def test_operands_that_do_not_suit_are_a_fault(name: str, operands: list[Value], code: str, text: str) -> None:
    found = fault(name, *operands)
    assert found.code == code
    assert found.text.startswith(text)


def test_a_pattern_has_a_bound() -> None:
    assert "longer than" in fault("regex.match", "a" * (patterns.MAX_PATTERN + 1), "a").text


def test_what_would_be_too_long_a_text_is_not_made() -> None:
    assert "longer than" in fault("regex.replace", "a" * 100_000, "a", "b" * 1000).text


def test_a_pattern_that_backtracks_elsewhere_takes_no_time_here() -> None:
    assert call("regex.match", "^(a+)+$", "a" * 50_000 + "!") is False


def test_matches_have_a_bound() -> None:
    assert "matches" in fault("regex.find_n", "a", "a" * (patterns.MAX_MATCHES + 1), -1).text


@pytest.mark.parametrize("name", ["regex.split", "regex.find_n", "regex.replace", "regex.find_all_string_submatch_n"])
def test_a_search_for_all_matches_ends_with_the_evaluations_time(name: str) -> None:
    """Of `a.*b|a` each search looks at the whole rest of the text, for a b."""
    seconds = iter([1.0] * 5 + [0.0])
    pattern, text = "a.*b|a", "a" * 200_000
    operands = [text, pattern, "x"] if name == "regex.replace" else [pattern, text, -1]
    with pytest.raises(DeadlineExceeded):
        TABLE[name].function(Context(remaining=lambda: next(seconds)), *operands[: TABLE[name].arity])
    assert next(seconds, None) is None


def test_octets_that_are_no_utf_8_do_not_upset_a_search() -> None:
    assert call("regex.match", "b$", "a\udcffb") is True


PATTERNS = st.text("ab|*()^$.", max_size=6)


@given(PATTERNS, st.text("ab\n", max_size=8))
def test_matches_are_those_of_pythons_own_reader(source: str, text: str) -> None:
    known: bool | None = None  # Python refuses patterns that are none, and some others
    with contextlib.suppress(re.error):
        known = bool(re.search(source.replace("$", r"\Z"), text))
    if known is not None and call("regex.is_valid", source):
        assert call("regex.match", source, text) is known


@given(PATTERNS, st.text("abü", max_size=8))
def test_replacing_each_match_by_itself_changes_nothing(source: str, text: str) -> None:
    if call("regex.is_valid", source):
        assert call("regex.replace", text, source, "$0") == text


@pytest.mark.parametrize("name", declared(regexes))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(st.text("a(){<}[\\", max_size=8), st.text("a", max_size=3), st.text("${}01xa", max_size=8))
def test_no_pattern_and_no_template_raises_anything_but_a_fault(source: str, text: str, template: str) -> None:
    for name, operands in (
        ("regex.replace", [text, source, template]),
        ("regex.template_match", [source, text, "{", "}"]),
        ("regex.find_all_string_submatch_n", [source, text, -1]),
    ):
        with contextlib.suppress(BuiltinFault):
            call(name, *operands)
