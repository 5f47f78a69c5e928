"""Sources → a compiled bundle, or faults with file and row; in a process of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from authz_service.policy import regopy_compiler
from authz_service.policy.regopy_compiler import compile_bundle
from authz_service.policy.sources import PolicySources
from service_kit.faults import ConfigurationError

# regopy 1.5.2 ends its whole process on this: `with` puts a rule of the module itself in the place of the input.
ABORTS = {
    "a.rego": 'package a\n\ndefault allow := false\n\nallow if input.method == "GET"\n',
    "a_test.rego": (
        'package a_test\n\nimport data.a\n\np := {"method": "GET"}\n\ntest_get if a.allow with input as p\n'
    ),
}


def compiled(folder: Path, modules: Mapping[str, str], *rules: str, data: Mapping[str, Any] | None = None) -> Path:
    """Compile."""
    return asyncio.run(compile_bundle(PolicySources(modules, data or {}), rules or ["a/d"], folder))


def faults(folder: Path, modules: Mapping[str, str], *rules: str) -> list[tuple[str, int]]:
    """The places of the faults; each says what is wrong there."""
    with pytest.raises(ConfigurationError) as caught:
        compiled(folder, modules, *rules)
    assert all(fault.text for fault in caught.value.faults)
    return [(fault.source, fault.line) for fault in caught.value.faults]


def test_sound_policies_become_a_bundle(tmp_path: Path) -> None:
    """With the plan that an engine runs."""
    bundle = compiled(tmp_path, {"a.rego": "package a\nd := data.k"}, data={"k": "é"})
    assert bundle.parent == tmp_path
    assert json.loads((bundle / "plan.json").read_text())["plans"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("package a\nd := 1\n\n\ne := )", 5),
        ("package a\n# ünïcödé ünïcödé ünïcödé\n\nd :=\n", 4),
        ("pakage a\nd := 1", 1),
        ("package a\nd if { input.x = }\n", 2),
        ('package a\nd := "open\n', 2),
    ],
)
def test_malformed_rego_is_a_fault_at_its_row(tmp_path: Path, text: str, row: int) -> None:
    """Counted from 1, in characters of any length."""
    assert faults(tmp_path, {"a.rego": text}) == [("a.rego", row)]


def test_an_open_brace_is_a_fault_at_its_row(tmp_path: Path) -> None:
    """The library complains of the whole module, too."""
    assert ("a.rego", 3) in faults(tmp_path, {"a.rego": "package a\n\nd := {"})


def test_several_malformed_files_are_told_at_once(tmp_path: Path) -> None:
    """The library itself stops at its first."""
    modules = {"a.rego": "package a\nd := )", "b.rego": "package b\nd := 1", "c.rego": "package c\n\nx := ]"}
    assert faults(tmp_path, modules) == [("a.rego", 2), ("c.rego", 3)]


@pytest.mark.parametrize("name", ["a|b.rego", "a (1).rego", "ü.rego", "/very/long/" + "x" * 200 + ".rego", "a:7.rego"])
def test_a_fault_names_its_file_whatever_its_name(tmp_path: Path, name: str) -> None:
    """It stands inside the library's message, among separators."""
    assert [source for source, _ in faults(tmp_path, {name: "package a\nd := )"})] == [name]


def test_functions_that_nobody_defines_are_faults_at_their_rows(tmp_path: Path) -> None:
    """The library compiles such calls, and fails only when it comes to them."""
    modules = {
        "a.rego": "package a\n\nd := x if {\n\tx := nosuch.thing(1)\n}\n",
        "b.rego": 'package b\n\nf(x) := x + 1\n\ne := f(1)\n\ng := http.send({"method": "get", "url": "http://x"})\n',
    }
    with pytest.raises(ConfigurationError) as caught:
        compiled(tmp_path, modules, "a/d", "b/e", "b/g")
    assert [str(fault) for fault in caught.value.faults] == [
        "a.rego:4: calls nosuch.thing, which is no function that is known here",
        "b.rego:7: calls http.send, which is no function that is known here",
    ]


@pytest.mark.parametrize("rule", ["a/x", "b/d", "a/d/e", "a"])
def test_a_decision_that_no_policy_has_is_a_fault(tmp_path: Path, rule: str) -> None:
    """It would be undefined for every request."""
    with pytest.raises(ConfigurationError, match=f"no policy here has the rule {rule} that is to decide"):
        compiled(tmp_path, {"a.rego": "package a\nd := 1"}, rule)


def test_a_policy_that_makes_the_library_abort_is_a_fault_and_nothing_more(tmp_path: Path) -> None:
    """The child ends; this process lives, and compiles the next one."""
    with pytest.raises(ConfigurationError, match=r"a\.rego: the Rego compiler crashed on these policies"):
        compiled(tmp_path, ABORTS, "a_test/test_get")
    assert not (tmp_path / "faults.json").exists()
    assert (compiled(tmp_path, {"a.rego": ABORTS["a.rego"]}, "a/allow") / "plan.json").exists()


def test_a_compilation_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its process with it: `compile_bundle` returns only once it is gone."""
    monkeypatch.setattr(regopy_compiler, "COMPILE_SECONDS", 0.001)
    with pytest.raises(ConfigurationError, match=r"a\.rego: the policies take longer than 0\.001 s to compile"):
        compiled(tmp_path, {"a.rego": "package a\nd := 1"})
    assert not (tmp_path / "faults.json").exists()


def test_a_cancelled_compilation_leaves_no_process_behind(tmp_path: Path) -> None:
    """As when the service is stopped meanwhile."""

    async def run() -> None:
        sources = PolicySources({"a.rego": "package a\nd := 1"}, {})
        task = asyncio.ensure_future(compile_bundle(sources, ["a/d"], tmp_path))
        await asyncio.sleep(0.01)
        assert (tmp_path / "job.json").exists()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(run())
    assert not (tmp_path / "faults.json").exists()
