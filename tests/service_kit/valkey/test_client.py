"""Single commands to real servers in every arrangement, and what becomes of them while a server is away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import pytest

from devstack.ports import HOST
from service_kit.valkey.address import Address
from service_kit.valkey.client import MAX_WAITING, Client
from service_kit.valkey.errors import StoreUnavailableError
from service_kit.valkey.topology import Kind, Topology
from tests.valkey_servers import Server, cluster, sentinel_set, tell

KEY = "{client}x"
Scenario = Callable[[Client], Awaitable[None]]


def single(server: Server) -> Topology:
    return Topology(Kind.SINGLE, (Address(HOST, server.port),))


def run(topology: Topology, scenario: Scenario, deadline: float = 5.0) -> None:
    async def go() -> None:
        client = Client(topology, deadline=deadline)
        try:
            await scenario(client)
        finally:
            await client.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, "something goes on after the client was closed"

    asyncio.run(go())


async def until_answered(client: Client, *command: str | int) -> object:
    """Ask until there is an answer."""
    end = time.monotonic() + 20
    while True:
        try:
            return await client.ask(*command)
        except StoreUnavailableError:
            assert time.monotonic() < end, "the server did not come back"
            await asyncio.sleep(0.02)


def test_commands_of_many_callers_share_a_connection_and_each_has_its_own_reply() -> None:
    async def scenario(client: Client) -> None:
        await asyncio.gather(*(client.ask("SET", f"{KEY}{n}", n) for n in range(100)))
        replies = await asyncio.gather(*(client.ask("GET", f"{KEY}{n}") for n in range(100)))
        assert replies == [str(n).encode() for n in range(100)]
        with server.client() as other:
            assert len(other.client_list()) == 2, "this one, and the client's"

    with Server() as server:
        run(single(server), scenario)


def test_connections_are_counted_so_that_a_new_one_is_noticed() -> None:
    async def scenario(client: Client) -> None:
        assert client.opened == 0
        await client.ask("PING")
        await client.ask("PING")
        assert client.opened == 1
        with server.client() as other:
            tell(other, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert await until_answered(client, "PING") == b"PONG"
        assert client.opened == 2

    with Server() as server:
        run(single(server), scenario)


def test_an_error_of_the_server_is_told_in_its_words() -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(StoreUnavailableError, match="unknown command"):
            await client.ask("NO-SUCH-COMMAND")
        assert await client.ask("PING") == b"PONG", "and the connection stays of use"

    with Server() as server:
        run(single(server), scenario)


def test_who_gets_no_answer_is_told_in_time_and_asks_again_once_there_is_one() -> None:
    async def scenario(client: Client) -> None:
        assert await client.ask("SET", KEY, "kept") == b"OK"
        server.suspend()
        began = time.monotonic()
        for _ in range(8):
            with pytest.raises(StoreUnavailableError, match=r"no answer within 100 ms|timed out"):
                await client.ask("GET", KEY)
        assert time.monotonic() - began < 3
        server.resume()
        assert await until_answered(client, "GET", KEY) == b"kept"

    with Server() as server:
        run(single(server), scenario, deadline=0.1)


def test_a_server_that_fails_again_and_again_is_asked_no_more_until_it_is_back() -> None:
    async def scenario(client: Client) -> None:
        await client.ask("PING")
        server.kill()
        for _ in range(10):
            with pytest.raises(StoreUnavailableError):
                await client.ask("PING")
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match=r"refused|lost"):
            await client.ask("PING")
        assert time.monotonic() - began < 0.5, "told at once, long before the deadline"
        await asyncio.to_thread(server.start)
        assert await until_answered(client, "PING") == b"PONG"

    with Server() as server:
        run(single(server), scenario, deadline=1.0)


def test_a_command_may_have_a_time_of_its_own() -> None:
    async def scenario(client: Client) -> None:
        reply = await client.ask("XREAD", "BLOCK", 300, "STREAMS", KEY, "$", seconds=2.0)
        assert reply is None, "nothing came within its 300 ms, which are more than the client's deadline"

    with Server() as server:
        run(single(server), scenario, deadline=0.1)


def test_in_a_cluster_the_node_that_has_the_keys_is_found() -> None:
    async def scenario(client: Client) -> None:
        assert await client.ask("SET", KEY, "here") == b"OK"
        assert await client.ask("GET", KEY) == b"here"

    with contextlib.ExitStack() as stack:
        nodes = cluster(stack)
        for node in nodes:
            run(Topology(Kind.CLUSTER, (Address(HOST, node.port),)), scenario)


def test_the_primary_that_sentinels_tell_is_followed_when_another_takes_its_place() -> None:
    async def scenario(client: Client) -> None:
        assert await client.ask("SET", KEY, "before") == b"OK"
        before = told.primary_port()
        with told.sentinels[0].client() as sentinel:
            tell(sentinel, "SENTINEL", "FAILOVER", told.name)
        end = time.monotonic() + 20
        while await asyncio.to_thread(told.primary_port) == before:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        assert await until_answered(client, "SET", KEY, "after") == b"OK"
        assert told.primary_port() != before

    with contextlib.ExitStack() as stack:
        told = sentinel_set(stack)
        addresses = tuple(Address(HOST, sentinel.port) for sentinel in told.sentinels)
        run(Topology(Kind.SENTINEL, addresses, told.name, Address()), scenario)


def test_so_many_commands_may_wait_and_no_more() -> None:
    async def scenario(client: Client) -> None:
        await client.ask("PING")
        server.suspend()
        waiting = [asyncio.ensure_future(client.ask("PING")) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailableError, match="more than 10000 commands wait"):
            await client.ask("PING")
        server.resume()
        assert set(await asyncio.gather(*waiting)) == {b"PONG"}

    with Server() as server:
        run(single(server), scenario, deadline=30.0)


def test_who_asks_after_the_end_is_told_so() -> None:
    async def go() -> None:
        client = Client(single(server), deadline=1.0)
        await client.ask("PING")
        await client.close()
        with pytest.raises(StoreUnavailableError, match="the service is ending"):
            await client.ask("PING")

    with Server() as server:
        asyncio.run(go())


def test_callers_who_go_before_the_reply_are_counted_until_it_fails_to_come() -> None:
    """Else a server that is silent for good would be asked for ever, by callers who wait a little less."""

    async def scenario(client: Client) -> None:
        await client.ask("PING")
        server.suspend()
        for _ in range(8):
            with pytest.raises((TimeoutError, StoreUnavailableError)):
                async with asyncio.timeout(0.05):
                    await client.ask("GET", KEY)
            await asyncio.sleep(0.1)
        with pytest.raises(StoreUnavailableError, match=r"no answer|timed out"):
            await client.ask("GET", KEY, seconds=10)
        server.resume()
        assert await until_answered(client, "PING") == b"PONG"

    with Server() as server:
        run(single(server), scenario, deadline=0.1)


def test_each_caller_is_told_of_an_absence_by_an_error_of_his_own() -> None:
    """One that many raise would grow with each."""

    async def scenario(client: Client) -> None:
        errors = []
        for _ in range(20):
            with pytest.raises(StoreUnavailableError) as caught:
                await client.ask("PING")
            errors.append(caught.value)
        assert len(set(map(id, errors))) == len(errors)

    with Server() as server:
        place = single(server)
    run(place, scenario, deadline=0.2)
