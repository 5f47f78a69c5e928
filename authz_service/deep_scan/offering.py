"""From an exchange to the stream, without holding it up: a bounded queue, and one task that empties it.

What there is no room for, here or in Valkey, is dropped and counted: a scan that comes later is no reason to refuse.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from authz_service.deep_scan.note import Note
from authz_service.deep_scan.sealing import Seal
from authz_service.deep_scan.store import DeepScanStore
from service_kit.valkey.errors import StoreUnavailableError

QUEUE_BODIES = 256
QUEUE_BYTES = 32 * 1024 * 1024
RETRY_SECONDS = 1.0  # after Valkey has not answered
CLOSE_SECONDS = 2.0

log = logging.getLogger(__name__)


class DeepScan(Protocol):
    """Where bodies go that are to be looked at again."""

    def offer(self, note: Note, body: bytes) -> None:
        """Take a body, or leave it out. MUST NOT wait, and MUST NOT raise."""
        ...


class Offering:
    """See the module. `counted` hears what became of how many bodies: queued, full, failed, expired."""

    def __init__(self, store: DeepScanStore, seal: Seal, counted: Callable[[str, int], None]) -> None:
        self._store = store
        self._seal = seal
        self._counted = counted
        self._bodies: deque[tuple[Note, bytes]] = deque()
        self._bytes = 0
        self._come = asyncio.Event()
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many bodies wait to be sent."""
        return len(self._bodies)

    def offer(self, note: Note, body: bytes) -> None:
        """Take a body, or leave it out where there is no room."""
        if self._closed or len(self._bodies) >= QUEUE_BODIES or self._bytes + len(body) > QUEUE_BYTES:
            self._counted("full", 1)
            return
        self._bodies.append((note, body))
        self._bytes += len(body)
        self._come.set()

    async def run(self) -> None:
        """Send what waits, for ever."""
        while True:
            await self._come.wait()
            self._come.clear()
            while self._bodies:
                await self._send(*self._taken())

    async def close(self) -> None:
        """Send what waits, for at most `CLOSE_SECONDS`; nothing is taken any more, and the store is closed."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._bodies:
                    await self._send(*self._taken())
        except TimeoutError:
            self._counted("failed", len(self._bodies))
        await self._store.close()

    def _taken(self) -> tuple[Note, bytes]:
        note, body = self._bodies.popleft()
        self._bytes -= len(body)
        return note, body

    async def _send(self, note: Note, body: bytes) -> None:
        try:
            entry = await asyncio.to_thread(self._seal.close, note, body)  # packing takes milliseconds
            added = await self._store.add(entry)
        except StoreUnavailableError:
            self._counted("failed", 1)
            if not self._closed:
                await asyncio.sleep(RETRY_SECONDS)  # what comes meanwhile waits or is dropped
            return
        except Exception as error:  # whatever it is, it concerns one body and no exchange
            log.error("a body could not be handed over to the deep scan", exc_info=error)
            self._counted("failed", 1)
            return
        self._counted("queued" if added.room else "full", 1)
        if added.expired:
            self._counted("expired", added.expired)
