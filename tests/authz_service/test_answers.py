"""Verdicts, refusals and failures → decisions."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.answers import answer_failure, answer_refusal, answer_verdict
from authz_service.dlp.headers import HeaderChanges
from authz_service.dlp.request import NOTHING_DONE, Applied, Scan
from authz_service.errors import CredentialRefused, McpRefused, RequestRefused
from authz_service.model import DecidedBy, Decision, Identity, Outcome
from authz_service.policy.target import Target
from authz_service.policy.verdict import read_verdict

ALICE = Identity("alice", "a1", ("engineer",), "https://idp.example", {}, 1.0)
NOTHING = Scan((), "/x", "/x", carries_local_file=False)


def allow(
    query: str = "", identity: Identity | None = ALICE, applied: Applied = NOTHING_DONE, **verdict: Any
) -> Decision:
    """What an allowing verdict comes to."""
    target = Target("/x", query, "/x")
    return answer_verdict(read_verdict({"allowed": True, **verdict}), "d-1", target, identity, NOTHING, applied=applied)


def test_the_callers_token_is_taken_off() -> None:
    assert list(allow().mutations.remove_headers) == ["authorization"]
    assert list(allow(identity=None).mutations.remove_headers) == []


def test_a_credential_that_the_policy_gives_the_upstream_stays() -> None:
    mutations = allow(headers={"Authorization": "Bearer for-the-upstream"}).mutations
    assert list(mutations.set_headers) == [("authorization", "Bearer for-the-upstream")]
    assert "authorization" not in mutations.remove_headers


def test_the_policys_header_takes_the_place_of_a_redacted_one_of_the_client() -> None:
    applied = Applied(headers=HeaderChanges([("x-user", "[REDACTED:us_ssn]")]))
    headers = allow(applied=applied, headers={"X-User": ["alice", "bob"]}).mutations.set_headers
    assert list(headers) == [("x-user", "alice"), ("x-user", "bob")]  # the first overwrites, the second is added


@pytest.mark.parametrize("query", ["debug=1", "%64ebug=1", "a=1&%64%65bug=2&debug", "d%65bug"])
def test_a_parameter_is_removed_however_the_client_writes_it(query: str) -> None:
    removed = set(allow(query, query_parameters_to_remove=["debug"]).mutations.remove_query)
    written = {piece.partition("=")[0] for piece in query.split("&")}
    assert written - removed == written - {name for name in written if unquote(name) == "debug"}


def test_another_spelling_of_a_parameter_cannot_stand_beside_the_one_that_is_set() -> None:
    mutations = allow("%6cimit=9&limit=8&page=1", query_parameters_to_set={"limit": "1"}).mutations
    assert list(mutations.set_query) == [("limit", "1")]
    assert list(mutations.remove_query) == ["%6cimit"]


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_query_parameters_are_encoded_so_that_each_value_stays_one(parameters: dict[str, Any]) -> None:
    pairs = allow(query_parameters_to_set=parameters).mutations.set_query
    assert len(dict(pairs)) == len(pairs)
    # As Envoy writes them: name and value as they stand.
    written = "&".join(f"{name}={value}" for name, value in pairs)
    assert not set(written) & set("#+? \r\n")
    found = [piece.split("=") for piece in written.split("&")] if pairs else []
    flat = [
        [key, text] for key, value in parameters.items() for text in (value if isinstance(value, list) else [value])
    ]
    assert [[unquote(part) for part in piece] for piece in found] == flat


def test_who_calls_is_told_as_metadata_whatever_the_policy_says() -> None:
    decision = allow(dynamic_metadata={"user": "root", "roles": ["admin"], "tier": "gold"})
    assert decision.metadata == {
        "endpoint": "/x", "user": "alice", "agent": "a1", "roles": ["engineer"], "tier": "gold", "decision_id": "d-1",
        "issuer": "https://idp.example",
        "token_id": "",
    }  # fmt: skip


def test_a_denial_without_a_body_of_its_own_leaves_it_to_the_clients_form() -> None:
    verdict = read_verdict({"allowed": False, "code": "c", "reason": "r", "headers": {"x-a": "1"}})
    decision = answer_verdict(verdict, "d-1", Target("/x", "", "/x"), ALICE, NOTHING)
    assert (decision.code, decision.reason, decision.body) == ("c", "r", None)
    assert list(decision.headers) == [("x-a", "1")]
    assert decision.by is DecidedBy.POLICY


def test_what_a_body_of_ours_is_the_policy_cannot_say() -> None:
    headers = {"Content-Type": "text/html", "x-a": "1"}
    for body, expected in ((None, [("x-a", "1")]), ("<p>", [("content-type", "text/html"), ("x-a", "1")])):
        verdict = read_verdict({"allowed": False, "headers": headers, "body": body})
        decision = answer_verdict(verdict, "d-1", Target("/x", "", "/x"), ALICE, NOTHING)
        assert list(decision.headers) == expected
        assert decision.body == body


def test_a_refused_mcp_message_is_answered_in_its_own_form() -> None:
    refusal = McpRefused("mcp_header_mismatch", "headers and body do not agree", -32020, "r-1")
    decision = answer_refusal(refusal, "d-1")
    assert decision.status == 400
    assert json.loads(decision.body or "") == {
        "jsonrpc": "2.0",
        "id": "r-1",
        "error": {"code": -32020, "message": "headers and body do not agree", "data": {"decision_id": "d-1"}},
    }


def test_a_refused_credential_is_answered_with_a_challenge_and_a_bad_request_without() -> None:
    challenge = [("www-authenticate", "Bearer")]
    credential = answer_refusal(CredentialRefused("token_expired", "the token has expired"), "d-1", challenge)
    assert list(credential.headers) == challenge
    request = answer_refusal(RequestRefused("path_malformed", "the path is malformed"), "d-1")
    assert (credential.status, request.status) == (401, 400)
    assert "www-authenticate" not in dict(request.headers)
    assert {credential.by, request.by} == {DecidedBy.GATEWAY}


def test_a_failure_says_nothing_of_why() -> None:
    decision = answer_failure("policy_failed", "d-1")
    assert (decision.outcome, decision.status) == (Outcome.ERROR, 503)
    assert (decision.reason, decision.body) == ("the gateway cannot decide now", None)


@pytest.mark.parametrize("query", ["access_token=x", "a=1&access%5Ftoken=x"])
def test_a_token_in_the_query_goes_nowhere(query: str) -> None:
    removed = list(allow(query).mutations.remove_query)
    assert [unquote(name) for name in removed] == ["access_token"]


def test_a_query_without_one_is_not_touched() -> None:
    assert list(allow("a=1&b=2").mutations.remove_query) == []


def test_what_the_policy_says_of_findings_goes_on_as_metadata() -> None:
    """By direction, for whoever treats the bodies; nothing else may stand under that name."""
    decision = allow(dlp={"us_ssn": "allow"}, dynamic_metadata={"dlp": "mine", "other": "too"})
    assert decision.metadata["dlp"] == {"request": {"us_ssn": "allow"}, "response": {"us_ssn": "allow"}}
    assert decision.metadata["other"] == "too"
    assert "dlp" not in allow(dynamic_metadata={"dlp": {"request": {"*": "allow"}}}).metadata


def test_who_issued_the_token_goes_on_as_metadata() -> None:
    """A name is one only together with who gave it."""
    assert allow(dynamic_metadata={"issuer": "https://mine.example"}).metadata["issuer"] == "https://idp.example"
    assert not allow(identity=None).metadata["issuer"]
