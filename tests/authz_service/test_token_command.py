"""`python -m authz_service token`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.authz_service.commanding import Workplace, run, token, workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return workplace(tmp_path)


def test_a_token_that_holds_ends_with_0(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "token", token(), "--config", place.config) == 0
    assert "It would be accepted." in capsys.readouterr().out


def test_one_that_does_not_ends_with_1_and_says_why(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--config", place.config, "token", token(aud="payroll"), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["accepted"] is False
    assert [check["name"] for check in found["checks"] if check["passed"] is False] == ["audience"]


def test_it_may_come_over_standard_input_with_its_scheme(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Arguments are seen by everybody on the machine."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"Bearer {token()}\n"))
    assert run(monkeypatch, "token", "-", "--config", place.config) == 0
    assert "✓ signature" in capsys.readouterr().out


def test_without_a_configuration_it_is_only_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "token", token()) == 1
    assert "Whether it holds cannot be told." in capsys.readouterr().out


def test_a_faulty_configuration_ends_with_2(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write(policy={"paths": ["absent"], "decision": "a/decision"})
    assert run(monkeypatch, "token", token(), "--config", place.config) == 2
    assert "policy.paths has 'absent'" in capsys.readouterr().err


def test_keys_that_cannot_be_had_are_told_and_the_rest_is_checked(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    issuer = {
        "issuer": "https://idp.example", "audiences": ["agent-gateway"], "algorithms": ["ES256"],
        "jwks_uri": "http://127.0.0.1:1/jwks",
    }  # fmt: skip
    place.write(identity={"issuers": [issuer]})
    assert run(monkeypatch, "token", token(), "--config", place.config) == 1
    assert "--online fetches them" in capsys.readouterr().out
    assert run(monkeypatch, "token", token(), "--config", place.config, "--online") == 1
    assert "cannot be reached" in capsys.readouterr().err
