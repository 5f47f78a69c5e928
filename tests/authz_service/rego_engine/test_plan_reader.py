"""plan.json → a plan: every statement as it is, and everything else as a fault that says what."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import plan
from authz_service.rego_engine.compiled import compile_plan
from authz_service.rego_engine.plan import MAX_LOCALS, Block, Constant, Local, Plan, Statement, Where
from authz_service.rego_engine.plan_reader import _STATEMENTS, MAX_NESTING, OpaDialect, read_plan
from service_kit.faults import ConfigurationError, Fault, Faults
from tests.authz_service.rego_engine.planning import ask

STRINGS: Final = ["result", "a", "12.50", "1e3", "\ud800"]
FILES: Final = ["f.rego", "g.rego"]
LOCAL: Final = {"type": "local", "value": 3}
TEXT: Final = {"type": "string_index", "value": 1}
TRUE: Final = {"type": "bool", "value": True}
EMPTY: Final[dict[str, Any]] = {"stmts": []}

INSERTED: Final = {"key": TEXT, "value": LOCAL, "object": 4}

Json = Any

# What a statement is in plan.json, and what it is here.
STATEMENTS: Final[list[tuple[str, dict[str, Json], Statement]]] = [
    ("ArrayAppendStmt", {"value": TEXT, "array": 3}, plan.Append(Constant("a"), 3)),
    ("AssignIntStmt", {"value": -4, "target": 3}, plan.Assign(Constant(-4), 3)),
    ("AssignVarOnceStmt", {"source": TRUE, "target": 3}, plan.AssignOnce(Constant(value=True), 3)),
    ("AssignVarStmt", {"source": LOCAL, "target": 4}, plan.Assign(Local(3), 4)),
    ("BlockStmt", {"blocks": [EMPTY, EMPTY]}, plan.Blocks((Block(()), Block(())))),
    ("BlockStmt", {"blocks": None}, plan.Blocks(())),
    ("BreakStmt", {"index": 0}, plan.Break(0)),
    (
        "CallDynamicStmt",
        {"args": [0, 1], "result": 4, "path": [TEXT, LOCAL]},
        plan.CallDynamic((Constant("a"), Local(3)), (0, 1), 4, 3, falls_back=False),
    ),
    ("CallStmt", {"func": "count", "args": [LOCAL], "result": 4}, plan.Call("count", (Local(3),), 4)),
    ("CallStmt", {"func": "time.now_ns", "args": None, "result": 4}, plan.Call("time.now_ns", (), 4)),
    ("DotStmt", {"source": LOCAL, "key": TEXT, "target": 4}, plan.Dot(Local(3), Constant("a"), 4)),
    ("EqualStmt", {"a": LOCAL, "b": TRUE}, plan.Equal(Local(3), Constant(value=True))),
    ("IsArrayStmt", {"source": LOCAL}, plan.IsType(Local(3), (list,))),
    ("IsDefinedStmt", {"source": 3}, plan.IsDefined(3)),
    ("IsObjectStmt", {"source": LOCAL}, plan.IsType(Local(3), (dict,))),
    ("IsSetStmt", {"source": LOCAL}, plan.IsType(Local(3), (set,))),
    ("IsUndefinedStmt", {"source": 3}, plan.IsUndefined(3)),
    ("LenStmt", {"source": LOCAL, "target": 4}, plan.Length(Local(3), 4)),
    ("MakeArrayStmt", {"capacity": 2, "target": 3}, plan.Make(list, 3)),
    ("MakeNullStmt", {"target": 3}, plan.Assign(Constant(None), 3)),
    ("MakeNumberIntStmt", {"value": 7, "target": 3}, plan.Assign(Constant(7), 3)),
    ("MakeNumberRefStmt", {"index": 2, "Index": 2, "target": 3}, plan.Assign(Constant(12.5), 3)),
    ("MakeNumberRefStmt", {"Index": 3, "target": 3}, plan.Assign(Constant(1000), 3)),
    ("MakeObjectStmt", {"target": 3}, plan.Make(dict, 3)),
    ("MakeSetStmt", {"target": 3}, plan.Make(set, 3)),
    ("NotEqualStmt", {"a": LOCAL, "b": TEXT}, plan.NotEqual(Local(3), Constant("a"))),
    ("NotStmt", {"block": EMPTY}, plan.Not(Block(()))),
    ("ObjectInsertOnceStmt", INSERTED, plan.Insert(Constant("a"), Local(3), 4, once=True)),
    ("ObjectInsertStmt", INSERTED, plan.Insert(Constant("a"), Local(3), 4, once=False)),
    ("ObjectMergeStmt", {"a": 3, "b": 4, "target": 5}, plan.Merge(3, 4, 5)),
    ("ResetLocalStmt", {"target": 3}, plan.Reset(3)),
    ("ResultSetAddStmt", {"value": 3}, plan.AddResult(3)),
    ("ReturnLocalStmt", {"source": 3}, plan.Return(3)),
    ("ScanStmt", {"source": 3, "key": 4, "value": 5, "block": EMPTY}, plan.Scan(3, 4, 5, Block(()))),
    ("SetAddStmt", {"value": LOCAL, "set": 4}, plan.Add(Local(3), 4)),
    (
        "WithStmt",
        {"local": 0, "path": [1, 0], "value": LOCAL, "block": EMPTY},
        plan.With(0, ("a", "result"), Local(3), Block(())),
    ),
    ("WithStmt", {"local": 0, "path": None, "value": LOCAL, "block": EMPTY}, plan.With(0, (), Local(3), Block(()))),
]  # fmt: skip
IDS: Final = [f"{kind}{number}" for number, (kind, _, _) in enumerate(STATEMENTS)]


def document(*statements: Json, **function: Json) -> dict[str, Json]:
    """Return plan.json of one rule of one block, with some of the rule's fields changed."""
    rule = {"name": "g0.data.p.r", "params": [0, 1], "return": 2, "blocks": [{"stmts": list(statements)}], **function}
    static = {"strings": [{"value": each} for each in STRINGS], "files": [{"value": each} for each in FILES]}
    return {"static": static, "plans": {"plans": []}, "funcs": {"funcs": [rule]}}


def statement(kind: Json, fields: Json) -> dict[str, Json]:
    """Return a statement as plan.json has it."""
    return {"type": kind, "stmt": fields}


def read(found: Json, files: Mapping[str, str] | None = None) -> tuple[Plan, Sequence[Fault]]:
    """Read a plan, from JSON or from text, and return it with its faults."""
    faults = Faults()
    text = found if isinstance(found, str | bytes) else json.dumps(found)
    return read_plan(text, OpaDialect(), files or {}, "plan.json", faults), faults.found


def refused(found: Json) -> str:
    """Return the text of the one fault that a plan must have, when it is read or when it is compiled."""
    found_plan, faults = read(found)
    if not faults:
        with pytest.raises(ConfigurationError) as caught:
            compile_plan(found_plan, {}, source="plan.json")
        faults = caught.value.faults
    assert len(faults) == 1
    assert faults[0].source in {"plan.json", *FILES}
    return faults[0].text


@pytest.mark.parametrize(("kind", "fields", "wanted"), STATEMENTS, ids=IDS)
def test_every_statement_is_read_as_it_is(kind: str, fields: Json, wanted: Statement) -> None:
    found, faults = read(document(statement(kind, fields)))
    assert (list(found.functions["g0.data.p.r"].blocks), faults) == ([Block((wanted,))], [])


def test_the_table_of_statements_is_whole() -> None:
    assert {kind for kind, _, _ in STATEMENTS} == set(_STATEMENTS)


def test_a_statement_that_does_nothing_is_left_out() -> None:
    found, faults = read(document(statement("NopStmt", {"row": 1}), statement("ResetLocalStmt", {"target": 3})))
    assert (found.functions["g0.data.p.r"].blocks, faults) == ((Block((plan.Reset(3),)),), [])


def test_a_statement_has_its_file_and_row_by_the_name_that_is_to_be_shown() -> None:
    rows = [{"index": 0, "row": 4, "col": 2, "file": 1}, {"index": 0, "row": 9}, {"index": 0}]
    found, _ = read(document(*(statement("BreakStmt", row) for row in rows)), {"g.rego": "rego/g.rego"})
    places = [each.where for each in found.functions["g0.data.p.r"].blocks[0].statements]
    assert places == [Where("rego/g.rego", 4), Where("f.rego", 9), plan.NOWHERE]


def test_functions_and_entrypoints_have_their_names_and_paths() -> None:
    whole = document(path=["g0", "p", "r"])
    whole["plans"]["plans"] = [{"name": "p/r", "blocks": [EMPTY]}, {"name": "p/q", "blocks": None}]
    found, faults = read(whole)
    assert (list(found.entrypoints), found.functions["g0.data.p.r"].path, faults) == (
        ["p/r", "p/q"],
        ("g0", "p", "r"),
        [],
    )
    assert found.files == tuple(FILES)


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    found, _ = read(document(statement("EqualStmt", {"a": {"type": "string_index", "value": 4}, "b": TRUE})))
    assert found.functions["g0.data.p.r"].blocks[0].statements == (
        plan.Equal(Constant("\ufffd"), Constant(value=True)),
    )


def _broken() -> Iterator[tuple[str, Json]]:
    """Every statement with each of its fields left out, and with each kind of value that is wrong there."""
    wrong: list[Json] = [None, -1, 1.5, True, "x", [], {}, MAX_LOCALS, [{}], {"type": "local", "value": -1}]
    wrong += [{"type": "local"}, {"value": 1}, {"type": "string_index", "value": -1}, {"type": "bool", "value": 1}]
    wrong += [{"type": "string_index", "value": True}, {"type": "string_index", "value": 99}, {"type": [], "value": 1}]
    wrong += [{"type": "local", "value": True}, {"type": "other", "value": 1}, {"type": "string_index", "value": 1.0}]
    wrong += [{"type": "string_index", "value": None}, {"stmts": 1}, {"stmts": [1]}, {"stmts": [{"type": "BreakStmt"}]}]
    for kind, fields, _ in STATEMENTS:
        for name in fields:
            if name not in {"capacity", "Index", "path"} and not (name == "index" and "Index" in fields):
                yield (
                    f"{kind} without {name}",
                    statement(kind, {key: value for key, value in fields.items() if key != name}),
                )
            for value in wrong:
                yield f"{kind}, {name} {value!r}", statement(kind, {**fields, name: value})


@pytest.mark.parametrize("kind", sorted(_STATEMENTS))
def test_a_field_that_is_missing_is_told_by_its_name(kind: str) -> None:
    for name, found in _broken():
        if name.startswith(f"{kind} without"):
            assert name.rpartition(" ")[2] in refused(document(found))


@pytest.mark.parametrize("kind", sorted(_STATEMENTS))
def test_a_field_that_is_wrong_is_a_fault_and_never_a_stack_trace(kind: str) -> None:
    """Or it has a meaning after all, and then the plan can be compiled."""
    for name, found in _broken():
        if not name.startswith(f"{kind},"):
            continue
        found_plan, faults = read(document(found))
        assert len(faults) <= 1
        assert not (faults and found_plan.functions)
        with contextlib.suppress(ConfigurationError):
            compile_plan(found_plan, {})


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (statement("FutureStmt", {}), "FutureStmt"),
        (statement("", {}), "''"),
        (statement("breakstmt", {"index": 0}), "breakstmt"),
        (statement(None, {}), "None"),
        (statement("EqualStmt", {"a": {"type": "future", "value": 1}, "b": TRUE}), "future"),
        (statement("EqualStmt", {"a": {"type": "bool", "value": "true"}, "b": TRUE}), "bool"),
        (statement("EqualStmt", {"a": {"type": "local", "value": -3}, "b": TRUE}), "-3"),
        (statement("EqualStmt", {"a": {"type": "local", "value": MAX_LOCALS}, "b": TRUE}), str(MAX_LOCALS)),
        (statement("EqualStmt", {"a": {"type": "string_index", "value": -1}, "b": TRUE}), "-1"),
        (statement("EqualStmt", {"a": {"type": "string_index", "value": True}, "b": TRUE}), "True"),
        (statement("MakeNumberRefStmt", {"index": -1, "target": 3}), "-1"),
        (statement("MakeNumberRefStmt", {"index": 1, "target": 3}), "number"),
        (statement("WithStmt", {"local": 0, "path": [-1], "value": TRUE, "block": EMPTY}), "-1"),
        (statement("AssignIntStmt", {"value": 1.5, "target": 3}), "1.5"),
        (statement("BreakStmt", {"index": -1}), "-1"),
        (statement("BreakStmt", {"index": 0, "row": 1, "file": -1}), "-1"),
        (statement("BreakStmt", {"index": 0, "row": 1, "file": 2}), "2"),
        (statement("BreakStmt", {"index": 0, "row": "1", "file": 0}), "1"),
        (statement("BreakStmt", {"index": 0, "surprise": 1}), "surprise"),
        (statement("CallStmt", {"func": ["f"], "args": [], "result": 3}), "f"),
        (statement("CallStmt", {"func": 7, "args": [], "result": 3}), "7"),
        (statement("BreakStmt", None), "None"),
        ({"type": "BreakStmt"}, "stmt"),
        ({"stmt": {}}, "type"),
        ([], "list"),
        (5, "int"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_one_fault_that_says_what(found: Json, said: str) -> None:
    """A plan that is half understood would be evaluated wrongly."""
    assert said in refused(document(found))


@pytest.mark.parametrize(
    "function",
    [
        {"name": 5}, {"name": None}, {"name": ["x"]}, {"params": None}, {"params": "01"}, {"params": [0]},
        {"params": [0, 1.0]},
        {"params": [0, 1, 2, 2]}, {"params": [0, 1, -1]}, {"params": [0, 1, 3, 3]}, {"return": -1}, {"return": "2"},
        {"return": None}, {"blocks": 5}, {"blocks": [5]}, {"blocks": [None]}, {"blocks": {"a": 1}}, {"path": "abc"},
        {"path": [1]}, {"path": [{}]}, {"path": 5},
    ],
)  # fmt: skip
def test_a_function_that_is_none_is_a_fault(function: dict[str, Json]) -> None:
    assert "deep" not in refused(document(**function))


def test_two_functions_or_entrypoints_of_one_name_are_a_fault() -> None:
    """The second would silently stand for the first."""
    whole = document()
    whole["funcs"]["funcs"] *= 2
    assert "g0.data.p.r" in refused(whole)
    whole = document()
    whole["plans"]["plans"] = [{"name": "p/r", "blocks": []}] * 2
    assert "p/r" in refused(whole)


NO_PLANS: Final[list[str | bytes]] = [
    "", " ", "{", "nul", "NaN", "5", '"x"', "[]", "null", "true", "\ud800", b"\xff\xfe", b"\x00", b"\xef\xbb\xbf{",
    "[" * 100_000, '{"a":' * 100_000, "9" * 5_000, '{"static": 5}', '{"static": {"strings": 5}}', '{"funcs": 5}',
    '{"static": {"strings": [5]}}', '{"static": {"strings": [{}]}}', '{"static": {"strings": [{"value": 5}]}}',
    '{"static": {"files": [{"value": [1]}]}}', '{"funcs": {"funcs": 5}}', '{"funcs": {"funcs": [5]}}',
    '{"funcs": {"funcs": [{}]}}', '{"plans": {"plans": [{"name": 5, "blocks": []}]}}',
    '{"plans": {"plans": [{"name": [], "blocks": []}]}}', '{"plans": {"plans": [{"name": "x"}]}}',
]  # fmt: skip


@pytest.mark.parametrize("text", NO_PLANS, ids=range(len(NO_PLANS)))
def test_what_is_no_plan_is_one_fault(text: str | bytes) -> None:
    assert len(refused(text)) < 400


def deep(levels: int) -> dict[str, Json]:
    """Return plan.json with blocks within blocks."""
    found = statement("ResetLocalStmt", {"target": 3})
    for _ in range(levels - 1):
        found = statement("NotStmt", {"block": {"stmts": [found]}})
    return document(found)


def test_blocks_are_nested_as_deep_as_they_may_be_and_no_deeper() -> None:
    assert read(deep(MAX_NESTING))[1] == []
    assert f"more than {MAX_NESTING} deep" in refused(deep(MAX_NESTING + 1))


def test_blocks_that_are_read_and_nest_too_deep_for_code_are_a_fault() -> None:
    """Python takes fewer loops within one another than a plan may have."""
    found = statement("ResetLocalStmt", {"target": 3})
    for _ in range(MAX_NESTING - 1):
        found = statement("ScanStmt", {"source": 1, "key": 4, "value": 5, "block": {"stmts": [found]}})
    assert "nested too deeply" in refused(document(found))


JSON: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.floats()
    | st.sampled_from(["local", "string_index", "bool", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "value", "stmts", "stmt"]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from(STATEMENTS), st.data())
def test_no_plan_whatever_is_in_it_ends_in_a_stack_trace(
    found: tuple[str, dict[str, Json], Statement], data: Any
) -> None:
    kind, fields, _ = found
    names = st.sampled_from(sorted({*fields, "row", "file"}))
    changed = {**fields, **data.draw(st.dictionaries(names, JSON, min_size=1, max_size=3))}
    found_plan, faults = read(document(statement(kind, changed)))
    if faults:
        assert [fault.source for fault in faults] == ["plan.json"]
        return
    with contextlib.suppress(ConfigurationError):
        compile_plan(found_plan, {})


def test_a_plan_that_is_read_is_evaluated() -> None:
    """From text to an answer: `r := input.a`."""
    rule = [
        statement("DotStmt", {"source": {"type": "local", "value": 0}, "key": TEXT, "target": 3}),
        statement("AssignVarOnceStmt", {"source": LOCAL, "target": 2}),
        statement("ReturnLocalStmt", {"source": 2}),
    ]
    documents = [{"type": "local", "value": 0}, {"type": "local", "value": 1}]
    asking = [
        statement("CallStmt", {"func": "g0.data.p.r", "args": documents, "result": 2}),
        statement("AssignVarStmt", {"source": {"type": "local", "value": 2}, "target": 3}),
        statement("MakeObjectStmt", {"target": 4}),
        statement("ObjectInsertStmt", {"key": {"type": "string_index", "value": 0}, "value": LOCAL, "object": 4}),
        statement("ResultSetAddStmt", {"value": 4}),
    ]
    whole = document(*rule)
    whole["plans"]["plans"] = [{"name": "p/r", "blocks": [{"stmts": asking}]}]
    policy = compile_plan(read(whole)[0], {})
    assert ask(policy, {"a": [1, "x"]}, "p/r") == [1, "x"]
