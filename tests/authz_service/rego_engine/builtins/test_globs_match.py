"""Whether two expressions have a match in common."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import globs_match
from authz_service.rego_engine.errors import BUILTIN_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("regex.globs_match", ["a.c", "ab."], True),
    ("regex.globs_match", ["[a-f]+", "[0-9]*"], False),
    ("regex.globs_match", ["x[0-9]*y", "x.+"], True),
    ("regex.globs_match", ["ab", "a"], False),
    ("regex.globs_match", [r"a\.b", "a.b"], True),
    ("regex.globs_match", [r"a\.b", "axb"], False),
    ("regex.globs_match", ["a*", "b*"], False),
    ("regex.globs_match", ["a*", ""], False),
    ("regex.globs_match", ["", ""], True),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_common_match_is_found_as_opa_finds_it(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) is result


@pytest.mark.parametrize(("left", "right"), [("a*b*", "b*a*"), ("b", "b+.*")])
def test_a_common_match_is_found_where_both_repeat(left: str, right: str) -> None:
    """OPA does not look far enough here, and says that there is none."""
    assert call("regex.globs_match", left, right) is True


@pytest.mark.parametrize(
    ("glob", "text"),
    [
        ("a]", "input:a], pos:2, set-close ']' with no preceding '[': the input provided is invalid"),
        ("+a", "input:+a, pos:1, flag '+' must be preceded by a non-flag: the input provided is invalid"),
        ("a\\", "input:a\\, pos:1, input ends with a \\ (escape) character: the input provided is invalid"),
        ("[a", "input:[a, pos:2, found [ without matching ]: the input provided is invalid"),
        (
            "[-a]",
            (
                "input:[-a], pos:2, range character '-' must be preceded by a Unicode character: "
                "the input provided is invalid"
            ),
        ),
        (
            "[b-a]",
            "input:[b-a], pos:4, range is out of order: 'a' comes before 'b' in Unicode: the input provided is invalid",
        ),
    ],
)
def test_an_expression_that_is_none_is_a_fault_that_tells_where(glob: str, text: str) -> None:
    found = fault("regex.globs_match", glob, "a")
    assert (found.code, found.text) == (BUILTIN_ERROR, text)


def test_expressions_have_bounds() -> None:
    assert "pairs" in fault("regex.globs_match", "a" * 1000, "a" * 1000).text
    assert "in a set" in fault("regex.globs_match", f"[{'ab' * 100}]", "a").text


EXPRESSIONS = st.lists(
    st.tuples(st.sampled_from(["a", "b", ".", "[ab]", "[b-c]"]), st.sampled_from(["", "+", "*"])), max_size=3
).map(lambda parts: "".join(map("".join, parts)))
TEXTS = ["".join(letters) for letters in [*"abc", *((one, two) for one in "abc" for two in "abc")]]


@given(EXPRESSIONS, EXPRESSIONS)
def test_a_text_that_matches_both_is_a_common_match(left: str, right: str) -> None:
    found = call("regex.globs_match", left, right)
    assert found is call("regex.globs_match", right, left)
    if any(re.fullmatch(left, text) and re.fullmatch(right, text) for text in TEXTS):
        assert found is True


@pytest.mark.parametrize("name", declared(globs_match))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(st.text("ab.[]-*+\\", max_size=8), st.text("ab.[]-*+\\", max_size=8))
def test_no_expression_raises_anything_but_a_fault(left: str, right: str) -> None:
    with contextlib.suppress(BuiltinFault):
        assert type(call("regex.globs_match", left, right)) is bool
