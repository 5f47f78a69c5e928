"""Policies and inputs, generated: rules of every form, whose bodies ask of inputs that half fit.

What is generated is valid Rego v1 that both regopy and OPA take: texts are plain, since regopy's own machine keeps JSON
escapes in its strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

WORDS = ("GET", "POST", "a", "b", "admin", "x-y", "")
NUMBERS = (-1, 0, 1, 2, 3, 10)
SCALARS = st.sampled_from([*WORDS, *NUMBERS, True, False, None, 1.5])
FIELDS = ("method", "path", "n", "flag", "missing")
COLLECTIONS = ("roles", "items", "attrs")
DATA: dict[str, Any] = {
    "limits": {"a": 1, "b": 2, "admin": 10, "GET": 0},
    "names": ["a", "b", "admin", 2],
    "nested": [{"k": "a", "v": 1}, {"k": "b", "v": [1, 2]}, {"k": "GET", "v": True}],
    "flags": {"x-y": True, "a": False},
}


def _written(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return {True: "true", False: "false", None: "null"}.get(value, str(value)) if not _is_number(value) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


SCALAR = SCALARS.map(_written)
NUMBER = st.sampled_from(NUMBERS).map(str)
WORD = st.sampled_from(WORDS).map(_written)
FIELD = st.sampled_from([f"input.{name}" for name in FIELDS])
COLLECTION = st.sampled_from(
    [
        *(f"input.{name}" for name in COLLECTIONS),
        "input.path",
        "data.names",
        "data.limits",
        '{"a", "b", 2}',
        "[1, true, null]",
    ]
)
EQUALITY = ("==", "!=")
ORDER = ("<", "<=", ">", ">=")
HELPERS = ("helper_a", "helper_b")
TARGETS = ("input.n", "input.method", "data.limits", "data.names", "data.limits.a")
# What regopy keeps; references and rules, which it would drop, are refused, and there would be nothing to compare.
WITH_VALUES = SCALAR | st.sampled_from(["{given}", "f({given})", "[{given}, {field}]", '{{"a": {given}}}', "[seen_c]"])


@dataclass(frozen=True)
class Forms:
    """What expressions may be: which operators compare, and whether there are those that regopy's front end changes.

    The latter are mended before they are compiled, and cannot be compared with what regopy's own machine makes of them.
    """

    operators: Sequence[str] = (*EQUALITY, *ORDER)
    mended: bool = True


@st.composite
def conditions(draw: st.DrawFn, forms: Forms, depth: int = 1) -> str:
    """One expression of a body; it may bind `v`, and uses no variable that it does not bind."""
    kinds = [
        "compare",
        "member",
        "some",
        "key",
        "count",
        "text",
        "array",
        "helper",
        "not",
        "data",
        "function",
        "truthy",
        "with",
    ]
    kinds += ["equation", "negated call", "nested comparison", "set operators"] * forms.mended
    if depth:
        kinds += ["every", "comprehension", "negated", "nested"]
    kind = draw(st.sampled_from(kinds))
    operator, scalar, field, collection = (
        draw(st.sampled_from(forms.operators)),
        draw(SCALAR),
        draw(FIELD),
        draw(COLLECTION),
    )
    name = f"v{draw(st.integers(0, 9_999))}"
    match kind:
        case "compare":
            return f"{field} {operator} {draw(st.sampled_from([scalar, draw(FIELD)]))}"
        case "truthy":
            return field
        case "with":
            target, value = draw(st.sampled_from(TARGETS)), draw(WITH_VALUES)
            asked = draw(
                st.sampled_from(["seen_a", "not seen_a", f"seen_b == {scalar}", f"f(seen_b) {operator} {scalar}"])
            )
            return f"given{name} := {field}; {asked} with {target} as {value.format(given=f'given{name}', field=field)}"
        case "equation":
            ways = ["{0} := {1}; {0} = {2}", "some {0} in {3}; {0} = {2}", "{2} = seen_b", "seen_c = {2}"]
            form = draw(st.sampled_from(ways))
            return form.format(name, field, scalar, collection)
        case "negated call":
            ways = [
                f"f({field}) == {scalar}",
                f"startswith({field}, {draw(WORD)})",
                f"{field} in {collection}",
                f"count({collection}) > 1",
                f"data.limits[{field}] {operator} {scalar}",
                f"lower({field}) == {scalar}",
            ]
            return f"not {draw(st.sampled_from(ways))}"
        case "nested comparison":
            return f"{name} := ({field} == {scalar}); {name} == {draw(st.sampled_from(['true', 'false']))}"
        case "set operators":
            sets = [f"{{{draw(SCALAR)}, {draw(SCALAR)}}}" for _ in range(3)]
            one, two = draw(st.sampled_from("|&-")), draw(st.sampled_from("|&-"))
            return f"{name} := ({sets[0]} {one} {sets[1]}) {two} {sets[2]}; {scalar} in {name}"
        case "every":
            return f"every {name} in {collection} {{ {name} {operator} {scalar} }}"
        case "comprehension":
            inner = draw(conditions(forms, depth=0))
            form = draw(
                st.sampled_from(
                    [
                        "count([{0} | some {0} in {1}; {2}]) {3} {4}",
                        "count({{{0} | some {0} in {1}; {2}}}) {3} {4}",
                        "[{0} | some {0} in {1}; {2}] != []",
                        "{{k{0}: {0} | some k{0}, {0} in {1}; {2}}} != {{}}",
                    ]
                )
            )
            return form.format(name, collection, inner, operator, draw(NUMBER))
        case "negated":
            return f"not {draw(st.sampled_from(HELPERS))}"
        case _:
            inner = draw(conditions(forms, depth=0))
            return f"some {name} in {collection}; {inner}; {name} {operator} {scalar}"


def bodies(forms: Forms) -> st.SearchStrategy[str]:
    """Expressions that must hold together."""
    return st.lists(conditions(forms), min_size=1, max_size=4).map("; ".join)


@st.composite
def _complete(draw: st.DrawFn, name: str, body: st.SearchStrategy[str]) -> str:
    """A complete rule: several bodies with one value, a chain of `else`, or bodies that may contradict each other."""
    form = draw(st.sampled_from(["same", "else", "differ", "only"]))
    value = draw(SCALAR)
    default = f"default {name} := {draw(SCALAR)}\n\n" if draw(st.booleans()) else ""
    match form:
        case "same":
            found = draw(st.lists(body, min_size=1, max_size=6))
            return default + "\n\n".join(f"{name} := {value} if {{ {each} }}" for each in found)
        case "else":
            first, *rest = draw(st.lists(body, min_size=2, max_size=4))
            chain = "".join(f" else := {draw(SCALAR)} if {{ {each} }}" for each in rest)
            return f"{default}{name} := {value} if {{ {first} }}{chain}"
        case "differ":
            found = draw(st.lists(body, min_size=2, max_size=3))
            return default + "\n\n".join(f"{name} := {draw(SCALAR)} if {{ {each} }}" for each in found)
        case _:
            keys = draw(st.lists(WORD, min_size=4, max_size=7, unique=True))
            fields = [draw(FIELD)] * len(keys) if draw(st.booleans()) else [draw(FIELD) for _ in keys]
            rules = [f"{name} if {{ {field} == {key}; {draw(body)} }}" for field, key in zip(fields, keys, strict=True)]
            return f"default {name} := false\n\n" + "\n\n".join(rules)


@st.composite
def _partial(draw: st.DrawFn, body: st.SearchStrategy[str]) -> str:
    """A set, and an object."""
    sets = [
        f"names contains {name} if {{ some {name} in {draw(COLLECTION)}; {draw(body)} }}"
        for name in draw(st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=2))
    ]
    constant = [f"names contains {draw(SCALAR)} if {{ {each} }}" for each in draw(st.lists(body, max_size=5))]
    objects = [f"table[k] := v if {{ some k, v in {draw(COLLECTION)}; {draw(body)} }}"]
    return "\n\n".join([*sets, *constant, *objects])


@dataclass(frozen=True, slots=True)
class Example:
    """A policy, and inputs to ask it about."""

    text: str
    inputs: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"{self.text}\n# {self.inputs}"


RULES = ("decision", "helper_a", "helper_b", "names", "table", "derived")

_FITTING = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["GET", "POST", "a", 1]),
        "path": st.lists(st.sampled_from(["a", "b", "GET", "x-y"]), max_size=3) | st.sampled_from(["a", "x-y"]),
        "n": st.sampled_from([*NUMBERS, 1.5, 2.0]),
        "flag": st.booleans(),
        "roles": st.lists(st.sampled_from(WORDS), max_size=4),
        "items": st.lists(SCALARS, max_size=4),
        "attrs": st.dictionaries(st.sampled_from(["a", "b", "GET"]), SCALARS, max_size=3),
    },
)
_WILD = st.dictionaries(st.sampled_from([*FIELDS, *COLLECTIONS]), SCALARS | st.lists(SCALARS, max_size=2), max_size=5)
INPUTS = _FITTING | _FITTING | _FITTING | _WILD


@st.composite
def examples(draw: st.DrawFn, inputs: int, forms: Forms = Forms(), *, order_shows: bool = True) -> Example:
    """A whole policy with some inputs; its expressions are of these forms.

    With `order_shows` an answer holds the values of an object in the order that it is gone through.
    """
    body = bodies(forms)
    seen = [
        "seen_a if { input.n in data.names }\n\nseen_a if { data.limits.a == input.n }",
        "seen_b := input.n",
        "seen_c := input.method",
    ]
    functions = [f"f(x) := {draw(SCALAR)} if {{ x {draw(st.sampled_from(forms.operators))} {draw(SCALAR)} }} else := x"]
    # Helpers call no helper: Rego has no recursion.
    simple = st.lists(conditions(forms, depth=0).filter(lambda text: "helper" not in text), min_size=1, max_size=2).map(
        "; ".join
    )
    helpers = [
        f"helper_a if {{ {draw(simple)} }}",
        f"helper_b := {draw(SCALAR)} if {{ {draw(simple)} }}",
        f"helper_b := {draw(SCALAR)} if {{ {draw(simple)} }}" if draw(st.booleans()) else "",
    ]
    gone_through = f"v | some v in table; {draw(body)}"
    gone_through = f"[{gone_through}]" if order_shows else f"{{{gone_through}}}"
    derived = f'derived := {{"d": decision, "n": count(names), "t": {gone_through}}}'
    text = "\n\n".join(
        ["package p", *helpers, *seen, *functions, draw(_complete("decision", body)), draw(_partial(body)), derived]
    )
    return Example(text + "\n", tuple(draw(st.lists(INPUTS, min_size=inputs, max_size=inputs))))
