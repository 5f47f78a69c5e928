from __future__ import annotations

import pytest

from ratelimit_service.compiling import MAX_METADATA_DEPTH, compile_limits
from ratelimit_service.limits import FixedWindow, Unit
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Entry, Limits, Rule
from service_kit.faults import ConfigurationError, Fault, Faults
from tests.ratelimit_service import configured

LIMIT = FixedWindow(1, Unit.DAY, "n")


def descriptor(key: str, value: str = "", *children: RawDescriptor, line: int = 1, **fields: object) -> RawDescriptor:
    """A raw descriptor; `fields` are its others."""
    return RawDescriptor("f.yaml", line, key, value, children=children, **fields)  # type: ignore[arg-type]


def domain(*descriptors: RawDescriptor, name: str = "d", source: str = "f.yaml", line: int = 1) -> RawDomain:
    return RawDomain(source, line, name, descriptors)


def compiled(*domains: RawDomain, merge_domains: bool = False) -> Limits:
    return compile_limits(domains, Faults(), merge_domains=merge_domains)


def faults(*domains: RawDomain, merge_domains: bool = False) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        compiled(*domains, merge_domains=merge_domains)
    return [str(fault) for fault in caught.value.faults]


def rule(limits: Limits, *entries: Entry) -> Rule:
    found = configured.rule(limits, "d", *entries)
    assert found is not None
    return found


def test_a_rule_has_what_its_descriptor_says() -> None:
    raw = descriptor(
        "a",
        "x",
        line=7,
        limit=LIMIT,
        name="n",
        replaces=("m", "m", "o"),
        shadow_mode=True,
        quota_mode=True,
        metadata={"team": "search"},
    )
    found = rule(compiled(domain(raw)), ("a", "x"))
    assert (found.path, found.steps, found.place) == ("a=x", (("a", "x"),), "f.yaml:7")
    assert (found.limit, found.name, found.replaces) == (LIMIT, "n", frozenset({"m", "o"}))
    assert (found.shadow_mode, found.quota_mode, found.metadata) == (True, True, {"team": "search"})
    assert (found.unlimited, found.series) == (False, None)


def test_an_unlimited_rule_has_no_bucket() -> None:
    found = rule(compiled(domain(descriptor("a", unlimited=True))), ("a", "x"))
    assert (found.unlimited, found.limit, found.bucket) == (True, None, None)


def test_a_rule_is_named_by_keys_and_configured_values_only() -> None:
    raw = descriptor("user", "", descriptor("a,b", "/r=1*", descriptor("c*", limit=LIMIT)))
    found = rule(compiled(domain(raw)), ("user", "alice"), ("a,b", "/r=12"), ("cc", "3"))
    assert found.path == "user,a%2Cb=/r%3D1*,c*"
    assert found.steps == (("user", ""), ("a,b", "/r=1*"), ("c*", ""))


def test_a_compiled_tree_cannot_be_changed() -> None:
    limits = compiled(domain(descriptor("a", "x")))
    with pytest.raises(TypeError):
        limits.domains["e"] = limits.domains["d"]  # type: ignore[index]
    with pytest.raises(TypeError):
        limits.domains["d"].exact["a", "y"] = limits.domains["d"]  # type: ignore[index]


def test_the_root_of_a_domain_is_a_rule_that_limits_nothing() -> None:
    root = compiled(domain()).domains["d"].rule
    assert (root.path, root.limit, root.unlimited) == ("", None, False)


# Buckets


@pytest.mark.parametrize(
    ("raw", "entries", "key"),
    [
        (descriptor("a", limit=LIMIT), [("a", "1")], "rl:{d}:w86400:a=1"),
        (descriptor("a", "1", limit=LIMIT), [("a", "1")], "rl:{d}:w86400:a=1"),
        (descriptor("a", "1*", limit=LIMIT), [("a", "12")], "rl:{d}:w86400:a=12"),
        (descriptor("a*", limit=LIMIT), [("ab", "12")], "rl:{d}:w86400:ab=12"),
        (descriptor("a*", "1", limit=LIMIT), [("ab", "1")], "rl:{d}:w86400:ab=1"),
        (descriptor("a", "1*", limit=LIMIT, share_threshold=True), [("a", "12")], "rl:{d}:w86400:a~1%2A"),
        (descriptor("a*", "*", limit=LIMIT, share_threshold=True), [("ab", "12")], "rl:{d}:w86400:ab~%2A"),
        (
            descriptor("a", "1*", descriptor("b", limit=LIMIT), share_threshold=True),
            [("a", "12"), ("b", "3")],
            "rl:{d}:w86400:a~1%2A:b=3",
        ),
        (
            descriptor("a", "1*", descriptor("b", "*", limit=LIMIT, share_threshold=True)),
            [("a", "12"), ("b", "3")],
            "rl:{d}:w86400:a=12:b~%2A",
        ),
    ],
)  # fmt: skip
def test_a_bucket_is_named_by_what_counts_apart(raw: RawDescriptor, entries: list[Entry], key: str) -> None:
    bucket = rule(compiled(domain(raw)), *entries).bucket
    assert bucket is not None
    assert bucket.key(entries) == key


# Names in metrics


@pytest.mark.parametrize(
    ("raw", "entries", "name"),
    [
        (descriptor("a", "", descriptor("b")), [("a", "1"), ("b", "2")], None),
        (descriptor("a", "", descriptor("b", detailed_metric=True)), [("a", "1"), ("b", "2")], "a=1,b=2"),
        (descriptor("a", "", descriptor("b"), detailed_metric=True), [("a", "1"), ("b", "2")], None),
        (descriptor("a", "", descriptor("b"), value_to_metric=True), [("a", "1"), ("b", "2")], "a=1,b"),
        (descriptor("a", "", descriptor("b", value_to_metric=True)), [("a", "1"), ("b", "2")], "a,b=2"),
        (descriptor("a", "1", descriptor("b"), value_to_metric=True), [("a", "1"), ("b", "2")], None),
        (descriptor("a", "1", descriptor("b", "2", detailed_metric=True)), [("a", "1"), ("b", "2")], None),
        (descriptor("a", "1*", descriptor("b", detailed_metric=True)), [("a", "12"), ("b", "2")], "a=12,b=2"),
        (
            descriptor("a", "1*", descriptor("b", detailed_metric=True), share_threshold=True),
            [("a", "12"), ("b", "2")],
            "a=1*,b=2",
        ),
        (descriptor("a", "1*", detailed_metric=True, share_threshold=True), [("a", "12")], None),
    ],
)  # fmt: skip
def test_values_of_requests_are_in_a_rules_name_where_it_asks_for_them(
    raw: RawDescriptor, entries: list[Entry], name: str | None
) -> None:
    series = rule(compiled(domain(raw)), *entries).series
    assert (series.of(entries) if series else None) == name


# What is wrong between parts


def test_a_descriptor_given_twice_is_told_with_both_places() -> None:
    assert faults(domain(descriptor("k", "v", line=3), descriptor("k", line=4), descriptor("k", "v", line=5))) == [
        "f.yaml:5: duplicate descriptor with key 'k' and value 'v', first in f.yaml:3"
    ]
    assert faults(domain(descriptor("a", "", descriptor("k", line=3), descriptor("k", line=4)))) == [
        "f.yaml:4: duplicate descriptor with key 'k' and no value, first in f.yaml:3"
    ]


def test_each_further_descriptor_is_a_fault_of_its_own_whatever_is_below_it() -> None:
    told = faults(domain(*(descriptor("k", "", descriptor("x", str(line)), line=line) for line in (3, 4, 5))))
    assert [line.partition(": ")[0] for line in told] == ["f.yaml:4", "f.yaml:5"]


def test_what_is_wrong_below_a_descriptor_given_twice_is_told_too() -> None:
    twice = descriptor("k", "", descriptor("x", line=5), descriptor("x", line=6), line=4)
    assert [line.partition(": ")[0] for line in faults(domain(descriptor("k", line=3), twice))] == [
        "f.yaml:4",
        "f.yaml:6",
    ]


def test_pairs_that_only_look_alike_when_joined_are_no_duplicates() -> None:
    limits = compiled(domain(descriptor("a", "b_c"), descriptor("a_b", "c"), descriptor("a", "b", descriptor("c"))))
    assert len(list(limits.rules())) == 4


def test_a_pattern_is_a_value_like_others_for_duplicates() -> None:
    assert len(faults(domain(descriptor("k", "a*"), descriptor("k", "a*")))) == 1
    assert len(list(compiled(domain(descriptor("k", "a*"), descriptor("k", "*a"), descriptor("k"))).rules())) == 3


def test_a_domain_given_twice_is_told_with_both_places() -> None:
    assert faults(domain(source="a.yaml"), domain(source="b.yaml", line=3), domain(source="c.yaml", line=2)) == [
        "b.yaml:3: duplicate domain 'd', first in a.yaml:1",
        "c.yaml:2: duplicate domain 'd', first in a.yaml:1",
    ]


def test_a_source_without_lines_is_told_by_its_name() -> None:
    first = domain(descriptor("k"), source="resource 'd'", line=0)
    assert faults(first, domain(source="x", line=0)) == ["x: duplicate domain 'd', first in resource 'd'"]


def test_merged_domains_are_one_and_each_of_their_descriptors_may_come_once() -> None:
    parts = [
        domain(descriptor("a", limit=LIMIT)),
        domain(descriptor("b")),
        domain(descriptor("c"), name="e"),
    ]
    limits = compiled(*parts, merge_domains=True)
    assert {rule.path for rule in limits.rules_of("d")} == {"a", "b"}
    assert rule(limits, ("a", "1")).limit == LIMIT
    again = domain(descriptor("a", line=9))
    assert faults(*parts, again, merge_domains=True) == [
        "f.yaml:9: duplicate descriptor with key 'a' and no value, first in f.yaml:1"
    ]


def test_faults_that_were_noted_before_come_with_those_found_here() -> None:
    noted = Faults()
    noted.add("f.yaml", 9, "is wrong")
    with pytest.raises(ConfigurationError) as caught:
        compile_limits([domain(descriptor("k", line=2), descriptor("k", line=3))], noted)
    assert [fault.line for fault in caught.value.faults] == [3, 9]


def test_what_was_read_with_a_fault_is_no_duplicate_on_top() -> None:
    noted = Faults()
    noted.add("f.yaml", 1, "domain is missing")
    nameless = domain(descriptor("", line=2), descriptor("", line=3), name="")
    with pytest.raises(ConfigurationError) as caught:
        compile_limits([nameless, nameless], noted)
    assert len(caught.value.faults) == 1


def test_warnings_go_along_with_the_limits_in_order() -> None:
    noted = Faults()
    noted.warn("b.yaml", 1, "second")
    noted.warn("a.yaml", 2, "first")
    assert compile_limits([domain()], noted).warnings == (Fault("a.yaml", 2, "first"), Fault("b.yaml", 1, "second"))


def nested(levels: int) -> dict[str, object]:
    """Metadata of so many levels, lists and mappings by turns."""
    value: object = "x"
    for level in range(levels - 1):
        value = [value] if level % 2 else {"k": value}
    return {"k": value}


def test_metadata_may_be_only_so_deep_that_a_response_with_it_can_be_read() -> None:
    found = rule(compiled(domain(descriptor("a", metadata=nested(MAX_METADATA_DEPTH)))), ("a", "1"))
    assert found.metadata == nested(MAX_METADATA_DEPTH)
    assert faults(domain(descriptor("a", line=4, metadata=nested(MAX_METADATA_DEPTH + 1)))) == [
        f"f.yaml:4: metadata of key 'a' and no value has more than {MAX_METADATA_DEPTH} levels"
    ]
