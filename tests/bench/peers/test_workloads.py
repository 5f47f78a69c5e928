"""The messages that both sides are sent."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
import pytest
import yaml

from authz_service.dlp.detectors.local_files import carries_local_file
from bench.peers import rules, workloads
from bench.peers.tokens import AUDIENCE, ISSUER, TokenIssuer
from bench.peers.workloads import Workload
from service_kit.wire import ext_authz_pb2, rate_limit_pb2

MAX_MESSAGE = 16_384 - 5  # what the load generator puts into one frame


@pytest.fixture(scope="module")
def issuer() -> TokenIssuer:
    return TokenIssuer()


def _rate_limit(data: bytes) -> rate_limit_pb2.RateLimitRequest:
    return rate_limit_pb2.RateLimitRequest.FromString(data)


def test_each_descriptor_has_a_limit_in_the_file_that_both_read() -> None:
    """Otherwise nothing would be counted."""
    limits = yaml.safe_load(workloads.limits())
    known = {each["key"] for each in limits["descriptors"]}
    request = _rate_limit(workloads.rate_limit_message(10, "1"))
    assert request.domain == limits["domain"]
    assert {descriptor.entries[0].key for descriptor in request.descriptors} == known


def test_rate_limits_ask_one_bucket_for_each_descriptor_or_a_hundred_thousand() -> None:
    """In all, whatever the number of descriptors."""
    for workload in workloads.rate_limits():
        first = _rate_limit(workload.messages[0])
        buckets = {
            (entry.key, entry.value)
            for data in (workload.messages[0], workload.messages[-1])
            for descriptor in _rate_limit(data).descriptors
            for entry in descriptor.entries
        }
        count = len(first.descriptors)
        assert len(buckets) == count * (1 if workload.counted else 2)
        expected = 1 if workload.counted else workloads.SPREAD_KEYS // count
        assert len(set(workload.messages)) == len(workload.messages) == expected


def test_messages_are_written_with_grpcs_prefix(tmp_path: Path) -> None:
    """Not compressed, then the length in four bytes."""
    workload = Workload("key", "title", "/s/m", [b"ab", b""], lambda data: data)
    assert workload.write(tmp_path).read_bytes() == b"\0\0\0\0\2ab" + b"\0\0\0\0\0"


def test_new_tokens_are_all_different_and_good(issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the issuer's key set."""
    monkeypatch.setattr(workloads, "NEW_TOKENS", 3)
    new = workloads.founding_checks(issuer)[2]
    found = [ext_authz_pb2.CheckRequest.FromString(data).attributes.request.http for data in new.messages]
    tokens = {http.headers["authorization"].removeprefix("Bearer ") for http in found}
    assert len(tokens) == 3
    key = jwt.PyJWKSet.from_json(issuer.key_set()).keys[0]
    for token in tokens:
        assert jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE)["sub"] == "alice"


def test_the_one_without_a_token_has_none(issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must be refused for that alone."""
    monkeypatch.setattr(workloads, "NEW_TOKENS", 1)
    nobody = workloads.founding_checks(issuer)[0]
    assert (
        "authorization" not in ext_authz_pb2.CheckRequest.FromString(nobody.messages[0]).attributes.request.http.headers
    )


def test_the_body_is_ten_kilobytes_of_json_that_no_rule_denies(issuer: TokenIssuer) -> None:
    """Else one side would answer before the policy."""
    message = workloads.rule_checks(issuer)[1].messages[0]
    http = ext_authz_pb2.CheckRequest.FromString(message).attributes.request.http
    assert 10_000 < len(http.body) < 11_000
    assert json.loads(http.body)
    assert not carries_local_file(http.body.encode(), http.headers["content-type"])
    assert len(message) <= MAX_MESSAGE


def test_both_sides_have_the_same_two_hundred_rules() -> None:
    """Only where the claims come from differs."""
    ours, theirs = rules.policy(rules.OURS), rules.policy(rules.THEIRS)
    assert ours.count("allow if {") == theirs.count("allow if {") == rules.RULES
    assert ours.replace(rules.OURS, "") == theirs.replace(rules.THEIRS, "")
