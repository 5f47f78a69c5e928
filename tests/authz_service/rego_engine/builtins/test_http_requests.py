"""The operand of http.send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from authz_service.rego_engine.builtins import http_requests
from authz_service.rego_engine.builtins.http_messages import Tls
from authz_service.rego_engine.builtins.http_requests import (
    MAX_BODY_OCTETS,
    MAX_HEADERS,
    MAX_RETRIES,
    fields,
    identity,
    kept_seconds,
    request,
    timeout,
)
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.values import make_object
from tests.authz_service.rego_engine.builtins.operands import VALUES

PLAIN: dict[str, Any] = {"method": "get", "url": "http://a.example/"}


def fault_of(read: Any, **more: Any) -> str:
    """Return the text of the fault."""
    with pytest.raises(BuiltinFault) as caught:
        read(PLAIN | more)
    return caught.value.text


def test_a_method_is_in_capitals() -> None:
    assert request(PLAIN).method == "GET"


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ({}, 'operand 1 missing required request parameters(s): {"method", "url"}'),
        ({"url": ""}, 'operand 1 missing required request parameters(s): {"method"}'),
        (PLAIN | {"b": 1, "a": 1}, 'operand 1 invalid request parameters(s): {"a", "b"}'),
        (make_object([("method", ""), ("url", ""), (True, 1)]), "invalid request parameters(s): {true}"),
        ([], "operand 1 must be object but got array"),
    ],
)  # fmt: skip
def test_fields_must_be_known_and_there(operand: Any, expected: str) -> None:
    with pytest.raises(OperandFault) as caught:
        fields(operand, 1)
    assert expected in caught.value.text


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"method": 1}, '"method" must be a string'),
        ({"method": "g t"}, 'invalid method "G T"'),
        ({"method": ""}, 'invalid method ""'),
        ({"tls_ca_cert": 1}, '"tls_ca_cert" must be a string'),
        ({"headers": 1}, "invalid type for headers key"),
        ({"headers": {"a": 1}}, 'invalid type for headers value of "a"'),
        ({"headers": {"a\n": "b"}}, "invalid header field name"),
        ({"headers": {"": "b"}}, "invalid header field name"),
        ({"headers": {"a": "b\r\nc: d"}}, 'invalid header field value for "a"'),
        ({"headers": {"a": "\0"}}, 'invalid header field value for "a"'),
        ({"headers": {f"a{number}": "" for number in range(MAX_HEADERS + 1)}}, f"more than {MAX_HEADERS} headers"),
        ({"headers": {"a": "b" * 70_000}}, "the headers are longer than"),
        ({"raw_body": "b" * (MAX_BODY_OCTETS + 1)}, "the body is longer than"),
        ({"enable_redirect": "true"}, '"enable_redirect" must be a boolean'),
        ({"tls_insecure_skip_verify": None}, '"tls_insecure_skip_verify" must be a boolean'),
        ({"max_retry_attempts": -1}, 'invalid value -1 for field "max_retry_attempts"'),
        ({"max_retry_attempts": "1"}, 'for field "max_retry_attempts"'),
    ],
)
def test_a_field_that_is_wrong_is_a_fault(more: dict[str, Any], expected: str) -> None:
    """A line's end in a header above all: it would start another request."""
    assert expected in fault_of(request, **more)


def test_a_body_is_json_or_as_it_stands() -> None:
    assert request(PLAIN).body == b""
    assert request(PLAIN | {"body": {"b": {1}, "a": "<"}}).body == b'{"a":"\\u003c","b":[1]}'
    assert request(PLAIN | {"body": 1, "raw_body": "é"}).body == b"\xc3\xa9"


def test_the_framing_of_a_request_is_no_policy_s_affair() -> None:
    headers = {"Content-Length": "5", "transfer-encoding": "chunked", "Trailer": "x", "X-A": " b ", "Host": "h.example"}
    found = request(PLAIN | {"headers": headers})
    assert found.headers == (("X-A", "b"),)
    assert found.host == "h.example"


def test_what_is_said_about_tls_is_kept_together() -> None:
    found = request(PLAIN | {"tls_ca_cert": "a", "tls_client_key_file": "b", "tls_use_system_certs": True})
    assert found.tls == Tls(authorities="a", key_file="b", use_system_certificates=True)


def test_retries_have_a_bound() -> None:
    assert request(PLAIN | {"max_retry_attempts": 10**9}).retries == MAX_RETRIES


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5s", 5.0), ("1m0.5s", 60.5), (1_500_000_000, 1.5), ("2000000000", 2.0), (0, 0.0), ("-1s", 0.0), (-5, 0.0),
        ("-7", 0.0),
    ],
)  # fmt: skip
def test_a_timeout_is_a_duration_or_nanoseconds(value: Any, seconds: float) -> None:
    """None at all where it is not positive: then the evaluation's own time is the bound."""
    assert timeout(PLAIN | {"timeout": value}) == seconds


def test_the_usual_timeout_is_five_seconds() -> None:
    assert timeout(PLAIN) == 5.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", 'invalid timeout value "abc"'),
        (1.5, "invalid timeout number value 1.5, must be int64"),
        (2**63, "must be int64"),
        (True, "'timeout' must be one of {string, number} but got boolean"),
        ([], "but got array"),
    ],
)
def test_another_timeout_is_a_fault(value: Any, expected: str) -> None:
    assert expected in fault_of(timeout, timeout=value)


def test_a_response_is_kept_as_long_as_the_policy_says() -> None:
    assert kept_seconds(PLAIN) is None
    assert kept_seconds(PLAIN | {"force_cache_duration_seconds": 5}) is None
    assert kept_seconds(PLAIN | {"force_cache": True, "force_cache_duration_seconds": 5}) == 5
    assert "parameter is missing" in fault_of(kept_seconds, force_cache=True)
    assert "32 bits" in fault_of(kept_seconds, force_cache=True, force_cache_duration_seconds="5")
    assert "32 bits" in fault_of(kept_seconds, force_cache=True, force_cache_duration_seconds=2**31)
    assert 'invalid value for "force_cache" field' in fault_of(kept_seconds, force_cache=1)


def test_ignored_headers_do_not_tell_requests_apart() -> None:
    one = identity(PLAIN | {"headers": {"a": "1", "b": "2"}, "cache_ignored_headers": ["a"]})
    assert one == identity(PLAIN | {"headers": {"a": "3", "b": "2"}, "cache_ignored_headers": ["a", "c"]})
    assert one != identity(PLAIN | {"headers": {"a": "1", "b": "3"}, "cache_ignored_headers": ["a"]})
    assert "array of strings" in fault_of(identity, headers={}, cache_ignored_headers=[1])


@given(VALUES)
def test_no_field_whatever_breaks_the_reading(value: object) -> None:
    for name in http_requests._FIELDS:
        for read in (request, timeout, kept_seconds, identity):
            try:
                read(PLAIN | {"force_cache": True} | {name: value})
            except BuiltinFault:
                continue
    try:
        fields(value, 1)
    except BuiltinFault:
        return
