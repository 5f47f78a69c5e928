from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.ports import HOST
from ratelimit_service.commands import bucket_names, counters
from ratelimit_service.commands.counters import Counters
from ratelimit_service.stores.opening import open_servers
from service_kit.valkey.connection import Reply
from service_kit.valkey.errors import StoreUnavailableError
from tests.ratelimit_service.commands.filling import single
from tests.ratelimit_service.stores.asking import Heard
from tests.valkey_servers import Server, cluster

# None of them has a hash tag in common: in a Cluster they lie on several nodes.
KEYS = [f"rl:{{d{domain}}}:w60:user=u{user}" for domain in range(6) for user in range(3)]


class Lying:
    """Servers that answer whatever they are told to."""

    def __init__(self, *answers: Reply) -> None:
        self._answers = iter(answers)

    async def ask(self, tag: str, *command: int | str) -> Reply:
        del tag, command
        return next(self._answers)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def _empty(server: Server) -> None:
    with server.client() as client:
        client.flushall()


def environment(server: Server, **more: str) -> dict[str, str]:
    return {"REDIS_URL": f"{HOST}:{server.port}", **more}


def put(server: Server, *names: str, value: str = "1 2") -> None:
    with server.client() as client:
        for name in names:
            client.set(name, value)


def test_buckets_are_found_once_read_with_the_stores_time_and_deleted(server: Server) -> None:
    put(server, *KEYS, "rl:{d0}:other", "rl:{d0}:w60:a", "else")

    async def scenario() -> None:
        async with counters.opened(environment(server)) as store:
            names = await store.find("rl:{*")
            assert sorted(name.name for name in names) == KEYS
            read = [each async for each in counters.read_all(store, names)]
            assert [each.value for each in read] == [b"1 2"] * len(KEYS)
            with server.client() as client:
                seconds, _ = client.time()
            assert all(0 <= seconds - each.now_us // 1_000_000 <= 60 for each in read)
            assert await store.delete(names[:5]) == 5
            assert await store.delete(names) == len(KEYS) - 5
            assert [each async for each in counters.read_all(store, names)] == []

    asyncio.run(scenario())
    with server.client() as client:
        assert sorted(client.keys()) == [b"else", b"rl:{d0}:other", b"rl:{d0}:w60:a"]


def test_a_prefix_is_taken_off_and_its_own_pattern_characters_fit_themselves_alone(server: Server) -> None:
    put(
        server, "a*[b]?é:rl:{d}:w60:user=a", "axb:rl:{d}:w60:user=b", "rl:{d}:w60:user=c", "a*[b]?\\é:rl:{d}:w60:user=d"
    )

    async def scenario() -> None:
        async with counters.opened(environment(server, CACHE_KEY_PREFIX="a*[b]?é:")) as store:
            (name,) = await store.find("rl:{*")
            assert name.name == "rl:{d}:w60:user=a"
            assert [each.value async for each in counters.read_all(store, [name])] == [b"1 2"]
            assert await store.delete([name]) == 1

    asyncio.run(scenario())


def test_more_keys_than_are_looked_at_are_told(server: Server) -> None:
    put(server, *(f"rl:{{d}}:w60:user=u{number}" for number in range(50)))

    async def scenario() -> None:
        address = single(server)
        for most, found, stopped in ((50, 50, False), (49, 49, True), (7, 7, True)):
            servers = open_servers(address, 2.0, Heard())
            store = Counters(servers, "here", "", most)
            assert (len(await store.find("rl:{*")), store.stopped) == (found, stopped)
            await servers.close()

    asyncio.run(scenario())


def test_many_buckets_are_read_in_batches(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "BATCH", 4)
    put(server, *KEYS)

    async def scenario() -> None:
        async with counters.opened(environment(server)) as store:
            names = await store.find("rl:{*")
            batches = [len(batch) async for batch in store.read(names)]
            assert (sum(batches), max(batches)) == (len(KEYS), 3)
            assert await store.delete(names) == len(KEYS)

    asyncio.run(scenario())


def test_values_of_another_type_are_left_out(server: Server) -> None:
    put(server, KEYS[0])
    with server.client() as client:
        client.lpush(KEYS[1], "x")

    async def scenario() -> None:
        async with counters.opened(environment(server)) as store:
            names = await store.find("rl:{*")
            assert len(names) == 2
            assert [each.name.name async for each in counters.read_all(store, names)] == [KEYS[0]]

    asyncio.run(scenario())


def test_every_node_of_a_cluster_is_looked_at() -> None:
    with contextlib.ExitStack() as stack:
        nodes = cluster(stack)

        async def scenario() -> None:
            url = ",".join(f"{HOST}:{node.port}" for node in nodes)
            async with counters.opened({"REDIS_TYPE": "cluster", "REDIS_URL": url}) as store:
                for name in KEYS:
                    parsed = bucket_names.parse(name)
                    assert parsed is not None
                    await store._servers.ask(parsed.tag, "SET", name, "1 2")
                names = await store.find("rl:{*")
                assert sorted(name.name for name in names) == KEYS
                assert len([each async for each in counters.read_all(store, names)]) == len(KEYS)
                assert await store.delete(names) == len(KEYS)

        asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answers", "command"), [([b"x"], "TIME"), ([[b"1", b"2"], 3], "MGET"), ([[b"1", b"2"], [b"1 2", b"1 2"]], "MGET")]
)
def test_what_does_not_answer_as_a_store_is_told(answers: list[Reply], command: str) -> None:
    name = bucket_names.parse(KEYS[0])
    assert name is not None

    async def scenario() -> None:
        store = Counters(Lying(*answers), "here", "")  # type: ignore[arg-type]  # it can do no more
        with pytest.raises(StoreUnavailableError, match=f"not that of {command}"):
            assert [each async for each in store.read([name])]

    asyncio.run(scenario())


@given(st.text("ab*?[]\\-^"), st.text("ab*?[]\\-^"))
def test_an_escaped_pattern_fits_its_text_alone(text: str, other: str) -> None:
    # The rules of SCAN but for its backslash are those of fnmatch, where [x] stands for an escaped x.
    pattern = counters.escape_pattern(text)
    as_fnmatch = "".join(f"[{pattern[at]}]" if pattern[at] in "*?[" else pattern[at] for at in unescaped(pattern))
    assert fnmatchcase(other, as_fnmatch) == (other == text)


def unescaped(pattern: str) -> Iterator[int]:
    """Where the characters stand that a pattern without any special ones asks for."""
    at = 0
    while at < len(pattern):
        at += pattern[at] == "\\"
        yield at
        at += 1
