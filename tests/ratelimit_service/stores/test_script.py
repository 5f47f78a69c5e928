"""The words and numbers of the script. What it does with them is in tests/contracts/test_counter_store.py."""

from __future__ import annotations

import hashlib

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import fixed_window, sliding_window, token_bucket
from ratelimit_service.limits import MAX_SECONDS, MAX_UINT32, FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.model import Charge, Count, Role
from ratelimit_service.stores import script
from service_kit.valkey.errors import StoreUnavailableError

NOW = 1_763_870_417_000_000
WINDOW = FixedWindow(7, Unit.MINUTE, multiplier=5)
SLIDING = SlidingWindow(7, Unit.MINUTE)
SEVENTHS = TokenBucket(7, Unit.SECOND, burst=2)  # a token takes 1,000,000 ticks of a seventh of a microsecond


def test_the_script_is_called_by_its_digest() -> None:
    assert hashlib.sha1(script.SCRIPT.encode(), usedforsecurity=False).hexdigest() == script.SHA
    assert script.SCRIPT.startswith("-- ")


@pytest.mark.parametrize(
    ("charge", "words"),
    [
        (Charge("k", 3, WINDOW), ["w", 3, 0, 300, 7]),
        (Charge("k", 0, WINDOW, Role.SHADOW), ["w", 0, 1, 300, 7]),
        (Charge("k", -3, WINDOW, Role.QUOTA), ["w", -3, 2, 300, 7]),
        (Charge("k", 3, SLIDING), ["s", 3, 0, 1_200_000, 50, 7]),
        (Charge("k", 1, SEVENTHS), ["b", 1, 0, 7, 142_857, 1, 285_714, 2]),
        (Charge("k", 2, SEVENTHS, Role.QUOTA), ["b", 2, 2, 7, 285_714, 2, 285_714, 2]),
        (Charge("k", 0, SEVENTHS), ["b", 0, 0, 7, 142_857, 1, 285_714, 2]),
        (Charge("k", -1, SEVENTHS), ["b", -1, 0, 7, 142_857, 1, 285_714, 2]),
        (Charge("k", MAX_UINT32, SEVENTHS), ["b", MAX_UINT32, 0, 7, 285_714, 3, 285_714, 2]),
    ],
)
def test_a_charge_is_told_in_these_words(charge: Charge, words: list[int | str]) -> None:
    assert script.encode([charge]) == (["k"], [1, 0, 0, *words])


def test_a_request_is_its_head_and_its_charges_in_order() -> None:
    keys, words = script.encode([Charge("a", 1, WINDOW), Charge("b", 2, SLIDING)], denied=True, sparing=True)
    assert keys == ["a", "b"]
    assert words == [2, 1, 1, "w", 1, 0, 300, 7, "s", 2, 0, 1_200_000, 50, 7]


def test_a_call_is_its_head_all_keys_the_linger_and_all_words_as_a_server_reads_them() -> None:
    first, second = [Charge("{d}\u00fc", 1, WINDOW)], [Charge("{d}b", 2, SLIDING), Charge("{d}c", 1, SEVENTHS)]
    head = ("EVALSHA", script.SHA)
    requests = [script.pack(first, prefix="p:"), script.pack(second, denied=True, sparing=True)]
    words = [*script.encode(first)[1], *script.encode(second, denied=True, sparing=True)[1]]
    reader = hiredis.Reader()
    reader.feed(script.call(head, requests, 1_500))
    expected = [*head, 3, "p:{d}\u00fc", "{d}b", "{d}c", 1_500, *words]
    assert reader.gets() == [str(word).encode() for word in expected]
    assert not reader.has_data()


def test_a_request_tells_what_its_keys_share_and_what_it_costs() -> None:
    packed = script.pack([Charge("rl:{d}:a", 1, WINDOW), Charge("rl:{d}:b", 1, SLIDING)], prefix="{p")
    assert (packed.tag, packed.charges, packed.weight) == ("d", 2, 9)


@pytest.mark.parametrize("key", ["", "rl:d:a", "rl:}d{:a"])
def test_a_key_without_a_hash_tag_is_refused(key: str) -> None:
    with pytest.raises(StoreUnavailableError, match="no hash tag"):
        script.pack([Charge(key, 1, WINDOW)])


def test_the_numbers_of_a_reply_are_the_counts_of_the_charges() -> None:
    charges = [Charge("a", 1, WINDOW), Charge("b", 1, SLIDING), Charge("c", 1, SEVENTHS)]
    full_at = NOW + 142_857
    numbers = [1, 9, 0, 0, 3, 1_234, 0, full_at, 1]
    assert script.decode(charges, NOW, numbers) == [
        Count(over=True, remaining=0, reset_us=283_000_000, used=9),
        Count(over=False, remaining=4, reset_us=1_234, used=3),
        Count(over=False, remaining=1, reset_us=142_858, used=1),
    ]


def test_a_bucket_that_is_over_waits_for_the_hits_that_were_asked_for() -> None:
    numbers = [1, NOW + 142_857, 1]
    (two,) = script.decode([Charge("k", 2, SEVENTHS)], NOW, numbers)
    assert (two.over, two.remaining, two.reset_us) == (True, 1, 142_858)


@pytest.mark.parametrize("numbers", [[], [0, 1], [0, 1, 0, 0, 1, 0]])
def test_more_or_fewer_numbers_than_charges_are_refused(numbers: list[int]) -> None:
    with pytest.raises((ValueError, IndexError)):
        script.decode([Charge("k", 1, WINDOW)], NOW, numbers)


@given(st.integers(-MAX_UINT32, MAX_UINT32), st.sampled_from([WINDOW, SLIDING, SEVENTHS]), st.sampled_from(Role))
def test_words_are_whole_numbers_that_a_double_holds(hits: int, limit: Limit, role: Role) -> None:
    _, words = script.encode([Charge("k", hits, limit, role)])
    assert all(isinstance(word, str) or abs(word) < 2**53 for word in words)


@st.composite
def buckets(draw: st.DrawFn) -> TokenBucket:
    unit = draw(st.sampled_from(Unit))
    requests = draw(st.sampled_from([1, 7, 60, 999_983, 4_000_000_007, MAX_UINT32]))
    return TokenBucket(requests, unit, draw(st.integers(1, min(MAX_UINT32, MAX_SECONDS * requests // unit.value))))


@given(buckets(), st.integers(-MAX_UINT32, MAX_UINT32))
def test_a_cost_is_microseconds_and_fewer_ticks_than_one_has(bucket: TokenBucket, hits: int) -> None:
    _, words = script.encode([Charge("k", hits, bucket)])
    per_us, cost_us, cost_ticks, capacity_us, capacity_ticks = map(int, words[6:])
    assert cost_us * per_us + cost_ticks == token_bucket.cost(bucket, hits)
    assert capacity_us * per_us + capacity_ticks == bucket.capacity_ticks
    assert 0 <= cost_ticks < per_us
    assert 0 <= capacity_ticks < per_us
    assert NOW + 2 * capacity_us + 1 < 2**53


@given(buckets(), st.data())
def test_an_instant_is_read_as_it_was_written(bucket: TokenBucket, data: st.DataObject) -> None:
    now = NOW * bucket.ticks_per_us
    full_at = data.draw(st.integers(now, now + bucket.capacity_ticks))
    (count,) = script.decode([Charge("k", 1, bucket)], NOW, [0, *divmod(full_at, bucket.ticks_per_us)])
    assert count == token_bucket.count(bucket, NOW, full_at, bucket.token_ticks, over=False)


@given(st.integers(0, 2**52), st.booleans())
def test_windows_are_read_as_their_rules_say(counted: int, over: bool) -> None:  # noqa: FBT001
    assert script.decode([Charge("k", 1, WINDOW)], NOW, [int(over), counted, 0]) == [
        fixed_window.count(WINDOW, NOW, counted, over=over)
    ]
    assert script.decode([Charge("k", 1, SLIDING)], NOW, [int(over), counted, 5]) == [
        sliding_window.count(SLIDING, counted, 5, over=over)
    ]
