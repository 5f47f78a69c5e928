"""Responses: as policies see them, how long they are fresh, and where they are kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.http_messages import HttpResponse
from authz_service.rego_engine.builtins.http_responses import Kept, KeptResponses, fresh_until, refreshed, shown

SECOND = 1_000_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
MADE = 1_700_000_000
NOW = (MADE + 5) * SECOND


def response(body: bytes = b"", **headers: str) -> HttpResponse:
    """Return a response; an underscore in a header's name stands for a hyphen."""
    return HttpResponse(200, "OK", tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


def body(data: bytes, kind: str = "", *, as_json: bool = False, as_yaml: bool = False) -> Any:
    """Return what a policy sees of a body."""
    return shown(response(data, content_type=kind), as_json=as_json, as_yaml=as_yaml)["body"]


def test_a_response_is_an_object() -> None:
    found = HttpResponse(404, "Not Found", (("a", "1"), ("a", "2"), ("b", "3")), b"\xffx")
    assert shown(found, as_json=False, as_yaml=False) == {
        "status": "404 Not Found",
        "status_code": 404,
        "body": None,
        "raw_body": "\udcffx",
        "headers": {"a": ["1", "2"], "b": ["3"]},
    }


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/Problem+JSON"])
def test_json_is_read_where_it_is_json(kind: str) -> None:
    assert body(b'{"a":[1,2.50]}', kind) == {"a": [1, 2.5]}


@pytest.mark.parametrize("kind", ["", "text/json", "application/jsonp", "application", "text/plain"])
def test_other_types_are_not_read_unless_the_policy_says_so(kind: str) -> None:
    assert body(b"[1]", kind) is None
    assert body(b"[1]", kind, as_json=True) == [1]


def test_yaml_is_read_too() -> None:
    assert body(b"a: 1", "application/yaml") == {"a": 1}
    assert body(b"a: 1", "application/x-yaml; x=y") == {"a": 1}
    assert body(b"a: 1", as_yaml=True) == {"a": 1}


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff", b"1" * 5_000])
def test_a_body_that_cannot_be_read_is_null(data: bytes) -> None:
    assert body(data, as_json=True) is None


def test_a_billion_laughs_are_null() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert body("\n".join(lines).encode(), as_yaml=True) is None


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({}, 0),
        ({"cache_control": "max-age=60", "date": DATE}, MADE + 60),
        ({"cache_control": 'public, MAX-AGE="60"', "date": DATE}, MADE + 60),
        ({"cache_control": "max-age=99999999999999999999", "date": DATE}, MADE + 2**31 - 1),
        ({"cache_control": "max-age=60", "expires": DATE, "date": DATE}, MADE + 60),
        ({"expires": DATE}, MADE),
        ({"expires": "0"}, 0),
        ({"cache_control": "no-cache, max-age=60", "date": DATE}, 0),
        ({"cache_control": "max-age=60", "date": "Tue, 14 Nov 2033 22:13:20 GMT"}, 0),
        ({"cache_control": "no-store, max-age=60", "date": DATE}, None),
        ({"cache_control": "max-age=60"}, None),
        ({"cache_control": "max-age=x", "date": DATE}, None),
        ({"cache_control": "max-age=60", "date": "yesterday"}, None),
    ],
)
def test_a_response_is_fresh_as_long_as_its_headers_say(headers: dict[str, Any], until: int | None) -> None:
    assert fresh_until(response(**headers), NOW) == (None if until is None else until * SECOND)


@given(st.text(), st.text(), st.text())
def test_no_headers_whatever_break_the_reckoning(control: str, date: str, expires: str) -> None:
    fresh_until(response(cache_control=control, date=date, expires=expires), NOW)
    fresh_until(response(cache_control="max-age=" + control, date=DATE), NOW)


def test_a_response_that_is_still_current_gets_the_newer_headers() -> None:
    found = refreshed(response(b"x", etag="1", a="old", b="old"), response(a="new", c="new"))
    assert found.headers == (("etag", "1"), ("b", "old"), ("a", "new"), ("c", "new"))
    assert found.body == b"x"


def test_what_is_kept_is_found_again_until_it_is_dropped() -> None:
    kept = KeptResponses()
    one = Kept(response(b"x"), 1)
    kept.put(b"1", one)
    assert kept.get(b"1") is one
    assert kept.get(b"2") is None
    kept.drop(b"1")
    kept.drop(b"1")
    assert kept.get(b"1") is None


def test_the_least_recently_used_goes_first() -> None:
    kept = KeptResponses(responses=2)
    for digest in (b"1", b"2"):
        kept.put(digest, Kept(response(), 1))
    kept.get(b"1")
    kept.put(b"3", Kept(response(), 1))
    assert [kept.get(digest) is not None for digest in (b"1", b"2", b"3")] == [True, False, True]


def test_octets_have_a_bound() -> None:
    kept = KeptResponses(octets=100)
    for digest in (b"1", b"2", b"3"):
        kept.put(digest, Kept(response(b"x" * 40), 1))
    assert [kept.get(digest) is not None for digest in (b"1", b"2", b"3")] == [False, True, True]
    kept.put(b"2", Kept(response(b"x" * 10), 1))
    kept.put(b"4", Kept(response(b"x" * 50), 1))
    assert kept.get(b"3") is not None
    kept.put(b"3", Kept(response(b"x" * 101), 1))
    assert kept.get(b"3") is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 60))))
def test_no_order_of_puts_exceeds_the_bounds(puts: list[tuple[str, int]]) -> None:
    kept = KeptResponses(octets=100, responses=3)
    for digest, size in puts:
        kept.put(digest.encode(), Kept(response(b"x" * size), 1))
        found = [kept.get(one.encode()) for one in "abcd"]
        assert sum(one.octets for one in found if one) <= 100
        assert sum(one is not None for one in found) <= 3
