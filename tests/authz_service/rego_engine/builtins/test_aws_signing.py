"""AWS signatures."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import aws_signing
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

SIGN = "providers.aws.sign_req"
ACCOUNT = {
    "aws_access_key": "AKIAEXAMPLE",
    "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "aws_service": "service",
    "aws_region": "eu-west-1",
}
REQUEST = {"method": "get", "url": "https://host.example:8443/a b?q=1"}
TIME = 1_700_000_000_000_000_000


def headers(request: dict[str, Any] | None = None, **account: Any) -> dict[str, str]:
    """Return the headers of a signed request."""
    found: dict[str, str] = call(SIGN, REQUEST | (request or {}), ACCOUNT | account, TIME)["headers"]
    return found


def signed_headers(found: dict[str, str]) -> list[str]:
    """Return the names that the signature is over."""
    return found["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")


def test_a_request_is_signed_in_its_headers() -> None:
    """The signature is what OPA makes."""
    assert headers() == {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20231114/eu-west-1/service/aws4_request,"
        "SignedHeaders=host;x-amz-date,"
        "Signature=49e096a2538fa94946fcfdfdfcadd9db9f2c31ff33e91f5b385cc172c5b750e8",
        "host": "host.example:8443",
        "x-amz-date": "20231114T221320Z",
    }


def test_all_else_of_a_request_stays_as_it_was() -> None:
    request = REQUEST | {"body": {"a": {1, 2}}, "timeout": "1s"}
    found = call(SIGN, request, ACCOUNT, TIME)
    assert {name: value for name, value in found.items() if name != "headers"} == request
    assert "headers" not in request


@pytest.mark.parametrize("service", ["s3", "glacier"])
def test_the_payload_s_hash_is_a_header_where_the_service_wants_it(service: str) -> None:
    assert headers({"raw_body": "x"}, aws_service=service)["x-amz-content-sha256"] == hashlib.sha256(b"x").hexdigest()
    unsigned = headers({"raw_body": "x"}, aws_service=service, disable_payload_signing=True)
    assert unsigned["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"


def test_the_raw_body_is_signed_before_the_other() -> None:
    both = headers({"raw_body": '{"a":1}', "body": {"a": 2}})
    assert both["Authorization"] == headers({"body": {"a": 1}})["Authorization"]
    assert both["Authorization"] != headers({"body": {"a": 2}})["Authorization"]


def test_a_session_token_is_sent_and_signed() -> None:
    found = headers(aws_session_token="token")
    assert found["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in signed_headers(found)


def test_headers_that_proxies_change_are_sent_and_not_signed() -> None:
    given_headers = {"User-Agent": "a", "X-Amzn-Trace-Id": "b", "authorization": "c", "X-Mine": "d"}
    found = headers({"headers": given_headers})
    assert found.items() >= given_headers.items()
    assert signed_headers(found) == ["host", "x-amz-date", "x-mine"]


@pytest.mark.parametrize(
    ("request_", "account", "time", "expected"),
    [
        ({}, ACCOUNT, 1, 'operand 1 missing required request parameters(s): {"method", "url"}'),
        (REQUEST | {"x": 1}, ACCOUNT, 1, 'operand 1 invalid request parameters(s): {"x"}'),
        (REQUEST | {"url": 1}, ACCOUNT, 1, 'operand 1 invalid values for required request parameters(s): {"url"}'),
        (REQUEST | {"headers": 1}, ACCOUNT, 1, "operand 0 must be object but got number"),
        (REQUEST | {"url": "http://a:b/"}, ACCOUNT, 1, "invalid port"),
        (REQUEST, ACCOUNT, 1.5, "operand 3 could not convert time_ns value into a unix timestamp"),
        (REQUEST, ACCOUNT, -1, "operand 3 could not convert time_ns value into a unix timestamp"),
        (REQUEST, ACCOUNT, 2**63, "operand 3 could not convert time_ns value into a unix timestamp"),
        (REQUEST, {"aws_region": "", "aws_service": ""}, 1, "missing required AWS config"),
        (REQUEST, ACCOUNT | {"aws_region": 1}, 1, 'parameters(s): {"aws_region"}'),
        (REQUEST, ACCOUNT | {"disable_payload_signing": "x"}, 1, "invalid value for 'disable_payload_signing'"),
    ],
)  # fmt: skip
def test_what_cannot_be_signed_is_a_fault(request_: Any, account: Any, time: Any, expected: str) -> None:
    assert expected in fault(SIGN, request_, account, time).text


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_every_time_of_63_bits_can_be_signed(time: int) -> None:
    assert len(call(SIGN, REQUEST, ACCOUNT, time)["headers"]["x-amz-date"]) == 16


@pytest.mark.parametrize("name", declared(aws_signing))
@given(st.data())
def test_no_operands_whatever_break_it(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(VALUES)
def test_no_part_of_a_request_whatever_breaks_it(value: object) -> None:
    for name in ("url", "headers", "body", "raw_body", "method"):
        try:
            call(SIGN, REQUEST | {name: value}, ACCOUNT, TIME)
        except BuiltinFault:
            continue
