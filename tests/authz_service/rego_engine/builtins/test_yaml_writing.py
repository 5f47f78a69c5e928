"""Writing YAML."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import yaml_reading, yaml_writing
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("yaml.marshal", [{"b": ["x", {"c": 1, "d": 2}], "a": None}], "a: null\nb:\n  - x\n  - c: 1\n    d: 2\n"),
    ("yaml.marshal", [[[1, [2]], [], {}]], "- - 1\n  - - 2\n- []\n- {}\n"),
    ("yaml.marshal", ["plain"], "plain\n"),
    ("yaml.marshal", [["yes", "5", "a: b", "- x", "", "#", "1:30", "2024-05-06", "null", "it's"]],
     "- \"yes\"\n- \"5\"\n- 'a: b'\n- '- x'\n- \"\"\n- '#'\n- \"1:30\"\n- \"2024-05-06\"\n- \"null\"\n- it's\n"),
    ("yaml.marshal", [["a\nb", "a\nb\n"]], "- |-\n  a\n  b\n- |\n  a\n  b\n"),
    ("yaml.marshal", [[1.5, 123456789.25, 0.00001, 12345678901234567890123, -3]],
     "- 1.5\n- 1.2345678925e+08\n- 1e-05\n- 1.2345678901234568e+22\n- -3\n"),
    ("yaml.marshal", [{"a10": 1, "a9": 2, "b": 3, "-": 4}], "'-': 4\na9: 2\na10: 1\nb: 3\n"),
    ("yaml.marshal", [True], "true\n"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_yaml_is_written_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_a_set_is_a_sequence() -> None:
    assert call("yaml.marshal", make_set([2, 1])) == "- 1\n- 2\n"


def test_a_number_beyond_floats_is_a_fault() -> None:
    assert "larger than a float" in fault("yaml.marshal", 10**400).text


def test_the_number_of_values_has_a_bound() -> None:
    assert "more than" in fault("yaml.marshal", [1] * yaml_writing.MAX_EVENTS).text


def test_what_would_be_too_long_a_text_is_not_made() -> None:
    assert "longer than" in fault("yaml.marshal", ["x" * 1_000_000] * 9).text


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([0.5, -1.25e-9, 1234567.5])
    | st.text(max_size=8)
    | st.text("ab \n:#-'\"", max_size=8)
    | st.sampled_from(["yes", "0x1", "1e3", "~", "<<", "1_0", ".5", "=", "12:30:45", "2001-1-1", "\t", " x", "x "]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(JSON)
def test_a_value_comes_back(value: Any) -> None:
    assert yaml_reading.unmarshal(call("yaml.marshal", value)) == value


@pytest.mark.parametrize("name", declared(yaml_writing))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
