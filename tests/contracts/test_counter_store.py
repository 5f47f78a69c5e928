"""What every counter store must do: the twin in memory, one real Valkey, a Cluster, and a primary behind Sentinels."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from devstack.ports import HOST
from ratelimit_service.limits import MAX_UINT32, SLICES, FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.model import Charge, Count, Role
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.batch import LINGER_MS
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.opening import open_servers
from ratelimit_service.stores.script import ANSWER, SCRIPT, Words, decode, encode
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.valkey.address import Address
from service_kit.valkey.topology import Kind, Topology
from tests import valkey_servers
from tests.valkey_servers import Server

NOW_US = 1_763_870_400_000_000
FIVE_A_YEAR = FixedWindow(5, Unit.YEAR)  # long units: no test depends on where in its window it runs
THREE_TOKENS = TokenBucket(1, Unit.YEAR, burst=3)
THREE_SLIDING = SlidingWindow(3, Unit.YEAR)

Scenario = Callable[[CounterStore], Awaitable[None]]
Run = Callable[[Scenario], None]


def call(requests: Iterable[tuple[list[str], Words]], linger_ms: int) -> tuple[list[str], Words]:
    """KEYS and ARGV of one call for several requests, as `script.call` packs them."""
    keys: list[str] = []
    words: Words = [linger_ms]
    for request_keys, request_words in requests:
        keys += request_keys
        words += request_words
    return keys, words


class Silent:
    """Hears of round trips and of breakers, and says nothing."""

    def sent(self, requests: int) -> None:
        del requests

    def breaker(self, server: str, *, opened: bool) -> None:
        del server, opened


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with Server() as server:
        yield server.port


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[Topology]:
    with ExitStack() as stack:
        nodes = valkey_servers.cluster(stack)
        yield Topology(Kind.CLUSTER, (Address(HOST, nodes[0].port),))


@pytest.fixture(scope="module")
def sentinels() -> Iterator[Topology]:
    with ExitStack() as stack:
        found = valkey_servers.sentinel_set(stack)
        places = tuple(Address(HOST, sentinel.port) for sentinel in found.sentinels)
        yield Topology(Kind.SENTINEL, places, found.name, Address())


@pytest.fixture(params=["memory", "single", "cluster", "sentinel"])
def run(request: pytest.FixtureRequest) -> Run:
    match request.param:
        case "memory":
            return lambda scenario: asyncio.run(_await(scenario(MemoryStore(lambda: NOW_US, 10_000))))
        case "single":
            topology = Topology(Kind.SINGLE, (Address(HOST, request.getfixturevalue("port")),))
        case "cluster":
            topology = request.getfixturevalue("three_nodes")
        case _:
            topology = request.getfixturevalue("sentinels")

    async def on_valkey(scenario: Scenario) -> None:
        store = ValkeyStore(open_servers(topology, 5.0, Silent()), deadline=5.0)
        try:
            await scenario(store)
        finally:
            await store.close()

    return lambda scenario: asyncio.run(on_valkey(scenario))


async def _await(scenario: Awaitable[None]) -> None:
    await scenario


def fresh(label: str = "") -> str:
    """A key that no other test has; all are of one hash tag, as a domain's are."""
    return f"{{contract}}{uuid.uuid4()}{label}"


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


def test_a_sliding_window_gives_its_limit_and_then_denies_without_counting(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh()
        assert await overs(store, Charge(key, 2, THREE_SLIDING), times=3) == [[False], [True], [True]]
        assert (await store.hit([Charge(key, 0, THREE_SLIDING)]))[0].remaining == 1
        last, none = Charge(key, 1, THREE_SLIDING), Charge(key, 0, THREE_SLIDING)
        assert await overs(store, last) == [[False]]
        count = (await store.hit([none]))[0]
        assert (count.over, count.remaining) == (True, 0)
        year = Unit.YEAR.value
        assert year - 60 < count.reset_seconds <= year + year // SLICES

    run(scenario)


def test_what_is_given_back_can_be_taken_again_and_no_more(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        for limit, most in ((THREE_TOKENS, 3), (THREE_SLIDING, 3), (FIVE_A_YEAR, 5)):
            key = fresh()
            await store.hit([Charge(key, most, limit)])
            back = (await store.hit([Charge(key, -2, limit)]))[0]
            assert (back.over, back.remaining) == (False, 2)
            assert (await store.hit([Charge(key, -MAX_UINT32, limit)]))[0].remaining == most
            assert await overs(store, Charge(key, most, limit), Charge(key, 1, limit)) == [[False, True]]

    run(scenario)


def test_what_is_given_back_is_given_back_in_a_denied_request_too(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        key = fresh("b")
        await store.hit([Charge(key, 3, THREE_TOKENS)])
        denied = [Charge(key, -1, THREE_TOKENS), Charge(fresh("w"), 6, FIVE_A_YEAR)]
        assert [count.remaining for count in await store.hit(denied)] == [1, 0]
        assert await overs(store, Charge(key, 1, THREE_TOKENS)) == [[False]]

    run(scenario)


def test_what_is_over_in_the_shadow_denies_nothing(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        bucket = fresh("b")
        charges = [Charge(bucket, 1, THREE_TOKENS), Charge(fresh("s"), 4, THREE_SLIDING, Role.SHADOW)]
        assert await overs(store, *charges, times=3) == [[False, True]] * 3
        assert await overs(store, Charge(bucket, 1, THREE_TOKENS)) == [[True]]

    run(scenario)


def test_quotas_deny_only_together(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        bucket, full, empty = fresh("b"), fresh("f"), fresh("e")
        await store.hit([Charge(empty, 3, THREE_TOKENS)])
        one = [Charge(bucket, 1, THREE_TOKENS), Charge(empty, 1, THREE_TOKENS, Role.QUOTA)]
        both = [*one, Charge(full, 3, THREE_SLIDING, Role.QUOTA)]
        assert await overs(store, *both) == [[False, True, False]]  # one of two quotas is left: charged
        assert (await store.hit([Charge(bucket, 0, THREE_TOKENS)]))[0].remaining == 2
        assert await overs(store, *both) == [[False, True, True]]  # none is left: denied
        assert await overs(store, *one) == [[False, True]]
        assert (await store.hit([Charge(bucket, 0, THREE_TOKENS)]))[0].remaining == 2

    run(scenario)


def test_a_request_that_the_caller_knows_to_be_denied_takes_nothing(run: Run) -> None:
    async def scenario(store: CounterStore) -> None:
        bucket, window = fresh("b"), fresh("w")
        await store.hit([Charge(bucket, 3, THREE_TOKENS), Charge(window, 1, FIVE_A_YEAR)], denied=True)
        counts = await store.hit([Charge(bucket, 0, THREE_TOKENS), Charge(window, 0, FIVE_A_YEAR)])
        assert [count.remaining for count in counts] == [3, 4]

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
from prometheus_client import CollectorRegistry
from ratelimit_service.limits import TokenBucket, Unit
from ratelimit_service.model import Charge
from service_kit.valkey.address import Address
from ratelimit_service.stores.servers import single
from ratelimit_service.stores.opening import open_servers
from ratelimit_service.stores.valkey import ValkeyStore
from ratelimit_service.telemetry import Metrics

async def main(port, key):
    store = ValkeyStore(single(Address("127.0.0.1", port), 60, Metrics(CollectorRegistry())), deadline=60)
    charges = [Charge(key, 1, TokenBucket(1, Unit.HOUR, burst=6_000))]
    await store.check()
    print("ready", flush=True)
    sys.stdin.readline()
    answers = await asyncio.gather(*(store.hit(charges) for _ in range(2_500)))
    await store.close()
    print(sum(not answer[0].over for answer in answers))

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


def test_four_processes_with_ten_thousand_calls_together_get_exactly_the_burst(port: int) -> None:
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
        admitted = [int(process.communicate(timeout=90)[0]) for process in processes]
    assert sum(admitted) == 6_000


class ScriptWithClock:
    """The script of the real store on a real server, except that the test tells it the time."""

    def __init__(self, client: redis.Redis, clock: Callable[[], int], *, sparing: bool = False) -> None:
        self._sparing = sparing
        assert SCRIPT.count("redis.call('TIME')") == 1
        self._script = SCRIPT.replace("redis.call('TIME')", "cjson.decode(table.remove(ARGV))")
        self._client = client
        self._clock = clock

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        (counts,) = self.hit_together([charges], denied=denied)
        return counts

    def hit_together(self, requests: Sequence[Sequence[Charge]], *, denied: bool = False) -> list[list[Count]]:
        encoded = [encode(charges, denied=denied, sparing=self._sparing) for charges in requests]
        # The server's own clock goes on meanwhile, and must not expire a key.
        keys, words = call(encoded, linger_ms=3_600_000)
        seconds, micros = divmod(self._clock(), 1_000_000)
        time = json.dumps([str(seconds), str(micros)])
        reply = self._client.eval(self._script, len(keys), *keys, *map(str, words), time)
        assert isinstance(reply, list)
        counts, at = [], 1
        for charges in requests:
            end = at + ANSWER * len(charges)
            counts.append(decode(charges, reply[0], reply[at:end]))
            at = end
        assert at == len(reply)
        return counts


@dataclass
class SlowStore:
    """The contract as simply as it can be said: levels are exact fractions, windows a table, sliding ones lists."""

    sparing: bool = False
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    levels: dict[str, tuple[Fraction, int]] = field(default_factory=dict)
    hits: dict[str, list[int]] = field(default_factory=dict)  # the instant of each hit

    def hit(self, now_us: int, charges: Sequence[Charge], *, denied: bool) -> list[tuple[bool, int]]:
        before = deepcopy((self.counts, self.levels, self.hits))
        answers = [(self._over(now_us, charge), self._rest(now_us, charge)) for charge in charges]
        roles = [(charge.role, over) for charge, (over, _) in zip(charges, answers, strict=True)]
        quotas = [over for role, over in roles if role is Role.QUOTA]
        denied = denied or (Role.BINDING, True) in roles or (bool(quotas) and all(quotas))
        if not denied:
            return answers
        counted = self.counts
        self.counts, self.levels, self.hits = before
        for charge, (over, _) in zip(charges, answers, strict=True):
            if charge.hits < 0 or (self.sparing and over and isinstance(charge.limit, FixedWindow)):
                self._over(now_us, charge)
        if not self.sparing:
            self.counts = counted
        return [
            (over, rest if self._counts_when_denied(charge, over=over) else self._rest(now_us, charge))
            for charge, (over, rest) in zip(charges, answers, strict=True)
        ]

    def _counts_when_denied(self, charge: Charge, *, over: bool) -> bool:
        return isinstance(charge.limit, FixedWindow) and (over or not self.sparing)

    def _over(self, now_us: int, charge: Charge) -> bool:
        """Charge one bucket; say whether it is over."""
        limit, asked = charge.limit, max(charge.hits, 1)
        if isinstance(limit, FixedWindow):
            window = (charge.key, now_us // 1_000_000 // limit.seconds)
            self.counts[window] = max(self.counts.get(window, 0) + charge.hits, 0)
            return charge.hits >= 0 and self.counts[window] > limit.requests_per_unit
        room = self._rest(now_us, charge)
        if charge.hits >= 0 and room < asked:
            return True
        if isinstance(limit, SlidingWindow):
            kept = self._counted(now_us, charge.key, limit)
            self.hits[charge.key] = kept[: charge.hits] if charge.hits < 0 else [*kept, *[now_us] * charge.hits]
        else:
            level = min(self._level(now_us, charge.key, limit) - charge.hits, Fraction(limit.burst))
            self.levels[charge.key] = (level, now_us)
        return False

    def _rest(self, now_us: int, charge: Charge) -> int:
        limit = charge.limit
        if isinstance(limit, FixedWindow):
            counted = self.counts.get((charge.key, now_us // 1_000_000 // limit.seconds), 0)
            return max(limit.requests_per_unit - counted, 0)
        if isinstance(limit, SlidingWindow):
            return max(limit.requests_per_unit - len(self._counted(now_us, charge.key, limit)), 0)
        return int(self._level(now_us, charge.key, limit))

    def _counted(self, now_us: int, key: str, limit: SlidingWindow) -> list[int]:
        oldest = now_us // limit.slice_us - SLICES
        return [instant for instant in self.hits.get(key, []) if instant // limit.slice_us >= oldest]

    def _level(self, now_us: int, key: str, limit: TokenBucket) -> Fraction:
        level, then = self.levels.get(key, (Fraction(limit.burst), now_us))
        rate = Fraction(limit.requests_per_unit, limit.seconds * 1_000_000)
        return min(level + rate * (now_us - then), Fraction(limit.burst))


RATES = st.sampled_from([1, 3, 7, 60, 100, 999_983, 4_000_000_007, MAX_UINT32])
SHORT = [unit for unit in Unit if unit is not Unit.YEAR]  # 20 tokens of twice a unit each: 50 years at most
LIMITS: st.SearchStrategy[Limit] = st.one_of(
    st.builds(FixedWindow, st.integers(0, 20), st.sampled_from(Unit), multiplier=st.sampled_from([1, 5, 12])),
    st.builds(SlidingWindow, st.integers(0, 20), st.sampled_from(Unit), multiplier=st.sampled_from([1, 5])),
    st.builds(
        TokenBucket, RATES, st.sampled_from(list(Unit)[:-1]), st.integers(1, 20), multiplier=st.sampled_from([1, 2])
    ),
)
# Passing time: none, a few microseconds, seconds, or years.
PAUSES = st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 10**7), st.integers(0, 10**14))
CHARGES = st.tuples(st.integers(0, 2), st.integers(-3, 4), st.sampled_from([Role.BINDING, Role.BINDING, *Role]))
CALLS = st.lists(
    st.tuples(PAUSES, st.lists(CHARGES, min_size=1, max_size=5), st.sampled_from([False, False, False, True])),
    max_size=12,
)


Calls = list[tuple[int, list[tuple[int, int, Role]], bool]]


@dataclass
class Clock:
    now_us: int = NOW_US

    def __call__(self) -> int:
        return self.now_us


def check_against_the_slow_store(
    store: CounterStore,
    clock: Clock,
    limits: list[Limit],
    calls: Calls,
    slow: SlowStore,
) -> None:
    tag = fresh()
    for pause, picks, denied in calls:
        clock.now_us += pause
        charges = [Charge(f"{tag}{which}", hits, limits[which], role) for which, hits, role in picks]
        counts = asyncio.run(_hit(store, charges, denied=denied))
        assert [(count.over, count.remaining) for count in counts] == slow.hit(clock.now_us, charges, denied=denied)
        for count, charge in zip(counts, charges, strict=True):
            assert 0 <= count.reset_seconds <= max(2 * charge.limit.seconds, 20 * Unit.YEAR.value)


async def _hit(store: CounterStore, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
    return await store.hit(charges, denied=denied)


@given(limits=st.lists(LIMITS, min_size=3, max_size=3), calls=CALLS, sparing=st.booleans())
def test_the_twin_counts_as_the_slow_store(limits: list[Limit], calls: Calls, *, sparing: bool) -> None:
    clock = Clock()
    store = MemoryStore(clock, 100, sparing=sparing)
    check_against_the_slow_store(store, clock, limits, calls, SlowStore(sparing=sparing))


@given(limits=st.lists(LIMITS, min_size=3, max_size=3), calls=CALLS, sparing=st.booleans())
def test_the_script_counts_as_the_slow_store(port: int, limits: list[Limit], calls: Calls, *, sparing: bool) -> None:
    clock = Clock()
    with redis.Redis(port=port) as client:
        store = ScriptWithClock(client, clock, sparing=sparing)
        check_against_the_slow_store(store, clock, limits, calls, SlowStore(sparing=sparing))


@given(limits=st.lists(LIMITS, min_size=3, max_size=3), calls=CALLS, sparing=st.booleans())
def test_the_script_tells_in_every_number_what_the_twin_tells(
    port: int, limits: list[Limit], calls: Calls, *, sparing: bool
) -> None:
    clock, tag = Clock(), fresh()
    twin = MemoryStore(clock, 100, sparing=sparing)
    with redis.Redis(port=port) as client:
        script_store = ScriptWithClock(client, clock, sparing=sparing)
        for pause, picks, denied in calls:
            clock.now_us += pause
            charges = [Charge(f"{tag}{which}", hits, limits[which], role) for which, hits, role in picks]
            answers = [asyncio.run(_hit(store, charges, denied=denied)) for store in (twin, script_store)]
            assert answers[0] == answers[1]


@given(limits=st.lists(LIMITS, min_size=3, max_size=3), calls=CALLS)
def test_requests_that_share_a_call_count_as_if_they_came_one_after_the_other(
    port: int, limits: list[Limit], calls: Calls
) -> None:
    clock, tag, slow = Clock(), fresh(), SlowStore()
    requests = [
        [Charge(f"{tag}{which}", hits, limits[which], role) for which, hits, role in picks] for _, picks, _ in calls
    ]
    if not requests:
        return
    with redis.Redis(port=port) as client:
        together = ScriptWithClock(client, clock).hit_together(requests)
    for charges, counts in zip(requests, together, strict=True):
        assert [(count.over, count.remaining) for count in counts] == slow.hit(NOW_US, charges, denied=False)


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
            count = asyncio.run(_hit(store, [charge]))[0]
            assert (count.over, count.remaining, count.reset_seconds, count.used) == (False, 0, unit.value, 1)


def test_the_script_never_admits_more_than_burst_and_rate_allow_in_real_time(port: int) -> None:
    bucket = TokenBucket(20_000, Unit.SECOND, burst=5)
    charges = [Charge(fresh(), 1, bucket)]
    keys, arguments = call([encode(charges)], linger_ms=1_000)
    admitted, first, last = 0, 0, 0
    with redis.Redis(port=port) as client:
        registered = client.register_script(SCRIPT)
        for _ in range(600):
            reply = registered(keys, arguments)
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


def test_a_clock_set_back_over_the_start_of_a_window_admits_nothing_twice(port: int) -> None:
    clock = Clock()
    window = Charge(fresh(), 1, FixedWindow(3, Unit.MINUTE))
    with redis.Redis(port=port) as client:
        for store in (ScriptWithClock(client, clock), MemoryStore(clock, 10)):
            clock.now_us = NOW_US + 60_000_000
            assert not any(asyncio.run(_hit(store, [window]))[0].over for _ in range(3))
            clock.now_us -= 1_000_000
            assert asyncio.run(_hit(store, [window]))[0].over
            clock.now_us += 1_000_000
            assert asyncio.run(_hit(store, [window]))[0].over
            clock.now_us += 60_000_000
            assert not asyncio.run(_hit(store, [window]))[0].over


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
        (SlidingWindow(5, Unit.HOUR), Unit.HOUR.value + Unit.HOUR.value // SLICES),
    ],
)
def test_a_key_lives_as_long_as_its_bucket_needs_and_little_longer(port: int, limit: Limit, needs_seconds: int) -> None:
    key = fresh()
    keys, arguments = call([encode([Charge(key, 1, limit)])], linger_ms=LINGER_MS[1])
    with redis.Redis(port=port) as client:
        reply = client.eval(SCRIPT, 1, *keys, *map(str, arguments))
        lives = client.pttl(key)
        assert isinstance(reply, list)
        assert isinstance(lives, int)
    needs_ms = needs_seconds * 1_000.0
    if isinstance(limit, FixedWindow):
        needs_ms -= reply[0] // 1_000_000 % limit.unit.value * 1_000
    if isinstance(limit, SlidingWindow):  # until the present slice, of which a part is past, has left as a whole
        needs_ms -= reply[0] % limit.slice_us / 1_000
    assert needs_ms < lives <= needs_ms + LINGER_MS[1] + 1


@pytest.mark.parametrize("limit", [FIVE_A_YEAR, THREE_TOKENS, THREE_SLIDING])
def test_nothing_is_written_for_a_look_that_finds_room(port: int, limit: Limit) -> None:
    keys, arguments = call([encode([Charge(fresh(), 0, limit)])], linger_ms=1_000)
    with redis.Redis(port=port) as client:
        client.eval(SCRIPT, len(keys), *keys, *map(str, arguments))
        assert client.exists(*keys) == 0


def test_nothing_is_written_for_looks_and_for_denied_buckets(port: int) -> None:
    charges = [
        Charge(fresh("look-w"), 0, FIVE_A_YEAR),
        Charge(fresh("look-b"), 0, THREE_TOKENS),
        Charge(fresh("other"), 1, THREE_TOKENS),
        Charge(fresh("denied"), 4, THREE_TOKENS),
        Charge(fresh("sliding"), 1, THREE_SLIDING),
    ]
    keys, arguments = call([encode(charges)], linger_ms=1_000)
    with redis.Redis(port=port) as client:
        client.eval(SCRIPT, len(keys), *keys, *map(str, arguments))
        assert client.exists(*keys) == 0
