"""OPA servers for tests: the real one where it is installed, and one that answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devstack.ports import free_port

needs_opa = pytest.mark.skipif(
    shutil.which("opa") is None,
    reason="opa is not on PATH: go install github.com/open-policy-agent/opa@latest",
)
PATIENCE = 30.0  # seconds


@contextmanager
def real_opa(policy: str, *options: str, log: Path | None = None) -> Iterator[str]:
    """The real server with one module, at the URL of a port; a unix socket where the options hold its address."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        output = opened.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        (Path(name) / "policy.rego").write_text(policy)
        port = free_port()
        health = f"127.0.0.1:{port}"
        where = ["--diagnostic-addr", health] if "--addr" in options else ["--addr", health]
        process = subprocess.Popen(
            ["opa", "run", "--server", "--disable-telemetry", "--log-level=error", *where, *options, "policy.rego"],
            cwd=name,
            stdout=output,
            stderr=output,
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(f"http://{health}/health"):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield f"http://{health}"
        finally:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):  # noqa: S310  (our own URL)
            return True
    except OSError:
        return False


@dataclass
class Told:
    """A server that answers each request with the bytes that `answer` makes of its head; None: it says nothing.

    `requests` are heads and bodies as they came.
    """

    answer: Callable[[str], bytes | None]
    url: str = ""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0
    close_after_each: bool = False

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[Told]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        tasks = self._tasks = set[asyncio.Task[None]]()
        try:
            yield self
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (int(line[16:]) for line in head.split("\r\n") if line.lower().startswith("content-l")), 0
                )
                self.requests.append((head, await reader.readexactly(length)))
                answer = self.answer(head)
                if answer is None:
                    await asyncio.sleep(PATIENCE)
                else:
                    writer.write(answer)
                    await writer.drain()
                if self.close_after_each:
                    break
        writer.close()


def response(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole response."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body
