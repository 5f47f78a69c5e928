from __future__ import annotations

from pathlib import Path

import pytest

from tests.ratelimit_service.commands.terminal import directory, run

SHIPPED = Path(__file__).parents[3] / "limits" / "config"
FINE = "domain: d\ndescriptors: [{key: user, rate_limit: {unit: year, requests_per_unit: 2}}]\n"
ODD = "domain: odd\ndescriptors:\n- key: user\n  rate_limit: {unit: year}\n"


def test_limits_without_a_fault_are_counted() -> None:
    answer = run("check", "--config-dir", SHIPPED)
    assert (answer.status, answer.out, answer.err) == (0, "ok: 5 rules in 1 domain\n", "")
    answer = run("check", "--config-dir", SHIPPED, "--json")
    assert (answer.status, answer.json) == (0, {"domains": {"agent_gateway": 5}, "faults": [], "warnings": []})


def test_every_fault_of_every_file_is_a_line_in_their_order(tmp_path: Path) -> None:
    texts = ("domain: d\ndescriptors:\n- value: x\n  extra: 1\n", "domain: d\n", "domain: ''\n")
    answer = run("check", "--config-dir", directory(tmp_path, *texts))
    assert (answer.status, answer.out) == (1, "")
    assert [line.partition(": ")[0] for line in answer.err.splitlines()] == [
        f"{tmp_path}/{place}" for place in ("0.yaml:3", "0.yaml:4", "1.yaml:1", "2.yaml:1")
    ]
    told = run("check", "--config-dir", tmp_path, "--json")
    assert told.status == 1
    assert [f"{fault['source']}:{fault['line']}: {fault['text']}" for fault in told.json["faults"]] == (
        answer.err.splitlines()
    )


def test_a_warning_is_told_and_is_a_fault_only_if_that_is_asked_for(tmp_path: Path) -> None:
    directory(tmp_path, FINE, ODD)
    warning = f"{tmp_path}/1.yaml:4: warning: descriptors[0].rate_limit.requests_per_unit is missing"
    answer = run("check", "--config-dir", tmp_path)
    assert (answer.status, answer.out) == (0, "ok: 2 rules in 2 domains, 1 warning\n")
    assert answer.err.startswith(warning)
    answer = run("check", "--config-dir", tmp_path, "--strict")
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.startswith(warning)
    told = run("check", "--config-dir", tmp_path, "--strict", "--json")
    assert (told.status, told.json["warnings"][0]["line"]) == (1, 4)


def test_files_of_one_domain_are_a_fault_unless_they_are_to_be_merged(tmp_path: Path) -> None:
    directory(tmp_path, FINE, FINE.replace("user", "agent"))
    answer = run("check", "--config-dir", tmp_path)
    assert (answer.status, "duplicate domain 'd'" in answer.err) == (1, True)
    answer = run("check", "--config-dir", tmp_path, "--merge-domain-configs")
    assert (answer.status, answer.out) == (0, "ok: 2 rules in 1 domain\n")


@pytest.mark.parametrize("name", ["", ".hidden.yaml"])
def test_a_directory_without_limits_is_a_fault(tmp_path: Path, name: str) -> None:
    if name:
        (tmp_path / name).write_text(FINE)
    answer = run("check", "--config-dir", tmp_path)
    assert (answer.status, answer.err) == (1, f"{tmp_path}: holds no file with limits\n")
