"""What regopy's plans have otherwise, and what is put into them."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import plan
from authz_service.rego_engine.plan import Constant, Local, Plan, Statement, Where
from authz_service.rego_engine.plan_reader import read_plan
from authz_service.rego_engine.regopy_dialect import RegopyDialect, misplaced
from service_kit.faults import Faults
from tests.authz_service.rego_engine.planning import DATA, INPUT, block, call, const, returning, whole

DIALECT: Final = RegopyDialect()
INPUT_WHOLE: Final = Local(INPUT)
CHECK: Final = plan.IsDefined(INPUT)


@given(st.text())
def test_a_literal_loses_its_quotes_and_escapes(text: str) -> None:
    assert DIALECT.string(json.dumps(text)) == text
    assert DIALECT.string(json.dumps(text, ensure_ascii=False)) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("roles", "roles"), ('"roles"', "roles"), ('"\\"roles\\""', '"roles"'), ("a\\nb", "a\nb"), ("a\nb", "a\nb"),
        ('\\"', '"'), ("", ""), ('""', ""), ("\\u00e9", "é"), ('"1"', "1"), ("1", "1"),
    ],
)  # fmt: skip
def test_strings_are_those_that_the_policy_has(text: str, value: str) -> None:
    assert DIALECT.string(text) == value


@pytest.mark.parametrize(
    "statement",
    [
        plan.Call("count", (INPUT_WHOLE,), 3),
        plan.Call("g0.data.p.f", (INPUT_WHOLE, Local(DATA), INPUT_WHOLE), 3),
        plan.Assign(INPUT_WHOLE, 3),
        plan.AssignOnce(INPUT_WHOLE, 3),
        plan.Length(INPUT_WHOLE, 3),
        plan.Append(INPUT_WHOLE, 3),
        plan.Add(INPUT_WHOLE, 3),
        plan.Insert(INPUT_WHOLE, const(1), 3, once=False),
        plan.Insert(const(1), INPUT_WHOLE, 3, once=True),
        plan.Equal(INPUT_WHOLE, const(1)),
        plan.NotEqual(const(1), INPUT_WHOLE),
    ],
)
def test_input_that_is_used_whole_is_asked_for_first(statement: Statement) -> None:
    assert list(DIALECT.block([plan.Reset(9), statement])) == [plan.Reset(9), CHECK, statement]


@pytest.mark.parametrize(
    "statement",
    [
        plan.Dot(INPUT_WHOLE, const("a"), 3),
        call("g0.data.p.r", 3),
        call("g12.data.p.f", 3, Local(5)),
        plan.With(INPUT, (), const(1), block()),
        plan.Equal(Local(3), const(1)),
        plan.Assign(const(0), 3),
    ],
)
def test_input_that_is_handed_on_or_looked_into_needs_no_check(statement: Statement) -> None:
    assert list(DIALECT.block([statement])) == [statement]


def test_every_over_what_is_no_collection_is_undefined() -> None:
    """The plan goes through it as if it were empty, and would hold."""
    every = [plan.IsDefined(4), plan.Scan(4, 5, 6, block())]
    found = DIALECT.block(every)
    assert list(found) == [every[0], plan.IsType(Local(4), (list, dict, set)), every[1]]


@pytest.mark.parametrize(
    "statements",
    [
        [plan.IsDefined(4)],
        [plan.IsDefined(4), plan.Scan(5, 6, 7, block())],
        [plan.IsDefined(4), plan.Reset(5), plan.Scan(4, 6, 7, block())],
        [plan.Scan(4, 5, 6, block())],
    ],
)
def test_a_scan_that_is_no_every_stays(statements: list[Statement]) -> None:
    assert list(DIALECT.block(statements)) == statements


def told(*statements: Statement) -> list[tuple[str, int]]:
    """Return the places of the faults of a rule."""
    return [(fault.source, fault.line) for fault in misplaced(whole(returning(*statements)))]


def test_a_variable_that_is_used_before_it_has_a_value_is_a_fault_with_its_place() -> None:
    used = plan.Insert(const("a"), Local(5), 4, once=False, where=Where("p.rego", 7))
    assert told(plan.Make(dict, 4, where=Where("p.rego", 6)), used, plan.Assign(const(1), 5)) == [("p.rego", 7)]


@pytest.mark.parametrize(
    "statements",
    [
        [plan.Assign(const(1), 5), plan.Make(list, 4), plan.Append(Local(5), 4)],
        [plan.Scan(0, 5, 6, block(plan.Equal(Local(5), Local(6))))],
        [plan.Not(block(plan.Assign(const(1), 5), plan.Equal(Local(5), const(1))))],
        [plan.IsUndefined(5), plan.AssignOnce(const(1), 5)],
    ],
)
def test_a_variable_that_has_its_value_is_none(statements: list[Statement]) -> None:
    assert told(*statements) == []


def test_metadata_that_regopy_does_not_compile_is_a_fault_with_its_place() -> None:
    asked = plan.Call("rego.metadata.rule", (), 4, where=Where("p.rego", 5))
    assert told(asked) == [("p.rego", 5)]


def _document(*strings: str, statements: list[Any]) -> str:
    rule = {"name": "g0.data.p.r", "params": [0, 1], "return": 2, "blocks": [{"stmts": statements}]}
    static = {"strings": [{"value": each} for each in strings], "files": [{"value": "0.rego"}]}
    return json.dumps({"static": static, "funcs": {"funcs": [rule]}})


def read(text: str) -> tuple[Plan, list[str]]:
    """Read a plan of regopy's, and return it with the texts of its faults."""
    faults = Faults()
    found = read_plan(text, DIALECT, {"0.rego": "p.rego"}, "plan.json", faults)
    return found, [fault.text for fault in faults.found]


def test_rows_count_from_zero_and_files_have_the_names_to_show() -> None:
    statement = {"type": "BreakStmt", "stmt": {"index": 0, "row": 0, "file": 0}}
    found, faults = read(_document(statements=[statement]))
    assert faults == []
    assert found.functions["g0.data.p.r"].where == Where("p.rego", 1)


def test_a_dynamic_call_begins_below_data_and_falls_back_on_it() -> None:
    path = [{"type": "string_index", "value": 0}, {"type": "local", "value": 4}]
    statement = {"type": "CallDynamicStmt", "stmt": {"args": [0, 1], "result": 3, "path": path}}
    found, _ = read(_document("data", statements=[statement]))
    wanted = plan.CallDynamic((Constant("g0"), Local(4)), (0, 1), 3, leaves=0, falls_back=True)
    assert found.functions["g0.data.p.r"].blocks[0].statements == (wanted,)
    assert "unknown root" in read(_document("other", statements=[statement]))[1][0]


@pytest.mark.parametrize("text", ["\\", '"', '"\\x"', "\\ud", '"a"b"', "\\u12"])
def test_a_string_that_is_none_is_a_fault(text: str) -> None:
    operand = {"type": "string_index", "value": 0}
    statement = {"type": "EqualStmt", "stmt": {"a": operand, "b": operand}}
    assert len(read(_document(text, statements=[statement]))[1]) == 1
