"""Which form a body has, whether it came whole, and what it says."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import RequestRefused
from authz_service.model import HttpRequest
from authz_service.policy.bodies.grpc_body import load_methods
from authz_service.policy.bodies.reading import MAX_BYTES, Body, BodyTerms, Form
from tests.authz_service.policy.bodies.descriptors import SERVICE, descriptor_set, framed, message

GRPC = BodyTerms(messages=load_methods(descriptor_set().SerializeToString()))
JSON = "application/json"
PART = b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'
FORM = "application/x-www-form-urlencoded"


def body_of(
    content: bytes,
    content_type: str | None = None,
    *,
    raw: bool = True,
    path: str = "/x",
    terms: BodyTerms = GRPC,
    **headers: str,
) -> Body:
    """A body with these headers, whose names are written with underscores."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        given["content-type"] = content_type
    return Body(HttpRequest("POST", path, headers=given, body=content, body_is_raw=raw), path, terms)


def refused(body: Body) -> str:
    """The code of the refusal, whose text tells nothing of the request."""
    with pytest.raises(RequestRefused) as caught:
        _ = body.value
    assert caught.value.status == 400
    return caught.value.code


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        (JSON, Form.JSON),
        ("Application/JSON; charset=utf-8", Form.JSON),
        ("application/merge-patch+json", Form.JSON),
        (FORM.upper(), Form.FORM),
        ("multipart/form-data; boundary=b", Form.MULTIPART),
        ("application/grpc", Form.GRPC),
        ("application/grpc+proto", Form.GRPC),
        ("application/grpc-web+proto", Form.GRPC),
        ("application/grpc+json", Form.OTHER),
        ("application/grpc-web-text", Form.OTHER),
        ("multipart/mixed; boundary=b", Form.OTHER),
        ("text/plain; x=application/json", Form.OTHER),
        ("", Form.OTHER),
        (None, Form.OTHER),
    ],
)
def test_the_form_is_what_the_parsed_media_type_names(content_type: str | None, form: Form) -> None:
    assert body_of(b"", content_type).form is form


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b'{"a": 1}', JSON, {"a": 1}),
        (b"[1]", "application/vnd.api+json", [1]),
        (b"a=1&a=2", FORM, {"a": ["1", "2"]}),
        (PART + b"--b--", 'multipart/form-data; boundary="b"', {"a": ["1"]}),
        (b"--b--", "multipart/form-data", None),
        (b"{", "text/plain", None),
        (b"{", None, None),
        (b"", JSON, None),
        (b"", FORM, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("raw", [True, False])
def test_a_body_says_what_its_form_makes_of_it(
    content: bytes,
    content_type: str | None,
    expected: Any,
    raw: bool,  # noqa: FBT001  (both)
) -> None:
    body = body_of(content, content_type, raw=raw)
    assert (body.value, body.truncated) == (expected, False)


def test_a_grpc_message_is_read_by_the_descriptors() -> None:
    frame = framed(message(title="a"))
    path = f"/{SERVICE}/Put"
    assert body_of(frame, "application/grpc", path=path).value == {"title": "a"}
    assert body_of(frame, "application/grpc", path=f"/{SERVICE}/Get").value is None
    assert body_of(frame, "application/grpc", path=path, terms=BodyTerms()).value is None
    assert body_of(frame, "application/grpc", path=path, raw=False).value is None


@pytest.mark.parametrize(
    ("content", "path", "code"),
    [(b"\0\0", f"/{SERVICE}/Put", "body_malformed"), (framed(b"\xff"), f"/{SERVICE}/Put", "body_malformed"),
     (framed(b""), "/Put", "path_malformed"), (framed(b""), "/a/b/c", "path_malformed")],
)  # fmt: skip
def test_a_grpc_body_that_cannot_be_read_is_refused(content: bytes, path: str, code: str) -> None:
    assert refused(body_of(content, "application/grpc", path=path)) == code


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"{", JSON, "body_malformed"),
        (b'{"a": 1, "a": 2}', JSON, "body_malformed"),
        (b"a=%", FORM, "body_malformed"),
        (b"a=\xff", FORM, "body_malformed"),
        (b"x", "multipart/form-data; boundary=b", "body_malformed"),
        (b"{}", "application/json, text/plain", "content_type_malformed"),
        (PART + b"--b--", "multipart/form-data; boundary*=utf-8''b", "content_type_malformed"),
        (PART + b"--b--", "multipart/form-data; boundary*0=b; boundary=c", "content_type_malformed"),
        (b"{}", f"{JSON}; charset=utf-16", "charset_unsupported"),
        (b"a=1", f"{FORM}; charset=utf-7", "charset_unsupported"),
        (b'"' + b"a" * MAX_BYTES + b'"', JSON, "body_too_large"),
        (b"a" * (MAX_BYTES + 1), FORM, "body_too_large"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(content: bytes, content_type: str, code: str) -> None:
    assert refused(body_of(content, content_type)) == code


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "identity, gzip", "x"])
def test_an_encoded_body_is_refused(encoding: str) -> None:
    assert refused(body_of(b"{}", JSON, content_encoding=encoding)) == "body_encoded"
    assert body_of(b"{}", JSON, content_encoding="identity").value == {}


# Truncation


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"content_length": "2"}, False),
        ({"content_length": "1"}, False),
        ({"content_length": "3"}, True),
        ({"x_envoy_auth_partial_body": "true"}, True),
        ({"x_envoy_auth_partial_body": "false"}, False),
    ],
)
@pytest.mark.parametrize("content_type", [JSON, FORM, "text/plain", "application/grpc", None])
def test_a_body_that_did_not_come_whole_is_told_so_and_has_no_value(
    headers: dict[str, Any],
    expected: bool,  # noqa: FBT001  (the table's)
    content_type: str | None,
) -> None:
    body = body_of(b"{,", content_type, **headers)
    assert body.truncated is expected
    if expected:
        assert body.value is None


def test_a_body_that_was_not_sent_along_at_all_is_truncated() -> None:
    body = body_of(b"", JSON, content_length="7")
    assert (body.truncated, body.value) == (True, None)


def test_a_grpc_message_longer_than_what_came_is_truncated() -> None:
    body = body_of(framed(b"x", length=9), "application/grpc", path=f"/{SERVICE}/Put")
    assert (body.truncated, body.value) == (True, None)
    assert not body_of(framed(b"x", length=9), "application/octet-stream").truncated


@pytest.mark.parametrize("length", ["", "x", "-1", "1,1", "1.5", "9" * 30, "\u0661"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    body = body_of(b"{}", JSON, content_length=length)
    assert refused(body) == "content_length_malformed"


@given(
    st.binary(),
    st.sampled_from([JSON, FORM, "multipart/form-data; boundary=b", "application/grpc", "a,b", "", "x/y"]),
    st.booleans(),
)
def test_any_body_has_a_value_or_is_refused(content: bytes, content_type: str, raw: bool) -> None:  # noqa: FBT001  (drawn)
    body = body_of(content, content_type, raw=raw, path=f"/{SERVICE}/Put")
    with contextlib.suppress(RequestRefused):
        assert body.value is None or isinstance(body.value, dict | list | str | int | float)
