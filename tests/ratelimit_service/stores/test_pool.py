from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from ratelimit_service.stores.pool import Pool


class RefusedError(Exception):
    pass


class Server:
    """Hands out numbered connections, as slowly as told, or refuses."""

    def __init__(self, delay: float = 0) -> None:
        self.delay = delay
        self.refuses = False
        self.opened = 0
        self.closed: list[int] = []

    async def connect(self) -> int:
        await asyncio.sleep(self.delay)
        if self.refuses:
            raise RefusedError
        self.opened += 1
        return self.opened

    async def close(self, connection: int) -> None:
        self.closed.append(connection)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def pool_of(server: Server, size: int = 2) -> Pool[int]:
    return Pool(server.connect, server.close, size)


def test_nothing_is_opened_before_it_is_needed_and_what_is_given_back_is_used_again() -> None:
    async def scenario() -> None:
        server = Server()
        pool = pool_of(server)
        assert server.opened == 0
        connection, idled = await pool.take()
        assert (connection, idled) == (1, False)
        pool.give(connection)
        assert await pool.take() == (1, True)
        assert server.opened == 1

    run(scenario())


def test_no_more_are_open_than_the_size_and_others_wait_their_turn() -> None:
    async def scenario() -> None:
        server = Server()
        pool = pool_of(server)
        first, second = (await pool.take())[0], (await pool.take())[0]
        third = asyncio.create_task(pool.take())
        await asyncio.sleep(0.01)
        assert not third.done()
        pool.give(first)
        assert (await third)[0] == first
        assert {first, second} == {1, 2}
        assert server.opened == 2

    run(scenario())


def test_opening_goes_on_when_the_caller_gives_up() -> None:
    async def scenario() -> None:
        server = Server(delay=0.03)
        pool = pool_of(server)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.take(), 0.005)
        await asyncio.sleep(0.04)
        assert await pool.take() == (1, True)

    run(scenario())


def test_a_dropped_connection_is_closed_and_replaced_for_those_who_wait() -> None:
    async def scenario() -> None:
        server = Server()
        pool = pool_of(server, size=1)
        first, _ = await pool.take()
        waiting = asyncio.create_task(pool.take())
        await asyncio.sleep(0)
        await pool.drop(first)
        assert await waiting == (2, False)
        assert server.closed == [1]

    run(scenario())


def test_a_failure_to_open_reaches_everyone_who_waits_and_the_next_tries_again() -> None:
    async def scenario() -> None:
        server = Server()
        server.refuses = True
        pool = pool_of(server)
        results = await asyncio.gather(*(pool.take() for _ in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [RefusedError] * 5
        server.refuses = False
        assert await pool.take() == (1, False)

    run(scenario())


def test_a_failure_to_open_one_more_leaves_those_waiting_to_the_open_ones() -> None:
    async def scenario() -> None:
        server = Server()
        pool = pool_of(server)
        first, _ = await pool.take()
        server.refuses = True
        waiting = asyncio.create_task(pool.take())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        pool.give(first)
        assert (await waiting)[0] == first

    run(scenario())


def test_a_connection_handed_to_a_caller_who_just_left_goes_to_the_next() -> None:
    async def scenario() -> None:
        server = Server()
        pool = pool_of(server, size=1)
        first, _ = await pool.take()
        leaving = asyncio.create_task(pool.take())
        await asyncio.sleep(0)
        pool.give(first)
        leaving.cancel()
        await asyncio.wait([leaving])
        assert (await asyncio.wait_for(pool.take(), 1))[0] == first

    run(scenario())


def test_closing_closes_what_is_idle_and_stops_opening() -> None:
    async def scenario() -> None:
        server = Server()
        pool = pool_of(server)
        pool.give((await pool.take())[0])
        await pool.drop_idle()
        server.delay = 10
        waiting = asyncio.create_task(pool.take())
        await asyncio.sleep(0)
        await asyncio.wait_for(pool.close(), 1)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert server.closed == [1]

    run(scenario())
