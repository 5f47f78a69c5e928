"""print, trace, opa.runtime and the functions that the compiler takes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import reflection
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.reflection import MAX_LINE, MAX_LINES
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.errors import TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault


def _printed(*operands: Value) -> list[str]:
    lines: list[str] = []
    assert TABLE["internal.print"].function(Context(printed=lines.append), list(operands)) is True
    return lines


def test_a_line_has_the_operands_with_spaces_between() -> None:
    operands = [make_set([value]) for value in ("a b", 1.5, None, ["x", {"k": True}])]
    assert _printed(*operands) == ['a b 1.5 null ["x", {"k": true}]']


def test_sets_are_written_as_rego_has_them() -> None:
    assert _printed(make_set([make_set([2, 1])]), make_set([set()])) == ["{1, 2} set()"]


def test_an_operand_without_a_value_is_shown_as_undefined() -> None:
    assert _printed(make_set(["got"]), set()) == ["got <undefined>"]


def test_each_combination_of_values_is_a_line() -> None:
    assert _printed(make_set([1, 2]), make_set(["p", "q"])) == ["1 p", "1 q", "2 p", "2 q"]


def test_an_operand_that_is_no_set_is_its_own_value() -> None:
    assert _printed("a", 7) == ["a 7"]


def test_nothing_to_print_is_an_empty_line() -> None:
    assert _printed() == [""]


def test_lines_are_bounded_in_number_and_length() -> None:
    many = make_set(range(300))
    assert len(_printed(many, many, many)) == MAX_LINES
    assert _printed("x" * (MAX_LINE + 1)) == ["x" * MAX_LINE]


def test_a_number_that_is_too_large_to_write_is_shown_as_such() -> None:
    assert _printed([2**20_000]) == ["<too large>"]


def test_nothing_is_printed_where_no_one_listens() -> None:
    assert call("internal.print", [set()]) is True
    assert call("trace", "note") is True


def test_a_note_of_trace_is_printed() -> None:
    lines: list[str] = []
    assert TABLE["trace"].function(Context(printed=lines.append), "here") is True
    assert lines == ["here"]
    assert fault("trace", 1).code == TYPE_ERROR


def test_the_runtime_is_what_the_evaluation_was_given() -> None:
    runtime = {"env": {"HOME": "/root"}}
    found = TABLE["opa.runtime"].function(Context(runtime=runtime))
    assert found == runtime
    assert type(found) is dict


def test_a_mark_of_a_test_case_is_true() -> None:
    assert call("internal.test_case", [{"name"}]) is True


@pytest.mark.parametrize("name", ["rego.metadata.chain", "rego.metadata.rule"])
def test_metadata_is_only_known_to_the_compiler(name: str) -> None:
    assert fault(name).text == f"the {name} function must only be called within the scope of a rule"


def test_no_module_can_be_parsed() -> None:
    assert "rego.parse_module" not in TABLE


def test_none_of_these_is_called_at_load() -> None:
    assert not any(TABLE[name].pure for name in declared(reflection))


@pytest.mark.parametrize("name", declared(reflection))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(st.lists(st.lists(st.text(max_size=5), max_size=3).map(make_set), max_size=3))
def test_printing_never_fails(operands: list[Value]) -> None:
    try:
        _printed(*operands)
    except BuiltinFault:  # pragma: no cover
        pytest.fail("print has a fault")
