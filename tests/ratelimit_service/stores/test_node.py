from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from devstack.ports import HOST
from ratelimit_service.model import Charge
from ratelimit_service.stores import node
from ratelimit_service.stores.servers import single
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.breaker import FAILURES
from service_kit.valkey.address import Address
from service_kit.valkey.errors import StoreUnavailableError
from tests.ratelimit_service.stores.asking import CHARGE, WINDOW, Heard, at, run
from tests.valkey_servers import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_requests_that_come_together_share_a_round_trip(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.hit([CHARGE])
        answers = await asyncio.gather(*(store.hit([CHARGE]) for _ in range(50)))
        assert sorted(answer[0].remaining for answer in answers) == list(range(49, 99))

    assert run(at(server), scenario).batches == [1, 1, 50]  # the first goes again, with the script


def test_requests_that_come_one_after_the_other_do_not_wait_for_each_other(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        for _ in range(5):
            await store.hit([CHARGE])

    assert run(at(server), scenario).batches == [1] * (1 + 5)


def test_a_call_is_bounded_and_the_rest_goes_in_the_next(server: Server) -> None:
    many = [Charge(f"{{d}}{number}", 1, WINDOW) for number in range(100)]

    async def scenario(store: ValkeyStore) -> None:
        await asyncio.gather(*(store.hit(many) for _ in range(25)))

    assert run(at(server), scenario).batches == [3] * 9 + [1]


def test_one_connection_carries_all_requests(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await asyncio.gather(*(store.hit([CHARGE]) for _ in range(200)))
        with server.client() as client:
            assert len(client.client_list()) == 2

    run(at(server), scenario)


def test_the_script_is_sent_once_and_then_called_by_its_digest(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        for _ in range(5):
            await store.hit([CHARGE])

    run(at(server), scenario)
    with server.client() as client:
        stats = client.info("commandstats")
    assert stats["cmdstat_eval"]["calls"] == 1
    assert stats["cmdstat_evalsha"]["calls"] == 5


def test_a_server_that_forgot_the_script_gets_it_again(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        with server.client() as client:
            for remaining in (99, 98, 97):
                assert (await store.hit([CHARGE]))[0].remaining == remaining
                client.script_flush()

    run(at(server), scenario)


def test_more_than_may_wait_are_refused_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "MAX_WAITING", 10)

    async def scenario(store: ValkeyStore) -> None:
        answers = await asyncio.gather(*(store.hit([CHARGE]) for _ in range(15)), return_exceptions=True)
        assert [isinstance(answer, StoreUnavailableError) for answer in answers] == [False] * 10 + [True] * 5

    run(at(server), scenario)


def test_a_server_that_hangs_is_given_up_at_the_deadline_and_then_not_asked() -> None:
    async def scenario(store: ValkeyStore) -> None:
        waits = []
        for _ in range(FAILURES + 3):
            begun = time.monotonic()
            with pytest.raises(StoreUnavailableError):
                await store.hit([CHARGE])
            waits.append(time.monotonic() - begun)
        assert all(wait < 0.5 for wait in waits)
        assert all(wait > 0.015 for wait in waits[:FAILURES])
        assert all(wait < 0.015 for wait in waits[FAILURES:]), "the breaker is open: nobody waits"

    with socket.create_server((HOST, 0)) as silent:
        assert run(Address(HOST, silent.getsockname()[1]), scenario, deadline=0.02).breakers == [
            True,
            False,
        ]  # closed with the store


def test_a_server_that_was_suspended_is_used_again_and_no_late_reply_is_taken_for_another(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        assert (await store.hit([CHARGE]))[0].remaining == 99
        server.suspend()
        late = Charge("{d}other", 50, WINDOW)
        for _ in range(FAILURES + 1):
            with pytest.raises(StoreUnavailableError):
                await store.hit([late])
        server.resume()
        begun = time.monotonic()
        while True:
            try:
                remaining = (await store.hit([CHARGE]))[0].remaining
            except StoreUnavailableError:
                assert time.monotonic() - begun < 10
                await asyncio.sleep(0.01)
                continue
            break
        assert remaining == 98

    assert run(at(server), scenario, deadline=0.05).breakers == [True, False]


def test_a_pause_shorter_than_the_breaker_takes_costs_only_the_calls_in_it(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.hit([CHARGE])
        with server.client() as client:
            client.client_pause(80)
            with pytest.raises(StoreUnavailableError, match="no answer within 50 ms"):
                await store.hit([CHARGE])
            await asyncio.sleep(0.2)
            assert not (await store.hit([CHARGE]))[0].over

    assert run(at(server), scenario, deadline=0.05).breakers == []


@pytest.mark.parametrize(
    "junk", [b":1\r\n", b"*2\r\n:1\r\n:2\r\n", b"*1\r\n:x\r\n", b"HTTP/1.1 400\r\n\r\n", b"+OK\r\n", b"+PONG\r\n"]
)
def test_a_server_that_is_something_else_is_unavailable(junk: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(junk)
        writer.close()

    async def go() -> None:
        other = await asyncio.start_server(answer, HOST, 0)
        place = Address(HOST, other.sockets[0].getsockname()[1])

        async def scenario(store: ValkeyStore) -> None:
            with pytest.raises(StoreUnavailableError):
                await store.hit([CHARGE])

        await asyncio.to_thread(run, place, scenario, 1.0)
        other.close()
        await other.wait_closed()

    asyncio.run(go())


def test_what_waits_when_the_store_is_closed_hears_so() -> None:
    async def scenario(store: ValkeyStore) -> None:
        waiting = asyncio.ensure_future(store.hit([CHARGE]))
        await asyncio.sleep(0.01)
        await store.close()
        with pytest.raises(StoreUnavailableError):
            await waiting
        with pytest.raises(StoreUnavailableError, match="ending"):
            await store.hit([CHARGE])

    with socket.create_server((HOST, 0)) as silent:
        run(Address(HOST, silent.getsockname()[1]), scenario)


def test_a_server_that_always_answers_too_late_is_not_asked() -> None:
    """Its answers are no use, and what it counts would be counted for nothing."""

    async def go() -> None:
        async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            behind_reader, behind_writer = await asyncio.open_connection(HOST, behind.port)
            with contextlib.suppress(OSError):
                while data := await reader.read(65_536):
                    behind_writer.write(data)
                    answer = await behind_reader.read(65_536)
                    await asyncio.sleep(0.04)
                    writer.write(answer)
            behind_writer.close()
            writer.close()

        slow = await asyncio.start_server(late, HOST, 0)
        heard = Heard()
        store = ValkeyStore(single(Address(HOST, slow.sockets[0].getsockname()[1]), 0.02, heard), deadline=0.02)
        begun = time.monotonic()
        while not heard.breakers:
            with pytest.raises(StoreUnavailableError):
                await store.hit([CHARGE])
            assert time.monotonic() - begun < 20
        await asyncio.sleep(0.3)  # probes come and are late too
        assert heard.breakers == [True]
        await store.close()
        await asyncio.sleep(0.1)  # until the other side has heard so
        slow.close()
        await slow.wait_closed()

    with Server() as behind:
        asyncio.run(go())


def test_a_server_that_drops_connections_at_a_command_is_not_asked_again_and_again() -> None:
    connections = 0

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if b"EVAL" in data:
                    break
                writer.write(b"+PONG\r\n")
        writer.close()

    async def go() -> None:
        other = await asyncio.start_server(drop, HOST, 0)
        heard = Heard()
        store = ValkeyStore(single(Address(HOST, other.sockets[0].getsockname()[1]), 0.5, heard), deadline=0.5)
        for _ in range(100):
            with pytest.raises(StoreUnavailableError):
                await store.hit([CHARGE])
        assert True in heard.breakers
        assert connections < 20
        await store.close()
        await asyncio.sleep(0.1)  # until the other side has heard so
        other.close()
        await other.wait_closed()

    asyncio.run(go())


def test_a_reply_that_came_while_this_process_stood_still_counts(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.hit([CHARGE])
        waiting = [asyncio.ensure_future(store.hit([CHARGE])) for _ in range(20)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # they are on their way
        time.sleep(0.15)  # noqa: ASYNC251  (what is tested: the loop stands still)
        answers = await asyncio.gather(*waiting)
        assert sorted(answer[0].remaining for answer in answers) == list(range(79, 99))

    assert run(at(server), scenario, deadline=0.1).breakers == []


def test_a_host_that_is_no_name_is_told(server: Server) -> None:
    del server

    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError, match="the host is no name"):
            await store.check()

    run(Address("redis..svc"), scenario)


def test_a_connection_that_went_silent_while_the_server_was_not_asked_is_given_up() -> None:
    """As when a host vanishes: no word comes that it has gone."""
    connections = 0
    mute = False

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        own = connections
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if mute and own == 1:
                    continue
                for command in data.split(b"*")[1:]:
                    if b"EVAL" in command:
                        writer.write(b"-OOM full\r\n")
                    elif b"PING" in command:
                        writer.write(b"+PONG\r\n" if own > 1 else b"-LOADING soon\r\n" if connected else b"+PONG\r\n")
        writer.close()

    connected = False

    async def go() -> None:
        nonlocal mute, connected
        other = await asyncio.start_server(answer, HOST, 0)
        heard = Heard()
        store = ValkeyStore(single(Address(HOST, other.sockets[0].getsockname()[1]), 0.05, heard), deadline=0.05)
        for _ in range(FAILURES):
            with pytest.raises(StoreUnavailableError, match="OOM"):
                await store.hit([CHARGE])
            connected = True
        assert heard.breakers == [True]
        mute = True
        begun = time.monotonic()
        while heard.breakers == [True]:
            assert time.monotonic() - begun < 20
            await asyncio.sleep(0.02)
        assert connections == 2
        await store.close()
        await asyncio.sleep(0.1)  # until the other side has heard so
        other.close()
        await other.wait_closed()

    asyncio.run(go())
