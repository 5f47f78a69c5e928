"""Semantic versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import semver
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

VALID = [
    "0.0.0",
    "v1.2.3",
    "1.2.3-0",
    "1.2.3-a.0b.01x",
    "1.2.3--",
    "1.2.3+001",
    "1.2.3-rc.1+b-7.x",
    "9223372036854775807.1.1",
]
INVALID = ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3-01",
           "1.2.3-é", "1.2.3+a_b", "vv1.2.3", "V1.2.3", " 1.2.3", "1.2.3 ", "+1.2.3", "-1.2.3", "1.2.x", "1..3",
           "1.2.٣", "1.2.3\n", "1.2.3-a\n", "9223372036854775808.1.1", "1.2.3\ud800", "1.2.3-\ud800"]  # fmt: skip
ASCENDING = ["0.9.9", "1.0.0-0", "1.0.0-2", "1.0.0-10", "1.0.0-10.1", "1.0.0-A", "1.0.0-a", "1.0.0-a.1", "1.0.0-a.b",
             "1.0.0-b", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"]  # fmt: skip


@pytest.mark.parametrize("text", VALID)
def test_what_the_grammar_has_is_a_version(text: str) -> None:
    assert call("semver.is_valid", text) is True
    assert call("semver.compare", text, text) == 0


@pytest.mark.parametrize("text", INVALID)
def test_what_the_grammar_has_not_is_no_version(text: str) -> None:
    assert call("semver.is_valid", text) is False
    assert fault("semver.compare", "1.0.0", text).code == BUILTIN_ERROR


@pytest.mark.parametrize(("place", "left"), [*enumerate(ASCENDING)])
def test_versions_stand_in_the_order_of_the_standard(place: int, left: str) -> None:
    for other, right in enumerate(ASCENDING):
        assert call("semver.compare", left, right) == (place > other) - (place < other)


def test_build_metadata_and_a_leading_v_have_no_part_in_the_order() -> None:
    assert call("semver.compare", "v1.0.0+2", "1.0.0+1") == 0


def test_a_number_before_a_release_may_have_any_size() -> None:
    """OPA 1.22 never comes back from two such numbers that have more than 63 bits."""
    assert call("semver.compare", "1.0.0-99999999999999999999", "1.0.0-99999999999999999998") == 1
    assert call("semver.compare", f"1.0.0-{'9' * 10_000}8", f"1.0.0-{'9' * 10_001}") == -1


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        ("1", "1.0.0", 'operand 1: string "1" is not a valid SemVer'),
        ("1.0.0", '"', 'operand 2: string "\\"" is not a valid SemVer'),
    ],
)
def test_comparing_what_is_no_version_is_a_fault(left: str, right: str, text: str) -> None:
    found = fault("semver.compare", left, right)
    assert (found.code, found.text) == (BUILTIN_ERROR, text)


def test_what_is_no_string_is_no_version() -> None:
    assert call("semver.is_valid", 1.2) is False
    found = fault("semver.compare", 1, "1.0.0")
    assert (found.code, found.text) == (TYPE_ERROR, "operand 1 must be string but got number")


VERSIONS = st.from_regex(r"\A[0-3]\.[0-3]\.[0-3](-(0|[1-3a-c]{1,2})(\.(0|[1-3a-c]{1,2})){0,2})?\Z")


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_total(one: str, two: str, three: str) -> None:
    assert call("semver.compare", one, two) == -call("semver.compare", two, one)
    assert (call("semver.compare", one, two) == 0) == (one == two)
    if call("semver.compare", one, two) <= 0 and call("semver.compare", two, three) <= 0:
        assert call("semver.compare", one, three) <= 0


@pytest.mark.parametrize("name", declared(semver))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
