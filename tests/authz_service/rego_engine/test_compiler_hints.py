"""What regopy refuses or cannot survive is told with the way to write it instead."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.regopy_library import Interpreter, LogLevel, RegoError
from authz_service.rego_engine.compiler_hints import MAX_SUSPECTS, crash_suspects, hint

_ERROR = re.compile(r"\(error [^|()]*\|(\d+)\|\d+\s*\(errormsg \d+:(.*?)\)")
BUILD = """
import sys
from authz_service.policy.regopy_library import Interpreter, LogLevel
interpreter = Interpreter()
interpreter.log_level = LogLevel.NONE
interpreter.add_module("a.rego", sys.argv[1])
interpreter.build(None, ["a/t"])
"""
MODULE = """package a

import data.other
import data.far.away as alias

p := {"method": "GET"}
plain if input.method == "GET"
deep if calls
calls if startswith(input.method, "G")
t if {
	v := "GET"
	%s
}
"""


def refusals(text: str) -> list[tuple[str, str]]:
    """What regopy says of a module: each message with the text from its place on."""
    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE
    try:
        interpreter.add_module("a.rego", text)
    except RegoError as error:
        found = _ERROR.finditer(str(error))
        return [(match[2], text.encode()[int(match[1]) :].decode()) for match in found]
    return []


@pytest.mark.parametrize(
    ("refused", "taken", "told"),
    [
        ("import future.keywords.and\nx if { input.a and input.b }", "x if { input.a; input.b }", "two expressions"),
        ("import future.keywords.or\nx if { input.a or input.b }", "x if { input.a }\nx if { input.b }", "two rules"),
        ("import rego.v2\nx if { input.a and input.b }", "x if { input.a; input.b }", "two expressions"),
        (
            "import rego.v2\nx if { not { input.a; input.b } }",
            "import future.keywords.not\nx if { not { input.a; input.b } }",
            "import future.keywords.not",
        ),
        ("x if every y in [1] { y }", "x if { every y in [1] { y } }", "`every` inside"),
        ("x := 2 if every y in [1] { y } else := 1", "x := 2 if { every y in [1] { y } } else := 1", "`every` inside"),
        ("test_x if not y with input as 1", "test_x if { not y with input as 1 }", "`with` inside"),
        ("x if some y in z with input.z as 1", "x if { some y in z with input.z as 1 }", "`with` inside"),
        (
            "x if y with input.a as 1 with input.b as 2",
            "x if { y with input.a as 1 with input.b as 2 }",
            "`with` inside",
        ),
        ("x if input.a else if input.b", "x if input.a else := true if input.b", "else := true if"),
        ("x if { input.a } else if input.b", "x if { input.a } else if { input.b }", "else if {"),
        ("x := .5", "x := 0.5", "`0.5` for `.5`"),
        ("x := [1, .5]", "x := [1, 0.5]", "`0.5` for `.5`"),
        ("x := [-y | some y in [1]]", "x := [z | some y in [1]; z := 0 - y]", "0 - x"),
        ("x if { y := 1; -y == -1 }", "x if { y := 1; z := 0 - y; z == -1 }", "0 - x"),
        ("x := {y + 1: y | some y in [1]}", "x := {k: y | some y in [1]; k := y + 1}", "key := …"),
        ("x contains (1 + 1)", "x contains 1 + 1", "leave out the parentheses"),
        ("x := ({1} | {2})[1]", "y := {1} | {2}\nx := y[1]", "value := …"),
    ],
)
def test_what_regopy_refuses_is_told_with_what_it_takes(refused: str, taken: str, told: str) -> None:
    """Both are Rego that OPA takes."""
    hints = [hint(message, text) for message, text in refusals(f"package a\n\n{refused}\n\nlast := 1\n")]
    assert hints
    assert all(told in each for each in hints)
    assert not refusals(f"package a\n\n{taken}\n\nlast := 1\n")


@pytest.mark.parametrize("text", ["x := )", 'x := "open', "x := {", "pakage a", "x := [1, 2"])
def test_a_plain_mistake_has_no_hint(text: str) -> None:
    """The message itself has to do."""
    assert [hint(message, rest) for message, rest in refusals(f"package a\n{text}\n")] in ([], [""], ["", ""])


def test_a_hint_looks_no_further_than_the_statement() -> None:
    assert hint("Syntax error", "x := )\ny := .5\n") == ""
    assert hint("Syntax error", "x := (\n.5 )\n") != ""


@given(st.text(), st.text())
def test_no_text_ends_in_an_exception(message: str, text: str) -> None:
    assert "\n" not in hint(message, text)
    assert all("\n" not in fault.text for fault in crash_suspects("a.rego", text))


def crashes(text: str) -> bool:
    """Compile in a process of its own."""
    done = subprocess.run([sys.executable, "-c", BUILD, text], capture_output=True, check=False, timeout=60)
    return done.returncode < 0


@pytest.mark.parametrize(
    "expression",
    [
        "plain with input as p",
        "plain with input as p.method",
        "plain with input as data.q",
        'calls with input as {"method": "GET"}',
        "deep with input as v",
        "calls with input.method as p.method",
        'calls with input["method"] as data.q',
        "calls with data.q as p[v]",
        "calls with input.method as other",
        "calls with input.method as alias.b",
    ],
)
def test_what_makes_regopy_crash_is_told_at_its_row(expression: str) -> None:
    text = MODULE % expression
    assert crashes(text)
    assert [fault.line for fault in crash_suspects("a.rego", text)] == [12]


@pytest.mark.parametrize(
    "expression", ['calls with input.method as "GET"', "calls with input.method as v", "calls with data.q as 1"]
)
def test_what_regopy_survives_is_not_suspected(expression: str) -> None:
    text = MODULE % expression
    assert not crashes(text)
    assert not list(crash_suspects("a.rego", text))


def test_an_import_of_the_whole_data_makes_regopy_crash() -> None:
    text = "package a\n\nimport data\n\nt := 1\n"
    assert crashes(text)
    assert [str(fault) for fault in crash_suspects("a.rego", text)] == [
        "a.rego:3: may have made the Rego compiler crash: leave out `import data`, or write `import data as name`"
    ]
    assert not list(crash_suspects("a.rego", text.replace("import data", "import data as d")))


def test_a_suspect_is_told_with_what_works_instead() -> None:
    first, second = crash_suspects("a.rego", "package a\nx if y with input as z\nx if y with data.a as z.b\n")
    assert (
        'replace single keys, `with input.method as "GET"`, or use a bundle that `opa build -t plan` made' in first.text
    )
    assert "give the value after `as` a name on a line before" in second.text


def test_names_that_are_no_keywords_are_not_suspected() -> None:
    text = "package a\nx := input.with\ny := input.import.data\n# with input as p\nz := `with input as p`\n"
    assert not list(crash_suspects("a.rego", text))


def test_the_suspects_of_a_module_are_bounded() -> None:
    assert len(list(crash_suspects("a.rego", "x if y with input as z\n" * 1000))) == MAX_SUSPECTS
