"""What `keys` writes is read back, and leads to the rule that wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import keys, matching
from ratelimit_service.commands import bucket_names
from ratelimit_service.commands.bucket_names import Part, Rules
from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from tests.ratelimit_service import configured

LONG = "x" * 65
LIMITS = configured.limits(
    f"""
    domain: "d {LONG}"
    descriptors:
      - key: user
        rate_limit: {{unit: minute, requests_per_unit: 9}}
        descriptors:
          - key: endpoint
            rate_limit: {{unit: minute, requests_per_unit: 9, algorithm: token_bucket}}
      - key: user
        value: alice
        rate_limit: {{unit: hour, requests_per_unit: 9}}
      - key: user
        value: {LONG}
        rate_limit: {{unit: day, requests_per_unit: 9}}
      - key: plan
        value: "free*"
        share_threshold: true
        rate_limit: {{unit: minute, requests_per_unit: 9, algorithm: sliding_window}}
        descriptors:
          - key: user
            rate_limit: {{unit: second, requests_per_unit: 9}}
      - key: token
        value: "ey*"
        rate_limit: {{unit: second, requests_per_unit: 9}}
      - key: token
        rate_limit: {{unit: second, requests_per_unit: 9}}
      - key: "tenant*"
        rate_limit: {{unit: second, requests_per_unit: 9}}
      - key: job
        value: "*"
        rate_limit: {{unit: second, requests_per_unit: 9}}
    """
)
(DOMAIN,) = LIMITS.domains
RULES = Rules(LIMITS)

limits = st.sampled_from(
    [FixedWindow(1, Unit.MINUTE), SlidingWindow(1, Unit.HOUR, multiplier=5), TokenBucket(1, Unit.DAY, burst=1)]
)
entries = st.lists(st.tuples(st.text(max_size=70), st.text(max_size=70)), max_size=4)


@given(st.text(max_size=70), entries, limits)
def test_a_key_is_read_back_into_what_it_was_made_of(domain: str, found: list[tuple[str, str]], limit: Limit) -> None:
    written = keys.bucket(domain, found, limit)
    name = bucket_names.parse(written)
    assert name is not None
    assert name.name == written
    assert (name.kind, name.seconds) == (
        ("w", 60) if isinstance(limit, FixedWindow) else ("s", 18_000) if isinstance(limit, SlidingWindow) else ("b", 0)
    )
    assert name.tail == bucket_names.tail(found)
    assert name.parts == tuple(Part(keys.escape(key), keys.escape(value), shared=False) for key, value in found)
    for text, encoded in (
        (domain, name.tag),
        *((value, part.value) for (_, value), part in zip(found, name.parts, strict=True)),
    ):
        assert bucket_names.decode(encoded) == (text if len(text.encode("utf-8", "surrogatepass")) <= 64 else None)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "rl:",
        "rl:{d}",
        "rl:{d}:",
        "rl:{d}:x60",
        "rl:{d}:w",
        "rl:{d}:w0",
        "rl:{d}:w60:",
        "rl:{d}:w60:a",
        "rl:{d}:b1",
        "rl:{d}:b:a=b=c",
        "rl:{d}:b:a=b c",
        "rl:{d}:w60:a={b}",
        "rl:{d}:w9999999999",
        "rl:{d}:b\n",
        "rl:{d}:b:a=é",
    ],
)
def test_what_is_no_bucket_of_ours_is_passed_over(name: str) -> None:
    assert bucket_names.parse(name) is None


def test_entries_are_shown_decoded_and_long_ones_by_the_beginning_of_their_hash() -> None:
    name = bucket_names.parse(keys.bucket("d", [("a b", "x\x1b"), ("k", LONG), ("#", "")], FixedWindow(1, Unit.DAY)))
    assert name is not None
    hashed = keys.escape(LONG)[:9]
    assert bucket_names.entries_shown(name) == f'"a b"="x\\u001b", k={hashed}…, "#"=""'
    assert name.algorithm == "fixed_window of 1 day"
    assert bucket_names.shown("%FF") == r"\xff"


@pytest.mark.parametrize(
    ("entries", "path"),
    [
        ([("user", "bob")], "user"),
        ([("user", "alice")], "user=alice"),
        ([("user", LONG)], f"user={LONG}"),  # hashed in the key, and known from the configuration
        ([("user", "y" * 65)], "user"),
        ([("user", "bob"), ("endpoint", "/x")], "user,endpoint"),
        ([("plan", "free-1")], "plan=free*"),
        ([("plan", "free-1"), ("user", "bob")], "plan=free*,user"),
        ([("token", "eyx")], "token=ey*"),
        ([("token", "x")], "token"),
        ([("tenant-1", "x")], "tenant*"),
        ([("tenant-1", "y" * 65)], "tenant*"),
        ([("job", "y" * 65)], "job=*"),
    ],
)
def test_a_bucket_leads_to_the_rule_that_counts_there(entries: list[tuple[str, str]], path: str) -> None:
    node = matching.match(LIMITS.domains[DOMAIN], entries)
    assert node is not None
    assert node.rule.bucket is not None
    name = bucket_names.parse(node.rule.bucket.key(entries))
    assert name is not None
    rule = RULES.of(name)
    assert rule is node.rule
    assert rule.path == path


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "plan", "token", "tenant", "tenant2", "endpoint", "job", "z"]),
            st.sampled_from(["alice", "free", "free1", "free*", "ey", LONG, "ey" + LONG, "", "a~b", "*"]),
        ),
        min_size=1,
        max_size=2,
    )
)
def test_a_bucket_leads_to_its_rule_unless_its_hash_hides_whether_a_pattern_fits(
    entries: list[tuple[str, str]],
) -> None:
    node = matching.match(LIMITS.domains[DOMAIN], entries)
    if node is None or node.rule.bucket is None:
        return
    name = bucket_names.parse(node.rule.bucket.key(entries))
    assert name is not None
    assert RULES.of(name) is (None if ("token", "ey" + LONG) in entries else node.rule)


@pytest.mark.parametrize(
    "name",
    [
        "rl:{other}:w60:user=bob",
        "rl:{%s}:w3600:user=bob",  # of another span
        "rl:{%s}:b:user=bob",  # of another algorithm
        "rl:{%s}:w60",
        "rl:{%s}:w60:z=z",
        "rl:{%s}:w60:user~bob",
        "rl:{%s}:s60:plan=free-1",  # from before the values shared it
        "rl:{%s}:w1:#abc=x",
    ],
)
def test_a_bucket_of_no_rule_leads_nowhere(name: str) -> None:
    parsed = bucket_names.parse(name.replace("%s", keys.escape(DOMAIN)))
    assert parsed is not None
    assert RULES.of(parsed) is None
