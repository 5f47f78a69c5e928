"""Entries in a stream of Valkey (https://valkey.io/topics/streams-intro/): bounded in number and in time.

Each entry is taken by one worker at a time. One whose worker does not finish it is given to another after a while, at
most `MAX_DELIVERIES` times: what ends every worker that takes it must not end them all for ever. Errors of the server
and silence end in `StoreUnavailableError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from service_kit.valkey.client import Client
from service_kit.valkey.errors import StoreUnavailableError

STREAM = "{agent_gateway}:deep_scan"
GROUP = "workers"
MAX_DELIVERIES = 3
BLOCK_SECONDS = 1.0  # how long the server holds a question for entries that there are none of
_ADD = resources.files("authz_service.deep_scan").joinpath("add.lua").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Added:
    """Whether there was room for an entry, and how many others had been there for too long."""

    room: bool
    expired: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as a worker takes it; `deliveries` counts this one too."""

    id: str
    data: bytes
    deliveries: int = 1


class DeepScanStore:
    """See the module. One that waits for entries needs a client of its own: the connection is held meanwhile."""

    def __init__(self, client: Client, *, entries: int, keep_seconds: float, deadline: float) -> None:
        """`deadline` is the client's, in seconds; `keep_seconds` is how long an entry waits at most."""
        self._client = client
        self._entries = entries
        self._keep_ms = int(keep_seconds * 1000)
        self._deadline = deadline

    async def add(self, data: bytes) -> Added:
        """Put an entry in, if there is room."""
        match await self._client.ask("EVAL", _ADD, 1, STREAM, data, self._entries, self._keep_ms):
            case [int() as room, int() as expired]:
                return Added(bool(room), expired)
        raise StoreUnavailableError("the answer is not as the script writes it")

    async def take(self, worker: str, *, idle_seconds: float, wait: bool = True) -> Entry | None:
        """Take what another worker left behind for `idle_seconds`, or else the next that is new; None if there is none.

        `wait`: for `BLOCK_SECONDS`.
        """
        entry = await self._claim(worker, int(idle_seconds * 1000))
        return entry or await self._next(worker, wait=wait)

    async def done(self, entry: Entry) -> None:
        """Drop an entry: it is finished, or given up."""
        await self._client.ask("XACK", STREAM, GROUP, entry.id)
        await self._client.ask("XDEL", STREAM, entry.id)

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()

    async def waiting(self) -> int:
        """How many entries there are, those that are being worked on too."""
        count = await self._client.ask("XLEN", STREAM)
        return count if isinstance(count, int) else 0

    async def _claim(self, worker: str, idle_ms: int) -> Entry | None:
        reply = await self._of_group("XAUTOCLAIM", STREAM, GROUP, worker, idle_ms, "0-0", "COUNT", 1)
        match reply:
            case [_, [[bytes() as name, list() as fields]], *_]:
                return await self._counted(_entry(name, fields))
            case [_, list(), *_]:
                return None
        raise StoreUnavailableError("the entries are not as they are written")

    async def _next(self, worker: str, *, wait: bool) -> Entry | None:
        blocking = ("BLOCK", int(BLOCK_SECONDS * 1000)) if wait else ()
        command = ("XREADGROUP", "GROUP", GROUP, worker, "COUNT", 1, *blocking, "STREAMS", STREAM, ">")
        reply = await self._of_group(*command, seconds=BLOCK_SECONDS + self._deadline)
        match reply:
            case None:
                return None
            case [[_, [[bytes() as name, list() as fields]]]]:
                return _entry(name, fields)
        raise StoreUnavailableError("the entries are not as they are written")

    async def _counted(self, entry: Entry) -> Entry:
        match await self._client.ask("XPENDING", STREAM, GROUP, entry.id, entry.id, 1):
            case [[_, _, _, int() as deliveries]]:
                return Entry(entry.id, entry.data, deliveries)
        return entry

    async def _of_group(self, *command: int | str | bytes, seconds: float | None = None) -> Any:
        """Ask as a member of the group, which is made where it is not there: the stream may have expired with it."""
        try:
            return await self._client.ask(*command, seconds=seconds)
        except StoreUnavailableError as error:
            if "NOGROUP" not in str(error):
                raise
        try:
            await self._client.ask("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM")
        except StoreUnavailableError as error:
            if "BUSYGROUP" not in str(error):  # another worker was faster
                raise
        return await self._client.ask(*command, seconds=seconds)


def _entry(name: bytes, fields: Sequence[Any]) -> Entry:
    match fields:
        case [b"d", bytes() as data]:
            return Entry(name.decode("ascii", "replace"), data)
    return Entry(name.decode("ascii", "replace"), b"")  # none of ours: it cannot be opened, and is given up
