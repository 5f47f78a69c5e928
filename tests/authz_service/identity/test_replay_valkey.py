"""The replay store in a real Valkey: one first use among all who share it, and no answer where there is none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from authz_service.errors import ReplayUnknown
from authz_service.identity.replay_valkey import KEY, ValkeyReplayStore
from devstack.ports import HOST
from service_kit.valkey.address import Address
from service_kit.valkey.client import Client
from service_kit.valkey.connection import Reply
from service_kit.valkey.topology import Kind, Topology
from tests.valkey_servers import Server, cluster, tell

Scenario = Callable[[ValkeyReplayStore], Awaitable[None]]


def single(server: Server) -> Topology:
    """Where one server is."""
    return Topology(Kind.SINGLE, (Address(HOST, server.port),))


def run(topology: Topology, scenario: Scenario, deadline: float = 5.0) -> None:
    """Play a scenario with a store."""

    async def go() -> None:
        client = Client(topology, deadline=deadline)
        try:
            await scenario(ValkeyReplayStore(client))
        finally:
            await client.close()

    asyncio.run(go())


class Answering:
    """A server that answers as it is told, and remembers what it was asked."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[tuple[int | str | bytes, ...]] = []

    async def ask(self, *command: int | str | bytes, seconds: float | None = None) -> Reply:
        """Answer."""
        del seconds
        self.asked.append(command)
        return self.reply


def test_a_proof_can_be_used_once() -> None:
    """Whoever of those who share the server has seen it first."""

    async def scenario(store: ValkeyReplayStore) -> None:
        assert await store.first_use("a", 60.0) is True
        assert await store.first_use("a", 60.0) is False
        assert await store.first_use("b", 60.0) is True
        other = Client(single(server), deadline=5.0)
        try:
            assert await ValkeyReplayStore(other).first_use("a", 60.0) is False
        finally:
            await other.close()

    with Server() as server:
        run(single(server), scenario)
        run(single(server), lambda store: _is(store, "b", expected=False))


async def _is(store: ValkeyReplayStore, key: str, *, expected: bool) -> None:
    assert await store.first_use(key, 60.0) is expected


def test_of_four_clients_that_race_for_a_key_exactly_one_wins() -> None:
    """For each of many keys, on connections of their own."""

    async def go() -> None:
        clients = [Client(single(server), deadline=20.0) for _ in range(4)]
        stores = [ValkeyReplayStore(client) for client in clients]
        try:
            uses = [store.first_use(f"k{n}", 60.0) for n in range(200) for store in stores]
            won = await asyncio.gather(*uses)
        finally:
            for client in clients:
                await client.close()
        assert [sum(won[at : at + 4]) for at in range(0, len(won), 4)] == [1] * 200

    with Server() as server:
        asyncio.run(go())


def test_a_proof_is_remembered_for_its_time_and_not_longer_for_a_second_use() -> None:
    """As the server counts it."""

    async def scenario(store: ValkeyReplayStore) -> None:
        assert await store.first_use("a", 100.0)
        assert not await store.first_use("a", 10_000.0)
        with server.client() as other:
            assert 60_000 < int(tell(other, "PTTL", KEY + "a")) <= 100_000
            assert tell(other, "KEYS", "*") == [(KEY + "a").encode()]
        assert await store.first_use("b", 0.05)
        await asyncio.sleep(1.0)
        assert await store.first_use("b", 100.0), "its time was over"

    with Server() as server:
        run(single(server), scenario)


@pytest.mark.parametrize(("seconds", "milliseconds"), [(60.0, 60_000), (0.0101, 11), (0.0001, 1), (0.0, 1), (-1.0, 1)])
def test_the_time_is_never_cut_short(seconds: float, milliseconds: int) -> None:
    """Rounded up to milliseconds, at least one: the server refuses less."""
    server = Answering(b"OK")
    assert asyncio.run(ValkeyReplayStore(server).first_use("a", seconds))
    assert server.asked == [("SET", f"{KEY}a", "", "NX", "PX", milliseconds)]


@pytest.mark.parametrize("reply", [b"", b"ok", b"QUEUED", 1, 0, [], [b"OK"]])
def test_another_reply_is_no_answer(reply: Reply) -> None:
    """Neither used nor unused: it is not known."""
    with pytest.raises(ReplayUnknown, match="not that of SET"):
        asyncio.run(ValkeyReplayStore(Answering(reply)).first_use("a", 1.0))


def test_without_the_server_nothing_is_known() -> None:
    """Neither used nor unused, which ends in a 503."""

    async def scenario(store: ValkeyReplayStore) -> None:
        assert await store.first_use("a", 60.0)
        server.kill()
        for _ in range(8):
            with pytest.raises(ReplayUnknown) as caught:
                await store.first_use("b", 60.0)
            assert caught.value.status == 503

    with Server() as server:
        run(single(server), scenario, deadline=1.0)


def test_a_server_that_does_not_answer_makes_it_unknown_in_time() -> None:
    """Even if the server has noted the proof meanwhile."""

    async def scenario(store: ValkeyReplayStore) -> None:
        assert await store.first_use("a", 60.0)
        server.suspend()
        try:
            async with asyncio.timeout(10):
                with pytest.raises(ReplayUnknown):
                    await store.first_use("a", 60.0)
        finally:
            server.resume()

    with Server() as server:
        run(single(server), scenario, deadline=0.2)


def test_a_server_that_is_full_refuses_and_forgets_nothing() -> None:
    """As long as it is told to evict nothing, which is its default."""

    async def scenario(store: ValkeyReplayStore) -> None:
        assert await store.first_use("a", 60.0)
        with server.client() as other:
            tell(other, "CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(ReplayUnknown):
            await store.first_use("b", 60.0)
        with server.client() as other:
            tell(other, "CONFIG", "SET", "maxmemory", "0")
        assert await store.first_use("a", 60.0) is False

    with Server() as server:
        run(single(server), scenario)


def test_a_value_of_another_kind_in_its_place_counts_as_used() -> None:
    """SET NX looks at nothing but whether there is something."""

    async def scenario(store: ValkeyReplayStore) -> None:
        with server.client() as other:
            tell(other, "RPUSH", KEY + "a", "x")
        assert await store.first_use("a", 60.0) is False

    with Server() as server:
        run(single(server), scenario)


def test_in_a_cluster_all_keys_are_on_one_node() -> None:
    """Whichever node a replica has been told."""

    async def scenario(store: ValkeyReplayStore) -> None:
        won = [await store.first_use(f"k{n}", 60.0) for n in range(20)]
        assert won == [first] * 20

    with contextlib.ExitStack() as stack:
        first = True
        for node in cluster(stack):
            run(Topology(Kind.CLUSTER, (Address(HOST, node.port),)), scenario)
            first = False
