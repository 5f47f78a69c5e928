"""The store's keys and values, for the commands: found by SCAN, read and deleted in batches."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from ratelimit_service import settings
from ratelimit_service.commands import bucket_names
from ratelimit_service.commands.bucket_names import BucketName, Stored
from ratelimit_service.commands.progress import Progress
from ratelimit_service.stores.opening import open_servers
from ratelimit_service.stores.servers import Servers
from service_kit.valkey.connection import Reply
from service_kit.valkey.errors import StoreUnavailableError

MAX_KEYS = 1_000_000  # that are looked at
BATCH = 500  # keys of one command
DEADLINE = 2.0  # seconds: at the terminal nobody waits for Envoy

_GLOB = re.compile(r"([*?\[\]\\])")
_Item = TypeVar("_Item")


class Counters:
    """What the store keeps. `place` is where it is, `prefix` what goes before every key."""

    def __init__(self, servers: Servers, place: str, prefix: str, most: int = MAX_KEYS) -> None:
        self._servers = servers
        self._prefix = prefix
        self._most = most
        self.place = place
        self.stopped = False  # whether there were more keys than are looked at

    async def find(self, pattern: str) -> list[BucketName]:
        """Find the buckets whose keys fit a pattern of SCAN, each once; see `escape_pattern`."""
        found = dict.fromkeys(await self._servers.scan(escape_pattern(self._prefix) + pattern, most=self._most + 1))
        self.stopped = self.stopped or len(found) > self._most
        start = self._prefix.encode()
        names = []
        for key in list(found)[: self._most]:
            name = bucket_names.parse(key.removeprefix(start).decode("ascii", "replace"))
            if name is not None:
                names.append(name)
        return names

    async def read(self, names: Sequence[BucketName]) -> AsyncIterator[list[Stored]]:
        """Read buckets, in parts. Those that are gone in the meantime are left out."""
        for tag, group in _by_tag(names).items():
            for batch in _batches(group):
                now_us = _microseconds(await self._servers.ask(tag, "TIME"))
                values = await self._servers.ask(tag, "MGET", *(self._prefix + name.name for name in batch))
                if not isinstance(values, list) or len(values) != len(batch):
                    raise StoreUnavailableError("the reply is not that of MGET: is this Valkey or Redis?")
                yield [
                    Stored(name, value, now_us)
                    for name, value in zip(batch, values, strict=True)
                    if isinstance(value, bytes)
                ]

    async def delete(self, names: Sequence[BucketName]) -> int:
        """Delete buckets; return how many were there."""
        deleted = 0
        for tag, group in _by_tag(names).items():
            for batch in _batches(group):
                reply = await self._servers.ask(tag, "DEL", *(self._prefix + name.name for name in batch))
                deleted += reply if isinstance(reply, int) else 0
        return deleted


@asynccontextmanager
async def opened(environment: Mapping[str, str]) -> AsyncIterator[Counters]:
    """Connect to the store that the service's variables name; raises `ConfigurationError` where they are at fault."""
    store = settings.read(environment).store
    servers = open_servers(store.topology, DEADLINE, _Deaf())
    try:
        yield Counters(servers, str(store.topology), store.key_prefix)
    finally:
        await servers.close()


def _so_far(done: int, count: int, elapsed: float) -> str:
    del elapsed
    return f"{done:,} of {count:,} buckets read"


async def read_all(counters: Counters, names: Sequence[BucketName]) -> AsyncIterator[Stored]:
    """Read buckets one by one, and tell how far that is where it takes long."""
    progress = Progress(sys.stderr)
    done = 0
    try:
        async for batch in counters.read(names):
            done += len(batch)
            progress.show(partial(_so_far, done, len(names)))
            for stored in batch:
                yield stored
    finally:
        progress.end()


def escape_pattern(text: str) -> str:
    """What of SCAN's patterns fits this text alone."""
    return _GLOB.sub(r"\\\1", text)


def _by_tag(names: Sequence[BucketName]) -> dict[str, list[BucketName]]:
    """Buckets by domain: those of one live on one server."""
    groups: dict[str, list[BucketName]] = {}
    for name in names:
        groups.setdefault(name.tag, []).append(name)
    return groups


def _batches(items: Sequence[_Item]) -> list[Sequence[_Item]]:
    return [items[at : at + BATCH] for at in range(0, len(items), BATCH)]


def _microseconds(reply: Reply) -> int:
    match reply:
        case [bytes() as seconds, bytes() as microseconds] if seconds.isdigit() and microseconds.isdigit():
            return int(seconds) * 1_000_000 + int(microseconds)
    raise StoreUnavailableError("the reply is not that of TIME: is this Valkey or Redis?")


class _Deaf:
    """Hears what happens at a server, and has no use for it."""

    def sent(self, requests: int) -> None:
        """Requests went out together."""

    def breaker(self, server: str, *, opened: bool) -> None:
        """The breaker opened or closed."""
