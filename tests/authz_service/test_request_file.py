"""Requests that are written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.request_file import MAX_BYTES, RequestFileError, read_request
from tests.authz_service.certifying import certificate


def read(document: Any) -> Any:
    return read_request(json.dumps(document).encode())


def test_everything_that_can_be_said_is_read() -> None:
    found = read({
        "method": "POST", "path": "/a?b=1", "host": "api.example", "scheme": "http", "protocol": "HTTP/2",
        "headers": {"X-A": "1", "x-b": ["2", "3"]}, "body": {"k": [1]},
        "source": {"address": "192.0.2.1", "principal": "spiffe://x", "certificate": certificate().pem},
        "context_extensions": {"route": "r"},
    })  # fmt: skip
    assert (found.method, found.path, found.host, found.scheme, found.protocol) == (
        "POST", "/a?b=1", "api.example", "http", "HTTP/2",
    )  # fmt: skip
    assert found.headers == {"x-a": "1", "x-b": "2,3"}
    assert json.loads(found.body) == {"k": [1]}
    assert (found.source.address, found.source.principal) == ("192.0.2.1", "spiffe://x")
    assert found.source.certificate.startswith("-----BEGIN%20CERTIFICATE")
    assert found.context_extensions == {"route": "r"}


def test_only_the_path_is_needed() -> None:
    found = read({"path": "/"})
    assert (found.method, found.headers, found.body) == ("GET", {}, b"")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "path is missing"),
        ({"path": "x"}, "path is missing"),
        ({"path": 7}, "path must be a text"),
        ({"path": "/", "headers": []}, "headers must be an object"),
        ({"path": "/", "headers": {"a": 7}}, "headers.a must be a text"),
        ({"path": "/", "headers": {"a": [["b"]]}}, "headers.a must be a text"),
        ({"path": "/", "source": {"ip": "x"}}, "source.ip is not known here; known: address"),
        ({"path": "/", "verb": "GET"}, "verb is not known here; known: body"),
        ([], "is not a JSON object"),
    ],
)
def test_what_is_no_request_is_refused_with_its_place(document: Any, text: str) -> None:
    with pytest.raises(RequestFileError, match=text):
        read(document)


def test_a_request_file_is_bounded() -> None:
    with pytest.raises(RequestFileError, match="larger than"):
        read_request(b" " * (MAX_BYTES + 1))


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(RequestFileError):
        read_request(data)
