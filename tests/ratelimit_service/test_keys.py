from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import keys
from ratelimit_service.model import Entry, FixedWindow, Limit, TokenBucket, Unit

WINDOW = FixedWindow(1, Unit.MINUTE)
BUCKET = TokenBucket(1, Unit.MINUTE, 1)


@pytest.mark.parametrize(
    ("domain", "entries", "limit", "key"),
    [
        ("agent_gateway", [("user", "alice")], BUCKET, "rl:{agent_gateway}:b:user=alice"),
        ("d", [("user", "a@b.c"), ("endpoint", "/reports")], WINDOW, "rl:{d}:w60:user=a@b.c:endpoint=/reports"),
        ("d", [("k", "")], FixedWindow(1, Unit.YEAR), "rl:{d}:w31536000:k="),
        ("d", [], WINDOW, "rl:{d}:w60"),
        ("{x}", [("a=b", "c:d"), ("%", "#")], WINDOW, "rl:{%7Bx%7D}:w60:a%3Db=c%3Ad:%25=%23"),
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


def test_bytes_and_text_of_the_same_bytes_are_the_same() -> None:
    assert keys.escape("\u00fc/x") == keys.escape("\u00fc/x".encode())
    assert keys.escape(b"\xff\x00") == "%FF%00"
    assert keys.escape("\ud800") == "%ED%A0%80"


def test_all_buckets_of_a_domain_share_a_hash_tag() -> None:
    tags = {
        re.search(r"\{(.*?)\}", keys.bucket("do}{main", [entry], limit))
        for entry in (("a", "}"), ("{", "b"))
        for limit in (WINDOW, BUCKET)
    }
    assert {tag[1] for tag in tags if tag} == {"do%7D%7Bmain"}


def test_a_limit_with_another_unit_or_algorithm_has_another_bucket() -> None:
    limits: list[Limit] = [BUCKET, *(FixedWindow(1, unit) for unit in Unit)]
    assert len({keys.bucket("d", [("a", "b")], limit) for limit in limits}) == len(limits)


TEXT = st.one_of(st.text(st.sampled_from("a:=%{}#_/"), max_size=4), st.text(max_size=80))
ENTRIES = st.lists(st.tuples(TEXT, TEXT), max_size=4)


@given(TEXT, ENTRIES, TEXT, ENTRIES)
def test_different_domains_and_entries_have_different_keys(
    domain: str, entries: list[Entry], other_domain: str, other_entries: list[Entry]
) -> None:
    same = (domain, entries) == (other_domain, other_entries)
    assert (keys.bucket(domain, entries, WINDOW) == keys.bucket(other_domain, other_entries, WINDOW)) == same


@given(TEXT, ENTRIES)
def test_keys_are_bounded_printable_ascii(domain: str, entries: list[Entry]) -> None:
    key = keys.bucket(domain, entries, WINDOW)
    assert re.fullmatch(r"[!-~]*", key)
    assert len(key) <= 20 + (2 * len(entries) + 1) * (3 * keys.MAX_COMPONENT_BYTES + 2)
