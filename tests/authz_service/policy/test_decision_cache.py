"""A kept result answers the same question of the same caller, while it may; and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.request import Scan
from authz_service.model import Binding, Certificate, Confirmation, Finding, Identity, Location
from authz_service.policy.decision_cache import (
    MAX_NAMES,
    MAX_PATH,
    MAX_PATHS,
    MAX_RESULT_BYTES,
    MAX_SHAPES,
    MAX_TTL,
    Asking,
    DecisionCache,
)
from authz_service.rego_engine.values import UNDEFINED

NOW = 1_700_000_000.0
POLICY = object()
ALICE = Identity("alice", "a1", ("dev", "hr"), "https://idp.example", {"sub": "alice"}, expires_at=NOW + 10_000)
CLEAN = Scan((), "/", "/", False)
ASKING = Asking(POLICY, "rev-1", "agent/decision", ALICE, CLEAN, 0, NOW)
DOCUMENT: dict[str, Any] = {"method": "GET", "path": "/reports", "user": {"roles": ["dev"]}}


def result(*key: Any, ttl: Any = 60, **more: Any) -> dict[str, Any]:
    """A result that may be kept."""
    return {"allowed": True, "cache": {"ttl": ttl, "key": list(key)}, **more}


def kept(*key: str, **bounds: int) -> DecisionCache:
    """A cache that keeps one result."""
    cache = DecisionCache(**bounds)
    cache.keep(ASKING, DOCUMENT, None, result(*key))
    return cache


def changed(**changes: Any) -> Asking:
    return replace(ASKING, **changes)


def test_a_result_answers_for_whatever_its_key_does_not_name() -> None:
    cache = kept("path")
    assert cache.find(ASKING, {**DOCUMENT, "method": "POST"}) == result("path")
    assert cache.find(ASKING, {**DOCUMENT, "path": "/other"}) is None


def test_a_denial_is_kept_too() -> None:
    cache = DecisionCache()
    cache.keep(ASKING, DOCUMENT, None, {"allowed": False, "cache": {"ttl": 5, "key": []}})
    assert cache.find(ASKING, {}) == {"allowed": False, "cache": {"ttl": 5, "key": []}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": {"b": 1}}, {"a": {"b": "1"}}),
        ({"a": {"b": 1}}, {"a": {"b": True}}),
        ({"a": {"b": None}}, {"a": {}}),
        ({"a": {"b": ["absent"]}}, {}),
        ({"a": {"b": ["x", "y"]}}, {"a": {"b": ["x,y"]}}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}),
        ({"a": {"b": "b"}}, {"a": "b"}),
        ({"a": {"b": "b"}}, {"a.b": "b"}),
        ({"a": {}}, {"a": {"b": {}}}),
    ],
)
def test_values_that_only_look_alike_are_different_keys(before: dict[str, Any], after: dict[str, Any]) -> None:
    cache = DecisionCache()
    cache.keep(ASKING, before, None, result("a.b"))
    assert cache.find(ASKING, before) is not None
    assert cache.find(ASKING, after) is None


def claims(**found: Any) -> dict[str, Any]:
    return {"identity": {"claims": found}}


def headers(**found: Any) -> dict[str, Any]:
    return {"attributes": {"request": {"http": {"headers": found}}}}


SCOPE = "https://company.example/scope"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("parsed_path.0", {"parsed_path": ["a"]}, {"parsed_path": ["b"]}),
        ("parsed_path.1", {"parsed_path": ["a"]}, {"parsed_path": ["a", "b"]}),
        ("parsed_body.ids.0", {"parsed_body": {"ids": ["mine"]}}, {"parsed_body": {"ids": ["yours"]}}),
        ("parsed_body.ids.0", {"parsed_body": {"ids": ["mine"]}}, {"parsed_body": {"ids": {"0": "mine"}}}),
        ("parsed_body.ids.0.x", {"parsed_body": {"ids": [{"x": 1}]}}, {"parsed_body": {"ids": [{"x": 2}]}}),
        (f"identity.claims.{SCOPE}", claims(**{SCOPE: "admin"}), claims(**{SCOPE: "none"})),
        (f"identity.claims.{SCOPE}.of", claims(**{SCOPE: {"of": "hr"}}), claims(**{SCOPE: {"of": "it"}})),
        (["identity", "claims", SCOPE], claims(**{SCOPE: "admin"}), claims(**{SCOPE: "none"})),
        (["identity", "claims", SCOPE], claims(**{SCOPE: "admin"}), claims()),
        (["parsed_path", "0"], {"parsed_path": ["a"]}, {"parsed_path": ["b"]}),
        ("attributes.request.http.headers.x.y", headers(**{"x.y": "1"}), headers(**{"x.y": "2"})),
        ("attributes.request.http.headers.x.y", headers(**{"x.y": "1"}), headers(x="1")),
    ],
)
def test_a_path_into_lists_and_to_names_with_dots_tells_requests_apart(
    path: Any, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Or the answer to one would let the other through."""
    cache = DecisionCache()
    cache.keep(ASKING, before, None, result(path))
    assert cache.find(ASKING, before) == result(path)
    assert cache.find(ASKING, after) is None


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("attributes.request.http.headers.x.y", headers(x="1")),
        ("attributes.request.http.headers.x.y", headers(**{"x": {"y": "1"}, "x.y": "2"})),
        ("parsed_path.first", {"parsed_path": ["a"]}),
        ("parsed_path.00", {"parsed_path": ["a"]}),
        ("parsed_path.-1", {"parsed_path": ["a"]}),
        ("parsed_path.\u0660", {"parsed_path": ["a"]}),
        ("parsed_body.a.b", {"parsed_body": None}),
        (["identity", "claims", "a", "b"], claims(a="b")),
        ("path", {"path": "\ud83d\ude00"}),
    ],
)
def test_where_a_path_says_nothing_for_certain_nothing_is_kept(path: Any, document: dict[str, Any]) -> None:
    """What the policy has read there may be another thing for each request."""
    cache = DecisionCache()
    cache.keep(ASKING, document, None, result(path))
    assert len(cache) == 0
    assert cache.find(ASKING, document) is None


def test_members_that_a_path_of_names_needs_are_built_too() -> None:
    cache = DecisionCache()
    asked = result(["identity", "claims", SCOPE])
    cache.keep(ASKING, DOCUMENT, frozenset({"method"}), asked)
    assert len(cache) == 0
    assert cache.members("agent/decision", frozenset({"method"})) == frozenset({"method", "identity"})


@pytest.mark.parametrize(
    "caller",
    [
        None,
        replace(ALICE, user="bob"),
        replace(ALICE, agent="a2"),
        replace(ALICE, agent=None),
        replace(ALICE, issuer="https://other.example"),
        replace(ALICE, tenant="t"),
        replace(ALICE, roles=("dev",)),
        replace(ALICE, roles=("dev,hr",)),
        replace(ALICE, binding=Binding.DPOP),
        replace(ALICE, certificate=Certificate("x", "CN=x")),
        replace(ALICE, confirmation=Confirmation(jkt="x")),
    ],
)
def test_nobody_is_answered_as_another(caller: Identity | None) -> None:
    """Whatever the policy's key leaves out."""
    cache = kept()
    assert cache.find(ASKING, DOCUMENT) is not None
    assert cache.find(changed(identity=caller), DOCUMENT) is None


def test_what_a_request_carries_is_a_part_of_the_key() -> None:
    """Or a request without secrets would open the gate for one with."""
    cache = kept()
    found = Finding("us_ssn", "us_ssn_grouped", Location.QUERY, "q")
    assert cache.find(changed(scan=replace(CLEAN, findings=(found,))), DOCUMENT) is None
    assert cache.find(changed(scan=replace(CLEAN, carries_local_file=True)), DOCUMENT) is None


def test_another_rules_result_answers_nothing() -> None:
    """Two rules may be asked about one input."""
    cache = kept()
    cache.keep(changed(rule="other/decision"), {"path": "/x"}, None, result("path"))
    assert cache.find(changed(rule="other/decision"), DOCUMENT) is None


@pytest.mark.parametrize(
    ("ttl", "lives", "until"),
    [(60, 10_000, 60), (0.5, 10_000, 0.5), (60, 30, 30), (10**9, 10**9, MAX_TTL)],
    ids=["ttl", "fraction", "token", "bound"],
)
def test_a_result_lives_as_long_as_it_says_and_no_longer_than_the_token(ttl: float, lives: float, until: float) -> None:
    asking = changed(identity=replace(ALICE, expires_at=NOW + lives))
    cache = DecisionCache()
    cache.keep(asking, DOCUMENT, None, result(ttl=ttl))
    assert cache.find(replace(asking, now=NOW + until - 0.01), DOCUMENT) is not None
    assert cache.find(replace(asking, now=NOW + until), DOCUMENT) is None
    assert len(cache) == 0


@pytest.mark.parametrize(
    "other",
    [changed(policy=object()), changed(revision="rev-2"), changed(generation=1)],
    ids=["policy", "revision", "revocation"],
)
def test_a_change_of_policy_or_a_revocation_drops_everything(other: Asking) -> None:
    cache = kept()
    assert cache.find(other, DOCUMENT) is None
    assert len(cache) == 0


def test_a_question_from_before_a_revocation_neither_finds_nor_keeps() -> None:
    """Its caller was looked at when he was not yet revoked."""
    cache = DecisionCache()
    cache.keep(changed(generation=1), DOCUMENT, None, result())
    assert cache.find(ASKING, DOCUMENT) is None
    cache.keep(ASKING, {}, None, result("path"))
    assert len(cache) == 1
    assert cache.find(changed(generation=1), DOCUMENT) is not None


def test_members_that_a_key_needs_are_built_from_then_on() -> None:
    """And a result whose key could not be made is not kept."""
    cache = DecisionCache()
    reads = frozenset({"method"})
    asked = result("attributes.request.http.host", "method")
    assert cache.members("agent/decision", reads) == reads
    cache.keep(ASKING, DOCUMENT, reads, asked)
    assert len(cache) == 0
    built = cache.members("agent/decision", reads)
    assert built == frozenset({"method", "attributes"})
    assert cache.members("agent/decision", None) is None
    assert cache.members("other/decision", reads) == reads
    document = {**DOCUMENT, "attributes": {"request": {"http": {"host": "a"}}}}
    cache.keep(ASKING, document, built, asked)
    assert cache.find(ASKING, document) == asked
    assert cache.find(ASKING, {**DOCUMENT, "attributes": {"request": {"http": {"host": "b"}}}}) is None


def test_results_of_one_rule_may_have_different_keys() -> None:
    """Up to a bound."""
    cache = DecisionCache()
    for number in range(MAX_SHAPES + 3):
        cache.keep(ASKING, {f"k{number}": number}, None, result(f"k{number}", n=number))
    assert len(cache) == MAX_SHAPES
    assert [cache.find(ASKING, {f"k{number}": number}) for number in range(MAX_SHAPES)] == [
        result(f"k{number}", n=number) for number in range(MAX_SHAPES)
    ]


def test_the_oldest_go_when_there_are_too_many() -> None:
    cache = DecisionCache(entries=3)
    for number in range(5):
        cache.keep(ASKING, {"n": number}, None, result("n"))
    assert len(cache) == 3
    assert [cache.find(ASKING, {"n": number}) is not None for number in range(5)] == [False, False, True, True, True]


def test_the_oldest_go_when_they_are_too_large() -> None:
    size = len(json.dumps(result("n", body="x" * 1000)))
    cache = DecisionCache(most_bytes=3 * size)
    for number in range(5):
        cache.keep(ASKING, {"n": number}, None, result("n", body="x" * 1000))
    assert len(cache) == 3


def test_a_result_that_is_too_large_is_not_kept_and_drops_nothing() -> None:
    cache = kept()
    cache.keep(ASKING, DOCUMENT, None, result("path", body="x" * MAX_RESULT_BYTES))
    assert len(cache) == 1


def test_a_cache_of_no_entries_keeps_nothing() -> None:
    assert len(kept("path", entries=0)) == 0


def test_a_value_that_json_does_not_have_makes_no_key() -> None:
    cache = DecisionCache()
    cache.keep(ASKING, {"path": object()}, None, result("path"))
    assert len(cache) == 0
    assert kept("path").find(ASKING, {"path": object()}) is None


@pytest.mark.parametrize(
    "cache",
    [
        None,
        True,
        60,
        {},
        {"ttl": 60},
        {"key": []},
        {"ttl": 60, "key": [], "more": 1},
        {"ttl": 0, "key": []},
        {"ttl": -1, "key": []},
        {"ttl": True, "key": []},
        {"ttl": "60", "key": []},
        {"ttl": float("nan"), "key": []},
        {"ttl": float("inf"), "key": []},
        {"ttl": 60, "key": "path"},
        {"ttl": 60, "key": [1]},
        {"ttl": 60, "key": [""]},
        {"ttl": 60, "key": ["x" * 300]},
        {"ttl": 60, "key": ["a." * MAX_NAMES]},
        {"ttl": 60, "key": [[]]},
        {"ttl": 60, "key": [["a", 0]]},
        {"ttl": 60, "key": [["a", ["b"]]]},
        {"ttl": 60, "key": [["a"] * (MAX_NAMES + 1)]},
        {"ttl": 60, "key": [["a" * MAX_PATH, "b"]]},
        {"ttl": 60, "key": [f"k{number}" for number in range(MAX_PATHS + 1)]},
    ],
    ids=str,
)
def test_what_is_not_understood_keeps_nothing(cache: Any) -> None:
    found = DecisionCache()
    found.keep(ASKING, DOCUMENT, None, {"allowed": True, "cache": cache})
    assert (len(found), found.knows("agent/decision")) == (0, False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), below, max_size=3),
    max_leaves=6,
)


names = st.sampled_from(["a", "b", "0", "1", "a.b", "b.0"])
below = st.recursive(
    st.sampled_from([None, True, 0, 1, "a", "b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
documents = st.dictionaries(names, below, max_size=3)


def readings(value: Any, names: tuple[str, ...]) -> list[Any]:
    """Whatever a policy could mean by a path's names, dots within them or between: where it stands, and what it is."""
    if not names:
        return [((), json.dumps(value, sort_keys=True))]
    found: list[Any] = []
    for end in range(1, len(names) + 1):
        name = ".".join(names[:end])
        if isinstance(value, dict) and name in value:
            found += [((name, *way), read) for way, read in readings(value[name], names[end:])]
        if isinstance(value, list) and name in {"0", "1"} and int(name) < len(value):
            found += [((int(name), *way), read) for way, read in readings(value[int(name)], names[end:])]
    return found


@given(documents, documents, st.lists(st.sampled_from(["a", "b", "0", "1"]), min_size=1, max_size=4), st.booleans())
def test_two_inputs_that_differ_in_what_the_key_names_share_no_result(
    before: dict[str, Any],
    after: dict[str, Any],
    path: list[str],
    as_list: bool,  # noqa: FBT001  (drawn)
) -> None:
    """However the policy reads what it names."""
    cache = DecisionCache()
    cache.keep(ASKING, before, None, result(path if as_list else ".".join(path)))
    if as_list:
        meant = [
            [read for read in readings(each, tuple(path)) if len(read[0]) == len(path)] for each in (before, after)
        ]
    else:
        meant = [readings(each, tuple(path)) for each in (before, after)]
    if meant[0] != meant[1]:
        assert cache.find(ASKING, after) is None
    if cache.find(ASKING, before) is None:
        assert len(cache) == 0


@given(
    st.sampled_from([UNDEFINED, True]) | json_values,
    st.dictionaries(st.text("ab", max_size=2), json_values, max_size=3),
)
def test_no_value_and_no_input_makes_it_fail(value: Any, document: dict[str, Any]) -> None:
    cache = DecisionCache()
    cache.keep(ASKING, document, None, value)
    cache.keep(ASKING, document, None, {"cache": value})
    cache.keep(ASKING, document, None, {"cache": {"ttl": 1, "key": value}})
    cache.keep(ASKING, document, None, {"cache": {"ttl": value, "key": ["a", "b.a"]}})
    cache.find(ASKING, document)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100)), max_size=40))
def test_what_is_found_is_what_was_said_last_of_the_same_and_is_still_alive(
    steps: list[tuple[int, int]],
) -> None:
    """Beside a dictionary that forgets nothing."""
    cache, said, now = DecisionCache(), dict[int, tuple[float, int]](), NOW
    for number, (path, seconds) in enumerate(steps):
        now += seconds / 10
        asking, document = changed(now=now), {"path": path}
        found = cache.find(asking, document)
        until, last = said.get(path, (0.0, -1))
        assert found == (result("path", ttl=5, n=last) if now < until else None)
        if found is None:
            cache.keep(asking, document, None, result("path", ttl=5, n=number))
            said[path] = (now + 5, number)
