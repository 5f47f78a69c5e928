from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ratelimit_service.rules import Entry, Pattern, Rule, SeriesName, Wildcard, name_of_step
from tests.ratelimit_service import configured

TREE = """
domain: d
descriptors:
  - {key: a, value: x}
  - {key: a, value: 'y*'}
  - key: a
    descriptors:
      - {key: 'b*'}
      - {key: c, value: '*', descriptors: [{key: e}]}
"""


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("", [""], ["a"]),
        ("a", ["a"], ["", "A", "aa"]),
        ("*", ["", "a", "*", "a b\n"], []),
        ("a*", ["a", "ab", "a*"], ["", "ba", "A"]),
        ("*a", ["a", "ba", "aa"], ["", "ab"]),
        ("a*a", ["aa", "aba", "aaa"], ["a", "ab", "aab"]),
        ("a*b*c", ["abc", "axbxc", "abbc", "abcbc"], ["ac", "acb", "abcx", "xabc"]),
        ("*b*", ["b", "abc"], ["", "ac"]),
        ("a**c", ["ac", "abc"], ["a", "c"]),
        ("/api/*/users/*", ["/api/v1/users/", "/api//users/7/x"], ["/api/users/7", "/api/v1/users"]),
        ("a.c?", ["a.c?"], ["abc?", "a.cc"]),
        ("*ab*b", ["abb", "xabxb", "abab"], ["ab", "xab"]),
    ],
)
def test_each_star_stands_for_any_characters_or_none(pattern: str, fits: list[str], does_not: list[str]) -> None:
    assert [text for text in [*fits, *does_not] if Pattern(pattern).matches(text)] == fits


LETTERS = st.text(st.sampled_from("ab*"), max_size=8)


@given(LETTERS, st.text(st.sampled_from("ab*\n"), max_size=12))
@example("a*b*a", "abba")
def test_a_pattern_fits_what_its_regular_expression_fits(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert Pattern(pattern).matches(text) == (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_no_pattern_and_text_take_long_together() -> None:
    # A search that takes its steps back would not end while anybody waits for it.
    begun = time.process_time()
    assert not Pattern("*a" * 1_000 + "*c*").matches("a" * 50_000)
    assert Pattern("*a" * 1_000 + "*").matches("a" * 50_000)
    assert time.process_time() - begun < 5


def test_a_wildcard_asks_for_key_and_value_apart() -> None:
    root = configured.limits("domain: d\n").domains["d"]
    wildcard = Wildcard(Pattern("a*"), Pattern("*z"), root)
    entries: list[Entry] = [("ab", "yz"), ("a", "z"), ("b", "z"), ("a", "zy"), ("abz", "")]
    assert [entry for entry in entries if wildcard.matches(entry)] == [("ab", "yz"), ("a", "z")]


def test_every_rule_of_a_domain_is_listed_once() -> None:
    limits = configured.limits(TREE, "domain: e\ndescriptors: [{key: z}]\n")
    assert sorted(rule.path for rule in limits.rules_of("d")) == ["a", "a,b*", "a,c=*", "a,c=*,e", "a=x", "a=y*"]
    assert [rule.path for rule in limits.rules_of("e")] == ["z"]
    assert len(list(limits.rules())) == 7


def test_a_rule_is_found_where_it_stands_and_does_nothing_that_it_does_not_say() -> None:
    rule = Rule("a", (("a", ""),), "limits/d.yaml", 7)
    assert rule.place == "limits/d.yaml:7"
    assert (rule.limit, rule.unlimited, rule.shadow_mode, rule.quota_mode) == (None, False, False, False)


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("endpoint", "/reports", "endpoint=/reports"),
        ("user", "", "user"),
        ("path", "/a*/b", "path=/a*/b"),
        ("a,b", "c=d", "a%2Cb=c%3Dd"),
        ("k", "\u00fc", "k=%C3%BC"),
    ],
)
def test_a_step_is_named_by_key_and_value(key: str, value: str, name: str) -> None:
    assert name_of_step(key, value) == name


def test_a_series_is_named_by_what_is_configured_and_by_what_comes() -> None:
    series = SeriesName(("tenant=acme", None, "path=/x*", None))
    entries = [("tenant", "acme"), ("user", "al,ice"), ("path", "/xyz"), ("empty", "")]
    assert series.of(entries) == "tenant=acme,user=al%2Cice,path=/x*,empty"


def test_what_is_long_in_a_series_is_hashed() -> None:
    name = SeriesName((None,)).of([("token", "x" * 60_000)])
    assert re.fullmatch(r"token=#[0-9a-f]{64}", name)


TEXT = st.text(st.sampled_from("a,=%*#/"), max_size=3) | st.text(max_size=70)
ENTRIES = st.lists(st.tuples(TEXT, TEXT), min_size=2, max_size=2)


@given(ENTRIES, ENTRIES)
def test_different_entries_have_different_series(entries: Sequence[Entry], others: Sequence[Entry]) -> None:
    series = SeriesName((None, None))
    assert (series.of(entries) == series.of(others)) == (entries == others)
