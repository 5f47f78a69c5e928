"""What a policy says, through the real Envoy: what the upstream gets, and what the client."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.stack import REPOSITORY, Gateway, running

pytestmark = pytest.mark.e2e

# Answers what the request asks it to; one without wishes passes.
POLICY = """package agent_gateway

headers := input.attributes.request.http.headers

decision := json.unmarshal(headers["x-answer"])

decision := {"allowed": false, "http_status": 200, "body": json.marshal(object.filter(input, shown))} if {
	shown := split(headers["x-show"], ",")
}

decision := true if {
	not headers["x-answer"]
	not headers["x-show"]
}
"""
CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "delete", "arguments": {"n": 1}}}
Pairs = list[tuple[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contract")


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[Gateway]:
    (folder / "rego").mkdir()
    (folder / "rego" / "main.rego").write_text(POLICY)
    with running(folder / "stack", "--keep-running", "--policies", str(folder / "rego")) as started:
        yield started


def send(
    stack: Gateway,
    target: str = "/contract",
    *,
    answer: Any = None,
    show: str = "",
    headers: Pairs | None = None,
    body: bytes = b"",
) -> httpx.Response:
    """Send a request that asks the policy for this answer, or to be shown members of its input."""
    given = [("authorization", f"Bearer {stack.token()}"), *(headers or [])]
    if answer is not None:
        given.append(("x-answer", json.dumps(answer)))
    if show:
        given.append(("x-show", show))
    with httpx.Client(verify=stack.trust, base_url=stack.state.gateway_url, timeout=30) as client:
        return client.request("POST" if body else "GET", target, headers=given, content=body)


def received(response: httpx.Response, name: str) -> list[str]:
    """The values of a header that came to the upstream, those on one line apart."""
    assert response.status_code == 200, response.text
    lines = [value for key, value in response.json()["headers"] if key.lower() == name]
    return [value.strip() for line in lines for value in line.split(",")]


def sent_back(response: httpx.Response, name: str) -> list[str]:
    return response.headers.get_list(name)


TWICE: Pairs = [("X-Role", "intern"), ("x-ROLE", "admin"), ("x-other", "o")]
COOKIES = {"Set-Cookie": ["a=1; Path=/", "b=2", "c=3"], "x-one": "1"}


class TestRequestHeaders:
    def test_a_value_overwrites_whatever_the_client_sent(self, stack: Gateway) -> None:
        response = send(stack, answer={"allowed": True, "headers": {"X-Role": "engineer"}}, headers=TWICE)
        assert received(response, "x-role") == ["engineer"]
        assert received(response, "x-other") == ["o"]

    @pytest.mark.parametrize("written", [{"X-Role": ["a", "b", "c"]}, [{"X-Role": "a"}, {"x-role": ["b", "c"]}]])
    @pytest.mark.parametrize("sent", [TWICE, []])
    def test_several_values_all_arrive_and_none_of_the_clients(self, stack: Gateway, sent: Pairs, written: Any) -> None:
        response = send(stack, answer={"allowed": True, "headers": written}, headers=sent)
        assert received(response, "x-role") == ["a", "b", "c"]

    def test_a_header_is_removed_however_it_is_written(self, stack: Gateway) -> None:
        response = send(stack, answer={"allowed": True, "request_headers_to_remove": ["X-Role"]}, headers=TWICE)
        assert received(response, "x-role") == []

    def test_what_is_set_and_removed_is_removed(self, stack: Gateway) -> None:
        answer = {"allowed": True, "headers": {"x-role": "a"}, "request_headers_to_remove": ["x-role"]}
        assert received(send(stack, answer=answer, headers=TWICE), "x-role") == []

    def test_a_policys_value_takes_the_place_of_a_redacted_one(self, stack: Gateway) -> None:
        sent = [("x-note", "123-45-6789")]
        response = send(stack, answer={"allowed": True, "headers": {"x-note": ["a", "b"]}}, headers=sent)
        assert received(response, "x-note") == ["a", "b"]


class TestQuery:
    SENT = "/q?a=1&a=2&A=3&%61=4&b=5"

    def test_a_parameter_takes_the_place_of_every_spelling_of_it(self, stack: Gateway) -> None:
        response = send(stack, self.SENT, answer={"allowed": True, "query_parameters_to_set": {"a": "x y&z"}})
        path, _, query = response.json()["path"].partition("?")
        assert (path, sorted(query.split("&"))) == ("/q", ["A=3", "a=x%20y%26z", "b=5"])

    def test_several_values_of_a_parameter_all_arrive(self, stack: Gateway) -> None:
        wanted = {"a": ["x", "y"], "c d": ["1", "2"]}
        response = send(stack, self.SENT, answer={"allowed": True, "query_parameters_to_set": wanted})
        pieces = response.json()["path"].partition("?")[2].split("&")
        assert sorted(pieces) == ["A=3", "a=x", "a=y", "b=5", "c%20d=1", "c%20d=2"]
        assert pieces.index("a=x") < pieces.index("a=y")

    def test_a_parameter_is_removed_in_every_spelling(self, stack: Gateway) -> None:
        response = send(stack, self.SENT, answer={"allowed": True, "query_parameters_to_remove": ["a"]})
        assert sorted(response.json()["path"].partition("?")[2].split("&")) == ["A=3", "b=5"]


class TestResponses:
    def test_an_allow_adds_every_value_to_the_response(self, stack: Gateway) -> None:
        response = send(stack, answer={"allowed": True, "response_headers_to_add": COOKIES})
        assert sent_back(response, "set-cookie") == ["a=1; Path=/", "b=2", "c=3"]
        assert sent_back(response, "x-one") == ["1"]

    def test_several_values_stand_beside_the_upstreams(self, stack: Gateway) -> None:
        answer = {"allowed": True, "response_headers_to_add": {"Content-Type": ["x/a", "x/b"]}}
        found = sent_back(send(stack, answer=answer), "content-type")
        assert ",".join(found) == "application/json; charset=utf-8,x/a,x/b"

    def test_a_single_cookie_arrives(self, stack: Gateway) -> None:
        response = send(stack, answer={"allowed": True, "response_headers_to_add": {"set-cookie": "a=1"}})
        assert sent_back(response, "set-cookie") == ["a=1"]

    def test_an_allow_overwrites_what_the_upstream_says(self, stack: Gateway) -> None:
        answer = {"allowed": True, "response_headers_to_add": {"Content-Type": "application/vnd.company+json"}}
        assert sent_back(send(stack, answer=answer), "content-type") == ["application/vnd.company+json"]

    def test_a_denial_has_the_policys_status_headers_and_body(self, stack: Gateway) -> None:
        marker = uuid.uuid4().hex
        answer = {"allowed": False, "http_status": 429, "body": "slow down", "headers": COOKIES}
        response = send(stack, answer=answer, headers=[("x-marker", marker)])
        assert (response.status_code, response.text) == (429, "slow down")
        assert sent_back(response, "set-cookie") == ["a=1; Path=/", "b=2", "c=3"]
        assert sent_back(response, "x-one") == ["1"]
        assert not stack.reached(marker)

    def test_a_denial_without_a_body_says_why_in_json(self, stack: Gateway) -> None:
        answer = {"allowed": False, "code": "c", "reason": "r", "headers": {"content-type": "text/html"}}
        response = send(stack, answer=answer)
        assert (response.status_code, response.json()["error"]) == (403, "c")
        assert sent_back(response, "content-type") == ["application/json"]
        assert stack.audit(response.json()["decision_id"])["reason"] == "r"

    @pytest.mark.parametrize("answer", [{"allowed": "yes"}, 7, {"allowed": True, "headers": {"x": 1}}])
    def test_an_answer_of_no_known_shape_is_an_outage(self, stack: Gateway, answer: Any) -> None:
        response = send(stack, answer=answer)
        assert (response.status_code, response.json()["error"]) == (503, "policy_failed")

    @pytest.mark.parametrize("answer", [{"allowed": True, "body": 7, "http_status": "x"}, True])
    def test_fields_of_the_other_outcome_do_not_matter(self, stack: Gateway, answer: Any) -> None:
        assert send(stack, answer=answer).status_code == 200


class TestBodies:
    @staticmethod
    def seen(stack: Gateway, body: bytes, content_type: str) -> Mapping[str, Any]:
        shown = "parsed_body,truncated_body,mcp"
        response = send(stack, show=shown, headers=[("content-type", content_type)], body=body)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    @pytest.mark.parametrize(
        ("body", "content_type", "expected"),
        [
            (b'{"n": 12345678901234567890}', "application/json", {"n": 12345678901234567890}),
            (b"[1]", "Application/Merge-Patch+JSON; charset=utf-8", [1]),
            (b"a=1&a=%32", "application/x-www-form-urlencoded", {"a": ["1", "2"]}),
            (
                b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
                "multipart/form-data; boundary=b",
                {"a": ["1"]},
            ),
            (b"plain", "text/plain", None),
        ],
    )
    def test_each_form_is_parsed(self, stack: Gateway, body: bytes, content_type: str, expected: Any) -> None:
        assert self.seen(stack, body, content_type) == {"parsed_body": expected, "truncated_body": False}

    def test_a_call_of_a_tool_is_told(self, stack: Gateway) -> None:
        assert self.seen(stack, json.dumps(CALL).encode(), "application/json")["mcp"] == {
            "kind": "request",
            "method": "tools/call",
            "id": 7,
            "tool": "delete",
            "arguments": {"n": 1},
        }

    @pytest.mark.parametrize("body", [b"{", b'{"a": 1, "a": 2}'])
    def test_a_body_that_cannot_be_read_is_a_bad_request(self, stack: Gateway, body: bytes) -> None:
        response = send(stack, show="parsed_body", headers=[("content-type", "application/json")], body=body)
        assert (response.status_code, response.json()["error"]) == (400, "body_malformed")
        assert stack.audit(response.json()["decision_id"])["status"] == 400

    def test_two_content_types_are_a_bad_request(self, stack: Gateway) -> None:
        headers = [("content-type", "application/json"), ("Content-Type", "text/plain")]
        assert send(stack, show="parsed_body", headers=headers, body=b"{}").status_code == 400

    def test_mcp_headers_that_say_another_thing_are_refused_as_the_protocol_says(self, stack: Gateway) -> None:
        headers = [
            ("content-type", "application/json"), ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"), ("mcp-name", "list"),
        ]  # fmt: skip
        response = send(stack, headers=headers, body=json.dumps(CALL).encode())
        assert response.status_code == 400
        assert (response.json()["id"], response.json()["error"]["code"]) == (7, -32020)
        agreeing = [*headers[:-1], ("mcp-name", "delete")]
        stating = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}
        call = {**CALL, "params": {"name": "delete", **stating}}
        assert send(stack, headers=agreeing, body=json.dumps(call).encode()).status_code == 200


def audited(file: Path, decision_id: str) -> dict[str, Any]:
    """The audit event of a decision; it is written beside the request, so it may take a moment."""
    deadline = time.monotonic() + 20
    while True:
        for line in file.read_text().splitlines():
            if decision_id in line:
                event: dict[str, Any] = json.loads(line)
                return event
        assert time.monotonic() < deadline, f"no audit event for {decision_id}"
        time.sleep(0.1)


@contextlib.contextmanager
def another_authz(stack: Gateway, folder: Path, **changes: Any) -> Iterator[None]:
    """Put an authz_service with other settings of `policy` in the place of the stack's."""
    config = json.loads((folder / "stack" / "authz_service.yaml").read_text())
    config["policy"].update(changes)
    file = folder / "another.yaml"
    file.write_text(json.dumps(config))
    first = stack.state.pids["authz_service"]
    os.kill(first, signal.SIGTERM)
    with contextlib.suppress(ProcessLookupError):
        while True:  # it still answers while it ends
            os.kill(first, 0)
            time.sleep(0.1)
    command = [sys.executable, "-m", "authz_service", "--config", str(file)]
    with (folder / "another.out").open("wb") as out:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while send(stack).status_code != 200:
            assert process.poll() is None, (folder / "another.out").read_text()
            assert time.monotonic() < deadline, (folder / "another.out").read_text()
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_in_a_dry_run_a_denial_passes_unchanged_and_failures_do_not(stack: Gateway, folder: Path) -> None:
    denial = {"allowed": False, "http_status": 429, "headers": {"x-role": "a"}, "code": "c", "reason": "r"}
    assert send(stack, answer=denial).status_code == 429
    with another_authz(stack, folder, dry_run=True):
        response = send(stack, answer=denial, headers=[("x-role", "mine")])
        assert response.status_code == 200
        assert received(response, "x-role") == ["mine"]
        assert received(response, "authorization") == []
        event = audited(folder / "another.out", response.headers["x-agent-gateway-decision-id"])
        assert (event["decision"], event["code"]) == ("allow", "dry_run")
        assert event["reason"] == "would be denied (c): r"
        assert send(stack, answer={"allowed": "x"}).status_code == 503
        json_type = [("content-type", "application/json")]
        assert send(stack, show="parsed_body", headers=json_type, body=b"{").status_code == 400
