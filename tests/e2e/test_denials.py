"""What those who are refused are told, through the real Envoy: browsers and scripts, gRPC clients, MCP clients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests.e2e.stack import Answer, Gateway, running

pytestmark = pytest.mark.e2e
METADATA = "https://gateway.example/.well-known/oauth-protected-resource"
SETTINGS = {
    "denials": {
        "resource_metadata": METADATA,
        "messages": {"credential_missing": "Sign in at https://login.example", "path_malformed": "Not a path"},
    },
    "routes": [
        {"name": "open", "match": {"paths": ["/open"]}, "decision": "agent_gateway/decision", "anonymous": "allow"}
    ],
}
JSON = {"content-type": "application/json"}
MCP = {**JSON, "accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("denials")
    (folder / "more.yaml").write_text(json.dumps(SETTINGS))
    with running(folder / "stack", "--authz-settings", str(folder / "more.yaml")) as started:
        yield started


def call(gateway: Gateway, message: Any, token: str | None, path: str = "/hr/tools") -> Answer:
    """An MCP call."""
    return gateway.send(path, token, MCP, method="POST", body=json.dumps(message).encode())


def test_a_denial_is_json_with_a_code_a_message_and_the_decisions_id(gateway: Gateway) -> None:
    answer = gateway.send("/hr/people", gateway.token())
    assert (answer.status, answer.headers["content-type"]) == (403, "application/json")
    body = answer.json()
    assert set(body) == {"error", "message", "decision_id"}
    assert gateway.audit(body["decision_id"])["code"] == body["error"]


def test_who_brings_nothing_learns_how_to_sign_in(gateway: Gateway) -> None:
    answer = gateway.send("/reports")
    assert answer.status == 401
    assert answer.json()["message"] == "Sign in at https://login.example"
    with gateway.http2() as client:
        challenges = client.get("/reports").headers.get_list("www-authenticate")
    assert [challenge.split(" ")[0] for challenge in challenges] == ["DPoP", "Bearer"]
    assert all(f'resource_metadata="{METADATA}"' in challenge for challenge in challenges)
    assert not any("error" in challenge for challenge in challenges)


@pytest.mark.parametrize(
    ("path", "caller", "status"),
    [
        ("/hr.Salaries/List", "alice", grpc.StatusCode.PERMISSION_DENIED),
        ("/a.B/C", "", grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_a_grpc_client_gets_a_grpc_status(gateway: Gateway, path: str, caller: str, status: grpc.StatusCode) -> None:
    trust = grpc.ssl_channel_credentials(Path(gateway.state.ca_file).read_bytes())
    metadata = [("authorization", f"Bearer {gateway.token(sub=caller)}")] if caller else []
    address = gateway.state.gateway_url.removeprefix("https://")
    with grpc.secure_channel(address, trust) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(path)(b"", timeout=10, metadata=metadata)
    assert caught.value.code() is status, caught.value.details()
    assert "decision" in caught.value.details()
    assert "{" not in caught.value.details(), "plain words, no JSON"


def test_an_mcp_client_gets_a_json_rpc_error_with_its_requests_id(gateway: Gateway) -> None:
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "salaries"}}
    answer = call(gateway, message, gateway.token())
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    assert (body["jsonrpc"], body["id"], body["error"]["code"]) == ("2.0", 7, -32003)
    assert gateway.audit(body["error"]["data"]["decision_id"])["decision"] == "deny"
    assert gateway.audit(body["error"]["data"]["decision_id"])["status"] == 403, "the log has what was decided"


def test_an_mcp_client_without_a_token_still_gets_a_401_with_its_challenge(gateway: Gateway) -> None:
    """It is by the status that it begins to sign in."""
    answer = call(gateway, {"jsonrpc": "2.0", "id": "a-1", "method": "ping"}, None)
    assert answer.status == 401
    assert "www-authenticate" in answer.headers
    assert (answer.json()["id"], answer.json()["error"]["code"]) == ("a-1", -32001)


def test_a_notification_and_json_that_is_no_mcp_get_the_usual_answer(gateway: Gateway) -> None:
    """Nobody waits for an answer to the first; the second would not understand it."""
    for message in ({"jsonrpc": "2.0", "method": "ping"}, {"id": 1, "method": "x"}, [1], "x"):
        answer = call(gateway, message, gateway.token())
        assert answer.status == 403
        assert "decision_id" in answer.json()
    rpc = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x"}).encode()
    assert gateway.send("/hr/x", gateway.token(), JSON, method="POST", body=rpc).status == 403


def test_a_policys_denial_of_an_open_route_is_no_challenge(gateway: Gateway) -> None:
    answer = httpx.post(f"{gateway.state.gateway_url}/open", verify=gateway.trust, headers=JSON, content=b"{}")
    assert answer.status_code == 403
    assert "www-authenticate" not in answer.headers
