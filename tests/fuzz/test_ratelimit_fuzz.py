"""A hundred thousand broken configurations and as many broken requests: `make fuzz`.

Each input is a good one with a few bytes changed, so that most get far. Nothing but the service's own errors may come
out, and nothing may stay behind in memory. The seed is told, and FUZZ_SEED repeats a run.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from prometheus_client import CollectorRegistry

from ratelimit_service import compiling, config
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.servicers.json_page import JsonPage
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.servicers.rls_messages import Extras, HeaderNames
from ratelimit_service.stores.local_cache import LocalCache
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.telemetry import Metrics
from service_kit.faults import ConfigurationError, Faults
from service_kit.rpc import RpcError
from service_kit.wire.envoy_type_pb2 import RateLimitUnit
from service_kit.wire.rate_limit_pb2 import RateLimitRequest
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor

pytestmark = pytest.mark.long

INPUTS = 100_000
MAX_GROWTH_KIB = 20_000
RULES = b"""
domain: d
descriptors:
  - &base
    key: user
    rate_limit: {unit: minute, requests_per_unit: 5, name: per-user, replaces: [{name: other}]}
    shadow_mode: no
    metadata: {team: [a, {b: 1.5}], on: null}
    descriptors:
      - {key: endpoint, value: /reports/*, share_threshold: true, rate_limit: {unit: day, requests_per_unit: 0x10}}
      - {key: endpoint, value_to_metric: true, rate_limit: {unlimited: true}}
  - <<: *base
    key: agent_id
    rate_limit: {unit: HOUR, unit_multiplier: 12, requests_per_unit: 7, algorithm: token_bucket, burst: 9}
  - {key: tool, detailed_metric: true, rate_limit: {unit: second, requests_per_unit: 3, algorithm: sliding_window}}
  - {key: "sp*ce", value: 007, quota_mode: true, rate_limit: {unit: week, requests_per_unit: 4_000}}
"""
UNITS: list[Any] = [0, 1, 4, 7, 99]  # known ones, and others that a peer may send
NUMBERS = [0, 1, 2, 5, 100, 2**31, 2**32 - 1]
WORDS = [
    *(
        b"*",
        b"&a",
        b"*a",
        b"<<: *base",
        b"!!str ",
        b"? ",
        b"- ",
        b": ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"---\n",
        b"...",
        b"|\n",
    ),
    *(
        b"null",
        b"~",
        b"yes",
        b"0.5",
        b"-1",
        b"4294967296",
        b"1e400",
        b"\xff",
        b"\x00",
        b"\xe2\x80\xa8",
        b"\t",
        b"'",
        b'"',
    ),
    *(b"unit", b"domain", b"key", b"value", b"rate_limit", b"unlimited: true", b"burst: 0", b"\n", b"  "),
]


def mutated(seed: random.Random, data: bytes) -> bytes:
    """`data` with a few bytes changed, words put in, and pieces taken out, doubled or moved."""
    out = bytearray(data)
    for _ in range(seed.choice([1, 1, 1, 2, 5])):
        at, length = seed.randrange(len(out) + 1), seed.choice([1, 1, 1, 2, 5, 100])
        match seed.randrange(5):
            case 0:
                out[at : at + 1] = bytes([seed.randrange(256)])
            case 1:
                out[at:at] = seed.choice(WORDS)
            case 2:
                del out[at : at + length]
            case 3:
                out[at:at] = out[at : at + length]
            case _:
                piece = out[at : at + length]
                del out[at : at + length]
                to = seed.randrange(len(out) + 1)
                out[to:to] = piece
    return bytes(out)


def fuzz(what: str, one: Callable[[random.Random], str]) -> None:
    """Try `INPUTS` inputs; `one` tries one and says what became of it."""
    number = int(os.environ.get("FUZZ_SEED", time.time_ns() % 2**32))
    seed = random.Random(number)
    print(f"{what}: FUZZ_SEED={number}")  # noqa: T201
    outcomes: Counter[str] = Counter()
    for _ in range(INPUTS // 10):
        outcomes[one(seed)] += 1
    gc.collect()
    before = resident()
    for _ in range(INPUTS - INPUTS // 10):
        outcomes[one(seed)] += 1
    gc.collect()
    grew = resident() - before
    print(f"{what}: {dict(outcomes)}; memory {grew:+} KiB")  # noqa: T201
    assert sum(outcomes.values()) == INPUTS
    assert sum(count > INPUTS // 50 for count in outcomes.values()) > 1, "hardly any input got far"
    assert grew < MAX_GROWTH_KIB


def resident() -> int:
    """The resident memory of this process, in KiB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


def test_no_configuration_breaks_the_loader() -> None:
    def one(seed: random.Random) -> str:
        faults = Faults()
        try:
            raw = config.parse(mutated(seed, RULES), "fuzz.yaml", faults)
            compiling.compile_limits([raw], faults)
        except ConfigurationError as error:
            return "refused" if error.faults else "refused for nothing"
        return "taken"

    fuzz("configurations", one)


def request() -> bytes:
    """A request that asks every kind of rule."""
    message = RateLimitRequest(domain="d", hits_addend=2)
    for entries in (
        {"user": "alice"}, {"user": "alice", "endpoint": "/reports/q3"}, {"user": "bob", "endpoint": "/x"},
        {"agent_id": "a1"}, {"tool": "search"}, {"space": "007"}, {"user": ""},
    ):  # fmt: skip
        message.descriptors.add(
            entries=[RateLimitDescriptor.Entry(key=key, value=value) for key, value in entries.items()]
        )
    message.descriptors[0].hits_addend.value = 0
    message.descriptors[3].is_negative_hits = True
    message.descriptors[4].limit.requests_per_unit = 5
    message.descriptors[4].limit.unit = RateLimitUnit.HOUR
    return message.SerializeToString()


def made_up(seed: random.Random) -> bytes:
    """A request whose every field holds something; seldom one that is larger than it may be."""
    rarely = seed.random() < 0.01
    message = RateLimitRequest(domain=seed.choice(["d", "d", "d", "", "other"]), hits_addend=seed.choice(NUMBERS))
    for _ in range(101 if rarely else seed.choice([0, 1, 2, 5])):
        descriptor = message.descriptors.add(is_negative_hits=seed.random() < 0.2)
        for _ in range(seed.choice([0, 1, 1, 2, 101 if rarely else 3])):
            key = seed.choice(["user", "endpoint", "agent_id", "tool", "space", "", "x" * 99])
            descriptor.entries.add(key=key, value=chr(seed.randrange(0xD800)) * seed.choice([0, 1, 65, 999]))
        if seed.random() < 0.3:
            descriptor.hits_addend.value = seed.choice([*NUMBERS, 2**64 - 1])
        if seed.random() < 0.2:
            descriptor.limit.requests_per_unit = seed.choice(NUMBERS)
            descriptor.limit.unit = seed.choice(UNITS)
    return message.SerializeToString()


def servicer() -> RateLimitServicer:
    """The service on a store in memory, with everything switched on."""
    faults = Faults()
    limits = compiling.compile_limits([config.parse(RULES, "rules.yaml", faults)], faults)

    def clock() -> int:
        return time.time_ns() // 1_000

    store = LocalCache(MemoryStore(clock, 1_000), clock, 100)
    limiter = Limiter(store, MemoryStore(clock, 1_000), Modes())
    limiter.use(limits)
    extras = Extras(HeaderNames(), dynamic_metadata=True)
    return RateLimitServicer(limiter, Metrics(CollectorRegistry()), extras)


def test_no_request_breaks_the_service() -> None:
    judge, good = servicer(), request()

    def one(seed: random.Random) -> str:
        try:
            data = made_up(seed) if seed.random() < 0.5 else good
            message = RateLimitRequest.FromString(mutated(seed, data) if seed.random() < 0.5 else data)
        except DecodeError:
            return "no message"
        try:
            response = loop.run_until_complete(judge.should_rate_limit(message))
        except RpcError:
            return "refused"
        assert len(response.statuses) == len(message.descriptors)
        return "over" if response.overall_code == response.OVER_LIMIT else "ok"

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        fuzz("requests", one)


def test_no_json_breaks_the_page() -> None:
    good = b'{"domain": "d", "descriptors": [{"entries": [{"key": "user", "value": "\\u00e9"}], "hitsAddend": "3"}]}'
    page = JsonPage(servicer())

    def one(seed: random.Random) -> str:
        return str(loop.run_until_complete(page.answer(mutated(seed, good))).status)

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        fuzz("JSON", one)
