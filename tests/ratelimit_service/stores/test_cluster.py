from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from devstack.ports import HOST, free_port
from ratelimit_service.model import Charge
from ratelimit_service.stores.cluster import slot_of
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.valkey.address import Address
from service_kit.valkey.errors import StoreUnavailableError
from service_kit.valkey.topology import Kind, Topology
from tests import valkey_servers
from tests.ratelimit_service.stores.asking import CHARGE, WINDOW, run
from tests.valkey_servers import PATIENCE, Server, tell


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield valkey_servers.cluster(stack)


def cluster(*nodes: Server) -> Topology:
    return Topology(Kind.CLUSTER, tuple(Address(HOST, node.port) for node in nodes))


@given(st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_the_slot_of_a_tag_is_that_of_a_client_of_another_make(tag: str) -> None:
    assert slot_of(tag) == key_slot(f"rl:{{{tag}}}:b".encode())


def test_domains_are_spread_over_the_nodes_and_each_counts(nodes: list[Server]) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.check()
        charges = [[Charge(f"{{domain{number}}}w", 1, WINDOW)] for number in range(60)]
        for remaining in (99, 98):
            answers = await asyncio.gather(*map(store.hit, charges))
            assert [answer[0].remaining for answer in answers] == [remaining] * 60

    run(cluster(nodes[0]), scenario)
    for node in nodes:
        with node.client() as client:
            assert client.dbsize() > 0


def test_a_slot_that_has_moved_is_followed_while_it_moves_and_after(nodes: list[Server]) -> None:
    moving = "moved"
    slot = slot_of(moving)
    charge = Charge(f"{{{moving}}}w", 1, WINDOW)

    async def scenario(store: ValkeyStore) -> None:
        assert (await store.hit([charge]))[0].remaining == 99
        clients = [stack.enter_context(node.client()) for node in nodes]
        ids = [tell(client, "CLUSTER", "MYID") for client in clients]
        source = next(at for at, client in enumerate(clients) if tell(client, "CLUSTER", "COUNTKEYSINSLOT", slot))
        target = (source + 1) % len(nodes)
        tell(clients[target], "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        tell(clients[source], "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
        assert (await store.hit([charge]))[0].remaining == 98  # still there
        new = Charge(f"{{{moving}}}new", 1, WINDOW)
        with pytest.raises(StoreUnavailableError, match="TRYAGAIN"):
            await store.hit([charge, new])  # one key is here and one would be there
        together = await asyncio.gather(store.hit([charge]), store.hit([new]), store.hit([charge]))
        assert [answer[0].remaining for answer in together] == [97, 99, 96]
        tell(clients[source], "MIGRATE", HOST, nodes[target].port, charge.key, 0, 5_000)
        assert (await store.hit([charge]))[0].remaining == 95  # ASK
        for client in (clients[target], clients[source], *clients):
            tell(client, "CLUSTER", "SETSLOT", slot, "NODE", ids[target])
        assert (await store.hit([charge]))[0].remaining == 94  # MOVED
        answers = await asyncio.gather(*(store.hit([charge]) for _ in range(20)))
        assert sorted(answer[0].remaining for answer in answers) == list(range(74, 94))

    with ExitStack() as stack:
        run(cluster(*nodes), scenario)


def test_a_seed_that_is_away_is_passed_over(nodes: list[Server]) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.check()

    run(Topology(Kind.CLUSTER, (Address(HOST, free_port()), Address(HOST, nodes[1].port))), scenario)


def test_a_server_that_is_no_cluster_and_one_that_is_away_are_told() -> None:
    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError, match=text):
            await store.check()
        with pytest.raises(StoreUnavailableError, match=text):
            await store.hit([CHARGE])

    with Server() as server:
        text = "cluster support disabled"
        run(cluster(server), scenario)
    text = "Connection refused"
    run(Topology(Kind.CLUSTER, (Address(HOST, free_port()),)), scenario)


def test_a_node_that_is_replaced_by_its_replica_is_followed() -> None:
    async def scenario(store: ValkeyStore) -> None:
        charges = [[Charge(f"{{domain{number}}}w", 1, WINDOW)] for number in range(30)]
        await asyncio.gather(*map(store.hit, charges))
        started[0].kill()
        begun = time.monotonic()
        while True:
            call = time.monotonic()
            answers = await asyncio.gather(*map(store.hit, charges), return_exceptions=True)
            assert time.monotonic() - call < 1
            if not any(isinstance(answer, BaseException) for answer in answers):
                break
            assert all(isinstance(answer, StoreUnavailableError | list) for answer in answers)
            assert time.monotonic() - begun < PATIENCE
            await asyncio.sleep(0.02)

    with ExitStack() as stack:
        started = valkey_servers.cluster(stack, replicas=1)
        run(cluster(*started[1:3]), scenario, deadline=0.1)
