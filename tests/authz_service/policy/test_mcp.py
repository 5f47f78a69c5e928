"""Messages of the Model Context Protocol."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import McpRefused, RequestRefused
from authz_service.model import HttpRequest
from authz_service.policy.bodies.reading import Body, BodyTerms
from authz_service.policy.mcp import HEADER_MISMATCH, INVALID_REQUEST, MAX_NAME, read_mcp, says_mcp

NEW, OLD = {"mcp-protocol-version": "2026-07-28"}, {"mcp-protocol-version": "2025-06-18"}


def read(content: Any, headers: dict[str, str] | None = None, *, http: str = "POST") -> dict[str, Any] | None:
    """What a request with this body (JSON, or octets) asks for."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"content-type": "application/json", **(headers or {})}
    request = HttpRequest(http, "/mcp", headers=given, body=body)
    return read_mcp(request, Body(request, "/mcp", BodyTerms()))


def call(method: str = "tools/call", **params: Any) -> dict[str, Any]:
    """A request of the protocol."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def stating(content: dict[str, Any], version: dict[str, str]) -> dict[str, Any]:
    """The message with its revision, where that has it in the body."""
    written = version.get("mcp-protocol-version", "")
    if written != "2025-06-18" and written:
        content["params"]["_meta"] = {"io.modelcontextprotocol/protocolVersion": written}
    return content


def refusal(content: Any, headers: dict[str, str] | None = None, *, http: str = "POST") -> McpRefused:
    with pytest.raises(McpRefused) as caught:
        read(content, headers, http=http)
    assert caught.value.status == 400
    return caught.value


# What a message asks for


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            call(name="search", arguments={"q": "x"}),
            {"kind": "request", "method": "tools/call", "id": 1, "tool": "search", "arguments": {"q": "x"}},
        ),
        (call(name="now"), {"kind": "request", "method": "tools/call", "id": 1, "tool": "now", "arguments": {}}),
        (
            call("prompts/get", name="review", arguments={"a": "b"}),
            {"kind": "request", "method": "prompts/get", "id": 1, "prompt": "review", "arguments": {"a": "b"}},
        ),
        (
            call("resources/read", uri="file:///a"),
            {"kind": "request", "method": "resources/read", "id": 1, "resource": "file:///a"},
        ),
        (
            call("resources/subscribe", uri="file:///a"),
            {"kind": "request", "method": "resources/subscribe", "id": 1, "resource": "file:///a"},
        ),
        (call("tools/list", name="x"), {"kind": "request", "method": "tools/list", "id": 1}),
        ({"jsonrpc": "2.0", "id": "r", "method": "ping"}, {"kind": "request", "method": "ping", "id": "r"}),
        (
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
            {"kind": "notification", "method": "notifications/cancelled"},
        ),
        ({"jsonrpc": "2.0", "id": 3, "result": {}}, {"kind": "response", "id": 3}),
        ({"jsonrpc": "2.0", "id": 3, "error": {"code": 1, "message": "m"}}, {"kind": "response", "id": 3}),
    ],
)
def test_a_message_is_told_by_what_it_asks_for(content: Any, expected: dict[str, Any]) -> None:
    assert read(content) == expected


@pytest.mark.parametrize(
    "content", [{}, {"method": "tools/call"}, [], [1], ["jsonrpc"], 1, None, "jsonrpc", [{"a": 1}], b""]
)
def test_a_body_that_does_not_say_it_is_json_rpc_is_none(content: Any) -> None:
    assert read(content) is None


def test_what_is_not_typed_as_json_is_none() -> None:
    assert read(call(name="x"), {"content-type": "text/plain"}) is None


@pytest.mark.parametrize(
    "content",
    [
        {**call(name="a"), "jsonrpc": "1.0"},
        {**call(name="a"), "jsonrpc": 2.0},
        {**call(name="a"), "id": None},
        {**call(name="a"), "id": True},
        {**call(name="a"), "id": 1.5},
        {**call(name="a"), "id": {}},
        {**call(name="a"), "id": "x" * (MAX_NAME + 1)},
        {**call(name="a"), "params": ["a"]},
        {**call(name="a"), "params": None},
        {**call(name="a"), "method": 7},
        {**call(name="a"), "method": ""},
        {**call(name="a"), "method": "x" * (MAX_NAME + 1)},
        {**call(name="a"), "result": {}},
        call(),
        call(name=""),
        call(name=7),
        call(name=["a"]),
        call(name="a", arguments=[]),
        call(name="a", arguments=None),
        call("resources/read", name="a"),
        {"jsonrpc": "2.0"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}},
        # what some readers take for a member that they know
        {**call(name="a"), "Method": "tools/list"},
        {**call(name="a"), "param\u017f": {"name": "b"}},
        call(name="a", Name="b"),
        call(name="a", ARGUMENTS={}),
        {"JsonRpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a"}},
    ],
)  # fmt: skip
def test_a_malformed_message_is_refused(content: Any) -> None:
    found = refusal(content)
    assert (found.code, found.rpc_code) == ("mcp_malformed", INVALID_REQUEST)


def test_a_refusal_bears_the_identifier_where_it_is_one() -> None:
    assert refusal(call(name="")).rpc_id == 1
    assert refusal({**call(name=""), "id": "r-1"}).rpc_id == "r-1"
    assert refusal({**call(name=""), "id": {"a": 1}}).rpc_id is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
        b'{"jsonrpc":',
    ],
)
def test_doubled_members_and_broken_json_are_refused(body: bytes) -> None:
    with pytest.raises(RequestRefused) as caught:
        read(body)
    assert caught.value.code == "body_malformed"


@pytest.mark.parametrize(
    "content", [[call(name="a")], [call(name="a"), call(name="b")], [1, {"jsonrpc": "2.0"}], [{"JSONRPC": 1}]]
)
def test_batches_are_refused(content: Any) -> None:
    assert refusal(content).code == "mcp_batch"


# Headers


@given(st.dictionaries(st.sampled_from(["mcp-", "mcp", "x-mcp-a", "mcp-name", "a", ""]) | st.text("mcp-"), st.text()))
def test_a_header_of_the_protocol_is_told_by_the_beginning_of_its_name(headers: dict[str, str]) -> None:
    assert says_mcp(headers) is any(name.startswith("mcp-") for name in headers)


@pytest.mark.parametrize("version", [NEW, OLD, {}, {"mcp-protocol-version": "2027-01-01"}])
def test_headers_that_agree_pass_in_any_revision(version: dict[str, str]) -> None:
    assert read(stating(call(name="a"), version), {**version, "mcp-method": "tools/call", "mcp-name": "a"})
    assert read(stating(call("tools/list"), version), {**version, "mcp-method": "tools/list"})
    assert read(
        stating(call("resources/read", uri="x:y"), version),
        {**version, "mcp-method": "resources/read", "mcp-name": "x:y"},
    )


@pytest.mark.parametrize("version", [NEW, OLD, {}])
@pytest.mark.parametrize(
    "headers",
    [
        {"mcp-method": "tools/list", "mcp-name": "a"},
        {"mcp-method": "tools/call", "mcp-name": "b"},
        {"mcp-method": "tools/call", "mcp-name": "A"},
        {"mcp-method": "tools/call", "mcp-name": ""},
        {"mcp-method": "", "mcp-name": "a"},
        {"mcp-method": "tools/call,tools/call", "mcp-name": "a"},
        {"mcp-method": "tools/call", "mcp-name": "a,a"},
        {"mcp-method": "tools/call", "mcp-name": "=?base64?Yg==?="},
        {"mcp-method": "tools/call", "mcp-name": "=?base64?Y?="},
        {"mcp-method": "tools/call", "mcp-name": "=?base64?/w==?="},
        {"mcp-method": "TOOLS/CALL", "mcp-name": "a"},
    ],
)
def test_a_header_that_says_another_thing_is_refused_in_any_revision(
    version: dict[str, str], headers: dict[str, str]
) -> None:
    found = refusal(call(name="a"), {**version, **headers})
    assert (found.code, found.rpc_code, found.rpc_id) == ("mcp_header_mismatch", HEADER_MISMATCH, 1)


@pytest.mark.parametrize("headers", [{}, {"mcp-name": "a"}, {"mcp-method": "tools/call"}])
def test_headers_must_be_there_from_the_revision_that_has_them(headers: dict[str, str]) -> None:
    assert read(call(name="a"), {**OLD, **headers})
    for version in ("2026-07-28", "2027-01-01", "draft", "2025-06-18,2026-07-28"):
        found = refusal(call(name="a"), {"mcp-protocol-version": version, **headers})
        assert found.rpc_code == HEADER_MISMATCH


@pytest.mark.parametrize("version", [NEW, OLD, {}])
def test_headers_for_what_the_body_does_not_have_are_refused(version: dict[str, str]) -> None:
    response = {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert refusal(response, {**version, "mcp-method": "tools/call"}).rpc_code == HEADER_MISMATCH
    assert refusal(response, {**version, "mcp-name": "a"}).rpc_code == HEADER_MISMATCH
    listed = stating(call("tools/list"), version)
    assert refusal(listed, {**version, "mcp-method": "tools/list", "mcp-name": "a"}).rpc_code == HEADER_MISMATCH
    task = stating(call("tasks/get", taskId="t"), version)
    assert read(task, {**version, "mcp-method": "tasks/get", "mcp-name": "t"})
    assert refusal(task, {**version, "mcp-method": "tasks/get", "mcp-name": "u"}).rpc_code == HEADER_MISMATCH


@pytest.mark.parametrize("meta", [{}, {"_meta": [1]}, {"_meta": {}}, {"_meta": None}])
def test_the_version_must_be_in_the_body_of_a_request_whose_headers_repeat_it(meta: dict[str, Any]) -> None:
    found = refusal(call(name="a", **meta), {**NEW, "mcp-method": "tools/call", "mcp-name": "a"})
    assert found.rpc_code == HEADER_MISMATCH


def test_the_version_in_the_body_is_the_one_in_the_header() -> None:
    content = call(name="a", _meta={"io.modelcontextprotocol/protocolVersion": "2026-07-28"})
    mirrored = {"mcp-method": "tools/call", "mcp-name": "a"}
    assert read(content, {**NEW, **mirrored})
    for version in (OLD, {}):
        assert refusal(content, {**version, **mirrored}).rpc_code == HEADER_MISMATCH


def test_an_encoded_header_is_compared_decoded() -> None:
    name = "größe\n"
    encoded = f"=?base64?{base64.b64encode(name.encode()).decode()}?="
    assert read(stating(call(name=name), NEW), {**NEW, "mcp-method": "tools/call", "mcp-name": encoded})


def test_notifications_and_responses_need_no_name() -> None:
    notification = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    assert read(notification, {**NEW, "mcp-method": "notifications/cancelled"})
    assert refusal(notification, NEW).rpc_code == HEADER_MISMATCH
    assert read({"jsonrpc": "2.0", "id": 1, "result": {}}, OLD)


@pytest.mark.parametrize("number", ["1e99", "1e-4000", "1e4000"])
def test_a_body_that_takes_long_to_read_is_refused_where_only_a_header_asks_for_it(number: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        read(f"[{','.join([number] * 99_000)}]".encode(), {"mcp-method": "x"})
    assert caught.value.code == "body_malformed"


@pytest.mark.parametrize(
    "name", ["mcp-method", "mcp-name", "mcp-param-region", "mcp-session-id", "mcp-protocol-version"]
)
@pytest.mark.parametrize(
    ("content", "headers"),
    [
        ({}, {}),
        ([], {}),
        (b"", {}),
        (call(name="a"), {"content-type": "text/plain"}),
        (call(name="a"), {"content-length": "1000"}),
        (call(name="a"), {"x-envoy-auth-partial-body": "true"}),
    ],
)
def test_headers_of_the_protocol_need_a_message_that_can_be_judged(
    name: str, content: Any, headers: dict[str, str]
) -> None:
    assert refusal(content, {name: "x", **headers}).rpc_code == INVALID_REQUEST


@pytest.mark.parametrize("http", ["GET", "DELETE", "OPTIONS"])
def test_the_streams_and_ends_of_older_sessions_have_no_message(http: str) -> None:
    headers = {**OLD, "mcp-session-id": "s"}
    assert read(b"", headers, http=http) is None
    assert refusal({}, headers, http=http).code == "mcp_malformed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)
MEMBERS = {"jsonrpc": st.just("2.0") | JSON, "id": JSON, "method": st.sampled_from(["tools/call", "ping"]) | JSON}
PARAMS = st.fixed_dictionaries({}, optional={"name": JSON, "arguments": JSON, "_meta": JSON})


@given(
    JSON | st.fixed_dictionaries({}, optional={**MEMBERS, "params": PARAMS | JSON, "result": JSON}),
    st.fixed_dictionaries({}, optional={"mcp-method": st.text(max_size=9), "mcp-name": st.text(max_size=3)}),
)
def test_any_body_is_a_message_none_or_refused(content: Any, headers: dict[str, str]) -> None:
    try:
        found = read(content, headers)
    except RequestRefused:
        return
    if found is None:
        assert not headers
    elif "mcp-method" in headers and found["kind"] != "response":
        assert headers["mcp-method"].strip(" \t") == found["method"]
