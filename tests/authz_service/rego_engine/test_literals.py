"""Policy text in generated code: as a value, and never as code."""

from __future__ import annotations

import ast
import builtins
import os
import subprocess
import sys
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import plan
from authz_service.rego_engine.compiled import CompiledPolicy, compile_plan
from authz_service.rego_engine.literals import comment, hashed_literal, literal
from authz_service.rego_engine.plan import Function, Local, Plan, Where
from authz_service.rego_engine.values import UNDEFINED, Value, equal, key, make_object, make_set
from service_kit.faults import ConfigurationError
from tests.authz_service.rego_engine.builtins.operands import SCALARS, VALUES
from tests.authz_service.rego_engine.planning import DATA, INPUT, RESULT, WAYS, ask, block, call, const, entrypoint

NAMES: Final[dict[str, Any]] = {"Decimal": Decimal, "key": key, "__builtins__": {"set": set}}
SPELLINGS: Final = [
    "\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "'", '"', "'''", '"""', "\\",
    "\\'", '\\"', "#",
    "\\\n", "{", "}", "{0}", "{x!r}", "%s", "\\N{DIGIT ONE}", "\\x41", "\\u0041", "\ud800", "\udfff", "\ufeff",
    "\u202e", "\u200b", "\uff07", "\t", "    ", "é", "\U0001f600",
]  # fmt: skip
CODE: Final = "__import__('builtins').escaped.append(1)"
BREAKOUTS: Final = [
    *SPELLINGS, CODE, f"\n{CODE}\n", f"'\n{CODE}\n'", f"'+str({CODE})+'", f'"+str({CODE})+"', f"\\'+str({CODE})#",
    f'"""\n{CODE}\n"""', f"'''\n{CODE}\n'''", f"\r{CODE}\r#", f"\u2028{CODE}\u2028", f"\x0c{CODE}", f"{{{CODE}}}",
    f"\\N{{QUOTATION MARK}}+{CODE}", f"')\n{CODE}\n#", f"):\n    {CODE}\ndef x(", f"\x00\n{CODE}", f"a.b\n{CODE}\n",
    f"\ud800'\n{CODE}\n", "__import__", "ev", "data", "None", "lambda", "1", "", "é", "a" * 3_000, f"\\\n{CODE}",
]  # fmt: skip
TEXTS: Final = st.lists(st.sampled_from(BREAKOUTS) | st.text(max_size=3), max_size=4).map("".join)


@given(st.text() | TEXTS)
def test_any_text_comes_back_from_its_literal(text: str) -> None:
    """And the literal is one token of printable ASCII, whatever the text."""
    written = literal(text)
    assert ast.literal_eval(written) == text
    assert written.isascii()
    assert written.isprintable()
    assert isinstance(ast.parse(written, mode="eval").body, ast.Constant)


@given(VALUES.filter(lambda value: "170" not in repr(type(value))) | TEXTS | st.lists(TEXTS).map(make_set))
def test_any_value_comes_back_from_its_literal(value: Value) -> None:
    try:
        written = literal(value)
    except ValueError:  # a whole number of more digits than Python writes, which no plan can hold
        return
    found = eval(written, NAMES)  # noqa: S307  (that this is safe is what is tested)
    assert equal(found, value)
    assert type(found) is type(value)


@given(SCALARS.filter(lambda value: not isinstance(value, int) or abs(value) < 10**4000) | TEXTS)
def test_what_stands_for_a_value_among_keys_comes_back_too(value: Value) -> None:
    for each in (value, [value], {"a": value}, make_set([value]), make_object([(value, 0)])):
        assert eval(hashed_literal(each), NAMES) == key(each)  # noqa: S307  (as above)


@pytest.mark.parametrize("value", [object(), (1,), b"x", 1j, float, ..., UNDEFINED, range(2)])
def test_what_is_no_value_has_no_literal(value: Any) -> None:
    with pytest.raises(TypeError):
        literal(value)


class _Text(str):
    """A text that says of itself that it is code."""

    __slots__ = ()

    def __repr__(self) -> str:
        return CODE


def test_a_value_of_a_class_of_its_own_has_no_literal() -> None:
    with pytest.raises(TypeError):
        literal(_Text("x"))


@given(st.text() | TEXTS)
def test_a_comment_is_one_line_that_holds_no_code(text: str) -> None:
    written = f"# {comment(text)}"
    assert written.isascii()
    assert len(written.splitlines()) == 1
    assert ast.parse(written).body == []


def hostile(text: str) -> Plan:
    """Return a plan that has a text wherever a plan can have one."""
    where = Where(text, 3)
    rules = {}
    for number, name in enumerate((text, f"g0.data.{text}")):
        cases = [
            block(
                plan.Equal(Local(5), const(f"{text}{case}"), where=where),
                plan.AssignOnce(const({text: [text, case]}), RESULT, where=where),
            )
            for case in range(5)
        ]
        inner = f"inner.{number}.{text}"
        rules[inner] = Function(inner, (INPUT, DATA, 5), RESULT, (*cases, block(plan.Return(RESULT))))
        own = block(
            plan.Dot(Local(INPUT), const(text), 5, where=where),
            plan.Dot(Local(DATA), const(text), 6, where=where),
            plan.Call("startswith", (Local(5), const(text)), 7, where=where),
            plan.Make(dict, 8, where=where),
            plan.Insert(const(text), const(text), 8, once=True, where=where),
            plan.Make(set, 9, where=where),
            plan.Add(const(text), 9, where=where),
            plan.With(INPUT, (text, text), const(text), block(call(inner, 10, const(f"{text}1"))), where=where),
            plan.Make(list, 11, where=where),
            *(plan.Append(Local(each), 11, where=where) for each in (5, 6, 8, 9, 10)),
            plan.AssignOnce(Local(11), RESULT, where=where),
        )
        rules[name] = Function(
            name, (INPUT, DATA), RESULT, (own, block(plan.Return(RESULT))), ("g0", text, str(number))
        )
    return Plan({f"{text}/{number}": entrypoint(name, name) for number, name in enumerate(rules) if number % 2}, rules)


@pytest.fixture
def escaped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What code that got out of a policy leaves behind."""
    found: list[int] = []
    monkeypatch.setattr(builtins, "escaped", found, raising=False)
    return found


@pytest.mark.parametrize("way", ["all passes", "with probes"])
@pytest.mark.parametrize("text", BREAKOUTS, ids=range(len(BREAKOUTS)))
def test_no_text_of_a_policy_is_run(text: str, way: str, escaped: list[int]) -> None:
    """Not as a string, key, rule, file, path or entrypoint; and each of them is what it was."""
    policy = compile_plan(hostile(text), {text: text}, WAYS[way])
    assert list(policy.rules) == [f"{text}/1", f"{text}/3"]
    wanted = [f"{text}!", text, {text: text}, {text}, {text: [text, 1]}]
    for rule in policy.rules:
        assert ask(policy, {text: f"{text}!"}, rule) == wanted
    assert escaped == []
    assert policy.source.isascii()


@given(st.text(max_size=12) | TEXTS)
def test_any_text_gets_through_a_policy_unchanged(text: str) -> None:
    policy = compile_plan(hostile(text), {text: text})
    wanted = [f"{text}!", text, {text: text}, {text}, {text: [text, 1]}]
    assert [ask(policy, {text: f"{text}!"}, rule) for rule in policy.rules] == [wanted, wanted]


@given(st.text(max_size=12) | TEXTS)
def test_a_built_in_that_is_not_known_is_refused_whatever_its_name(text: str) -> None:
    rule = Function("g", (INPUT, DATA), RESULT, (block(plan.Call(f"{text}.", (), 3)),))
    with pytest.raises(ConfigurationError):
        compile_plan(Plan({}, {"g": rule}), {})


def _constants() -> CompiledPolicy:
    sets = make_set([make_set(["a", "z"]), make_set(["m", "n"]), ["f", make_set(["g", "y"])], {"i": make_set("jkx")}])
    made = [plan.Assign(const(sets), 3), plan.Assign(const({"x": sets, "y": [sets]}), 4)]
    equal_ = [plan.Equal(Local(3), const(sets)), plan.Equal(Local(4), const([sets]))]
    rule = Function("g", (INPUT, DATA), RESULT, (block(*made, *equal_), block(plan.Return(RESULT))))
    return compile_plan(Plan({"g": entrypoint("g", "g")}, {"g": rule}), {}, WAYS["no pass"])


def test_generated_source_does_not_depend_on_the_process() -> None:
    """Python hashes strings anew in each process, so a set comes in another order; its literal must not."""
    program = f"from {__name__} import _constants; print(_constants().source)"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in range(1, 7)
    }
    assert found == {f"{_constants().source}\n"}
