"""Which rule is for a request; no spelling of host or path goes around one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import RequestRefused
from authz_service.identity.binding import Requirement
from authz_service.policy.target import parse_target
from authz_service.routing import Conditions, RouteRule, Routes, host_name

DEFAULT = RouteRule("gateway/default", anonymous=False)


def rule(name: str, **conditions: Any) -> RouteRule:
    """A rule of this name."""
    return RouteRule("gateway/strict", False, conditions=Conditions(**conditions), name=name)


def found(*rules: RouteRule, method: str = "GET", host: str = "api.example", path: str = "/", **extensions: str) -> str:
    """The name of the rule for a request."""
    return Routes([*rules, DEFAULT]).find(method, host, parse_target(path), extensions).name


def test_a_request_that_no_rule_is_for_has_the_default() -> None:
    """As has every request where there are no rules."""
    assert found() == "default"
    assert found(rule("a", hosts=("other.example",)), rule("b", paths=("/x",))) == "default"


def test_a_rule_is_returned_as_it_is() -> None:
    """With what it asks for."""
    wanted = RouteRule(
        "a/b", True, "either", Requirement.MTLS, Conditions(hosts=("API.example.",), paths=("/Admin/",)), "x"
    )
    assert Routes([wanted, DEFAULT]).find("GET", "api.example", parse_target("/admin"), {}) is wanted


def test_the_first_rule_whose_every_condition_holds_counts() -> None:
    """In the order of the configuration."""
    rules = (
        rule("a", paths=("/x",),
        methods=("POST",)), rule("b", paths=("/x/y",)), rule("c", paths=("/x",)), rule("d"), rule("e", paths=("/z",))
    )  # fmt: skip
    assert found(*rules, path="/x/y", method="POST") == "a"
    assert found(*rules, path="/x/y") == "b"
    assert found(*rules, path="/x") == "c"
    assert found(*rules, path="/z") == "d"


def test_every_condition_has_to_hold() -> None:
    """And of the several values of one, any."""
    only = rule(
        "a", hosts=("a.example", "b.example"), paths=("/x", "/y"), methods=("GET",
        "HEAD"), context_extensions={"k": "v", "l": "w"}
    )  # fmt: skip
    met = {"host": "b.example", "path": "/y", "method": "HEAD", "k": "v", "l": "w", "m": "n"}
    assert found(only, **met) == "a"
    for key, value in (
        ("host", "c.example"),
        ("path", "/z"),
        ("method", "POST"),
        ("method", "get"),
        ("k", "w"),
        ("l", ""),
        ("l", "W"),
    ):
        assert found(only, **{**met, key: value}) == "default"
    for key in ("k", "l"):
        assert found(only, **{name: value for name, value in met.items() if name != key}) == "default"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/admin", "a"), ("/admin/", "a"), ("/admin/x", "a"), ("/admin?x=y", "a"), ("/administrator", "default"),
        ("/", "default"),
        ("/x/admin", "default"), ("/admin.json", "default"), ("/adm", "default"), ("/admin-x/y", "default"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["/admin", "/admin/", "/ADMIN", "/Admin//"])
def test_a_path_is_a_prefix_by_whole_segments(path: str, expected: str, prefix: str) -> None:
    """A slash at its end means nothing."""
    assert found(rule("a", paths=(prefix,)), path=path) == expected


@pytest.mark.parametrize("path", ["/", "/x", "/x/y/", "//"])
def test_the_root_is_a_prefix_of_every_path(path: str) -> None:
    """As it is written."""
    assert found(rule("a", paths=("/",)), path=path) == "a"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.example", "a"), ("API.Example", "a"), ("api.example:443", "a"), ("api.example.", "a"),
        ("api.example.:8443", "a"),
        ("api.example..", "a"), ("api.example.org", "default"), ("x.api.example", "default"), ("api_example",
        "default"), ("", "default"),
        ("apiXexample", "default"), (":443", "default"), ("api", "default"), ("[api.example]", "default"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wanted", ["api.example", "API.EXAMPLE", "api.example."])
def test_a_host_is_compared_without_port_case_and_last_dot(host: str, expected: str, wanted: str) -> None:
    """All of these reach the same server."""
    assert found(rule("a", hosts=(wanted,)), host=host) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.api.example", "a"), ("a.b.api.example", "a"), ("A.API.example.:1", "a"), ("api.example", "default"),
        ("xapi.example", "default"), ("a.api.example.org", "default"), ("a.other.example", "default"), ("", "default"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wanted", ["*.api.example", "*.API.Example."])
def test_a_star_stands_for_any_name_below(host: str, expected: str, wanted: str) -> None:
    """But not for the name itself."""
    assert found(rule("a", hosts=(wanted,)), host=host) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a", "a"), ("A:1", "a"), ("a.:1", "a"), ("a..", "a"), ("[::1]", "[::1]"), ("[::1]:443", "[::1]"),
        ("[2001:DB8::1]:1", "[2001:db8::1]"),
        ("", ""), (":1", ""), (".", ""), ("[::1", "]"), ("10.0.0.1:80", "10.0.0.1"), ("a:b:c", "a"),
    ],
)  # fmt: skip
def test_a_host_has_a_name(host: str, expected: str) -> None:
    """Whatever stands beside it."""
    assert host_name(host) == expected


@given(st.text(max_size=20))
def test_the_name_of_a_host_is_its_own_name(host: str) -> None:
    """Nothing that comes as a host raises anything."""
    name = host_name(host)
    assert host_name(name) == name or name.count("]") != 1


def spelt(data: st.DataObject, path: str) -> str:
    """One of the spellings of a path of plain names."""

    def choose(*values: str) -> str:
        return data.draw(st.sampled_from(values))

    text = choose("", "/..", "/x/../../..", "/.%2e/%2e./")
    for segment in path.removeprefix("/").split("/"):
        text += choose(
            "/", "//", "/./", "/x/../", "/%2e/", "/%2F", "/\\", "/%5c", "/x%2f..%2f", "/;a=b/", "/x;y/%2e%2e/"
        )
        for character in segment:
            code = f"{ord(character):02x}"
            wide = chr(ord(character) + 0xFEE0)
            text += choose(
                character, character, character, character.upper(),
                f"%{code}", f"%{code.upper()}", f"%25{code}", f"%2525{code}", wide,
                "".join(f"%{byte:02x}" for byte in wide.encode()),
            )  # fmt: skip
        text += choose("", "", ".", ";v=1", "%20", "%3b", ". .", ";", "%2e")
    return text + choose("", "/", "//", "/.", "?x", "/y", "%2fy", "\\y", "/y/..")


@given(st.data(), st.sampled_from(["/admin", "/hr/reports", "/a/b/c"]))
def test_no_spelling_of_a_path_escapes_its_rule(data: st.DataObject, path: str) -> None:
    """It is refused, or the rule is for it."""
    written = spelt(data, path)
    try:
        target = parse_target(written)
    except RequestRefused:
        return
    name = Routes([rule("strict", paths=(path,)), DEFAULT]).find("GET", "api.example", target, {}).name
    assert name == "strict", (written, target)


@given(st.data(), st.sampled_from(["api.example", "a.b.api.example"]))
def test_no_spelling_of_a_host_escapes_its_rule(data: st.DataObject, host: str) -> None:
    """Case, port, dots at the end."""
    letters = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in host)
    written = (
        letters + data.draw(st.sampled_from(["", ".", ".."])) + data.draw(st.sampled_from(["", ":", ":443", ":08443"]))
    )
    for pattern in (host, "*." + host.partition(".")[2]):
        assert found(rule("strict", hosts=(pattern,)), host=written) == "strict"
