"""A denial in the form that its client understands, and nothing of how it came about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.denials import (
    DENIED,
    MAX_BODY,
    MAX_ID,
    UNAUTHENTICATED,
    UNAVAILABLE,
    CallId,
    Denials,
    is_grpc,
    mcp_id,
)
from authz_service.model import DecidedBy, Decision, HttpRequest, Outcome

DENIAL = Decision(
    Outcome.DENY, "d-1", "role_missing", "you lack a role", "hr/1", DecidedBy.POLICY, 403, headers=[("x-a", "b")]
)
PLAIN = HttpRequest("GET", "/")
GRPC = HttpRequest("POST", "/a.B/C", headers={"content-type": "application/grpc"})
ACCEPT = "application/json, text/event-stream"


def by_gateway(status: int, outcome: Outcome = Outcome.DENY) -> Decision:
    """A denial of our own."""
    return DENIAL._replace(by=DecidedBy.GATEWAY, status=status, outcome=outcome)


def mcp(message: Any = None, **more: Any) -> HttpRequest:
    """A call to an MCP server."""
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call"} if message is None else message
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return HttpRequest(**{"method": "POST", "path": "/mcp", "headers": {"accept": ACCEPT}, "body": body, **more})


def formed(decision: Decision, request: HttpRequest, denials: Denials | None = None) -> dict[str, Any]:
    """The object in the body of an answer, which must say that it is JSON, once."""
    answer = (denials or Denials()).form(decision, request)
    assert answer.body is not None
    assert [value for name, value in answer.headers if name == "content-type"] == ["application/json"]
    assert ("x-a", "b") in answer.headers
    found: dict[str, Any] = json.loads(answer.body)
    return found


def test_a_usual_client_is_told_code_text_and_where_to_ask() -> None:
    """And neither policy nor anything else."""
    assert formed(DENIAL, PLAIN) == {"error": "role_missing", "message": "you lack a role", "decision_id": "d-1"}
    assert Denials().form(DENIAL, PLAIN).status == 403


def test_an_allow_and_a_body_of_the_policys_own_stay_as_they_are() -> None:
    """Even an empty one."""
    for decision in (
        DENIAL._replace(outcome=Outcome.ALLOW),
        DENIAL._replace(body=""),
        DENIAL._replace(body="<p>no</p>"),
    ):
        for request in (PLAIN, GRPC, mcp()):
            assert Denials({"role_missing": "other"}).form(decision, request) is decision


@pytest.mark.parametrize("outcome", [Outcome.DENY, Outcome.ERROR])
@pytest.mark.parametrize("request_", [PLAIN, GRPC, mcp()])
def test_all_but_the_form_stays(outcome: Outcome, request_: HttpRequest) -> None:
    """Identifiers, code and reason are for the audit."""
    decision = by_gateway(503, outcome)
    answer = Denials().form(decision, request_)
    assert answer._replace(body=None, headers=decision.headers) == decision


@pytest.mark.parametrize("request_", [PLAIN, GRPC, mcp()])
def test_a_text_may_be_replaced_by_code(request_: HttpRequest) -> None:
    """For clients; the audit keeps the usual one."""
    answer = Denials({"role_missing": "ask the helpdesk", "other": "x"}).form(DENIAL, request_)
    assert "ask the helpdesk" in str(answer.body)
    assert "you lack a role" not in str(answer.body)
    assert answer.reason == "you lack a role"
    assert "you lack a role" in str(Denials({"other": "x"}).form(DENIAL, request_).body)


# gRPC


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("application/grpc", True), ("application/grpc+proto", True), ("application/grpc+json", True),
        ("Application/GRPC; a=b", True),
        ("application/grpc ;a", True), ("application/grpc-web", False), ("application/grpc-web+proto", False),
        ("application/json", False),
        ("application/grpcx", False), ("", False), ("text/plain; application/grpc", False),
        ("application/grpc/x", False),
    ],
)  # fmt: skip
def test_a_grpc_call_is_told_by_its_media_type(kind: str, expected: bool) -> None:  # noqa: FBT001  (a column)
    """What begins with application/grpc, less gRPC-Web, whose errors are trailers in the body."""
    assert is_grpc(HttpRequest("POST", "/", headers={"content-type": kind})) is expected
    assert not is_grpc(PLAIN)


def test_a_grpc_call_is_answered_with_one_line() -> None:
    """Envoy makes it the status's message, and the HTTP status its code."""
    answer = Denials().form(DENIAL, GRPC)
    assert answer.body == "you lack a role (role_missing, decision d-1)"
    assert (answer.status, answer.headers) == (403, DENIAL.headers)


@pytest.mark.parametrize("reason", ["a\nb", "a\r\nb", " a\tb ", "a\n\n b\n", "a\u2028b", "a\x85b", "a\0b"])
def test_a_policys_text_of_several_lines_is_one_line_for_grpc(reason: str) -> None:
    """Whatever the policy has put into it."""
    body = Denials().form(DENIAL._replace(reason=reason), GRPC).body
    assert body == "a b (role_missing, decision d-1)"


# MCP


@pytest.mark.parametrize("value", [7, 0, -1, "x", "", "a" * MAX_ID, "é\n", 2**53])
def test_an_mcp_call_is_answered_with_its_id(value: Any) -> None:
    """As JSON-RPC asks: with the same value and type."""
    found = formed(DENIAL, mcp({"jsonrpc": "2.0", "id": value, "method": "tools/call"}))
    assert found == {
        "jsonrpc": "2.0",
        "id": value,
        "error": {
            "code": DENIED,
            "message": "you lack a role",
            "data": {"error": "role_missing", "decision_id": "d-1"},
        },
    }
    assert type(found["id"]) is type(value)


@pytest.mark.parametrize("value", [None, True, False, 1.5, [], {}, [1], "a" * (MAX_ID + 1), 10**MAX_ID])
def test_an_id_that_is_none_is_answered_with_null(value: Any) -> None:
    """Nothing else of the request comes back (JSON-RPC 2.0, section 5)."""
    assert mcp_id(mcp({"jsonrpc": "2.0", "id": value, "method": "x"})) == CallId(None)


@pytest.mark.parametrize(
    ("decision", "status", "code"),
    [
        (DENIAL, 200, DENIED),
        (DENIAL._replace(status=429), 429, DENIED),
        (DENIAL._replace(status=401), 401, UNAUTHENTICATED),
        (by_gateway(403), 403, DENIED),
        (by_gateway(401), 401, UNAUTHENTICATED),
        (by_gateway(400), 400, -32600),
        (by_gateway(503, Outcome.ERROR), 503, UNAVAILABLE),
    ],
)
def test_only_a_policys_denial_of_an_mcp_call_has_another_status(decision: Decision, status: int, code: int) -> None:
    """Clients act upon 400, 401 and 503, and show nothing of a 403."""
    assert Denials().form(decision, mcp()).status == status
    assert formed(decision, mcp())["error"]["code"] == code
    assert Denials(mcp_status=403).form(decision, mcp()).status == decision.status
    assert Denials().form(decision, PLAIN).status == decision.status


@pytest.mark.parametrize(
    "headers",
    [{"accept": ACCEPT}, {"accept": "Text/Event-Stream;q=1,APPLICATION/JSON"}, {"mcp-session-id": "x"},
    {"mcp-protocol-version": "x"},
     {"accept": "*/*", "mcp-method": ""}],
)  # fmt: skip
def test_an_mcp_call_is_told_by_its_headers(headers: dict[str, str]) -> None:
    """Those that the protocol has its clients send."""
    assert mcp_id(mcp(headers=headers)) == CallId(7)


@pytest.mark.parametrize(
    "request_",
    [
        mcp(headers={}), mcp(headers={"accept": "application/json"}), mcp(headers={"accept": "text/event-stream"}),
        mcp(headers={"x-mcp-a": "b"}),
        mcp(method="GET"), mcp(method="PUT"), mcp(method="post"), mcp(b""), mcp(b"{"), mcp(b"[]"), mcp(b"null"),
        mcp(b"\xff"), mcp({}),
        mcp([{"jsonrpc": "2.0", "id": 7, "method": "x"}]), mcp({"jsonrpc": "2.0", "method": "x"}),
        mcp({"jsonrpc": "2.0", "id": 7}),
        mcp({"jsonrpc": "1.0", "id": 7, "method": "x"}), mcp({"jsonrpc": 2.0, "id": 7, "method": "x"}),
        mcp({"id": 7, "method": "x"}),
        mcp({"jsonrpc": "2.0", "id": 7, "method": 1}), mcp({"jsonrpc": "2.0", "id": 7, "method": None}),
        mcp(b'{"jsonrpc": "2.0", "id": 7, "id": 8, "method": "x"}'),
        mcp(b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "x"}'),
        mcp(b'{"jsonrpc": "2.0", "id": NaN, "method": "x"}'),
        mcp(b'{"jsonrpc": "2.0", "id": ' + b"1" * 5_000 + b', "method": "x"}'),
        mcp(b'{"jsonrpc": "2.0", "id": 7, "method": "x", "params": ' + b"[" * 40 + b"]" * 40 + b"}"),
    ],
)  # fmt: skip
def test_what_is_no_mcp_call_is_answered_as_usual(request_: HttpRequest) -> None:
    """Notifications, to which no answer is expected, among them."""
    assert mcp_id(request_) is None
    assert set(formed(DENIAL, request_)) == {"error", "message", "decision_id"}


def test_so_large_may_a_call_be_and_no_larger() -> None:
    """Beyond that its id is not looked for."""
    start, end = b'{"jsonrpc":"2.0","id":7,"method":"x","params":"', b'"}'
    rest = MAX_BODY - len(start) - len(end)
    assert mcp_id(mcp(start + b"a" * rest + end)) == CallId(7)
    assert mcp_id(mcp(start + b"a" * (rest + 1) + end)) is None


@given(st.text(), st.text(), st.sampled_from([PLAIN, GRPC, mcp()]))
def test_any_text_and_code_make_a_body_that_can_be_read(text: str, code: str, request_: HttpRequest) -> None:
    """With just what it is about."""
    body = Denials().form(DENIAL._replace(reason=text, code=code), request_).body
    assert body is not None
    if request_ is GRPC:
        assert "\n" not in body
        return
    found = json.loads(body)
    assert text in {
        found.get("message"),
        found.get("error", {}) if isinstance(found["error"], str) else found["error"]["message"],
    }


@given(st.binary(max_size=80))
def test_nothing_that_comes_as_a_body_raises_anything(body: bytes) -> None:
    """Anyone may send it."""
    assert mcp_id(mcp(body)) is None
