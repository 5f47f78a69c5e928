"""Reading YAML."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import yaml_reading
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("yaml.unmarshal", ["a: [1, x, null]\nb:\n  - c: true\n"], {"a": [1, "x", None], "b": [{"c": True}]}),
    ("yaml.unmarshal", ["on: yes\noff: no\ny: n"], {"on": "yes", "off": "no", "y": "n"}),
    ("yaml.unmarshal", ["[0777, 0o17, 0x1F, 0b11, 1_000, +5, -0]"], [511, 15, 31, 3, 1000, 5, 0]),
    ("yaml.unmarshal", ["[.5, 1.5e-3, 08, 1:20, 1.2.3, 1e999]"], [0.5, 0.0015, 8, "1:20", "1.2.3", "1e999"]),
    ("yaml.unmarshal", ["[2024-05-06, '1', \"true\", ~, '']"], ["2024-05-06", "1", "true", None, ""]),
    ("yaml.unmarshal", ["[!!str 5, !!int '7', !!float 3, !!binary aGk=, !mine 9]"], ["5", 7, 3, "hi", "9"]),
    ("yaml.unmarshal", ["a: &x {p: 1}\nb: *x\nc: [*x, *x]"], {"a": {"p": 1}, "b": {"p": 1}, "c": [{"p": 1}] * 2}),
    ("yaml.unmarshal", ["a: &x {p: 1, q: 2}\nb: {q: 3, <<: *x}"], {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
    ("yaml.unmarshal", ["- &x {p: 1}\n- &y {p: 2}\n- {<<: [*x, *y]}"], [{"p": 1}, {"p": 2}, {"p": 1}]),
    ("yaml.unmarshal", ["1: a\ntrue: b\n2.5: c\nx: 1\nx: 2"], {"1": "a", "true": "b", "2.5": "c", "x": 2}),
    ("yaml.unmarshal", ["a: |\n  b\n  c\nd: >-\n  e\n  f"], {"a": "b\nc\n", "d": "e f"}),
    ("yaml.unmarshal", ["a\n---\nb"], "a"),
    ("yaml.unmarshal", ["# nothing"], None),
    ("yaml.unmarshal", [""], None),
    ("yaml.unmarshal", ['{"json": [1, "ü"]}'], {"json": [1, "ü"]}),
    ("yaml.unmarshal", ["18446744073709551615"], 18446744073709551615),
    ("yaml.is_valid", ["a: b"], True),
    ("yaml.is_valid", ["a: {"], False),
    ("yaml.is_valid", ["a: .inf"], False),
    ("yaml.is_valid", ["a: 1\n---\n\tb: 2\n"], False),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_yaml_is_read_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1, 2", "yaml: line 1: did not find expected ',' or ']'"),
        ("a: b\n c: d: e", "yaml: line 2: mapping values are not allowed in this context"),
        ("*x", "yaml: unknown anchor 'x' referenced"),
        ("&x [*x]", "yaml: anchor 'x' value contains itself"),
        ("? [a]\n: b", "yaml: invalid map key: array"),
        ("~: b", "yaml: invalid map key: null"),
        ("<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
        ("!!int x", 'yaml: cannot decode "x" as a !!int'),
        ("!!int 1.5", 'yaml: cannot decode "1.5" as a !!int'),
        ("!!binary x", "yaml: !!binary value contains invalid base64 data"),
        (".nan", "json: unsupported value: a number that is not finite"),
        ("\udcff", "yaml: "),
        ("\x00", "yaml: "),
    ],
)
def test_what_stands_for_no_value_is_a_fault(text: str, reason: str) -> None:
    found = fault("yaml.unmarshal", text)
    assert found.code == BUILTIN_ERROR
    assert found.text.startswith(reason)
    assert call("yaml.is_valid", text) is False


def test_what_is_no_text_is_no_yaml() -> None:
    assert fault("yaml.unmarshal", 1).code == TYPE_ERROR
    assert call("yaml.is_valid", 1) is False


def test_a_billion_laughs_are_a_fault() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)]
    assert "values" in fault("yaml.unmarshal", "\n".join(lines)).text


def test_mappings_that_merge_each_other_over_and_over_are_a_fault() -> None:
    lines = [f"a0: &a0 {{{', '.join(f'k{number}: 1' for number in range(1000))}}}"]
    lines += [f"b{number}: {{<<: [{', '.join(['*a0'] * 100)}]}}" for number in range(3)]
    assert "values" in fault("yaml.unmarshal", "\n".join(lines)).text


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000])
def test_what_lies_too_deep_is_a_fault(text: str) -> None:
    assert fault("yaml.unmarshal", text).text.startswith("yaml: ")


def test_a_text_has_a_bound() -> None:
    assert "longer than" in fault("yaml.unmarshal", "a" * (yaml_reading.MAX_CHARACTERS + 1)).text


@pytest.mark.parametrize("name", declared(yaml_reading))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


PIECES = [
    "a",
    ": ",
    "\n",
    "- ",
    " ",
    "&x ",
    "*x",
    '"',
    "'",
    "1",
    "~",
    "<<",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "? ",
    "|\n",
    "!!int ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_text_raises_anything_but_a_fault(text: str) -> None:
    with contextlib.suppress(BuiltinFault):
        call("yaml.unmarshal", text)
