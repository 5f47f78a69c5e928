"""A service of a few lines, to be served by either host: `python -m tests.wire.sample JSON` serves it as a process.

What a call does is in its path, so that a test needs no other way into the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from google.rpc.code_pb2 import PERMISSION_DENIED
from prometheus_client import CollectorRegistry, Counter, Gauge

from service_kit import lifetime, logs
from service_kit.exposition import exposed
from service_kit.health import Health
from service_kit.hosts.launching import launch
from service_kit.hosts.process import Process
from service_kit.http_host import HttpHost
from service_kit.listening import Limits, ListenError, Listening, Server, Tls
from service_kit.rpc import RpcError, Service, Status
from service_kit.wire import ext_authz_pb2, ext_proc_pb2

AUTHORIZATION = "envoy.service.auth.v3.Authorization"
PROCESSOR = "envoy.service.ext_proc.v3.ExternalProcessor"
LARGE = 100 * 1024


class Authorization:
    """Answers as the path of the request says."""

    def __init__(self, health: Health, registry: CollectorRegistry) -> None:
        self._health = health
        self._waiting = 0
        self._cancelled = 0
        self._changed = asyncio.Condition()
        self._released = False
        self._calls = Counter("sample_calls", "Calls.", registry=registry)
        self._up = Gauge("sample_up", "1.", registry=registry, multiprocess_mode="livesum")
        self._up.set(1)

    def service(self) -> Service:
        """The service to serve."""
        return Service(ext_authz_pb2.DESCRIPTOR.services_by_name["Authorization"], {"Check": self.check})

    async def check(self, request: ext_authz_pb2.CheckRequest) -> Any:
        """Answer with a body that tells what was done."""
        path = request.attributes.request.http.path
        self._calls.inc()
        if path in Status.__members__:
            raise RpcError(Status[path], f"because of {path}")
        if path == "/nothing":
            return None
        text = await self._do(path)
        denied = ext_authz_pb2.DeniedHttpResponse(body=text)
        return ext_authz_pb2.CheckResponse(status={"code": PERMISSION_DENIED}, denied_response=denied)

    async def _do(self, path: str) -> str:
        match path:
            case "/break":
                raise ValueError("the secret")
            case "/large":
                return "x" * LARGE
            case "/percent":
                raise RpcError(Status.NOT_FOUND, "100 % größer\n")
            case "/cancel":
                waited = asyncio.get_running_loop().create_future()
                waited.cancel()
                await waited
            case "/exit":
                raise SystemExit(3)
            case "/pid":
                return str(os.getpid())
            case "/die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "/ill":
                self._health.set("store", "cannot be reached")
            case "/well":
                self._health.set("store", None)
            case "/waiting" | "/cancelled":
                return str(self._waiting if path == "/waiting" else self._cancelled)
            case "/wait":
                await self._wait()
            case "/release":
                async with self._changed:
                    self._released = True
                    self._changed.notify_all()
        return f"denied {path}"

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._released)
        except asyncio.CancelledError:
            self._cancelled += 1
            raise
        finally:
            self._waiting -= 1


async def process_bodies(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Answer each body with its reverse, as it comes."""
    async for request in requests:
        body = request.request_body.body
        if body == b"stop":
            raise RpcError(Status.RESOURCE_EXHAUSTED, "enough")
        if body == b"break":
            raise ValueError("the secret")
        mutation = ext_proc_pb2.BodyMutation(body=body[::-1])
        answer = ext_proc_pb2.BodyResponse(response=ext_proc_pb2.CommonResponse(body_mutation=mutation))
        yield ext_proc_pb2.ProcessingResponse(request_body=answer)


async def serve(arguments: Sequence[str], process: Process) -> None:
    """Serve until told to end; the first argument is what /readyz starts with."""
    logs.set_up("sample", "info")
    health, registry = Health(["store"]), CollectorRegistry()
    health.set("store", arguments[0] or None)
    processor = Service(ext_proc_pb2.DESCRIPTOR.services_by_name["ExternalProcessor"], {"Process": process_bodies})
    services = [Authorization(health, registry).service(), processor]
    host = process.host(services, health, ["alias"])
    http = HttpHost(process.http, health, exposed(registry, shared=process.shared), shared=process.shared)
    try:
        addresses = {"http": await http.start(), "grpc": await host.start()}
        sys.stdout.write(json.dumps({**addresses, "pid": os.getpid(), "worker": process.number}) + "\n")
        sys.stdout.flush()
        await lifetime.until(process.stop)
    finally:
        await host.stop()
        await http.stop()


def main(entry: str = "tests.wire.sample:serve") -> int:
    """Read what to serve from the first argument."""
    said = json.loads(sys.argv[1])
    tls = Tls(*(Path(path) if path else None for path in said["tls"])) if said["tls"] else None  # type: ignore[arg-type]  # the first two are there
    listening = Listening(said["grpc"], "127.0.0.1:0", tls, Server(said["server"]), said["workers"])
    logs.set_up("sample", "info")
    try:
        return launch(entry, [said["problem"]], listening, os.environ, Limits(**said["limits"]))
    except ListenError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
