"""URLs in their parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.http_urls import MAX_URL_CHARACTERS, Url, parse


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://a.b", Url("http", host="a.b")),
        ("HTTP://A.b:80/c?d=e#f", Url("http", host="A.b:80", path="/c", raw_query="d=e", fragment="f")),
        ("https://u:p@h/x%2fy", Url("https", user="u:p", host="h", path="/x/y", raw_path="/x%2fy")),
        ("urn:a:b", Url("urn", opaque="a:b")),
        ("http://h?", Url("http", host="h", forces_query=True)),
        ("file:/x", Url("file", path="/x", omits_host=True)),
        ("file:///x", Url("file", path="/x")),
        ("//h/x", Url(host="h", path="/x")),
        ("/é", Url(path="/é", raw_path="/é")),
        ("http://[::1]:80/", Url("http", host="[::1]:80", path="/")),
        ("#x%41", Url(fragment="xA", raw_fragment="x%41")),
        ("*", Url(path="*")),
    ],
)
def test_a_url_is_split(text: str, url: Url) -> None:
    assert parse(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://a b/", "http://a\n/", "http://a:b/", "http://a:80:80/", "http://[::1/", "http://::1/", "http://a%41/",
        "http://h/%zz", "http://h/%4", ":x", "1:2", "http://u@v@h/", "http://h\\x/", "http://a<b/",
        "http://" + "a" * MAX_URL_CHARACTERS,
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused(text: str) -> None:
    """Above all what another reader could take for another host."""
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "spiffe://u:p@ex.com:80/a%2fb/c?q=1#fr%41", "urn:a:b", "http://ex.com?", "file:/x", "file:///x", "mailto:a@b",
        "/just/path", "a/b", "//h/x", "?q", "#f", "x:///", "http://a/(b)[c]", "http://a@/", "",
    ],
)  # fmt: skip
def test_a_url_is_written_as_it_was_read(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("path", "escaped"), [("/a b", "/a%20b"), ("/é", "/%C3%A9"), ("/a%2Fb", "/a%2Fb"), ("/(x)", "/(x)")]
)
def test_a_path_is_escaped_where_it_must_be(path: str, escaped: str) -> None:
    assert parse(f"http://h{path}").escaped_path == escaped


@given(st.text(st.characters(codec="ascii") | st.sampled_from(":/?#[]@%\ud800é")))
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    assert parse(str(found)).host == found.host
