"""Bodies on their way to the stream."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from authz_service.deep_scan import offering
from authz_service.deep_scan.note import Note
from authz_service.deep_scan.offering import Offering
from authz_service.deep_scan.sealing import KEY_BYTES, Seal
from tests.authz_service.deep_scan.stores import opened
from tests.authz_service.revocation.stores import until
from tests.valkey_servers import Server

NOTE = Note("d-1", "r-1", "request", "alice")
SEAL = Seal([os.urandom(KEY_BYTES)])
SSN = b"-".join((b"123", b"45", b"6789"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of the module."""
    with Server() as found:
        yield found


class Counting:
    """Hears what became of bodies."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()

    def __call__(self, fate: str, bodies: int) -> None:
        self.fates[fate] += bodies


def empty(server: Server) -> None:
    """Nothing in the store."""
    with contextlib.closing(server.client()) as client:
        client.flushall()


def test_what_is_offered_comes_into_the_stream_encrypted(server: Server) -> None:
    """No byte of body or note stands readable anywhere in the store."""

    async def scenario() -> None:
        async with opened(server) as store:
            heard = Counting()
            queue = Offering(store, SEAL, heard)
            sending = asyncio.ensure_future(queue.run())
            queue.offer(NOTE, b"my number is " + SSN)
            await until(lambda: heard.fates["queued"] == 1, "the sending")
            entry = await store.take("one", idle_seconds=60.0, wait=False)
            assert entry is not None
            assert SEAL.open(entry.data) == (NOTE, b"my number is " + SSN)
            sending.cancel()
        with contextlib.closing(server.client()) as client:
            kept = b"".join(client.dump(key) or b"" for key in client.scan_iter())
        assert kept
        assert not any(part in kept for part in (SSN, b"alice", b"number"))

    empty(server)
    asyncio.run(scenario())


def test_what_there_is_no_room_for_is_dropped_and_counted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by bytes, here and in the store; the exchange goes on."""
    monkeypatch.setattr(offering, "QUEUE_BODIES", 2)
    monkeypatch.setattr(offering, "QUEUE_BYTES", 100)

    async def scenario() -> None:
        async with opened(server, entries=1) as store:
            heard = Counting()
            queue = Offering(store, SEAL, heard)
            queue.offer(NOTE, b"x" * 101)
            assert heard.fates == {"full": 1}
            for _ in range(3):
                queue.offer(NOTE, b"x")
            assert (heard.fates, queue.waiting) == ({"full": 2}, 2)
            await queue.close()
            assert heard.fates == {"full": 3, "queued": 1}
            queue.offer(NOTE, b"x")
            assert heard.fates == {"full": 4, "queued": 1}

    empty(server)
    asyncio.run(scenario())


def test_a_store_that_is_away_loses_bodies_and_nothing_else() -> None:
    """They are counted, and those that come later are sent again."""

    async def scenario() -> None:
        with Server() as own:
            async with opened(own, deadline=0.2) as store:
                heard = Counting()
                queue = Offering(store, SEAL, heard)
                own.suspend()
                queue.offer(NOTE, b"lost")
                sending = asyncio.ensure_future(queue.run())
                await until(lambda: heard.fates["failed"] == 1, "giving up")
                own.resume()
                while not heard.fates["queued"]:
                    queue.offer(NOTE, b"comes")
                    await asyncio.sleep(0.05)
                sending.cancel()

    asyncio.run(scenario())


def test_the_end_does_not_wait_for_a_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is counted as lost."""
    monkeypatch.setattr(offering, "CLOSE_SECONDS", 0.2)

    async def scenario() -> None:
        with Server() as own:
            async with opened(own) as store:
                heard = Counting()
                queue = Offering(store, SEAL, heard)
                own.suspend()
                queue.offer(NOTE, b"one")
                queue.offer(NOTE, b"two")
                await queue.close()
                assert heard.fates == {"failed": 1}  # and the one that was on its way
                own.resume()

    asyncio.run(scenario())
