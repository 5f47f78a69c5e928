from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import matching
from ratelimit_service.compiling import compile_limits
from ratelimit_service.limits import FixedWindow, Limit, Unit
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Entry, Node, name_of_step
from service_kit.faults import Faults


def rule(key: str, value: str = "", *children: RawDescriptor, limit: Limit | None = None) -> RawDescriptor:
    return RawDescriptor("test.yaml", 1, key, value, limit=limit, children=children)


def tree(*descriptors: RawDescriptor) -> Node:
    return compile_limits([RawDomain("test.yaml", 1, "d", descriptors)], Faults()).domains["d"]


def found(root: Node, *entries: Entry) -> str | None:
    node = matching.match(root, entries)
    return node.rule.path if node else None


# One level


def test_the_exact_value_goes_before_the_value_less_key() -> None:
    root = tree(rule("user"), rule("user", "alice"))
    assert found(root, ("user", "alice")) == "user=alice"
    assert found(root, ("user", "bob")) == "user"


def test_an_exact_value_goes_before_a_pattern_and_that_before_the_value_less_key() -> None:
    root = tree(rule("user"), rule("user", "a*"), rule("user", "alice"))
    assert found(root, ("user", "alice")) == "user=alice"
    assert found(root, ("user", "adam")) == "user=a*"
    assert found(root, ("user", "bob")) == "user"


@pytest.mark.parametrize("first", ["*", "a*", "*e", "a*c*", "**"])
def test_of_several_patterns_the_first_in_the_file_is_taken_and_not_the_longest(first: str) -> None:
    others = [pattern for pattern in ("al*", "alic*", "*lice", "a*i*e") if pattern != first]
    root = tree(rule("user", first), *(rule("user", other) for other in others))
    assert found(root, ("user", "alice")) == f"user={first}"


def test_a_pattern_that_does_not_fit_leaves_the_next_its_turn() -> None:
    root = tree(rule("user", "b*"), rule("user", "*x*"), rule("user", "*ice"), rule("user", "*"))
    assert found(root, ("user", "alice")) == "user=*ice"


def test_a_pattern_may_have_several_stars() -> None:
    root = tree(rule("path", "/api/*/users/*/files"))
    assert found(root, ("path", "/api/v1/users/7/files")) == "path=/api/*/users/*/files"
    assert found(root, ("path", "/api/v1/users/files")) is None


def test_a_star_in_a_key_fits_any_key() -> None:
    root = tree(rule("header-*", "1"), rule("header-*"), rule("header-x"))
    assert found(root, ("header-y", "1")) == "header-*=1"
    assert found(root, ("header-y", "2")) == "header-*"
    assert found(root, ("header-x", "2")) == "header-*"
    assert found(root, ("header", "1")) is None


def test_a_star_in_a_key_and_one_in_its_value_fit_each_on_its_own_side() -> None:
    root = tree(rule("a*", "*z"))
    assert found(root, ("ab", "yz")) == "a*=*z"
    assert found(root, ("a", "b")) is None
    assert found(root, ("b", "az")) is None


def test_patterns_of_keys_and_of_values_share_one_order() -> None:
    assert found(tree(rule("a*"), rule("ab", "*")), ("ab", "x")) == "a*"
    assert found(tree(rule("ab", "*"), rule("a*")), ("ab", "x")) == "ab=*"


def test_a_pattern_of_a_key_is_for_that_key_alone() -> None:
    assert found(tree(rule("user", "*")), ("agent", "x")) is None


def test_a_value_that_looks_like_the_pattern_is_the_patterns_own() -> None:
    root = tree(rule("user", "*"), rule("user", "a*"))
    assert found(root, ("user", "a*")) == "user=a*"
    assert found(root, ("user", "ab")) == "user=*"


def test_an_empty_value_goes_to_the_value_less_key() -> None:
    assert found(tree(rule("user"), rule("user", "alice")), ("user", "")) == "user"


def test_an_empty_value_fits_a_star_first() -> None:
    assert found(tree(rule("user"), rule("user", "*")), ("user", "")) == "user=*"
    assert found(tree(rule("user"), rule("user", "a*")), ("user", "")) == "user"


def test_keys_and_values_are_case_sensitive() -> None:
    root = tree(rule("user", "alice"), rule("agent", "a*"))
    assert found(root, ("User", "alice")) is None
    assert found(root, ("user", "Alice")) is None
    assert found(root, ("agent", "A1")) is None


# Several levels


def test_the_rule_must_be_as_deep_as_the_descriptor() -> None:
    root = tree(rule("a", "", rule("b", "", rule("c"))))
    assert found(root, ("a", "1"), ("b", "2"), ("c", "3")) == "a,b,c"
    assert found(root, ("a", "1"), ("b", "2")) == "a,b"
    assert found(root, ("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")) is None
    assert found(root, ("b", "2")) is None


def test_no_entries_lead_to_the_root() -> None:
    root = tree(rule("a"))
    assert matching.match(root, []) is root


def test_the_order_of_entries_matters() -> None:
    root = tree(rule("a", "", rule("b")))
    assert found(root, ("b", "2"), ("a", "1")) is None


def test_an_exact_parent_without_the_child_does_not_fall_back_to_a_more_general_one() -> None:
    root = tree(rule("a", "1"), rule("a", "*", rule("b")), rule("a", "", rule("b")))
    assert found(root, ("a", "2"), ("b", "x")) == "a=*,b"
    assert found(root, ("a", "1"), ("b", "x")) is None


def test_a_pattern_without_the_child_does_not_fall_back_to_the_next_one() -> None:
    root = tree(rule("a", "1*"), rule("a", "*", rule("b")), rule("a", "", rule("b")))
    assert found(root, ("a", "2"), ("b", "x")) == "a=*,b"
    assert found(root, ("a", "12"), ("b", "x")) is None


def test_a_pattern_may_stand_on_every_level() -> None:
    root = tree(rule("a", "1*", rule("b", "2*", rule("c*"))))
    assert found(root, ("a", "12"), ("b", "23"), ("cd", "x")) == "a=1*,b=2*,c*"
    assert found(root, ("a", "12"), ("b", "13"), ("cd", "x")) is None


# Against a search through the raw rules


KEYS = st.sampled_from(["a", "b", "a_b", "*", "a*", "*b"])
VALUES = st.sampled_from(["", "", "1", "1_a", "*", "1*", "*a", "1*a", "**"])
LIMIT = FixedWindow(1, Unit.DAY)
TREES = st.recursive(
    st.builds(rule, KEYS, VALUES, limit=st.sampled_from([None, LIMIT])),
    lambda inner: st.builds(
        lambda key, value, children: rule(key, value, *_once(children)), KEYS, VALUES, st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)
ENTRIES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "a_b", "ab", "*"]), st.sampled_from(["", "1", "1_a", "1a", "xa", "*"])),
    min_size=1,
    max_size=4,
)


def _once(level: Sequence[RawDescriptor]) -> list[RawDescriptor]:
    """The first of each key and value: further ones are a fault."""
    return list({(raw.key, raw.value): raw for raw in reversed(level)}.values())[::-1]


def fits(pattern: str, text: str) -> bool:
    """Here `*` is the only sign of a pattern, and no other is drawn."""
    return fnmatchcase(text, pattern)


def slow_match(level: Sequence[RawDescriptor], entries: Sequence[Entry]) -> list[RawDescriptor]:
    """The rules as they are told: the exact pair, else the first pattern, else the key alone; then down from there."""
    key, value = entries[0]
    patterns = [raw for raw in level if "*" in raw.key + raw.value]
    candidates = [raw for raw in level if (raw.key, raw.value) == (key, value) and raw.value]
    candidates += [raw for raw in patterns if fits(raw.key, key) and fits(raw.value or "*", value)]
    candidates += [raw for raw in level if (raw.key, raw.value) == (key, "")]
    if not candidates:
        return []
    if not entries[1:]:
        return candidates[:1]
    below = slow_match(candidates[0].children, entries[1:])
    return [candidates[0], *below] if below else []


@given(st.lists(TREES, max_size=6).map(_once), ENTRIES)
def test_matching_is_as_a_search_through_the_raw_rules_finds(
    descriptors: list[RawDescriptor], entries: list[Entry]
) -> None:
    node = matching.match(tree(*descriptors), entries)
    way = slow_match(descriptors, entries)
    assert (node.rule.path if node else "") == ",".join(name_of_step(raw.key, raw.value) for raw in way)
    if node:
        assert node.rule.limit == way[-1].limit
