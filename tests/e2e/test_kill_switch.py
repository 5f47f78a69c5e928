"""The kill switch through the real Envoy, which remembers tokens that it has verified."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stack import REPOSITORY, Gateway

pytestmark = pytest.mark.e2e


def command(gateway: Gateway, *arguments: str) -> None:
    """Run a command with the configuration of the stack, as the README shows it."""
    config = Path(gateway.state.logs_folder).parent / "authz_service.yaml"
    line = [sys.executable, "-m", "authz_service", arguments[0], "--config", str(config), *arguments[1:]]
    done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout


def test_an_agent_that_is_revoked_is_out_at_once_and_let_in_again(gateway: Gateway) -> None:
    token = gateway.token(agent_id="stolen-laptop")
    other = gateway.token()
    assert gateway.send("/reports", token).status == 200
    command(gateway, "revoke", "--agent", "stolen-laptop", "--reason", "test")
    answer = gateway.send("/reports", token)
    assert (answer.status, answer.json()["error"]) == (401, "token_revoked")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    event = gateway.audit(answer.json()["decision_id"])
    assert (event["agent_id"], event["code"]) == ("stolen-laptop", "token_revoked")
    assert gateway.send("/reports", other).status == 200
    command(gateway, "restore", "--agent", "stolen-laptop", "--reason", "test is over")
    assert gateway.send("/reports", token).status == 200
    written = [json.loads(line) for line in Path(gateway.state.audit_file).read_text().splitlines()]
    told = [each["action"] for each in written if each.get("value") == "stolen-laptop"]
    assert told == ["revoke", "restore"]
