"""Rego v0 is told from v1 before it is compiled."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz_service.rego_engine import source_checks
from authz_service.rego_engine.source_checks import MAX_FAULTS, check_source

WORDS = [
    *("package a", "import rego.v1", "default", "x", "p[x]", "f(x)", "if", "else", "contains", "every", "some", "not"),
    *("in", "with", "as", "and", ":=", "=", ",", ";", ".", ".5", "-", "1", '"s"', "`r`", '$"{x}"', "{ x }", "# {\n"),
    *("{", "}", "[", "]", "(", ")", "\n"),
]

V1 = [
    "allow if { input.a }",
    "allow if input.a",
    "allow if { input.a } { input.b }",
    "allow if\n{ input.a }",
    "allow\nif { input.a }",
    'x if {"a", "b"}[input.x]\ny := 1',
    "x := 1 if { input.a } else := 2 if { input.b } else := {3}",
    "x := 1 if {\n\tinput.a\n}\n\nelse := 2 if input.b\n\nelse := 3",
    "x if { input.a } else if { input.b }",
    "x = {1} if { true } else = {2}\ny := 3",
    'x := {"a": 1}\ny := {1}',
    "x := [y | some y in input.a]\nz := {y: 1 | some y in x}",
    "x := {1} | {2}\ny := {1} - x",
    "x := -1\ny := 1 -\n2\nz if true",
    "x := .5\ny := 1",
    "x := count({1})\ny if { true }",
    "x if every y in {1} { y > 0 }\nz := 1",
    "x if every k, v in input.a { k == v } else := 2",
    "x if not {input.a}\ny := 1",
    'x if some k, v in {"a": 1}\ny := 1',
    'x if input.a == {"b": 1} with input as {"a": 1} with data.b as {2}\ny := 1',
    'x contains {"a": 1} if { true }\ny contains {1} if true\nz contains 1',
    "x[y] := z if { some y, z in input.a }",
    "x[y] contains z if { some y, z in input.a }",
    'x["a b"].c[d] if { d := 1 }',
    "x.y.f(z) := 1 if { z }",
    "f(1)\nx.f(1)",
    'f({"a": x}) := x if { x }\nf([x]) if x',
    "default x := {1}\ndefault y = []\ndefault f(_) := {}\ndefault a.b := 1\nz := 1",
    'import data.foo\nimport data.foo as bar\nimport data["a-b"].c\nimport input as i\nx := 1',
    "import rego.v1\nimport future.keywords\nimport future.keywords.in\nx if { true }",
    "import future.keywords.and\nx if {input.a} and {input.b}\ny := 1",
    "import rego.v2\nx if input.a or not {input.b}\ny := 1",
    "x := 1\nand := 2\nor := 3",
    'x := "a"\nas.foo := 1\nif.x := 1\nelse.x := 1\nnot.x if { true }\npackage.x := 1\nimport.x contains 1',
    "default.a := 1",
    "x := input.if\ny := input.else\nz := input.contains",
    "x := 1 # {\n# p[x] { y }\ny := `\np[x] { y }\n`",
    'x := $"{input.a}{ {"b": 1}.b }"\ny := $`\n{input.a}\np { q }`\nz if { x }',
    "x := 1\r\ny if {\r\n\ttrue\r\n}\r\n",
]


def faults(text: str) -> list[tuple[int, str]]:
    """Rows and texts."""
    found = list(check_source("a.rego", text))
    assert all(fault.source == "a.rego" for fault in found)
    return [(fault.line, fault.text.partition(", or use a bundle that")[0]) for fault in found]


@pytest.mark.parametrize("text", V1)
def test_rego_v1_has_no_fault(text: str) -> None:
    assert faults(f"package a\n\n{text}\n") == []


@pytest.mark.parametrize("first", V1[::3])
@pytest.mark.parametrize("text", V1[::2])
def test_rego_v1_has_no_fault_whatever_stands_before_it(first: str, text: str) -> None:
    """Where one rule ends is seen without a line's end to tell."""
    if "import" not in text and "future" not in first and "rego" not in first:
        assert faults(f"package a\n{first}\n{text}\n") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("allow { input.a }", "`allow { … }` is Rego v0: write `allow if { … }`"),
        ("allow = x { x := 1 }", "`allow = x { … }` is Rego v0: write `allow = x if { … }`"),
        ('x := {"a": 1} { true }', '`x := {"a": 1} { … }` is Rego v0: write `x := {"a": 1} if { … }`'),
        ("deny[msg] { msg := 1 }", "`deny[msg] { … }` is Rego v0: write `deny contains msg if { … }`"),
        ("deny[ a[i] ] { i := 1 }", "`deny[ a[i] ] { … }` is Rego v0: write `deny contains a[i] if { … }`"),
        ("deny.a { true }", '`deny.a { … }` is Rego v0: write `deny contains "a" if { … }`'),
        ("p[x] = y { true }", "`p[x] = y { … }` is Rego v0: write `p[x] = y if { … }`"),
        ("p.q[x] { true }", "`p.q[x] { … }` is Rego v0: write `p.q[x] if { … }`"),
        ("f(x) { x }", "`f(x) { … }` is Rego v0: write `f(x) if { … }`"),
        ("f(x) = [x] { x }", "`f(x) = [x] { … }` is Rego v0: write `f(x) = [x] if { … }`"),
        ("p contains x { x := 1 }", "`p contains x { … }` is Rego v0: write `p contains x if { … }`"),
        ('p["x"]', '`p["x"]` alone is Rego v0: write `p contains "x"`'),
        ("p[x]", "`p[x]` alone is Rego v0: write `p contains x`"),
        ("p.q", '`p.q` alone is Rego v0: write `p contains "q"`'),
        ("p.q.r", "`p.q.r` has neither a value nor a body: write `p.q.r := true`"),
        ("allow", "`allow` has neither a value nor a body: write `allow := true`"),
        ("allow if { input.a } else { input.b }", "`else { … }` is Rego v0: write `else if { … }`"),
        ("allow if input.a else = 2 { true }", "`else = 2 { … }` is Rego v0: write `else = 2 if { … }`"),
    ],
)
def test_rego_v0_is_a_fault_that_says_how_to_write_v1(text: str, told: str) -> None:
    """In whatever rules of v1 it stands."""
    assert faults(f"package a\n\nx1 := {{1}}\n{text}\nx2 if {{ true }}\n") == [(4, told)]


def test_a_fault_names_the_way_to_keep_v0() -> None:
    (fault,) = check_source("a.rego", "package a\nallow { true }")
    assert str(fault).startswith("a.rego:2: ")
    assert str(fault).endswith("or use a bundle that `opa build --v0-compatible -t plan` made")


def test_all_faults_are_told_at_the_rows_of_their_rules() -> None:
    text = (
        "package a\n\nallow {\n\tinput.a\n} else = 2 {\n\tinput.b\n}\n\ndeny[msg] {\n\tmsg := `\n`\n}\n"
        "ok if { true }\np[\n\t1\n]\nf(x)\n{ x }\n"
    )
    assert [row for row, _ in faults(text)] == [3, 5, 9, 14, 17]


def test_a_body_that_follows_one_of_v1_is_v1() -> None:
    assert faults("package a\nallow if { input.a } { input.b }\n{ input.c }\n") == []


@pytest.mark.parametrize("before", ["x := 1;", "x if { true };", "; ;", "default x := 1 { true }", "x := 1 } ]", "1"])
def test_rego_v0_is_found_behind_what_is_no_rule(before: str) -> None:
    """The compiler may pass over it."""
    assert (2, "`deny[msg] { … }` is Rego v0: write `deny contains msg if { … }`") in faults(
        f"package a\n{before} deny[msg] {{ msg := 1 }}"
    )


@pytest.mark.parametrize("long", ["x" * 100, '"\x1b"', "x # {\n"])
def test_text_that_is_too_long_or_odd_stays_out_of_a_fault(long: str) -> None:
    """A fault is one line of a log."""
    told = [text for _, text in faults(f"package a\np[{long}] {{ true }}\nq[{long}]\n")]
    assert told[0] == "a body without `if` is Rego v0: write `deny contains msg if { … }` or `allow if { … }`"
    assert told[1] == 'a head alone is Rego v0: write `deny contains "text"` or `allow := true`'


def test_a_row_has_one_fault() -> None:
    assert [row for row, _ in faults("pakage a\np { true } q { true }\n")] == [1, 2]


def test_the_faults_of_a_module_are_bounded() -> None:
    assert len(faults("package a\n" + "allow { true }\n" * 1000)) == MAX_FAULTS


def test_a_module_of_more_tokens_than_are_read_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it cut off, v0 could stand behind the cut."""
    monkeypatch.setattr(source_checks, "MAX_TOKENS", 5)
    assert faults("package a\nx := 1") == []
    assert faults("package a\nx := 1 + 1") == [(0, "has more than 5 tokens: part it, or move data into a data file")]


@pytest.mark.parametrize(
    "text",
    ["", "package", "package a\nx := ]", "package a\nx := [", 'package a\nx := "', "import", "default", "x.", "else {"],
)
def test_what_is_no_rego_is_left_to_the_compiler(text: str) -> None:
    assert all("v0" not in told for _, told in faults(text))


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map(" ".join)))
@example("every " * 5_000)
@example("x[" * 5_000)
@example("x if not every x in every")
def test_no_text_ends_in_an_exception(text: str) -> None:
    rows = text.count("\n") + 1
    assert all(1 <= row <= rows and "\n" not in told for row, told in faults(text))


@given(st.lists(st.sampled_from(V1), min_size=1, max_size=8), st.integers(0, 7))
def test_a_rule_of_v0_is_found_among_rules_of_v1(rules: list[str], number: int) -> None:
    rules = [rule for rule in rules if "import" not in rule]
    text = "\n".join([*rules[:number], "v0[x] { x := 1 }", *rules[number:]])
    row = "\n".join(rules[:number]).count("\n") + 1 + bool(rules[:number])
    assert [found for found, _ in faults(text)] == [row]
