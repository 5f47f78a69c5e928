"""`python -m authz_service check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devstack.ports import HOST
from tests.authz_service.commanding import Workplace, run, workplace
from tests.valkey_servers import Server


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return workplace(tmp_path)


def test_a_sound_configuration_ends_with_0_and_says_what_it_decides_by(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write(routes=[{"name": "b", "match": {"paths": ["/b"]}, "decision": "a/decision"}])
    assert run(monkeypatch, "check", "--config", place.config, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["faults"], found["decisions"], found["issuers"]) == ([], ["a/decision"], 1)
    assert found["policy"]


def test_every_fault_of_the_file_is_told_with_its_line(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write(routes=[{"name": "a", "match": {}}], denials={"mcp_status": 500})
    assert run(monkeypatch, "check", "--config", place.config) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{place.config}:") for line in lines)


def test_a_fault_in_a_policy_is_told_with_its_own_file_and_row(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.folder / "policy" / "a.rego").write_text("package a\n\ndecision := {\n")
    assert run(monkeypatch, "check", "--config", place.config, "--json") == 2
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert ("a.rego", 3) in [(Path(fault["source"]).name, fault["line"]) for fault in faults]


def test_the_rule_of_a_route_that_no_policy_defines_is_a_fault(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write(routes=[{"name": "b", "match": {"paths": ["/b"]}, "decision": "absent/decision"}])
    assert run(monkeypatch, "check", "--config", place.config) == 2
    assert "absent" in capsys.readouterr().err


def test_keys_and_the_store_are_asked_for_only_when_that_is_wanted(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server() as server:
        valkey = {"url": f"{HOST}:{server.port}"}
        place.write(valkey=valkey)
        assert run(monkeypatch, "check", "--config", place.config, "--online") == 0
        server.kill()
        assert run(monkeypatch, "check", "--config", place.config) == 0
        assert run(monkeypatch, "check", "--config", place.config, "--online") == 2
    assert "does not answer" in capsys.readouterr().err


def test_it_needs_a_configuration(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "check") == 2
    assert "--config" in capsys.readouterr().err
