"""Policies compiled in a process of its own, and loaded beside the event loop."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from authz_service.policy import compiling
from authz_service.policy.compiling import Job, compile_policy
from authz_service.rego_engine.values import UNDEFINED, Value
from service_kit.faults import ConfigurationError

# regopy 1.5.2 ends its whole process on this: `with` puts a rule of the module itself in the place of the input.
ABORTS = (
    'package a\n\ndefault allow := false\n\nallow if input.method == "GET"\n\n'
    'p := {"method": "GET"}\n\ntest_get if allow with input as p\n'
)


def policies(folder: Path, text: str, name: str = "a.rego") -> Job:
    """One module in a folder, whose rule `d` is to be asked for."""
    (folder / name).write_text(text, "utf-8")
    return Job((str(folder),), rules=("a/d",))


def value_of(job: Job, document: Value = UNDEFINED, asked: str = "") -> Value:
    """Compile, load and evaluate the first rule, or the one that is asked for."""

    async def run() -> Value:
        policy, _ = await compile_policy(job)
        return policy.evaluate(asked or job.rules[0], document, policy.evaluation(document))

    return asyncio.run(run())


def test_sound_policies_become_one_that_answers(tmp_path: Path) -> None:
    """With their data document, letters and all."""
    (tmp_path / "data.json").write_text('{"k": ["é", 1.5, 12345678901234567890.123456789]}', "utf-8")
    found = value_of(policies(tmp_path, "package a\n\nd := [data.k[0], data.k[1] + input.x, data.k[2] > 1]"), {"x": 1})
    assert found == ["é", 2.5, True]


def test_every_fault_comes_back_with_its_place(tmp_path: Path) -> None:
    """As it was found in the other process."""
    job = policies(tmp_path, "package a\n\nd := )")
    (tmp_path / "b.rego").write_text("package b\n\n\nx := ]")
    with pytest.raises(ConfigurationError) as caught:
        value_of(job)
    assert [(fault.source, fault.line) for fault in caught.value.faults] == [
        (f"{tmp_path}/a.rego", 3), (f"{tmp_path}/b.rego", 4),
    ]  # fmt: skip


def test_a_policy_that_makes_the_library_abort_is_a_fault_and_nothing_more(tmp_path: Path) -> None:
    """The child ends, or refuses it; this process lives, and compiles the next one."""
    policies(tmp_path, ABORTS)
    with pytest.raises(ConfigurationError):
        value_of(Job((str(tmp_path),), rules=("a/test_get",)))
    assert value_of(policies(tmp_path, "package a\n\nd := 1")) == 1


def test_a_compilation_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its process with it."""
    monkeypatch.setattr(compiling, "COMPILE_SECONDS", 0.001)
    with pytest.raises(ConfigurationError, match=r"the policies take longer than 0\.001 s to compile"):
        value_of(policies(tmp_path, "package a\n\nd := 1"))


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a success nor by a failure."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    job = policies(tmp_path, "package a\n\nd := 1")
    value_of(job)
    (tmp_path / "a.rego").write_text("package a\n\nd := {")
    with pytest.raises(ConfigurationError):
        value_of(job)
    assert list(place.iterdir()) == []


def test_a_cancelled_compilation_leaves_no_process_behind(tmp_path: Path) -> None:
    """As when the service is stopped meanwhile."""
    job = policies(tmp_path, "package a\n\nd := 1")

    async def run() -> None:
        task = asyncio.ensure_future(compile_policy(job))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_policies_whose_tests_fail_do_not_compile_where_their_tests_are_asked_for(tmp_path: Path) -> None:
    """With the place of the test."""
    job = policies(tmp_path, "package a\n\nd := 1")
    (tmp_path / "a_test.rego").write_text("package a_test\n\nimport data.a\n\ntest_two if a.d == 2\n")
    assert value_of(job) == 1
    with pytest.raises(ConfigurationError, match=r"a_test\.rego:5: the test a_test/test_two is undefined"):
        value_of(Job(job.paths, rules=job.rules, run_tests=True))
    (tmp_path / "a.rego").write_text("package a\n\nd := 2")
    assert value_of(Job(job.paths, rules=job.rules, run_tests=True)) == 2


def test_two_policies_do_not_disturb_each_other(tmp_path: Path) -> None:
    """During a reload both are alive."""
    job = policies(tmp_path, "package a\n\nd := 1")

    async def run() -> list[Value]:
        one, first = await compile_policy(job)
        (tmp_path / "a.rego").write_text("package a\n\nd := 2")
        two, second = await compile_policy(job)
        assert first != second
        return [each.evaluate("a/d", {}, each.evaluation({})) for each in (one, two, one)]

    assert asyncio.run(run()) == [1, 2, 1]


def bundle(folder: Path, **files: str) -> Job:
    """A bundle in a folder; `plan` is its plan.json, an empty one where it is left out."""
    (folder / "plan.json").write_text(files.get("plan", '{"plans": {"plans": []}, "funcs": {"funcs": []}}'), "utf-8")
    (folder / ".manifest").write_text('{"revision": "r7", "roots": ["a"]}', "utf-8")
    return Job(bundle=str(folder), rules=("a/d",))


def test_a_bundle_that_was_not_built_for_the_decision_is_a_fault(tmp_path: Path) -> None:
    """With how to build it."""
    with pytest.raises(ConfigurationError, match=r"was not built for the rule a/d \(-e a/d\)"):
        value_of(bundle(tmp_path))


def test_a_bundle_with_a_plan_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """Never half understood."""
    with pytest.raises(ConfigurationError, match="is not a plan that can be read"):
        value_of(bundle(tmp_path, plan='{"plans": 7}'))


def test_a_bundles_plan_answers_like_the_sources_that_it_was_made_of(tmp_path: Path) -> None:
    """The revision is the manifest's and the contents'."""
    call = '{"type": "CallStmt", "stmt": {"func": "g0.data.a.d", "args": [LOCALS], "result": 2}}'
    call = call.replace("LOCALS", '{"type": "local", "value": 0}, {"type": "local", "value": 1}')
    insert = (
        '{"type": "MakeObjectStmt", "stmt": {"target": 3}}, {"type": "ObjectInsertStmt", "stmt": {"key":'
        ' {"type": "string_index", "value": 0}, "value": {"type": "local", "value": 2}, "object": 3}},'
        ' {"type": "ResultSetAddStmt", "stmt": {"value": 3}}'
    )
    dot = (
        '{"type": "DotStmt", "stmt": {"source": {"type": "local", "value": 0}, "key": {"type": "string_index",'
        ' "value": 1}, "target": 2}}, {"type": "ReturnLocalStmt", "stmt": {"source": 2}}'
    )
    plan = (
        '{"static": {"strings": [{"value": "result"}, {"value": "x"}]},'
        f'"plans": {{"plans": [{{"name": "a/d", "blocks": [{{"stmts": [{call}, {insert}]}}]}}]}},'
        '"funcs": {"funcs": [{"name": "g0.data.a.d", "path": ["g0", "a", "d"], "params": [0, 1], "return": 2,'
        f'"blocks": [{{"stmts": [{dot}]}}]}}]}}}}'
    )
    job = bundle(tmp_path, plan=plan)
    assert value_of(job, {"x": [1, "é"]}) == [1, "é"]
    _, revision = asyncio.run(compile_policy(job))
    assert revision.startswith("r7@")


def test_optional_rules_may_be_asked_for_and_are_undefined_where_nobody_has_written_them(tmp_path: Path) -> None:
    """A value in their place in the data is theirs, as in OPA."""
    job = replace(policies(tmp_path, "package a\n\nd := 1"), optional=("system/log/mask", "system/log/drop"))
    (tmp_path / "data.json").write_text('{"system": {"log": {"drop": true}}}')
    assert value_of(job) == 1
    assert value_of(job, asked="system/log/mask") is UNDEFINED
    assert value_of(job, asked="system/log/drop") is True
    (tmp_path / "log.rego").write_text('package system.log\n\nmask contains "/input/a" if input.input.a')
    assert value_of(job, {"input": {"a": 1}}, asked="system/log/mask") == {"/input/a"}


@pytest.mark.parametrize(
    "files",
    [
        {"log.rego": "package system.log # ours\n\nmask contains 1"},
        {"data.json": '{"system": {"log": {"mask": []}}}'},
    ],
    ids=["rule", "data"],
)
def test_a_bundle_that_was_not_built_for_an_optional_rule_that_it_has_is_a_fault(
    tmp_path: Path, files: dict[str, str]
) -> None:
    """Passed over, a mask would hide nothing."""
    plan = '{"plans": {"plans": [{"name": "a/d", "blocks": []}]}}'
    job = replace(bundle(tmp_path, plan=plan), optional=("system/log/mask", "system/log/drop"))
    assert value_of(job) is UNDEFINED
    (tmp_path / ".manifest").write_text('{"revision": "r7", "roots": ["a", "system"]}', "utf-8")
    (tmp_path / "other.rego").write_text("package system.logs\n\nmask contains 1")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        value_of(job)
    assert [fault.text for fault in caught.value.faults] == [
        "has the rule system/log/mask, and was not built for it (-e system/log/mask)"
    ]
