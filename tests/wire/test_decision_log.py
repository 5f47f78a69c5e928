"""authz_service writes its decision log, while it answers all the same."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.wire.processes import Keys, authz_service
from tests.wire.test_bundle_from_url import PATIENCE, allowed

POLICY = """\
package agent

default decision := false

decision := {"allowed": true, "headers": {"x-user": input.user.id}} if input.user.id != "mallory"
"""
LOG = """\
package system.log

mask contains "/input/identity/claims"

drop if input.input.user.id == "dropped"
"""


def events(file: Path, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while True:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_decisions_are_written_masked_by_the_policies_and_by_us(tmp_path: Path) -> None:
    keys, file = Keys(tmp_path), tmp_path / "decisions.jsonl"
    rego = tmp_path / "rego"
    rego.mkdir()
    (rego / "agent.rego").write_text(POLICY)
    (rego / "log.rego").write_text(LOG)
    policy = {"paths": [str(rego)], "decision": "agent/decision"}
    with authz_service(tmp_path, keys, policy=policy, decision_log={"file": str(file)}) as service:
        token = keys.token()
        assert allowed(service, token)
        assert allowed(service, keys.token(sub="dropped"))
        assert not allowed(service, keys.token(sub="mallory"))
        written = events(file, 2)
    assert [event["result"] for event in written] == [{"allowed": True, "headers": {"x-user": "alice"}}, False]
    first = written[0]
    assert first["path"] == "agent/decision"
    assert first["input"]["identity"]["user"] == "alice"
    assert first["input"]["attributes"]["request"]["http"]["headers"]["authorization"] == "[REDACTED:credential]"
    assert first["erased"] == ["/input/identity/claims"]
    assert token not in file.read_text()
    audit = [json.loads(line) for line in service.output.read_text().splitlines()]
    assert [event["decision_id"] for event in audit if event["user"] != "dropped"] == [
        event["decision_id"] for event in written
    ]
    assert {event["bundles"]["policy"]["revision"] for event in written} == {audit[0]["policy_revision"]}
