"""`python -m authz_service decide`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.authz_service.commanding import SIGNER, Workplace, run, token, workplace
from tests.authz_service.proving import prover

SECRET = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return workplace(tmp_path)


def decide(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request: Any, *more: str
) -> tuple[int, dict[str, Any]]:
    """The exit code, and what was told."""
    file = place.folder / "request.json"
    file.write_text(json.dumps(request))
    code = run(monkeypatch, "decide", "--config", place.config, "--request", str(file), "--json", *more)
    return code, json.loads(capsys.readouterr().out)


def steps(found: dict[str, Any]) -> dict[str, bool]:
    """Which steps there were, and which were passed."""
    return {step["step"]: step["passed"] for step in found["steps"]}


def test_a_request_that_would_pass_is_told_step_by_step(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = {"path": "/open", "host": "api.example", "headers": {"Authorization": f"Bearer {token()}"}}
    code, found = decide(place, monkeypatch, capsys, request)
    assert (code, found["outcome"]) == (0, "allow")
    names = ["request", "route", "credential", "identity", "findings", "policy", "decision", "answer"]
    assert steps(found) == dict.fromkeys(names, True)
    told = {step["step"]: step for step in found["steps"]}
    assert "user alice" in told["identity"]["text"]
    assert any("a.decision" in line for line in told["policy"]["more"])
    assert "sets header x-who" in told["answer"]["more"]


def test_a_denial_names_the_rule_and_the_answer(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = {"path": "/x", "headers": {"authorization": f"Bearer {token()}"}}
    code, found = decide(place, monkeypatch, capsys, request)
    assert (code, found["status"], found["code"]) == (1, 403, "not_here")
    assert steps(found)["decision"] is False


REFUSED = [
    ({"path": "/open"}, "identity", "credential_missing"),
    ({"path": "/open", "headers": {"authorization": "Bearer x"}}, "identity", "token_malformed"),
    ({"path": "/%zz"}, "request", "path_malformed"),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused[2])
def test_the_step_that_refuses_is_the_last(
    place: Workplace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    refused: tuple[dict[str, Any], str, str],
) -> None:
    request, step, code = refused
    exit_code, found = decide(place, monkeypatch, capsys, request)
    assert (exit_code, found["code"]) == (1, code)
    assert steps(found)[step] is False
    assert "policy" not in steps(found)


def test_neither_tokens_nor_secrets_are_shown(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = token()
    headers = {"authorization": f"Bearer {given}", "x-key": SECRET}
    request = {"path": f"/a/{SECRET}?k={SECRET}", "headers": headers, "host": SECRET}
    _, found = decide(place, monkeypatch, capsys, request)
    shown = json.dumps(found)
    assert SECRET not in shown
    assert given.split(".")[1] not in shown


def test_a_proof_is_not_used_up_by_looking_at_it_twice(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    issuer = {
        "issuer": "https://idp.example",
        "audiences": ["agent-gateway"],
        "algorithms": ["ES256"],
        "jwks_file": "jwks.json",
    }
    place.write(identity={"issuers": [issuer], "dpop": {"origins": ["https://api.example"], "replay": "memory"}})
    holder = prover()
    bound = token(cnf={"jkt": holder.jkt})
    proof = holder.proof(bound, htu="https://api.example/open", iat=int(time.time()))
    request = {"path": "/open", "host": "api.example", "headers": {"authorization": f"DPoP {bound}", "dpop": proof}}
    code, found = decide(place, monkeypatch, capsys, request)
    assert (code, found["outcome"]) == (0, "allow")


def test_a_request_may_be_judged_as_at_another_time(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = SIGNER.token(iat=1_000_000_000, exp=1_000_000_600)
    request = {"path": "/open", "headers": {"authorization": f"Bearer {old}"}}
    assert decide(place, monkeypatch, capsys, request)[0] == 1
    assert decide(place, monkeypatch, capsys, request, "--at", "2001-09-09T01:50:00Z")[0] == 0


def test_what_is_no_request_ends_with_2(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place.folder / "request.json"
    file.write_text('{"paths": "/"}')
    assert run(monkeypatch, "decide", "--config", place.config, "--request", str(file)) == 2
    assert "paths is not known here" in capsys.readouterr().err
    assert run(monkeypatch, "decide", "--config", place.config, "--request", str(place.folder / "absent")) == 2
