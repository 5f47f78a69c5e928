"""What is this store's own. What every store does is in tests/contracts/test_counter_store.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from devstack.ports import HOST, free_port
from ratelimit_service.model import Charge, Charges
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.valkey.address import Address
from service_kit.valkey.errors import StoreUnavailableError
from tests.ratelimit_service.stores.asking import BUCKET, CHARGE, WINDOW, at, run
from tests.valkey_servers import Server, tell


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_a_server_that_is_away_is_told_at_once_and_used_when_it_comes() -> None:
    port = free_port()

    async def scenario(store: ValkeyStore) -> None:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            await store.hit([CHARGE])
        assert time.monotonic() - begun < 1
        server = Server(port=port)
        await asyncio.to_thread(server.__enter__)
        try:
            assert (await store.hit([CHARGE]))[0].remaining == 99
        finally:
            server.__exit__(None, None, None)

    run(Address(HOST, port), scenario)


def test_a_restarted_server_is_used_again_without_a_failed_call(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        for _ in range(2):
            answers = await asyncio.gather(*(store.hit([CHARGE]) for _ in range(8)))
            assert sorted(answer[0].remaining for answer in answers) == list(range(92, 100))
            server.kill()
            await asyncio.to_thread(server.start)
        server.kill()
        with pytest.raises(StoreUnavailableError):
            await store.hit([CHARGE])

    run(at(server), scenario)


def test_charges_that_come_again_count_again_and_as_denied_where_they_are(server: Server) -> None:
    charges = Charges([CHARGE, Charge("{d}b", 1, BUCKET)])

    async def scenario(store: ValkeyStore) -> None:
        for denied in (False, True, False):
            await store.hit(charges, denied=denied)
        assert [count.used for count in await store.hit([CHARGE, Charge("{d}b", 0, BUCKET)])] == [4, 2]

    run(at(server), scenario, prefix="blue:")


def test_a_prefix_goes_before_every_key(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.hit([CHARGE, Charge("{d}b", 1, BUCKET)])

    run(at(server), scenario, prefix="blue:")
    with server.client() as client:
        assert sorted(client.keys()) == [b"blue:{d}b", b"blue:{d}w"]


def test_a_key_without_a_hash_tag_is_refused() -> None:
    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError, match="no hash tag"):
            await store.hit([Charge("plain", 1, WINDOW)])

    run(Address(HOST, free_port()), scenario)


def test_a_server_is_reached_over_its_socket_and_in_another_database(tmp_path: Path) -> None:
    async def scenario(store: ValkeyStore) -> None:
        assert (await store.hit([CHARGE]))[0].remaining == 99

    with Server((f"unixsocket {tmp_path}/valkey.sock",)) as server:
        run(Address(path=f"{tmp_path}/valkey.sock"), scenario)
        run(Address(HOST, server.port, database=1), scenario)


def test_a_check_tells_whether_the_server_answers(server: Server) -> None:
    async def there(store: ValkeyStore) -> None:
        await store.check()

    async def away(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError):
            await store.check()

    run(at(server), there)
    run(Address(HOST, free_port()), away)


def test_a_full_server_is_unavailable_and_what_is_there_is_kept(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        assert (await store.hit([CHARGE]))[0].remaining == 99
        with server.client() as client:
            client.config_set("maxmemory", "1")
            with pytest.raises(StoreUnavailableError, match="OOM"):
                await store.hit([CHARGE])
            client.config_set("maxmemory", "0")
        assert (await store.hit([CHARGE]))[0].remaining == 98

    run(at(server), scenario)


def test_a_caller_who_leaves_takes_nothing_with_it(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        leaving = [asyncio.create_task(_hit(store)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in leaving[::2]:
            task.cancel()
        answers = await asyncio.gather(*leaving, return_exceptions=True)
        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
        assert not any(isinstance(answer, BaseException) for answer in answers[1::2])

    run(at(server), scenario)


async def _hit(store: ValkeyStore) -> int:
    return (await store.hit([CHARGE]))[0].remaining


def test_the_user_and_the_password_are_sent_and_a_wrong_one_is_no_crash(server: Server) -> None:
    async def right(store: ValkeyStore) -> None:
        assert not (await store.hit([CHARGE]))[0].over

    async def wrong(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.hit([CHARGE])
        assert "s3cret" not in str(caught.value)

    with server.client() as client:
        client.config_set("requirepass", "s3cret")
        client.auth("s3cret")
        # What a user of the service must be allowed to do, and no more.
        tell(
            client, "ACL", "SETUSER", "limits", "on", ">pw", "~*", "+evalsha", "+eval", "+get", "+set", "+time", "+ping"
        )
    run(Address(HOST, server.port, password="s3cret"), right)
    run(Address(HOST, server.port, username="default", password="s3cret"), right)
    run(Address(HOST, server.port, username="limits", password="pw"), right)
    run(Address(HOST, server.port, password="s3cret-not"), wrong)
    run(at(server), wrong)


def test_a_key_of_another_kind_fails_its_own_request_only(server: Server) -> None:
    with server.client() as client:
        client.rpush("{d}list", "x")

    async def scenario(store: ValkeyStore) -> None:
        requests = [[CHARGE], [Charge("{d}list", 1, WINDOW)], [CHARGE]]
        first, second, third = await asyncio.gather(*map(store.hit, requests), return_exceptions=True)
        assert isinstance(second, StoreUnavailableError)
        assert "WRONGTYPE" in str(second)
        assert not isinstance(first, BaseException)
        assert not isinstance(third, BaseException)
        assert {first[0].remaining, third[0].remaining} == {99, 98}

    run(at(server), scenario)


def test_a_client_of_another_make_reads_what_is_kept(server: Server) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await store.hit([CHARGE])

    run(at(server), scenario)
    with redis.Redis(port=server.port) as client:
        value = client.get("{d}w")
        assert isinstance(value, bytes)
        start, count = value.split()
        assert (int(start) % WINDOW.seconds, count) == (0, b"1")
