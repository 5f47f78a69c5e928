"""Request + identity + findings → the Rego input."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.request import Scan
from authz_service.errors import RequestRefused
from authz_service.model import Binding, Certificate, Finding, HttpRequest, Identity, Location, Peer
from authz_service.policy.bodies.reading import BodyTerms
from authz_service.policy.document import build_input
from authz_service.policy.target import parse_target

NOTHING = Scan([], "/", "/", carries_local_file=False)


def document(request: HttpRequest, identity: Identity | None = None, scan: Scan = NOTHING) -> dict[str, Any]:
    """The input; it must be JSON."""
    built = build_input(request, parse_target(request.path), identity, scan)
    decoded: dict[str, Any] = json.loads(json.dumps(built))
    return decoded


def caller(**claims: Any) -> Identity:
    """Alice, with these claims."""
    return Identity("alice", "desktop-7", ("engineer",), "https://idp.example", claims, 0.0)


def test_the_input_has_the_names_that_policies_for_opas_envoy_plugin_read() -> None:
    """And beside them ours."""
    request = HttpRequest(
        method="POST",
        path="/Reports//2024?a=1&a=2&b=&c",
        host="api.example",
        scheme="https",
        protocol="HTTP/2",
        id="7",
        headers={"x-a": "1"},
        body=b'{"a": 1}',
        size=8,
        seconds=1_763_870_417,
        nanos=250_000_000,
        source=Peer("10.0.0.7", 5000, "spiffe://a", "pem", "svc", {"k": "v"}),
        destination=Peer("10.0.0.1", 443),
        sni="api.example",
        context_extensions={"route": "r"},
        metadata={"filter": {"k": 1}},
        route_metadata={"route": {"k": 2}},
    )
    assert document(request, caller(email="alice@example.com")) == {
        "version": {"ext_authz": "v3", "encoding": "protojson"},
        "attributes": {
            "source": {
                "principal": "spiffe://a",
                "certificate": "pem",
                "service": "svc",
                "labels": {"k": "v"},
                "address": {"socketAddress": {"address": "10.0.0.7", "portValue": 5000}},
            },
            "destination": {"address": {"socketAddress": {"address": "10.0.0.1", "portValue": 443}}},
            "request": {
                "http": {
                    "id": "7",
                    "method": "POST",
                    "headers": {"x-a": "1"},
                    "path": "/Reports//2024?a=1&a=2&b=&c",
                    "host": "api.example",
                    "scheme": "https",
                    "protocol": "HTTP/2",
                    "size": 8,
                    "body": '{"a": 1}',
                },
                "time": {"seconds": 1_763_870_417, "nanos": 250_000_000},
            },
            "contextExtensions": {"route": "r"},
            "metadataContext": {"filterMetadata": {"filter": {"k": 1}}},
            "routeMetadataContext": {"filterMetadata": {"route": {"k": 2}}},
            "tlsSession": {"sni": "api.example"},
        },
        "parsed_path": ["Reports", "2024"],
        "parsed_query": {"a": ["1", "2"], "b": [""], "c": [""]},
        "parsed_body": None,
        "truncated_body": False,
        "source_principal": "spiffe://a",
        "method": "POST",
        "path": "/Reports/2024",
        "body_contains_file": False,
        "dlp": {"findings": []},
        "user": {"id": "alice", "email": "alice@example.com", "roles": ["engineer"]},
        "identity": {
            "user": "alice",
            "agent": "desktop-7",
            "tenant": None,
            "roles": ["engineer"],
            "claims": {"email": "alice@example.com"},
            "issuer": "https://idp.example",
            "binding": "none",
            "certificate": None,
        },
    }


def test_what_is_not_set_is_left_out() -> None:
    """As protojson leaves out defaults."""
    assert document(HttpRequest("GET", "/", size=0)) == {
        "version": {"ext_authz": "v3", "encoding": "protojson"},
        "attributes": {"request": {"http": {"method": "GET", "path": "/"}}},
        "parsed_path": [""],
        "parsed_query": {},
        "parsed_body": None,
        "truncated_body": False,
        "method": "GET",
        "path": "/",
        "body_contains_file": False,
        "dlp": {"findings": []},
    }


def test_nobody_has_neither_user_nor_identity() -> None:
    """A policy that reads `input.user.roles` then finds it undefined."""
    assert {"user", "identity"}.isdisjoint(document(HttpRequest("GET", "/")))


@pytest.mark.parametrize("email", [None, 7, ["a@b"], {"a": 1}, True])
def test_an_email_that_is_no_text_gives_way_to_the_users_name(email: object) -> None:
    """A message that names an undefined value would leave a deny rule undefined."""
    claims = {} if email is None else {"email": email}
    assert document(HttpRequest("GET", "/"), caller(**claims))["user"]["email"] == "alice"


def test_policies_judge_the_canonical_path_and_see_the_one_that_was_sent() -> None:
    """The first for decisions, the second for whoever wants to compare."""
    seen = document(HttpRequest("GET", "/a/.//hr%2fx?q=/z"))
    assert (seen["path"], seen["parsed_path"]) == ("/a/hr/x", ["a", "hr", "x"])
    assert seen["attributes"]["request"]["http"]["path"] == "/a/.//hr%2fx?q=/z"


def test_raw_bodies_are_base64_and_others_text() -> None:
    """As protojson writes bytes and strings."""
    raw = document(HttpRequest("POST", "/", body=b"\xff\x00", body_is_raw=True))["attributes"]["request"]["http"]
    assert base64.b64decode(raw["rawBody"]) == b"\xff\x00"
    assert "body" not in raw
    text = document(HttpRequest("POST", "/", body="ü\xff".encode("latin-1")))["attributes"]["request"]["http"]
    assert text["body"] == "\ufffd\ufffd"


def test_findings_tell_kind_and_place() -> None:
    """There is no field that could hold a value."""
    found = Finding("us_ssn", "us_ssn_grouped", Location.QUERY, "q", "mask", 0.5, 3, "0123456789abcdef", 2)
    scan = Scan([found], "/", "/", carries_local_file=True)
    seen = document(HttpRequest("GET", "/"), scan=scan)
    assert seen["dlp"]["findings"] == [
        {
            "entity": "us_ssn",
            "detector": "us_ssn_grouped",
            "location": "query",
            "name": "q",
            "offset": 3,
            "count": 2,
            "confidence": 0.5,
            "hash": "0123456789abcdef",
            "action": "mask",
        }
    ]
    assert seen["body_contains_file"] is True


def test_headers_that_came_one_by_one_are_told_so_and_joined() -> None:
    """As protojson writes a header map; policies that read `headers` need not know."""
    request = HttpRequest("GET", "/", headers={"x-a": "1,\ufffd"}, header_lines=[("x-a", b"1"), ("x-a", b"\xff")])
    http = document(request)["attributes"]["request"]["http"]
    assert http["headers"] == {"x-a": "1,\ufffd"}
    assert http["headerMap"] == {
        "headers": [{"key": "x-a", "rawValue": "MQ=="}, {"key": "x-a", "rawValue": "/w=="}]
    }  # fmt: skip


def test_a_peer_on_a_unix_socket_is_told_by_its_path() -> None:
    """As protojson writes a pipe."""
    seen = document(HttpRequest("GET", "/", destination=Peer("/run/x.sock", is_pipe=True)))
    assert seen["attributes"]["destination"] == {"address": {"pipe": {"path": "/run/x.sock"}}}


def test_who_calls_is_told_with_all_that_is_proven() -> None:
    """Tenant, binding and certificate beside the token's own words."""
    certificate = Certificate("hash", "CN=a", ("spiffe://a",), ("a.example",))
    identity = Identity(
        "alice", "a1", ("r",), "https://idp.example", {"sub": "alice"}, 1.0, tenant="t1", binding=Binding.MTLS,
        certificate=certificate,
    )  # fmt: skip
    assert document(HttpRequest("GET", "/"), identity)["identity"] == {
        "user": "alice",
        "agent": "a1",
        "tenant": "t1",
        "roles": ["r"],
        "claims": {"sub": "alice"},
        "issuer": "https://idp.example",
        "binding": "mtls",
        "certificate": {
            "sha256": "hash",
            "subject": "CN=a",
            "uris": ["spiffe://a"],
            "dns_names": ["a.example"],
        },
    }


CALL = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete", "arguments": {"n": 1.50}}}'


def posted(body: bytes, **headers: str) -> HttpRequest:
    """A POST of JSON."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest("POST", "/mcp", headers={"content-type": "application/json", **given}, body=body)


def test_a_body_is_parsed_and_an_mcp_message_told_by_what_it_asks_for() -> None:
    """Both from one reading."""
    seen = document(posted(CALL))
    assert seen["parsed_body"] == json.loads(CALL)
    assert seen["truncated_body"] is False
    assert seen["mcp"] == {
        "kind": "request",
        "method": "tools/call",
        "id": 1,
        "tool": "delete",
        "arguments": {"n": 1.5},
    }


def test_a_body_that_is_no_message_has_no_mcp() -> None:
    """A policy that reads `input.mcp.tool` then finds it undefined."""
    assert "mcp" not in document(posted(b'{"method": "tools/call"}'))


@pytest.mark.parametrize("name", ["parsed_body", "mcp"])
def test_a_body_that_cannot_be_read_is_refused_only_where_it_is_wanted(name: str) -> None:
    """What nobody looks at may be anything."""
    request = posted(b"{")
    target = parse_target(request.path)
    with pytest.raises(RequestRefused):
        build_input(request, target, None, NOTHING, frozenset({name}))
    built = build_input(request, target, None, NOTHING, frozenset({"truncated_body"}))
    assert built["truncated_body"] is False
    assert "parsed_body" not in built


def test_mcp_headers_are_held_against_the_body_whatever_is_wanted() -> None:
    """Without telling a policy that did not ask."""
    target = parse_target("/mcp")
    with pytest.raises(RequestRefused):
        build_input(posted(CALL, mcp_method="tools/list"), target, None, NOTHING, frozenset())
    assert "mcp" not in build_input(posted(CALL, mcp_method="tools/call"), target, None, NOTHING, frozenset())


def test_where_bodies_are_skipped_nothing_is_read_of_them() -> None:
    """Nor held against headers."""
    terms = BodyTerms(skip=True)
    built = build_input(posted(b"{", mcp_method="x"), parse_target("/mcp"), None, NOTHING, terms=terms)
    assert {"parsed_body", "truncated_body", "mcp"}.isdisjoint(built)


@pytest.mark.parametrize("query", ["a=%zz", "a=1;b=2", "%"])
def test_a_query_that_servers_read_in_more_than_one_way_is_refused_where_it_is_wanted(query: str) -> None:
    """Some end a parameter at a semicolon."""
    request = HttpRequest("GET", f"/x?{query}")
    with pytest.raises(RequestRefused) as caught:
        document(request)
    assert (caught.value.status, caught.value.code) == (400, "query_malformed")
    assert build_input(request, parse_target(request.path), None, NOTHING, frozenset())["path"] == "/x"


@given(st.text(), st.binary(), st.booleans(), st.dictionaries(st.text(), st.text()))
def test_any_request_makes_a_json_document(
    query: str,
    body: bytes,
    raw: bool,  # noqa: FBT001  (drawn)
    headers: dict[str, str],
) -> None:
    """Or a refusal, whatever a client sends."""
    request = HttpRequest("GET", f"/x?{query}", body=body, body_is_raw=raw, headers=headers)
    try:
        seen = document(request)
    except RequestRefused:
        return
    assert seen["path"] == "/x"


def test_what_no_policy_reads_is_not_built() -> None:
    """What is built is as it is in the whole document."""
    request = HttpRequest("POST", "/a?b=c", headers={"content-type": "application/json"}, body=CALL)
    target = parse_target(request.path)
    whole = build_input(request, target, caller(), NOTHING)
    for name in whole:
        assert build_input(request, target, caller(), NOTHING, frozenset({name}))[name] == whole[name]
    assert set(build_input(request, target, caller(), NOTHING, frozenset())) < set(whole)
