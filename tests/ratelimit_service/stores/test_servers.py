from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

import pytest

from devstack.ports import HOST, free_port
from ratelimit_service.stores.servers import single
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.valkey.address import Address
from service_kit.valkey.errors import StoreUnavailableError
from service_kit.valkey.sentinels import Sentinels
from service_kit.valkey.topology import Kind, Topology
from tests import valkey_servers
from tests.ratelimit_service.stores.asking import CHARGE, Heard, at, run
from tests.valkey_servers import PATIENCE, SentinelSet, Server, tell


def topology(found: SentinelSet) -> Topology:
    places = tuple(Address(HOST, sentinel.port) for sentinel in found.sentinels)
    return Topology(Kind.SENTINEL, places, found.name, Address())


async def until_it_counts(store: ValkeyStore) -> float:
    """Ask until there is an answer; the seconds that this took."""
    begun = time.monotonic()
    while True:
        try:
            await store.hit([CHARGE])
        except StoreUnavailableError:
            assert time.monotonic() - begun < PATIENCE
            await asyncio.sleep(0.01)
        else:
            return time.monotonic() - begun


def test_a_failover_is_followed_without_a_restart_and_no_call_misses_its_deadline() -> None:
    async def scenario(store: ValkeyStore) -> None:
        for away in (found.primary.kill, lambda: None):
            await store.hit([CHARGE])
            away()
            begun = time.monotonic()
            while found.primary_port() == found.primary.port:
                call = time.monotonic()
                try:
                    await store.hit([CHARGE])
                except StoreUnavailableError:
                    assert time.monotonic() - call < 0.5
                assert time.monotonic() - begun < PATIENCE
                await asyncio.sleep(0.01)
            recovered = await until_it_counts(store)
            assert recovered < 5, f"counting again took {recovered:.1f} seconds after the Sentinels had agreed"

    with ExitStack() as stack:
        found = valkey_servers.sentinel_set(stack)
        run(topology(found), scenario, deadline=0.1)


def test_a_primary_that_was_replaced_while_it_still_answers_is_left() -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.hit([CHARGE])
        with found.sentinels[0].client() as client:
            tell(client, "SENTINEL", "FAILOVER", found.name)
        await asyncio.to_thread(valkey_servers.until, lambda: found.primary_port() == found.replica.port, "a failover")
        begun = time.monotonic()
        with found.replica.client() as client:
            while not client.exists(CHARGE.key) or client.get(CHARGE.key).split()[1] == b"1":
                await until_it_counts(store)
                assert time.monotonic() - begun < PATIENCE
                await asyncio.sleep(0.05)

    with ExitStack() as stack:
        found = valkey_servers.sentinel_set(stack)
        run(topology(found), scenario, deadline=0.1)


def test_sentinels_that_are_away_or_know_another_name_are_told_each_by_itself() -> None:
    async def go() -> None:
        places = [Address(HOST, free_port()), Address(HOST, sentinel.port)]
        with pytest.raises(StoreUnavailableError) as caught:
            await Sentinels("none", places, Address()).find()
        told = str(caught.value)
        assert "no Sentinel tells the primary of 'none'" in told
        assert f"{places[0]}: Connection refused" in told
        assert f"{places[1]}: it does not know that name" in told

    with Server((f"sentinel monitor other {HOST} {free_port()} 1",), sentinel=True) as sentinel:
        asyncio.run(go())


def test_every_key_that_fits_is_found() -> None:
    async def go() -> None:
        servers = single(at(server), 5.0, Heard())
        with server.client() as client:
            client.mset({f"rl:{{d}}:b:user={number}": "1 2 3" for number in range(2_500)} | {"other": "x"})
        assert len(set(await servers.scan("rl:{d}:*"))) == 2_500
        assert await servers.ask("d", "GET", "other") == b"x"
        with pytest.raises(StoreUnavailableError, match="unknown command"):
            await servers.ask("d", "NO-SUCH")
        await servers.close()

    with Server() as server:
        asyncio.run(go())
