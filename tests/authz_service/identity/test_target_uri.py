"""Two URIs are compared in one form, and are equal in it only where they are the same."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from authz_service.identity.target_uri import MAX_URI, normalise, normalise_path


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://api.example", "https://api.example/"),
        ("https://api.example/", "https://api.example/"),
        ("HTTPS://API.Example/A", "https://api.example/A"),
        ("https://api.example./a", "https://api.example/a"),
        ("https://api.example:443/a", "https://api.example/a"),
        ("https://api.example:0443/a", "https://api.example/a"),
        ("https://api.example:/a", "https://api.example/a"),
        ("http://api.example:80/a", "http://api.example/a"),
        ("http://api.example:443/a", "http://api.example:443/a"),
        ("https://api.example:80/a", "https://api.example:80/a"),
        ("https://api.example:8443/a", "https://api.example:8443/a"),
        ("https://[::1]/a", "https://[::1]/a"),
        ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("https://10.0.0.1/a", "https://10.0.0.1/a"),
        ("https://api.example/a?b=c", "https://api.example/a"),
        ("https://api.example/a#b", "https://api.example/a"),
        ("https://api.example/a?b#c", "https://api.example/a"),
        ("https://api.example?b", "https://api.example/"),
        ("https://api.example/a?x=http://other.example/@", "https://api.example/a"),
        ("https://api.example/%7Eu", "https://api.example/~u"),
        ("https://api.example/%61%2D%2e%5F", "https://api.example/a-._"),
        ("https://api.example/a%2fb", "https://api.example/a%2Fb"),
        ("https://api.example/a%2Fb", "https://api.example/a%2Fb"),
        ("https://api.example/%e4%c3", "https://api.example/%E4%C3"),
        ("https://api.example/%2541", "https://api.example/%2541"),
        ("https://api.example/a;b=c", "https://api.example/a;b=c"),
        ("https://api.example/a:b@c", "https://api.example/a:b@c"),
        ("https://api.example//a///b", "https://api.example/a/b"),
        ("https://api.example/a/b/", "https://api.example/a/b/"),
        ("https://api.example/a/b//", "https://api.example/a/b/"),
        ("https://api.example/.", "https://api.example/"),
        ("https://api.example/..", "https://api.example/"),
        ("https://api.example/../a", "https://api.example/a"),
        ("https://api.example/a/./b", "https://api.example/a/b"),
        ("https://api.example/a/../b", "https://api.example/b"),
        ("https://api.example/a/..", "https://api.example/"),
        ("https://api.example/a/b/..", "https://api.example/a/"),
        ("https://api.example/a/b/.", "https://api.example/a/b/"),
        ("https://api.example/a/b/../", "https://api.example/a/"),
        ("https://api.example/a/%2e%2E/b", "https://api.example/b"),
        ("https://api.example/a/.%2e", "https://api.example/"),
        ("https://api.example/..a/.b/...", "https://api.example/..a/.b/..."),
        # the example of RFC 3986, section 5.2.4
        ("http://h.example/a/b/c/./../../g", "http://h.example/a/g"),
    ],
)
def test_a_uri_has_one_form(written: str, expected: str) -> None:
    """RFC 3986 section 6.2, and slashes merged."""
    assert normalise(written) == expected


@pytest.mark.parametrize(
    "written",
    ["", "/", "/a", "a", "api.example/a", "//api.example/a", "ftp://api.example/", "wss://api.example/", "https:",
    "https:/a",
     "https://", "https:///a", "https://:443/a", "https://./a", "https://../a", "https://u@api.example/",
     "https://u:p@api.example/",
     "https://@api.example/", "https://api.example:x/", "https://api.example:99999/", "https://api.example:-1/",
     "https://api.example:443:443/", "https://api.example:+443/", "https://api.example:4_43/", "https://[::1/",
     "https://::1/",
     "https://[::1]x/", "https://x[::1]/", "https://[x]/", "https://[fe80::1%25eth0]/", "https://api%2eexample/",
     "https://api.example%2f.other/", "https://api_example/", "https://api.example\\.other/",
     "https:\\\\api.example\\a",
     "https://api.example/a\\b", " https://api.example/", "https://api.example/ ", "https://api.example/\n",
     "https://api.ex\tample/",
     "https://api.example/é", "https://zürich.example/", "https://\uff41pi.example/", "https://api.example/%",
     "https://api.example/%4",
     "https://api.example/%zz", "https://api.example/%\uff14\uff11", "javascript:https://api.example/",
     "https:api.example/a",
     "https://*/", "https://a,b/", "https://a;b/"],
)  # fmt: skip
def test_what_is_no_plain_absolute_uri_has_none(written: str) -> None:
    """It equals nothing then, not even itself."""
    assert normalise(written) is None


def test_so_long_may_a_uri_be_and_no_longer() -> None:
    """Whatever else it is."""
    start = "https://api.example/"
    assert normalise(start + "a" * (MAX_URI - len(start))) is not None
    assert normalise(start + "a" * (MAX_URI - len(start) + 1)) is None


@pytest.mark.parametrize(
    "path", ["a", ".evil.example/x", "@evil.example/", ":8443/", "*", "a/./b", ".", "..", "?x", "%2Fa", "\\a"]
)
def test_a_path_that_begins_with_no_slash_has_no_form(path: str) -> None:
    """Put behind an origin it would be a part of the host."""
    assert normalise_path(path) is None


def test_an_empty_path_is_the_root() -> None:
    """RFC 9110 section 4.2.3."""
    assert normalise_path("") == "/"


hosts = st.sampled_from(["api.example", "other.example", "api.example.org", "10.0.0.1", "[::1]", "a-b.c"])
origins = st.tuples(st.sampled_from(["http", "https"]), hosts, st.integers(1, 65_535) | st.sampled_from([80, 443]))
names = st.text(
    st.sampled_from("abAB09-._~!$&'()*+,;=:@%/? #é\u2044"), min_size=1, max_size=5
).filter(lambda name: name not in {".", ".."})  # fmt: skip
segments = st.lists(names, max_size=4)


def written(data: st.DataObject, origin: tuple[str, str, int], path: list[str]) -> str:
    """One of the spellings of a URI; `path` are the decoded names between its slashes."""

    def choose(*values: str) -> str:
        return data.draw(st.sampled_from(values))

    scheme, host, port = origin
    usual = port == {"http": 80, "https": 443}[scheme]
    text = f"{choose(scheme, scheme.upper())}://{choose(host, host.upper(), host.title())}"
    if not host.endswith("]"):
        text += choose("", ".")
    text += choose("", ":", f":{port}") if usual else choose(f":{port}", f":0{port}")
    for name in path:
        text += choose("/", "//", "/./", "/x/../", "/%2e/", "/y%2F/%2E%2e/")
        for character in name:
            escaped = "".join(f"%{byte:02x}" for byte in character.encode())
            plain = character if character.isascii() and character not in "%/? #" else escaped
            must = plain == escaped or character in "!$&'()*+,;=:@"
            text += choose(escaped, escaped.upper()) if must else choose(plain, escaped, escaped.upper())
    return text + (choose("", "/", "/.") if not path else "") + choose("", "?", "?a=/../b", "#c", "?a#/b")


@given(st.data(), origins, segments)
def test_every_spelling_of_a_uri_has_the_same_form(
    data: st.DataObject, origin: tuple[str, str, int], path: list[str]
) -> None:
    """Case, escapes, default ports, dot segments, slashes."""
    first, second = written(data, origin, path), written(data, origin, path)
    assert normalise(first) is not None, first
    assert normalise(first) == normalise(second)


@given(st.data(), origins, segments, origins, segments)
def test_uris_of_other_origin_or_path_have_other_forms(
    data: st.DataObject, origin: tuple[str, str, int], path: list[str], other: tuple[str, str, int], way: list[str]
) -> None:
    """Whichever spellings are taken."""
    assume((origin, path) != (other, way))
    assert normalise(written(data, origin, path)) != normalise(written(data, other, way))


anything = st.text("abA/.%25eEfF0:@[]?#\\;~ é", max_size=30)


@given(st.one_of(anything, anything.map("https://a.example/".__add__), anything.map("http://".__add__)))
@example("https://a.example/%252e%252e/")
@example("https://a.example/a/..//")
@example("https://a.example/%2e%2e//%2e")
def test_a_form_is_its_own_form(text: str) -> None:
    """And has neither dot segments nor escapes that need not be there."""
    form = normalise(text)
    if form is None:
        return
    assert normalise(form) == form
    parts = urlsplit(form)
    assert (parts.query, parts.fragment, parts.username) == ("", "", None)
    assert parts.netloc == urlsplit(text).netloc.lower().replace(".:", ":").rstrip(".:") or ":" in urlsplit(text).netloc
    assert parts.path.startswith("/")
    assert not {".", ".."} & set(parts.path.split("/"))
    assert "//" not in parts.path


@given(anything.map("/".__add__))
def test_the_form_of_a_path_is_its_own_form(path: str) -> None:
    """Whatever is in it."""
    form = normalise_path(path)
    if form is None:
        assert "%" in path
        return
    assert form.startswith("/")
    assert normalise_path(form) == form


@given(
    anything.map("/".__add__).filter(
        lambda path: not {"/.", "//", "%"} & {path[i : i + n] for n in (1, 2) for i in range(len(path))}
    )
)
def test_a_path_with_nothing_to_normalise_stays_as_it_is(path: str) -> None:
    """To the letter."""
    assert normalise_path(path) == path
    assert unquote(normalise_path(quote(path)) or "") == path
