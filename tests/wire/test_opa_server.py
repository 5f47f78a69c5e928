"""authz_service with an OPA server that decides: asked over its socket, and out of the way while it is away."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from pathlib import Path

from tests.authz_service.policy.opa_servers import needs_opa, real_opa
from tests.wire.processes import Keys, Running, authz_service
from tests.wire.test_bundle_from_url import allowed, ready, until

POLICY = """\
package agent

default decision := false

decision if {
    input.method == "GET"
    input.identity.agent == "a1"
    input.attributes.request.http.host == "api.example"
}
"""


def problem(service: Running) -> str:
    """What /readyz says of the policy."""
    try:
        return str(ready(service)["policy"])
    except urllib.error.HTTPError as error:
        return str(json.loads(error.read())["policy"])


@needs_opa
def test_an_opa_server_decides_and_its_absence_denies(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    url = f"unix://{tmp_path}/opa.sock"
    policy = {"engine": "opa", "decision": "agent/decision", "deadline_ms": 5_000, "opa": {"url": url}}
    with contextlib.ExitStack() as running:
        with real_opa(POLICY, "--addr", url):
            service = running.enter_context(authz_service(tmp_path, keys, policy=policy))
            assert allowed(service, keys.token())
            assert not allowed(service, keys.token(agent_id="a2"))
            assert ready(service)["policy_revision"] == "opa"
        (tmp_path / "opa.sock").unlink(missing_ok=True)
        until(lambda: not allowed(service, keys.token()) and "does not answer" in problem(service))
        with real_opa(POLICY, "--addr", url):
            until(lambda: problem(service) == "ok")
            assert allowed(service, keys.token())
