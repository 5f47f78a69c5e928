"""The stream on a real server: bounded, and each entry with one worker at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from authz_service.deep_scan.store import STREAM, Added, DeepScanStore, Entry
from service_kit.valkey.errors import StoreUnavailableError
from tests.authz_service.deep_scan.stores import opened, run
from tests.valkey_servers import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of the module."""
    with Server() as found:
        yield found


async def taken(store: DeepScanStore, worker: str = "one", idle_seconds: float = 60.0) -> Entry | None:
    """Take what is there now."""
    return await store.take(worker, idle_seconds=idle_seconds, wait=False)


def test_entries_are_taken_in_the_order_in_which_they_came(server: Server) -> None:
    """And are gone once they are done."""

    async def scenario(store: DeepScanStore) -> None:
        assert await taken(store) is None
        assert await store.add(b"\0first\xff") == Added(room=True, expired=0)
        await store.add(b"second")
        first, second = await taken(store), await taken(store)
        assert first is not None
        assert second is not None
        assert (first.data, second.data, first.deliveries) == (b"\0first\xff", b"second", 1)
        assert await taken(store) is None
        assert await store.waiting() == 2
        await store.done(first)
        await store.done(second)
        assert await store.waiting() == 0

    run(server, scenario)


def test_what_one_worker_has_no_other_gets(server: Server) -> None:
    """Unless he keeps it for too long: then it is another's, and known to come again."""

    async def scenario(store: DeepScanStore) -> None:
        await store.add(b"body")
        first = await taken(store)
        assert first is not None
        assert await taken(store, "two") is None
        again = await taken(store, "two", idle_seconds=0.0)
        assert again == Entry(first.id, b"body", deliveries=2)
        assert (await taken(store, "three", idle_seconds=0.0)) == Entry(first.id, b"body", deliveries=3)

    run(server, scenario)


def test_a_full_stream_takes_no_more_until_an_entry_is_done(server: Server) -> None:
    """Those that came first stay."""

    async def scenario(store: DeepScanStore) -> None:
        assert (await store.add(b"1")).room
        assert (await store.add(b"2")).room
        assert not (await store.add(b"3")).room
        entry = await taken(store)
        assert entry is not None
        assert entry.data == b"1"
        await store.done(entry)
        assert (await store.add(b"4")).room

    run(server, scenario, entries=2)


def test_an_entry_is_gone_after_its_time(server: Server) -> None:
    """Those that are dropped are counted by whoever puts the next one in."""

    async def scenario(store: DeepScanStore) -> None:
        with server.client() as client:
            client.xadd(STREAM, {"d": b"old"}, id="1-1")  # a millisecond after the epoch
        assert await store.add(b"new") == Added(room=True, expired=1)
        entry = await taken(store)
        assert entry is not None
        assert entry.data == b"new"

    run(server, scenario)


def test_a_stream_that_nobody_adds_to_is_gone_after_its_time_too(server: Server) -> None:
    """No body outlives what was promised of it."""

    async def scenario(store: DeepScanStore) -> None:
        await store.add(b"old")
        await asyncio.sleep(0.4)
        with server.client() as client:
            assert client.exists(STREAM) == 0
        assert await taken(store) is None

    run(server, scenario, keep_seconds=0.2)


def test_a_worker_that_waits_is_told_of_what_comes(server: Server) -> None:
    """Soon after it has come."""

    async def scenario(store: DeepScanStore) -> None:
        async with opened(server) as other:
            waiting = asyncio.ensure_future(store.take("one", idle_seconds=60.0))
            await asyncio.sleep(0.05)
            await other.add(b"body")
            entry = await waiting
            while entry is None:  # it came between two questions
                entry = await store.take("one", idle_seconds=60.0)
            assert entry.data == b"body"

    run(server, scenario)


def test_something_else_in_the_stream_comes_as_nothing(server: Server) -> None:
    """It cannot be opened, and is given up; it holds up nobody."""

    async def scenario(store: DeepScanStore) -> None:
        with server.client() as client:
            client.xadd(STREAM, {"other": "x", "d": "y"})
        entry = await taken(store)
        assert entry is not None
        assert entry.data == b""

    run(server, scenario)


def test_a_server_that_is_away_is_an_error_of_ours(server: Server) -> None:
    """For adding and for taking."""

    async def scenario(store: DeepScanStore) -> None:
        with server.client() as client:
            client.set(STREAM, "no stream")
        with pytest.raises(StoreUnavailableError):
            await store.add(b"body")
        with pytest.raises(StoreUnavailableError):
            await taken(store)

    run(server, scenario)
