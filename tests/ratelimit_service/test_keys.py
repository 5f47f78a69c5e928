from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import keys
from ratelimit_service.keys import BucketName, Step
from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.rules import Entry

WINDOW = FixedWindow(1, Unit.MINUTE)
SLIDING = SlidingWindow(1, Unit.MINUTE)
BUCKET = TokenBucket(1, Unit.MINUTE, 1)


@pytest.mark.parametrize(
    ("domain", "entries", "limit", "key"),
    [
        ("agent_gateway", [("user", "alice")], BUCKET, "rl:{agent_gateway}:b:user=alice"),
        ("d", [("user", "a@b.c"), ("endpoint", "/reports")], WINDOW, "rl:{d}:w60:user=a@b.c:endpoint=/reports"),
        ("d", [("k", "v")], SLIDING, "rl:{d}:s60:k=v"),
        ("d", [("k", "v")], FixedWindow(1, Unit.MINUTE, multiplier=5), "rl:{d}:w300:k=v"),
        ("d", [("k", "v")], SlidingWindow(1, Unit.DAY, multiplier=7), "rl:{d}:s604800:k=v"),
        ("d", [("k", "")], FixedWindow(1, Unit.YEAR), "rl:{d}:w31536000:k="),
        ("d", [], WINDOW, "rl:{d}:w60"),
        ("{x}", [("a=b", "c:d"), ("%", "#")], WINDOW, "rl:{%7Bx%7D}:w60:a%3Db=c%3Ad:%25=%23"),
        ("d", [("a~", "~b*")], WINDOW, "rl:{d}:w60:a%7E=%7Eb%2A"),
        ("d", [("k", "\u00fc \n")], WINDOW, "rl:{d}:w60:k=%C3%BC%20%0A"),
        ("d", [("k", "x" * 64)], WINDOW, "rl:{d}:w60:k=" + "x" * 64),
        (
            "d",
            [("k", "x" * 65)],
            WINDOW,
            "rl:{d}:w60:k=#9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9",
        ),
    ],
)  # fmt: skip
def test_keys_are_exactly_these(domain: str, entries: list[Entry], limit: Limit, key: str) -> None:
    assert keys.bucket(domain, entries, limit) == key


@pytest.mark.parametrize(
    ("steps", "entries", "key"),
    [
        ([], [], "rl:{d}:w60"),
        ([Step("k", "v")], [("k", "v")], "rl:{d}:w60:k=v"),
        ([Step("k", None)], [("k", "v w")], "rl:{d}:w60:k=v%20w"),
        ([Step(None, None)], [("k:", "v")], "rl:{d}:w60:k%3A=v"),
        ([Step(None, "v")], [("k", "v")], "rl:{d}:w60:k=v"),
        ([Step("k", "v*", shared=True)], [("k", "vw")], "rl:{d}:w60:k~v%2A"),
        ([Step(None, "*", shared=True)], [("k", "vw")], "rl:{d}:w60:k~%2A"),
        ([Step("a", None), Step("b", "x*", shared=True), Step("c", None)], [("a", "1"), ("b", "xy"), ("c", "")],
         "rl:{d}:w60:a=1:b~x%2A:c="),
    ],
)  # fmt: skip
def test_a_bucket_name_puts_what_comes_beside_what_is_configured(
    steps: list[Step], entries: list[Entry], key: str
) -> None:
    assert BucketName.of("d", steps, WINDOW).key(entries) == key


def test_a_bucket_name_is_of_its_limits_kind() -> None:
    names = [BucketName.of("d", [Step("k", None)], limit).key([("k", "v")]) for limit in (WINDOW, SLIDING, BUCKET)]
    assert names == ["rl:{d}:w60:k=v", "rl:{d}:s60:k=v", "rl:{d}:b:k=v"]


def test_bytes_and_text_of_the_same_bytes_are_the_same() -> None:
    assert keys.escape("\u00fc/x") == keys.escape("\u00fc/x".encode())
    assert keys.escape(b"\xff\x00") == "%FF%00"
    assert keys.escape("\ud800") == "%ED%A0%80"


def test_a_text_is_long_by_its_bytes_and_not_by_its_letters() -> None:
    assert keys.escape("\u00fc" * 32) == "%C3%BC" * 32
    assert keys.escape("\u00fc" * 33).startswith("#")


def test_all_buckets_of_a_domain_share_a_hash_tag_and_a_beginning() -> None:
    names = [
        keys.bucket("do}{main", [entry], limit)
        for entry in (("a", "}"), ("{", "b"))
        for limit in (WINDOW, SLIDING, BUCKET)
    ]
    tags = {re.search(r"\{(.*?)\}", name) for name in names}
    assert {tag[1] for tag in tags if tag} == {"do%7D%7Bmain"}
    assert all(name.startswith(keys.prefix("do}{main")) for name in names)
    assert not any(name.startswith(keys.prefix("do}{mai")) for name in names)


def test_a_limit_of_another_span_or_algorithm_has_another_bucket() -> None:
    limits: list[Limit] = [BUCKET, *(kind(1, unit) for kind in (FixedWindow, SlidingWindow) for unit in Unit)]
    assert len({keys.bucket("d", [("a", "b")], limit) for limit in limits}) == len(limits)


def test_a_limit_of_the_same_span_shares_its_bucket_whatever_its_number() -> None:
    for one, other in (
        (WINDOW, FixedWindow(9, Unit.SECOND, "n", 60)),
        (SLIDING, SlidingWindow(9, Unit.SECOND, "n", 60)),
        (BUCKET, TokenBucket(9, Unit.DAY, 7, "n")),
    ):
        assert keys.bucket("d", [("a", "b")], one) == keys.bucket("d", [("a", "b")], other)


TEXT = st.one_of(st.text(st.sampled_from("a:=%{}#_/~*"), max_size=4), st.text(max_size=80))
ENTRIES = st.lists(st.tuples(TEXT, TEXT), max_size=4)
STEPS = st.lists(st.tuples(TEXT, TEXT, st.booleans()), max_size=3)


@given(TEXT, ENTRIES, TEXT, ENTRIES)
def test_different_domains_and_entries_have_different_keys(
    domain: str, entries: list[Entry], other_domain: str, other_entries: list[Entry]
) -> None:
    same = (domain, entries) == (other_domain, other_entries)
    assert (keys.bucket(domain, entries, WINDOW) == keys.bucket(other_domain, other_entries, WINDOW)) == same


@given(STEPS, STEPS)
def test_a_shared_bucket_has_a_key_that_no_other_has(
    steps: list[tuple[str, str, bool]], other: list[tuple[str, str, bool]]
) -> None:
    names = [
        BucketName.of("d", [Step(key, value, shared) for key, value, shared in each], WINDOW).key([])
        for each in (steps, other)
    ]
    assert (names[0] == names[1]) == (steps == other)


def test_the_sign_of_a_shared_bucket_is_encoded_everywhere_else() -> None:
    one = BucketName.of("d", [Step("k", "a~*", shared=True)], WINDOW).key([])
    other = BucketName.of("d", [Step("k~a", "*", shared=True)], WINDOW).key([])
    assert (one, other) == ("rl:{d}:w60:k~a%7E%2A", "rl:{d}:w60:k%7Ea~%2A")


@given(TEXT, ENTRIES, st.data())
def test_a_bucket_name_gives_the_key_of_the_entries_where_nothing_is_shared(
    domain: str, entries: list[Entry], data: st.DataObject
) -> None:
    steps = [
        Step(key if data.draw(st.booleans()) else None, value if data.draw(st.booleans()) else None)
        for key, value in entries
    ]
    assert BucketName.of(domain, steps, WINDOW).key(entries) == keys.bucket(domain, entries, WINDOW)


@given(TEXT, ENTRIES)
def test_keys_are_bounded_printable_ascii(domain: str, entries: list[Entry]) -> None:
    key = keys.bucket(domain, entries, WINDOW)
    assert re.fullmatch(r"[!-~]*", key)
    assert len(key) <= 20 + (2 * len(entries) + 1) * (3 * keys.MAX_COMPONENT_BYTES + 2)
