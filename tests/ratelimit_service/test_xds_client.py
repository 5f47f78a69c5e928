"""The following of a management server, over real sockets; then the process as a whole, with limits from one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from devstack.certificates import Authority
from ratelimit_service import xds, xds_client
from ratelimit_service.limits import Unit
from ratelimit_service.rules import Limits
from ratelimit_service.settings import XdsSettings
from ratelimit_service.xds_client import XdsClient
from service_kit.faults import ConfigurationError
from service_kit.wire.health_pb2 import HealthCheckRequest, HealthCheckResponse
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse
from service_kit.wire.ratelimit_config_pb2 import RateLimitConfig
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor
from tests.ratelimit_service.management_server import PATIENCE, ManagementServer, descriptor, domain, response

ONE = domain("d", descriptor("user", 1))
MANY = domain("d", descriptor("user", 100))
BAD = domain("d", descriptor("", 1))
BAD_TEXT = "xds:d.v1: descriptors[0].key must not be empty"
TOKEN = "Bearer token-of-the-test"
OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT


def settings(server: str, **changes: Any) -> XdsSettings:
    plain = XdsSettings(
        server=server,
        node_id="node of the test",
        use_tls=False,
        ca=None,
        certificate=None,
        key=None,
        server_name="",
        metadata=(),
        backoff=(0.01, 0.04),
        merge_domains=False,
    )
    return replace(plain, **changes)


class Following:
    """A client that follows, and what it handed on."""

    def __init__(self, chosen: XdsSettings) -> None:
        self._used: asyncio.Queue[Limits] = asyncio.Queue()
        self._refused: asyncio.Queue[ConfigurationError] = asyncio.Queue()
        self.client = XdsClient(chosen, self._used.put_nowait, self._refused.put_nowait)

    async def used(self) -> list[tuple[str, int]]:
        """The next limits: for each rule its path and how much it lets through."""
        limits = await asyncio.wait_for(self._used.get(), PATIENCE)
        return [(rule.path, rule.limit.requests_per_unit if rule.limit else -1) for rule in limits.rules()]

    async def refused(self) -> str:
        return str(await asyncio.wait_for(self._refused.get(), PATIENCE))

    def nothing_more(self) -> bool:
        return self._used.empty() and self._refused.empty()


@asynccontextmanager
async def following(server: str, **changes: Any) -> AsyncIterator[Following]:
    made = Following(settings(server, **changes))
    task = asyncio.create_task(made.client.run())
    try:
        yield made
    finally:
        assert not task.done()  # It never returns.
        await cancelled(task)


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task], timeout=PATIENCE)
    assert task.cancelled()


def run(scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene, in bounded time."""

    async def bounded() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await scene()

    asyncio.run(bounded())


def told(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    """The fields of the lines that say this."""
    return [vars(record)["fields"] for record in caplog.records if record.getMessage() == message]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  (what is waited for is a line in the log)
            await asyncio.sleep(0.01)


# One stream


def test_limits_come_into_use_and_are_acknowledged() -> None:
    async def scene() -> None:
        async with ManagementServer() as server, following(server.address) as client:
            stream = await server.stream()
            opening = await stream.asked()
            assert (opening.node.id, opening.type_url) == ("node of the test", xds.TYPE_URL)
            assert (opening.version_info, opening.response_nonce, list(opening.resource_names)) == ("", "", [])
            for version, config, requests in (("v1", ONE, 1), ("v2", MANY, 100)):
                stream.send(response(version, config, nonce=f"n-{version}"))
                ack = await stream.asked()
                assert await client.used() == [("user", requests)]
                assert (ack.version_info, ack.response_nonce, ack.node.id) == (version, f"n-{version}", opening.node.id)
                assert not ack.HasField("error_detail")
            assert client.nothing_more()

    run(scene)


def test_what_cannot_be_used_is_refused_and_the_last_good_limits_stay(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with ManagementServer() as server, following(server.address) as client:
            stream = await server.stream()
            assert (await stream.asked()).version_info == ""
            stream.send(response("v0", BAD, nonce="n0"))
            nack = await stream.asked()
            assert (nack.version_info, nack.response_nonce) == ("", "n0")
            assert await client.refused() == BAD_TEXT
            stream.send(response("v1", ONE, nonce="n1"))
            await stream.asked()
            assert await client.used() == [("user", 1)]
            stream.send(response("v2", BAD, MANY, nonce="n2"))
            nack = await stream.asked()
            assert (nack.version_info, nack.response_nonce) == ("v1", "n2")
            assert nack.error_detail.code == 3
            assert nack.error_detail.message == f"{BAD_TEXT}\nxds:d.v1: duplicate domain 'd', first in xds:d.v1"
            assert await client.refused() == nack.error_detail.message
            assert client.nothing_more()
            stream.send(response("v3", MANY, nonce="n3"))
            assert (await stream.asked()).version_info == "v3"
            assert await client.used() == [("user", 100)]

    run(scene)
    assert told(caplog, "limits refused, those in use stay")[0] == {
        "version": "v0",
        "resources": 1,
        "faults": [BAD_TEXT],
        "fault_count": 1,
    }


def test_what_was_refused_and_comes_again_is_refused_after_a_wait_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        clock = asyncio.get_running_loop().time
        async with ManagementServer() as server, following(server.address, backoff=(0.3, 0.3)) as client:
            stream = await server.stream()
            await stream.asked()
            for version, nonce, least in (("v1", "n1", 0.0), ("v1", "n2", 0.29), ("v1", "n3", 0.29), ("v2", "n4", 0.0)):
                began = clock()
                stream.send(response(version, BAD, nonce=nonce))
                nack = await stream.asked()
                assert (nack.response_nonce, nack.error_detail.message) == (nonce, BAD_TEXT)
                assert clock() - began >= least
            assert [await client.refused() for _ in range(2)] == [BAD_TEXT] * 2
            stream.send(response("v3", ONE))
            assert await client.used() == [("user", 1)]
            stream.send(response("v2", BAD))
            assert await client.refused() == BAD_TEXT  # Something else was taken since: that is news again.
            assert client.nothing_more()

    run(scene)
    refused = told(caplog, "limits refused, those in use stay")
    assert [line["version"] for line in refused] == ["v1", "v2", "v2"]


def test_domains_are_merged_where_that_is_set() -> None:
    async def scene() -> None:
        async with ManagementServer() as server, following(server.address, merge_domains=True) as client:
            (await server.stream()).send(response("v1", ONE, domain("d", descriptor("agent", 2))))
            assert sorted(await client.used()) == [("agent", 2), ("user", 1)]

    run(scene)


def test_a_server_may_take_all_limits_away() -> None:
    async def scene() -> None:
        async with ManagementServer() as server, following(server.address) as client:
            stream = await server.stream()
            stream.send(response("v1", ONE))
            stream.send(response("v2"))
            assert [await client.used(), await client.used()] == [[("user", 1)], []]
            assert [(await stream.asked()).version_info for _ in range(3)] == ["", "v1", "v2"]

    run(scene)


def test_a_fault_of_ours_is_a_refusal_that_tells_its_kind_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: Any, **__: Any) -> Limits:
        raise RuntimeError("the secret")

    async def scene() -> None:
        async with ManagementServer() as server, following(server.address) as client:
            stream = await server.stream()
            await stream.asked()
            stream.send(response("v1", ONE))
            assert (await stream.asked()).error_detail.message == "xds: cannot be used: RuntimeError"
            assert await client.refused() == "xds: cannot be used: RuntimeError"

    monkeypatch.setattr(xds, "compile_response", breaks)
    run(scene)
    assert not [record for record in caplog.records if "the secret" in record.getMessage()]


def test_additional_metadata_arrives() -> None:
    async def scene() -> None:
        metadata = (("authorization", TOKEN), ("x-tenant", "t1"))
        async with ManagementServer() as server, following(server.address, metadata=metadata):
            stream = await server.stream()
            assert stream.metadata.items() >= dict(metadata).items()

    run(scene)


# Streams that end


def test_after_a_restart_of_the_server_it_is_asked_with_the_version_in_use() -> None:
    async def scene() -> None:
        async with ManagementServer() as server:
            address, port = server.address, server.port
            async with following(address) as client:
                stream = await server.stream()
                stream.send(response("v1", ONE, nonce="n1"))
                assert await client.used() == [("user", 1)]
                assert [(await stream.asked()).version_info for _ in range(2)] == ["", "v1"]
                await server.__aexit__(None, None, None)
                async with ManagementServer(port) as again:
                    stream = await again.stream()
                    opening = await stream.asked()
                    assert (opening.version_info, opening.response_nonce) == ("v1", "")
                    assert (opening.node.id, opening.type_url) == ("node of the test", xds.TYPE_URL)
                    assert client.nothing_more()
                    stream.send(response("v2", MANY))
                    assert await client.used() == [("user", 100)]

    run(scene)


@pytest.mark.parametrize(("ending", "why"), [("", "it ended the stream"), ("no", "PERMISSION_DENIED: no")])
def test_a_stream_that_the_server_ends_is_opened_again(ending: str, why: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with ManagementServer() as server, following(server.address) as client:
            for version in ("v1", "v2"):
                stream = await server.stream()
                stream.send(response(version, ONE))
                assert await client.used() == [("user", 1)]
                stream.end(ending)
            assert (await (await server.stream()).asked()).version_info == "v2"

    run(scene)
    away = told(caplog, "management server away")
    assert [line["why"] for line in away] == [why, why]
    assert all(line["seconds"] <= 0.011 for line in away)  # A response came each time: no wait grows.


def test_waits_grow_while_nobody_listens_and_limits_come_once_somebody_does(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with ManagementServer() as gone:
            address, port = gone.address, gone.port
        async with following(address, backoff=(0.01, 3600.0)) as client:
            await until(lambda: len(told(caplog, "management server away")) >= 4)
            async with ManagementServer(port) as server:
                (await server.stream()).send(response("v1", ONE))
                assert await client.used() == [("user", 1)]

    run(scene)
    lines = told(caplog, "management server away")[:4]
    for line, longest in zip(lines, (0.01, 0.02, 0.04, 0.08), strict=True):
        assert longest / 2 - 0.001 <= line["seconds"] <= longest + 0.001
        assert line["why"].startswith("UNAVAILABLE: ")


def test_no_wait_is_longer_than_the_longest(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with ManagementServer() as gone:
            address = gone.address
        async with following(address, backoff=(0.01, 0.02)):
            await until(lambda: len(told(caplog, "management server away")) >= 8)

    run(scene)
    assert all(0.005 <= line["seconds"] <= 0.02 for line in told(caplog, "management server away"))


def test_a_stream_that_lasted_counts_as_good_although_nothing_new_came(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with ManagementServer() as gone:
            address, port = gone.address, gone.port
        async with following(address, backoff=(0.01, 0.1)):
            await until(lambda: len(told(caplog, "management server away")) >= 4)
            async with ManagementServer(port) as server:
                stream = await server.stream()
                await asyncio.sleep(0.15)  # longer than the longest wait: that is what this is about
                stream.end()
                await server.stream()

    run(scene)
    ended = [line for line in told(caplog, "management server away") if line["why"] == "it ended the stream"]
    assert ended[0]["seconds"] <= 0.011


def test_what_the_server_says_is_logged_without_the_metadata_and_bounded(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        metadata = (("authorization", TOKEN), ("x-empty", ""))
        async with ManagementServer() as server, following(server.address, metadata=metadata):
            (await server.stream()).end(f"bad token {TOKEN} " + "x" * 1_000)
            await until(lambda: bool(told(caplog, "management server away")))

    run(scene)
    why = told(caplog, "management server away")[0]["why"]
    assert why.startswith("PERMISSION_DENIED: bad token *** xxx")
    assert len(why) < 350


def test_a_cancellation_that_is_swallowed_on_the_way_ends_the_following(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        begun = asyncio.Event()

        async def follow(_: XdsClient) -> str:
            begun.set()
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                return "as grpcio does while it opens a stream"
            return ""

        monkeypatch.setattr(XdsClient, "_follow", follow)
        async with following("nowhere.invalid:1"):
            await begun.wait()

    run(scene)


def test_bytes_that_are_no_response_end_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with ManagementServer() as server, following(server.address) as client:
            (await server.stream()).send_bytes(b"\xff\xff")
            (await server.stream()).send(response("v1", ONE))
            assert await client.used() == [("user", 1)]

    run(scene)
    assert told(caplog, "management server away")[0]["why"] == "it sent what is no DiscoveryResponse"


def test_a_response_beyond_the_bound_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with ManagementServer() as server, following(server.address) as client:
            (await server.stream()).send(response("x" * 2_000, ONE))
            (await server.stream()).send(response("v1", ONE))
            assert await client.used() == [("user", 1)]
            assert client.nothing_more()

    monkeypatch.setattr(xds_client, "MAX_RESPONSE_BYTES", 1_000)
    run(scene)
    assert told(caplog, "management server away")[0]["why"].startswith("RESOURCE_EXHAUSTED: ")


def test_a_fault_in_using_limits_does_not_end_the_following(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        fails = [RuntimeError("the secret")]
        used: asyncio.Queue[Limits] = asyncio.Queue()

        def use(limits: Limits) -> None:
            if fails:
                raise fails.pop()
            used.put_nowait(limits)

        async with ManagementServer() as server:
            task = asyncio.create_task(XdsClient(settings(server.address), use, lambda _: None).run())
            (await server.stream()).send(response("v1", ONE))
            again = await server.stream()
            assert (await again.asked()).version_info == ""  # What was not in use is not told to be.
            again.send(response("v1", ONE))
            await asyncio.wait_for(used.get(), PATIENCE)
            await cancelled(task)

    run(scene)
    assert told(caplog, "management server away")[0]["why"] == "RuntimeError"


# TLS


class Keys:
    """Certificates of an authority, and one of another."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder / "ours")
        self.ca = authority.certificate
        self.other_ca = Authority(folder / "another").certificate
        self.client = authority.issue("client", uri="spiffe://test/client")
        certificate, key = authority.issue("server", addresses=True)
        pair = [(key.read_bytes(), certificate.read_bytes())]
        self.server = grpc.ssl_server_credentials(pair)
        self.mutual = grpc.ssl_server_credentials(pair, self.ca.read_bytes(), require_client_auth=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


def comes_through(server_credentials: Any, **changes: Any) -> None:
    async def scene() -> None:
        async with (
            ManagementServer(credentials=server_credentials) as server,
            following(server.address, use_tls=True, **changes) as client,
        ):
            (await server.stream()).send(response("v1", ONE))
            assert await client.used() == [("user", 1)]

    run(scene)


def fails(caplog: pytest.LogCaptureFixture, server_credentials: Any, **changes: Any) -> str:
    async def scene() -> None:
        async with (
            ManagementServer(credentials=server_credentials) as server,
            following(server.address, use_tls=True, **changes),
        ):
            await until(lambda: bool(told(caplog, "management server away")))

    run(scene)
    return str(told(caplog, "management server away")[0]["why"])


def test_limits_come_over_tls_from_a_server_whose_authority_is_trusted(keys: Keys) -> None:
    comes_through(keys.server, ca=keys.ca)


def test_a_server_of_another_authority_is_not_heard(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    assert fails(caplog, keys.server, ca=keys.other_ca).startswith("UNAVAILABLE: ")


def test_a_certificate_is_shown_to_a_server_that_asks_for_one(keys: Keys) -> None:
    certificate, key = keys.client
    comes_through(keys.mutual, ca=keys.ca, certificate=certificate, key=key)


def test_without_a_certificate_a_server_that_asks_for_one_does_not_answer(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    assert fails(caplog, keys.mutual, ca=keys.ca).startswith("UNAVAILABLE: ")


def test_the_name_that_a_certificate_must_hold_can_be_another_than_the_hosts(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    comes_through(keys.server, ca=keys.ca, server_name="localhost")
    assert fails(caplog, keys.server, ca=keys.ca, server_name="elsewhere.example").startswith("UNAVAILABLE: ")


def test_a_certificate_file_that_is_gone_is_told_and_looked_for_again(
    keys: Keys, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ca = tmp_path / "ca.pem"

    async def scene() -> None:
        async with (
            ManagementServer(credentials=keys.server) as server,
            following(server.address, use_tls=True, ca=ca) as client,
        ):
            await until(lambda: bool(told(caplog, "management server away")))
            ca.write_bytes(keys.ca.read_bytes())
            (await server.stream()).send(response("v1", ONE))
            assert await client.used() == [("user", 1)]

    run(scene)
    assert told(caplog, "management server away")[0]["why"] == f"{ca} cannot be read: No such file or directory"


# The process


class Service:
    """A running process that takes its limits from a management server."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._addresses: dict[str, str] = {}

    async def logged(self, message: str) -> dict[str, Any]:
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while text := await self.process.stderr.readline():
                if text.startswith(b"{") and message in (line := json.loads(text))["message"]:
                    return dict(line)
        raise AssertionError(f"the process ended without saying {message!r}")

    @asynccontextmanager
    async def call(self, method: str, kind: Any) -> AsyncIterator[Any]:
        self._addresses = self._addresses or await self.logged("serving")
        async with grpc.aio.insecure_channel(self._addresses["grpc"]) as channel:
            yield channel.unary_unary(method, lambda message: message.SerializeToString(), kind.FromString)

    async def ask(self, user: str = "alice") -> RateLimitResponse:
        entries = [RateLimitDescriptor.Entry(key="user", value=user)]
        request = RateLimitRequest(domain="d", descriptors=[RateLimitDescriptor(entries=entries)])
        path = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
        async with self.call(path, RateLimitResponse) as call:
            answer = await call(request, timeout=PATIENCE)
        assert isinstance(answer, RateLimitResponse)
        return answer

    async def codes(self, times: int) -> list[int]:
        return [(await self.ask()).overall_code for _ in range(times)]

    async def ready(self) -> bool:
        async with self.call("/grpc.health.v1.Health/Check", HealthCheckResponse) as call:
            status = (await call(HealthCheckRequest(), timeout=PATIENCE)).status
        return bool(status == HealthCheckResponse.SERVING)


@asynccontextmanager
async def service(server: str) -> AsyncIterator[Service]:
    environment = os.environ | {
        "CONFIG_TYPE": "GRPC_XDS_SOTW",
        "CONFIG_GRPC_XDS_SERVER_URL": server,
        "CONFIG_GRPC_XDS_NODE_ID": "the process",
        "XDS_CLIENT_BACKOFF_INITIAL_INTERVAL": "10ms",
        "HOST": "127.0.0.1",
        "PORT": "0",
        "GRPC_HOST": "127.0.0.1",
        "GRPC_PORT": "0",
        "DEBUG_PORT": "-1",
        "FAILURE_MODE": "local",
        "REDIS_URL": "127.0.0.1:1",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ratelimit_service", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield Service(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def test_the_process_enforces_what_a_management_server_says_and_follows_its_changes() -> None:
    async def sends(stream: Any, version: str, config: RateLimitConfig) -> str:
        """Send limits and wait until they are in use, or refused."""
        stream.send(response(version, config))
        return str((await stream.asked()).version_info)

    async def scene() -> None:
        async with ManagementServer() as server, service(server.address) as running:
            stream = await server.stream()
            assert (await stream.asked()).node.id == "the process"
            assert not await running.ready()
            with pytest.raises(grpc.aio.AioRpcError):
                await running.ask()
            assert await sends(stream, "v1", ONE) == "v1"
            assert await running.ready()
            assert await running.codes(2) == [OK, OVER_LIMIT]
            limit = (await running.ask()).statuses[0].current_limit
            assert (limit.requests_per_unit, limit.unit) == (1, RateLimitResponse.RateLimit.Unit.Value(Unit.YEAR.name))
            assert await sends(stream, "v2", MANY) == "v2"
            assert await running.codes(2) == [OK, OK]
            assert await sends(stream, "v3", BAD) == "v2"
            assert (await running.logged("limits refused"))["faults"] == [BAD_TEXT]
            assert await running.codes(2) == [OK, OK]
            running.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(running.process.wait(), PATIENCE) == 0

    run(scene)
