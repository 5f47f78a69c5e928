"""The rate limit service under load while its Valkey fails in every way, and while its limits change: `make e2e-long`.

Each run prints its figures. Calls come over gRPC, at a rate that one core has no trouble with, so that a late answer is
the service's fault and not the load's.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import pytest

from devstack.ports import HOST
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor
from tests import valkey_servers
from tests.valkey_servers import PATIENCE, SentinelSet, Server, tell

pytestmark = [pytest.mark.e2e, pytest.mark.long]

DEADLINE = 0.010  # seconds: what the service is told, and its default
ALLOWANCE = 0.250  # seconds that a noisy machine may add to one call in thousands
RECOVERY = 2.0  # seconds after which the store must be counted on again
CALLS_A_SECOND = 300
RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: year, requests_per_unit: 4000000000, algorithm: token_bucket, burst: 1000000}
"""
METHOD = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"


@dataclass
class Load:
    """Calls that go on in the background, and what became of them."""

    call: Callable[[], Awaitable[RateLimitResponse]]
    took: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    last_counted: float = 0.0  # when the store was last heard of in an answer
    last_uncounted: float = 0.0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as calls:
            due = time.monotonic()
            while True:
                due += 1 / CALLS_A_SECOND
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                calls.create_task(self._one())

    async def _one(self) -> None:
        began = time.monotonic()
        try:
            response = await self.call()
        except grpc.aio.AioRpcError as error:
            self.answers[f"error {error.code().name}"] += 1
            return
        now = time.monotonic()
        self.took.append(now - began)
        counted = response.statuses[0].HasField("current_limit")
        word = "OK" if response.overall_code == RateLimitResponse.OK else "OVER_LIMIT"
        self.answers[word if counted else f"{word} without a count"] += 1
        if counted:
            self.last_counted = now
        else:
            self.last_uncounted = now

    async def counts(self) -> None:
        """Wait until the store was heard of."""
        while not self.last_counted:  # noqa: ASYNC110  (nobody tells: it is found in an answer)
            await asyncio.sleep(0.01)

    def figures(self, what: str) -> str:
        took = sorted(self.took)
        p50, p99 = (took[len(took) * part // 100] * 1_000 for part in (50, 99))
        answers = ", ".join(f"{count} {word}" for word, count in sorted(self.answers.items()))
        times = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, slowest {took[-1] * 1_000:.1f} ms"
        return f"{what}: {len(took)} calls, {times}; {answers}"


@dataclass
class Service:
    """A running process."""

    process: subprocess.Popen[str]
    channel: grpc.aio.Channel

    async def ask(self, *keys: str) -> RateLimitResponse:
        entries = [[RateLimitDescriptor.Entry(key=key, value="alice")] for key in keys or ("user",)]
        request = RateLimitRequest(domain="d", descriptors=[RateLimitDescriptor(entries=each) for each in entries])
        call = self.channel.unary_unary(
            METHOD,
            request_serializer=RateLimitRequest.SerializeToString,
            response_deserializer=RateLimitResponse.FromString,
        )
        response = await call(request, timeout=PATIENCE)
        assert isinstance(response, RateLimitResponse)
        return response

    def memory(self) -> int:
        """Its resident memory, in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


@asynccontextmanager
async def serving(folder: Path, environment: Mapping[str, str], rules: str = RULES) -> AsyncIterator[Service]:
    (folder / "config").mkdir()
    (folder / "config" / "d.yaml").write_text(rules)
    fixed = {
        "RUNTIME_ROOT": str(folder), "PORT": "0", "GRPC_PORT": "0", "DEBUG_PORT": "-1", "HOST": HOST, "GRPC_HOST": HOST,
        "STORE_DEADLINE": f"{DEADLINE * 1_000:.0f}ms",
    }  # fmt: skip
    command = [sys.executable, "-m", "ratelimit_service"]
    with ExitStack() as stack:
        process = subprocess.Popen(  # noqa: ASYNC220  (a moment, before anything is measured)
            command, stderr=subprocess.PIPE, text=True, env=os.environ | fixed | dict(environment)
        )
        stack.enter_context(process)
        stack.callback(process.kill)
        assert process.stderr is not None
        line: dict[str, str] = {}
        while line.get("message") != "serving":
            line = json.loads(await asyncio.to_thread(process.stderr.readline))
        draining = asyncio.create_task(asyncio.to_thread(_drain, process))
        async with AsyncExitStack() as channels:
            channel = await channels.enter_async_context(grpc.aio.insecure_channel(line["grpc"]))
            yield Service(process, channel)
            assert process.poll() is None, "the service has ended"
        process.terminate()
        await asyncio.to_thread(process.wait, PATIENCE)
        await draining


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for _ in process.stderr:
        pass


@asynccontextmanager
async def under(load: Load) -> AsyncIterator[None]:
    task = asyncio.create_task(load.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


async def go_through(
    folder: Path, environment: Mapping[str, str], faults: Callable[[], Awaitable[None]], what: str
) -> None:
    """Let a store fail and come back under load, and hold the service to its word; `faults` ends when it is back."""
    mode = environment["FAILURE_MODE"]
    async with serving(folder, environment) as service:
        load = Load(service.ask)
        async with under(load):
            await load.counts()
            load.answers.clear()  # those before the first connection was open
            load.took.clear()
            await asyncio.sleep(1.0)
            memory = service.memory()
            await faults()
            back = time.monotonic()
            await asyncio.sleep(RECOVERY + 1.0)
        grew = service.memory() - memory
    recovered = max(load.last_uncounted - back, 0.0)
    print(load.figures(f"{what}, {mode}"), f"; counting again after {recovered:.2f} s; memory {grew:+} KiB", sep="")  # noqa: T201
    allowed = {"allow": {"OK", "OK without a count"}, "deny": {"OK", "OVER_LIMIT without a count"}, "local": {"OK"}}
    assert set(load.answers) <= allowed[mode]
    assert max(load.took) < DEADLINE + ALLOWANCE
    assert recovered < RECOVERY
    assert load.last_counted > back
    assert grew < 20_000


def at(server: Server, mode: str) -> dict[str, str]:
    return {"REDIS_URL": f"{HOST}:{server.port}", "FAILURE_MODE": mode}


@pytest.mark.parametrize("mode", ["allow", "deny", "local"])
def test_a_valkey_that_is_killed_and_restarted(tmp_path: Path, server: Server, mode: str) -> None:
    async def faults() -> None:
        for _ in range(2):
            server.kill()
            await asyncio.sleep(1.0)
            await asyncio.to_thread(server.start)
            await asyncio.sleep(1.0)

    asyncio.run(go_through(tmp_path, at(server, mode), faults, "killed and restarted"))


@pytest.mark.parametrize("mode", ["allow", "deny", "local"])
def test_a_valkey_that_is_suspended(tmp_path: Path, server: Server, mode: str) -> None:
    async def faults() -> None:
        for seconds in (0.05, 0.5, 3.0):
            server.suspend()
            await asyncio.sleep(seconds)
            server.resume()
            await asyncio.sleep(0.5)

    asyncio.run(go_through(tmp_path, at(server, mode), faults, "suspended"))


def test_a_valkey_that_is_slow(tmp_path: Path, server: Server) -> None:
    async def faults() -> None:
        with server.client() as client:
            for _ in range(40):
                await asyncio.to_thread(client.client_pause, 30)
                await asyncio.sleep(0.05)

    asyncio.run(go_through(tmp_path, at(server, "allow"), faults, "30 ms pauses"))


def test_a_valkey_that_is_full(tmp_path: Path, server: Server) -> None:
    async def faults() -> None:
        with server.client() as client:
            client.config_set("maxmemory", "1")
            await asyncio.sleep(1.0)
            client.config_set("maxmemory", "0")

    asyncio.run(go_through(tmp_path, at(server, "deny"), faults, "full"))


def test_a_primary_that_is_failed_over(tmp_path: Path) -> None:
    def failed_over(found: SentinelSet) -> bool:
        return found.primary_port() == found.replica.port

    async def faults() -> None:
        found.primary.kill()
        await asyncio.to_thread(valkey_servers.until, lambda: failed_over(found), "a failover")

    with ExitStack() as stack:
        found = valkey_servers.sentinel_set(stack)
        environment = {"REDIS_TYPE": "sentinel", "REDIS_URL": found.url, "FAILURE_MODE": "allow"}
        asyncio.run(go_through(tmp_path, environment, faults, "failed over"))


def test_a_cluster_node_that_is_failed_over(tmp_path: Path) -> None:
    async def faults() -> None:
        owner = next(node for node in nodes if _holds(node, b"rl:{d}:b:user=alice"))
        others = [node for node in nodes if node is not owner]
        owner.kill()

        def replaced() -> bool:
            with others[0].client() as client:
                return "cluster_state:ok" in str(valkey_servers.tell(client, "CLUSTER", "INFO")).replace("': '", ":")

        await asyncio.sleep(1.0)  # the nodes need as long to see that one is gone
        await asyncio.to_thread(valkey_servers.until, replaced, "a failover")

    with ExitStack() as stack:
        nodes = valkey_servers.cluster(stack, replicas=1)
        url = ",".join(f"{HOST}:{node.port}" for node in nodes)
        environment = {"REDIS_TYPE": "cluster", "REDIS_URL": url, "FAILURE_MODE": "allow"}
        asyncio.run(go_through(tmp_path, environment, faults, "cluster node failed over"))


def _holds(node: Server, key: bytes) -> bool:
    with node.client() as client:
        kept = client.keys()  # not asked for the one: a node says of what is not its own where it is
        return key in kept and tell(client, "ROLE")[0] == b"master"


def test_limits_that_change_under_load_fail_no_call_and_are_never_mixed(tmp_path: Path, server: Server) -> None:
    """Each request asks two rules, which say in their names which configuration they are of."""

    def rules(name: str) -> str:
        rate = f"{{unit: hour, requests_per_unit: 4000000, name: {name}}}"
        return f"domain: d\ndescriptors:\n  - {{key: one, rate_limit: {rate}}}\n  - {{key: two, rate_limit: {rate}}}\n"

    async def scenario() -> None:
        seen: Counter[tuple[str, ...]] = Counter()
        async with serving(tmp_path, at(server, "deny"), rules("c0")) as service:

            async def call() -> RateLimitResponse:
                response = await service.ask("one", "two")
                seen[tuple(status.current_limit.name for status in response.statuses)] += 1
                return response

            load = Load(call)
            async with under(load):
                await load.counts()
                for number in range(1, 9):
                    new = tmp_path / "new.yaml"
                    new.write_text(rules(f"c{number}") if number % 3 else "domain: [broken")
                    new.rename(tmp_path / "config" / "d.yaml")
                    await asyncio.sleep(1.2)
        print(load.figures("limits changed 8 times, 2 of them broken"))  # noqa: T201
        seen.pop(("", ""), None)  # those before the first connection was open
        assert set(seen) == {(name, name) for name in ("c0", "c1", "c2", "c4", "c5", "c7", "c8")}
        assert not [word for word in load.answers if "error" in word]

    asyncio.run(scenario())
