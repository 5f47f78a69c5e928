"""URIs."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import uris
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    (
        "uri.parse",
        ["HTTPS://user:pw@Shop.example:8443/a%20b/c?x=1?&y#top"],
        {
            "scheme": "https",
            "hostname": "Shop.example",
            "port": "8443",
            "path": "/a b/c",
            "raw_path": "/a b/c",
            "raw_query": "x=1?&y",
            "fragment": "top",
        },
    ),
    ("uri.parse", ["//host/p"], {"hostname": "host", "path": "/p", "raw_path": "/p"}),
    ("uri.parse", ["///p"], {"path": "///p", "raw_path": "///p"}),
    ("uri.parse", ["a/b%2Fc"], {"path": "a/b/c", "raw_path": "a/b%2Fc"}),
    ("uri.parse", ["mailto:a@b.example?subject=x"], {"scheme": "mailto", "raw_query": "subject=x"}),
    ("uri.parse", ["http://[fe80::1%25eth0]:80"], {"scheme": "http", "hostname": "fe80::1%eth0", "port": "80"}),
    ("uri.parse", ["ftp://a:b:1"], {"scheme": "ftp", "hostname": "a:b", "port": "1"}),
    ("uri.parse", ["http://h:?"], {"scheme": "http", "hostname": "h"}),
    ("uri.parse", ["http://b%C3%BCcher.example/"], {
        "scheme": "http", "hostname": "bücher.example", "path": "/", "raw_path": "/",
    }),
    ("uri.parse", [""], {}),
    ("uri.parse", ["*"], {"path": "*", "raw_path": "*"}),
    ("uri.is_valid", ["/x"], True),
    ("uri.is_valid", [""], False),
    ("uri.is_valid", ["http://[::1"], False),
    ("uri.is_valid", ["http://a b/"], False),
    ("uri.is_valid", ["http://h/a b"], True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_uris_are_taken_apart_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("://x", "missing protocol scheme"),
        ("1a:b", "first path segment in URL cannot contain colon"),
        ("http://h/\x7f", "net/url: invalid control character in URL"),
        ("http://a:1:2/", 'invalid port ":1:2" after host'),
        ("http://a:٣/", 'invalid port ":٣" after host'),
        ("http://a<b@h/", "net/url: invalid userinfo"),
        ("http://ex%61mple/", 'invalid URL escape "%61"'),
        ("http://a^b/", 'invalid character "^" in host name'),
        ("http://[1.2.3.4]/", "invalid IP-literal"),
        ("http://x[::1]/", "invalid IP-literal"),
        ("http://[::1/", "missing ']' in host"),
        ("http://[::1]x/", 'invalid port "x" after host'),
        ("http://h/%zz", 'invalid URL escape "%zz"'),
        ("/p#%", 'invalid URL escape "%"'),
    ],
)
def test_what_is_no_uri_is_a_fault_that_tells_why(uri: str, reason: str) -> None:
    found = fault("uri.parse", uri)
    assert found.code == BUILTIN_ERROR
    assert found.text.startswith('parse "')
    assert found.text.endswith(f": {reason}")


def test_what_is_no_text_is_no_uri() -> None:
    assert fault("uri.parse", 1).code == TYPE_ERROR
    assert call("uri.is_valid", 1) is False


def test_a_uri_has_a_bound() -> None:
    assert "longer than" in fault("uri.parse", "/" * (uris.MAX_CHARACTERS + 1)).text


@given(st.text(max_size=12))
def test_a_path_comes_back_from_its_escaped_form(text: str) -> None:
    parsed = call("uri.parse", f"http://h/{quote(text, safe='')}")
    assert parsed["path"] == f"/{text}"


@pytest.mark.parametrize("name", declared(uris))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(st.sampled_from(["", "http://", "http://[", "//", "x:"]), st.text("ab:/?#@[]%2f <ü\\1.", max_size=12))
def test_no_text_raises_anything_but_a_fault(start: str, rest: str) -> None:
    try:
        parsed = call("uri.parse", start + rest)
    except BuiltinFault:
        assert call("uri.is_valid", start + rest) is False
    else:
        assert ("path" in parsed) is ("raw_path" in parsed)
