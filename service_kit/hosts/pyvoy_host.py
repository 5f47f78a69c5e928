"""The gRPC host in a worker that Envoy has started: it answers what Envoy's HTTP/2 stack takes in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from service_kit.health import Health, HealthServicer
from service_kit.hosts import certificates
from service_kit.hosts.asgi import Calls
from service_kit.hosts.envoy_bootstrap import LISTENER
from service_kit.hosts.reflection import reflection
from service_kit.listening import Limits, ListenError, Tls
from service_kit.rpc import Service

START_SECONDS = 20.0  # for Envoy to listen once Python is ready
ADMIN_SECONDS = 2.0  # for one answer of its admin interface
QUIET_SECONDS = 0.6  # after the listener has closed: calls that were on their way come in, and GOAWAYs go out
_POLL_SECONDS = 0.01
_MAX_ANSWER_BYTES = 1024 * 1024


class PyvoyHost:
    """Serves within Envoy. `begin` makes the calls known to the ASGI application, which then lets Envoy listen."""

    def __init__(  # noqa: PLR0913  (everything a server is made of)
        self,
        address: str,
        services: Sequence[Service],
        health: Health,
        aliases: Sequence[str],
        *,
        limits: Limits,
        tls: Tls | None,
        folder: Path,
        admin: Path,
        begin: Callable[[Calls], Awaitable[None]],
    ) -> None:
        self._address = address
        self._health = health
        self._limits = limits
        self._tls = tls
        self._folder = folder
        self._admin = admin
        self._begin = begin
        served = [*services, HealthServicer(health, [*(service.name for service in services), *aliases]).service()]
        self._calls = Calls([*served, reflection(served)], limits)
        self._generation = 0
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Let Envoy listen, and learn from it where."""
        if self._tls is not None:
            reloader = certificates.follow(self._tls, partial(self._renewed, self._tls))
            self._following = asyncio.create_task(reloader.run())
        await self._begin(self._calls)
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self._listening()
        except TimeoutError as error:
            raise ListenError(f"cannot listen on {self._address}: Envoy did not within {START_SECONDS:g} s") from error

    async def stop(self) -> None:
        """Close the listener, send connections away, and wait for what is in flight."""
        self._health.drain()
        if self._following is not None:
            self._following.cancel()
        with suppress(OSError, TimeoutError, ValueError):
            # Graceful first, so that connections are told to go; then nothing is accepted any more.
            await self._ask("POST", "/drain_listeners?graceful&skip_exit")
            await self._ask("POST", "/drain_listeners")
            await asyncio.sleep(QUIET_SECONDS)
        await self._calls.drained(self._limits.drain_seconds)

    def _renewed(self, tls: Tls) -> None:
        self._generation += 1
        certificates.renew(tls, self._folder, self._generation)

    async def _listening(self) -> str:
        while True:
            with suppress(OSError, TimeoutError, ValueError):
                found = json.loads(await self._ask("GET", "/listeners?format=json"))
                for listener in found.get("listener_statuses", []):
                    if listener["name"] == LISTENER:
                        return self._told(listener["local_address"])
            await asyncio.sleep(_POLL_SECONDS)

    def _told(self, place: dict[str, Any]) -> str:
        if "pipe" in place:
            return self._address
        return f"{self._address.rpartition(':')[0]}:{place['socket_address']['port_value']}"

    async def _ask(self, method: str, path: str) -> bytes:
        """Ask Envoy's admin interface; raises `ValueError` for any answer but 200."""
        async with asyncio.timeout(ADMIN_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(self._admin), limit=_MAX_ANSWER_BYTES)
            try:
                writer.write(f"{method} {path} HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.read(_MAX_ANSWER_BYTES)
            finally:
                writer.close()
        if b" 200 " not in status:
            raise ValueError(path)
        if b"transfer-encoding: chunked" not in head.lower():
            return body
        return _unchunked(body)


def _unchunked(body: bytes) -> bytes:
    """Join the chunks of an HTTP/1.1 body."""
    joined = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        joined, body = joined + body[:length], body[length + 2 :]
    return joined
