"""The trail tells what `matching` does, and no more than it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import matching
from ratelimit_service.commands import trail
from ratelimit_service.commands.trail import How, Why
from ratelimit_service.compiling import compile_limits
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Entry, Limits
from service_kit.faults import Faults
from tests.ratelimit_service import configured

LIMITS = configured.limits(
    """
    domain: d
    descriptors:
      - key: user
        value: alice
      - key: user
        value: a*
        descriptors: [{key: endpoint, rate_limit: {unit: day, requests_per_unit: 1}}]
      - key: user
        value: al*
      - key: user
        descriptors:
          - {key: endpoint, value: /x}
          - {key: endpoint}
      - key: u*
        value: bob
      - key: agent
    """
)

# Few letters, so that rules and entries often meet.
keys = st.sampled_from(["k", "l", "k*", "*"])
values = st.sampled_from(["", "a", "b", "ab", "a*", "*b", "*"])
entries = st.lists(st.tuples(st.sampled_from(["k", "l", "kk", "k*"]), values), min_size=1, max_size=3)


def descriptors(depth: int = 3) -> st.SearchStrategy[tuple[RawDescriptor, ...]]:
    below = descriptors(depth - 1) if depth else st.just(())
    lines = st.integers(1, 99)
    one = st.builds(
        lambda key, value, line, children: RawDescriptor("f.yaml", line, key, value, children=children),
        keys,
        values,
        lines,
        below,
    )
    return st.lists(one, max_size=4, unique_by=lambda raw: (raw.key, raw.value)).map(tuple)


def compiled(found: tuple[RawDescriptor, ...]) -> Limits:
    return compile_limits([RawDomain("f.yaml", 1, "d", found)], Faults())


def followed(*found: Entry) -> tuple[list[tuple[str, How]], list[list[tuple[str, Why]]]]:
    way = trail.follow(LIMITS.domains["d"], found)
    taken = [(level.rule.path, level.how) for level in way.levels if level.rule and level.how]
    return taken, [[(each.rule.path, each.why) for each in level.passed] for level in way.levels]


def test_an_exact_rule_wins_and_all_that_take_the_entry_too_are_told_first() -> None:
    assert followed(("user", "alice")) == (
        [("user=alice", How.EXACT)],
        [
            [
                ("user=a*", Why.EXACT_WINS),
                ("user=al*", Why.EXACT_WINS),
                ("user", Why.EXACT_WINS),
                ("u*=bob", Why.OTHER_VALUE),
                ("agent", Why.OTHER_KEY),
            ]
        ],
    )


def test_the_first_wildcard_wins_over_later_ones_and_over_any_value() -> None:
    assert followed(("user", "albert")) == (
        [("user=a*", How.WILDCARD)],
        [
            [
                ("user=al*", Why.EARLIER_WILDCARD_WINS),
                ("user", Why.WILDCARD_WINS),
                ("user=alice", Why.OTHER_VALUE),
                ("u*=bob", Why.OTHER_VALUE),
                ("agent", Why.OTHER_KEY),
            ]
        ],
    )


def test_any_value_is_taken_where_nothing_nearer_fits() -> None:
    assert followed(("user", "carol")) == (
        [("user", How.ANY_VALUE)],
        [
            [
                ("user=alice", Why.OTHER_VALUE),
                ("u*=bob", Why.OTHER_VALUE),
                ("user=a*", Why.VALUE_DOES_NOT_FIT),
                ("user=al*", Why.VALUE_DOES_NOT_FIT),
                ("agent", Why.OTHER_KEY),
            ]
        ],
    )


def test_a_key_that_fits_no_pattern_is_told_as_such() -> None:
    assert ("u*=bob", Why.KEY_DOES_NOT_FIT) in followed(("agent", "x"))[1][0]


def test_a_rule_that_would_have_led_on_is_marked_since_no_step_is_taken_back() -> None:
    way = trail.follow(LIMITS.domains["d"], [("user", "alice"), ("endpoint", "/x"), ("z", "z")])
    assert (way.rule, way.left, way.levels[-1].passed) == (None, 1, ())
    assert not any(each.leads_on for level in way.levels for each in level.passed)
    way = trail.follow(LIMITS.domains["d"], [("user", "alice"), ("endpoint", "/x")])
    assert [each.rule.path for each in way.levels[0].passed if each.leads_on] == ["user=a*", "user"]


def test_rules_below_are_told_where_the_entries_end() -> None:
    way = trail.follow(LIMITS.domains["d"], [("user", "carol")])
    assert way.rule is not None
    assert (way.rule.path, [rule.path for rule in way.deeper]) == ("user", ["user,endpoint=/x", "user,endpoint"])


@given(descriptors(), entries)
def test_the_rule_of_a_trail_is_the_one_that_matching_finds(
    found: tuple[RawDescriptor, ...], wanted: list[Entry]
) -> None:
    root = compiled(found).domains["d"]
    way, node = trail.follow(root, wanted), matching.match(root, wanted)
    assert way.rule is (node.rule if node else None)
    assert len(way.levels) + way.left == len(wanted)
    assert (way.rule is None) == (way.levels[-1].rule is None)


@given(descriptors(), entries)
def test_a_rule_is_said_to_take_an_entry_exactly_when_alone_it_would(
    found: tuple[RawDescriptor, ...], wanted: list[Entry]
) -> None:
    for level in trail.follow(compiled(found).domains["d"], wanted).levels:
        for each in level.passed:
            key, value = each.rule.steps[-1]
            alone = compiled((RawDescriptor("f.yaml", 1, key, value),)).domains["d"]
            assert (matching.step(alone, level.entry) is not None) == each.why.takes_the_entry


@given(descriptors(), entries)
def test_each_level_tells_of_every_rule_beside_the_one_that_was_taken(
    found: tuple[RawDescriptor, ...], wanted: list[Entry]
) -> None:
    root = compiled(found).domains["d"]
    level = trail.follow(root, wanted).levels[0]
    told = [each.rule.steps for each in level.passed] + ([level.rule.steps] if level.rule else [])
    assert sorted(told) == sorted(((raw.key, raw.value),) for raw in found)
