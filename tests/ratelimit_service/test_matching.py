from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import config, matching
from ratelimit_service.config import RawDescriptor, RawDomain
from ratelimit_service.model import Entry, FixedWindow, Limit, Node, Unit
from service_kit.faults import Faults


def rule(key: str, value: str = "", *children: RawDescriptor, limit: Limit | None = None) -> RawDescriptor:
    return RawDescriptor("test.yaml", 1, key, value, limit, children)


def tree(*descriptors: RawDescriptor) -> Node:
    return config.compile_limits([RawDomain("test.yaml", 1, "d", descriptors)], Faults()).domains["d"]


def found(root: Node, *entries: Entry) -> str | None:
    node = matching.match(root, entries)
    return node.rule if node else None


def test_the_exact_value_goes_before_the_value_less_key() -> None:
    root = tree(rule("user"), rule("user", "alice"))
    assert found(root, ("user", "alice")) == "user=alice"
    assert found(root, ("user", "bob")) == "user"


def test_an_empty_value_goes_to_the_value_less_key() -> None:
    assert found(tree(rule("user"), rule("user", "alice")), ("user", "")) == "user"


def test_keys_and_values_are_case_sensitive() -> None:
    root = tree(rule("user", "alice"))
    assert found(root, ("User", "alice")) is None
    assert found(root, ("user", "Alice")) is None


def test_the_rule_must_be_as_deep_as_the_descriptor() -> None:
    root = tree(rule("a", "", rule("b", "", rule("c"))))
    assert found(root, ("a", "1"), ("b", "2"), ("c", "3")) == "a,b,c"
    assert found(root, ("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")) is None
    assert found(root, ("b", "2")) is None


def test_the_order_of_entries_matters() -> None:
    root = tree(rule("a", "", rule("b")))
    assert found(root, ("b", "2"), ("a", "1")) is None


def test_an_exact_parent_without_the_child_does_not_fall_back_to_the_general_one() -> None:
    root = tree(rule("a", "1"), rule("a", "", rule("b")))
    assert found(root, ("a", "2"), ("b", "x")) == "a,b"
    assert found(root, ("a", "1"), ("b", "x")) is None


NAMES = st.sampled_from(["a", "b", "a_b"])
VALUES = st.sampled_from(["", "1", "1_a"])
LIMIT = FixedWindow(1, Unit.DAY)
TREES = st.recursive(
    st.builds(rule, NAMES, VALUES, limit=st.sampled_from([None, LIMIT])),
    lambda inner: st.builds(
        lambda key, value, children: rule(key, value, *children), NAMES, VALUES, st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


def slow_match(level: Sequence[RawDescriptor], entries: Sequence[Entry]) -> RawDescriptor | None:
    """The rules as they are told: look for the exact pair, then for the key alone, then go down."""
    key, value = entries[0]
    candidates = [raw for raw in level if (raw.key, raw.value) == (key, value)]
    candidates += [raw for raw in level if (raw.key, raw.value) == (key, "")]
    if not candidates:
        return None
    return slow_match(candidates[0].children, entries[1:]) if entries[1:] else candidates[0]


@given(st.lists(TREES, max_size=5), st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=4))
def test_matching_is_as_a_search_through_the_raw_rules_finds(
    descriptors: list[RawDescriptor], entries: list[Entry]
) -> None:
    # A duplicate is a fault, and its first one wins in both ways of looking.
    node = matching.match(tree(*descriptors), entries)
    raw = slow_match(descriptors, entries)
    assert (node is None) == (raw is None)
    if node and raw:
        assert node.limit == raw.limit
        assert node.rule.rpartition(",")[2] == raw.key + (f"={raw.value}" if raw.value else "")
