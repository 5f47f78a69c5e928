"""Coverage-guided fuzzing with atheris: `python tests/fuzz/guided.py TARGET -runs=100000`.

TARGET is `configuration` or `request`. Whatever is raised but the service's own errors ends it with the input that did.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["ratelimit_service", "service_kit"]):
    from google.protobuf.message import DecodeError
    from prometheus_client import CollectorRegistry

    from ratelimit_service import compiling, config
    from ratelimit_service.limiter import Limiter, Modes
    from ratelimit_service.rules import Limits
    from ratelimit_service.servicers.rls import RateLimitServicer
    from ratelimit_service.stores.memory import MemoryStore
    from ratelimit_service.telemetry import Metrics
    from service_kit.faults import ConfigurationError, Faults
    from service_kit.rpc import RpcError
    from service_kit.wire.rate_limit_pb2 import RateLimitRequest

RULES = b"""
domain: d
descriptors:
  - {key: user, rate_limit: {unit: minute, requests_per_unit: 5}}
  - {key: "a*", value: "b*c", rate_limit: {unit: hour, requests_per_unit: 5, algorithm: token_bucket, burst: 2}}
  - {key: s, shadow_mode: true, rate_limit: {unit: second, requests_per_unit: 1, algorithm: sliding_window}}
"""


def compiled(text: bytes) -> Limits:
    """Limits from the text of a file; raises `ConfigurationError`."""
    faults = Faults()
    return compiling.compile_limits([config.parse(text, "fuzz.yaml", faults)], faults)


def clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


class Targets:
    """What is fuzzed, by name."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        limiter = Limiter(MemoryStore(clock, 1_000), MemoryStore(clock, 1_000), Modes())
        limiter.use(compiled(RULES))
        self._servicer = RateLimitServicer(limiter, Metrics(CollectorRegistry()))

    def configuration(self, data: bytes) -> None:
        """Any bytes as a file with limits."""
        try:
            compiled(data)
        except ConfigurationError:
            return

    def request(self, data: bytes) -> None:
        """Any bytes as a request."""
        try:
            self._runner.run(self._servicer.should_rate_limit(RateLimitRequest.FromString(data)))
        except (DecodeError, RpcError):
            return


def main() -> None:
    """Fuzz until the runs that were asked for are done."""
    target = getattr(Targets(), sys.argv.pop(1))
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
