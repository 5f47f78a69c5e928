"""The list in force follows the store's: at once, whole, and through everything that happens to the store."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from authz_service.revocation import follower as following
from authz_service.revocation import store as stores
from authz_service.revocation.follower import Follower
from authz_service.revocation.guard import Guard
from authz_service.revocation.model import Action, Change, Kind, Subject
from authz_service.revocation.records import field_of, position, write_order
from authz_service.revocation.store import CHANGES, KEYS, RevocationStore
from authz_service.settings.revocation import RevocationSettings
from devstack.ports import HOST
from service_kit.valkey.address import Address
from service_kit.valkey.errors import StoreUnavailableError
from service_kit.valkey.topology import Kind as Arrangement
from service_kit.valkey.topology import Topology
from tests.authz_service.revocation.revoking import CALLER
from tests.authz_service.revocation.stores import (
    ARRANGEMENTS,
    arranged,
    behind,
    opened,
    order,
    single,
    until,
)
from tests.valkey_servers import Server, sentinel_set, tell

LIST = KEYS[0]
ALICE, BOB = Subject(Kind.USER, "alice"), Subject(Kind.USER, "bob")
AOF = ("appendonly yes",)


class Replica:
    """A follower at work, what it has heard, and a store to change the list with."""

    def __init__(self, store: RevocationStore, own: RevocationStore) -> None:
        self.store = store
        self.heard: list[Change] = []
        settings = RevocationSettings(30.0, refuse_when_stale=True)
        self.guard = Guard(settings, monotonic=time.monotonic)
        self.follower = Follower(
            own, self.guard, now=time.time, monotonic=time.monotonic, changed=self.heard.append
        )  # fmt: skip

    @property
    def names(self) -> list[str]:
        """Whom the list in force is of."""
        return sorted(each.subject.value for each in self.guard)

    async def has(self, *names: str) -> None:
        """Wait until the list in force is of these."""
        await until(lambda: self.names == sorted(names), f"{names} in place of {self.names}")

    async def is_sound(self) -> None:
        """Wait until the list is known to be the store's, from now on."""
        began = time.monotonic()
        await until(lambda: self.guard.age() < time.monotonic() - began, "a confirmation")


@contextlib.asynccontextmanager
async def replica(topology: Topology) -> AsyncIterator[Replica]:
    """One that follows."""
    async with opened(topology) as store, opened(topology, deadline=0.5) as own:
        running = Replica(store, own)
        task = asyncio.create_task(running.follower.follow())
        try:
            yield running
            assert not task.done(), "nothing ends it"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def problems(caplog: pytest.LogCaptureFixture) -> list[object]:
    """What is told of in the log's fields."""
    return [vars(record).get("fields") for record in caplog.records]


def run(topology: Topology, scenario: Callable[[Replica], Awaitable[None]]) -> None:
    """Run a scenario with a replica."""

    async def go() -> None:
        async with replica(topology) as running:
            await scenario(running)

    asyncio.run(go())


@pytest.fixture
def server() -> Iterator[Server]:
    """One for each test, which may be ended; it keeps what it is told."""
    with Server(AOF) as started:
        yield started


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is not sound is read again soon."""
    monkeypatch.setattr(following, "UNSOUND_RELOAD_SECONDS", 0.1)


@pytest.fixture(params=ARRANGEMENTS)
def topology(request: pytest.FixtureRequest) -> Iterator[Topology]:
    """Each arrangement in turn."""
    with arranged(request.param) as found:
        yield found


def test_a_change_is_in_force_and_told_as_soon_as_it_is_made(topology: Topology) -> None:
    """With one server, Sentinels and a Cluster alike; what was there before is no change."""

    async def scenario(store: RevocationStore) -> None:
        await store.revoke(order("carol"))
        async with replica(topology) as running:
            await running.has("carol")
            assert running.heard == []
            made = await store.revoke(order("alice", seconds=3600))
            await running.has("alice", "carol")
            assert running.guard.age() < 20
            lifted = await store.restore(ALICE, "bob", "found again")
            await running.has("carol")
            assert lifted is not None
            assert [(each.action, each.id) for each in running.heard] == [
                (Action.REVOKE, made.change),
                (Action.RESTORE, lifted.change),
            ]
            assert (running.heard[1].by, running.heard[1].reason) == ("bob", "found again")

    async def go() -> None:
        async with opened(topology) as store:
            await scenario(store)

    asyncio.run(go())


def test_many_changes_at_once_are_all_followed_in_order(server: Server) -> None:
    """Each is told once."""

    async def scenario(running: Replica) -> None:
        await running.is_sound()
        await asyncio.gather(*(running.store.revoke(order(f"u{n}")) for n in range(300)))
        await running.has(*(f"u{n}" for n in range(300)))
        assert [each.number for each in running.heard] == list(range(1, 301))

    run(single(server), scenario)


def test_the_last_list_holds_while_the_store_is_away_and_grows_old(server: Server) -> None:
    """And what was changed meanwhile is in force, and told, once it is back."""

    async def scenario(running: Replica) -> None:
        await running.is_sound()
        await running.store.revoke(order("alice"))
        await running.has("alice")
        server.kill()
        await until(lambda: running.guard.age() > 1, "the list's growing old")
        assert running.names == ["alice"]
        server.start()
        async with opened(single(server)) as store:
            await store.revoke(order("bob"))
            await store.restore(ALICE, "root", "found again")
        await running.has("bob")
        await running.is_sound()
        assert [(each.action, each.subject) for each in running.heard] == [
            (Action.REVOKE, ALICE),
            (Action.REVOKE, BOB),
            (Action.RESTORE, ALICE),
        ]

    run(single(server), scenario)


def test_a_store_that_hangs_is_noticed_and_followed_again(server: Server) -> None:
    """Its connections stay open all the while."""

    async def scenario(running: Replica) -> None:
        await running.is_sound()
        server.suspend()
        await until(lambda: running.guard.age() > 2, "the list's growing old")
        server.resume()
        await running.is_sound()
        await running.store.revoke(order("alice"))
        await running.has("alice")

    run(single(server), scenario)


def test_a_store_that_is_away_at_first_is_followed_once_it_is_there(server: Server) -> None:
    """Until then the list is as old as can be."""

    async def scenario(running: Replica) -> None:
        await asyncio.sleep(0.3)
        assert running.guard.age() == float("inf")
        server.start()
        await running.is_sound()

    server.kill()
    run(single(server), scenario)


@pytest.mark.usefixtures("quick")
def test_a_store_that_has_forgotten_does_not_make_us_forget(caplog: pytest.LogCaptureFixture) -> None:
    """The list holds and grows old; a change that is made again settles it."""

    async def scenario(running: Replica) -> None:
        await running.store.revoke(order("alice"))
        await running.has("alice")
        forgetful.kill()
        forgetful.start()
        await until(lambda: "Valkey has lost changes" in str(problems(caplog)), "the loss being noticed")
        await asyncio.sleep(1)
        assert running.names == ["alice"]
        assert running.guard.age() > 0.5
        async with opened(single(forgetful)) as store:
            await store.revoke(order("alice"))
        await running.is_sound()
        assert running.names == ["alice"]

    with Server() as forgetful, caplog.at_level(logging.ERROR):
        run(single(forgetful), scenario)


@pytest.mark.usefixtures("quick")
def test_an_entry_that_cannot_be_read_makes_the_list_old_and_takes_nothing_out_of_it(server: Server) -> None:
    """What can be read beside it comes into force at once; what cannot never counts as absent."""

    async def scenario(running: Replica) -> None:
        await running.store.revoke(order("alice"))
        await running.has("alice")
        with server.client() as client:
            (field,) = [field for field in client.hkeys(LIST) if field != b"#"]
            value = client.hget(LIST, field)
            change = client.xadd(CHANGES, {"of": "another release"})
            client.incr(KEYS[3])
            client.hset(LIST, mapping={field: "9999999999999-0 0 {}", "#": change})
        await until(lambda: running.guard.age() > 1, "the list's growing old")
        assert running.names == ["alice"]
        async with opened(single(server)) as store:
            await store.revoke(order("bob"))
        await running.has("alice", "bob")
        assert running.guard.age() > 1
        with server.client() as client:
            client.hset(LIST, field, value or b"")
        await running.is_sound()
        assert running.names == ["alice", "bob"]

    run(single(server), scenario)


@pytest.mark.usefixtures("quick")
def test_a_change_that_cannot_be_read_makes_the_list_be_read_again(server: Server) -> None:
    """And the changes after it are not held up."""

    async def scenario(running: Replica) -> None:
        await running.is_sound()
        with server.client() as client:
            client.xadd(CHANGES, {"hello": "world"})
            client.incr(KEYS[3])
        await running.store.revoke(order("alice"))
        await running.has("alice")
        await running.is_sound()
        assert [each.subject for each in running.heard] == [ALICE]

    run(single(server), scenario)


def test_a_change_that_was_missed_makes_the_list_be_read_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where more of them are made at once than the stream keeps."""
    monkeypatch.setattr(stores, "MAX_CHANGES", 1)

    async def scenario(running: Replica) -> None:
        await running.is_sound()
        with server.client() as client:
            pipeline = client.pipeline(transaction=True)  # nobody hears of any before the last
            for name in ("alice", "bob", "carol"):
                asked = order(name)
                words = ["revoke", write_order(asked), 10, 1, field_of(asked.subject, None), 0]
                pipeline.eval(stores._CHANGE, len(KEYS), *KEYS, *words)
            pipeline.execute()
        await running.has("alice", "bob", "carol")
        await running.is_sound()
        assert [each.subject.value for each in running.heard] == ["carol"], "the others are not there any more"

    run(single(server), scenario)


@pytest.mark.usefixtures("quick")
def test_a_store_that_has_forgotten_is_noticed_behind_a_change_of_somebody_elses(server: Server) -> None:
    """Though its last change is newer than all that was in force here."""

    async def scenario(running: Replica) -> None:
        await running.store.revoke(order("alice"))
        await running.store.revoke(order("bob"))
        await running.has("alice", "bob")
        with server.client() as client:
            pipeline = client.pipeline(transaction=True)
            pipeline.flushall()
            asked = order("carol")
            words = ["revoke", write_order(asked), 10, 10, field_of(asked.subject, None), 0]
            pipeline.eval(stores._CHANGE, len(KEYS), *KEYS, *words)
            pipeline.execute()
        await running.has("alice", "bob", "carol")
        await until(lambda: running.guard.age() > 1, "the list's growing old")
        async with opened(single(server)) as store:
            await store.revoke(order("bob"))
        await running.has("bob", "carol")
        await running.is_sound()

    run(single(server), scenario)


def test_what_ends_is_out_of_the_list_when_it_is_read_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last moment is looked at with each request, so nothing waits for that."""
    monkeypatch.setattr(following, "RELOAD_SECONDS", 0.1)

    async def scenario(running: Replica) -> None:
        await running.store.revoke(order("alice", seconds=1))
        await running.has("alice")
        (found,) = running.guard
        assert found.until is not None
        assert not found.holds(None, found.until)
        await running.has()

    run(single(server), scenario)


def test_the_next_primary_is_followed() -> None:
    """What its Sentinels have promoted."""

    async def scenario(running: Replica) -> None:
        await running.store.revoke(order("alice"))
        await running.has("alice")
        await asyncio.sleep(0.5)  # for the replica to have it too
        sentinels.primary.kill()
        await until(lambda: sentinels.primary_port() == sentinels.replica.port, "the failover")
        await running.is_sound()
        async with opened(behind(sentinels)) as store:
            await store.revoke(order("bob"))
        await running.has("alice", "bob")

    with contextlib.ExitStack() as stack:
        sentinels = sentinel_set(stack)
        run(behind(sentinels), scenario)


def test_a_replica_says_how_far_it_is_with_each_change_and_that_it_ends(server: Server) -> None:
    """For whoever has made the change, and waits."""

    async def scenario(running: Replica) -> None:
        async def told() -> list[tuple[str, tuple[int, int]]]:
            return [(each.name, each.position) for each in await running.store.replicas()]

        async with opened(single(server)) as third:
            task = asyncio.create_task(running.follower.acknowledge(third, "r1"))
            for name in ("alice", "bob"):
                made = await running.store.revoke(order(name))
                end = time.monotonic() + 20
                while await told() != [("r1", position(made.change))]:
                    assert time.monotonic() < end
                    await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await told() == []

    run(single(server), scenario)


def test_an_end_that_comes_along_with_a_change_is_an_end(server: Server) -> None:
    """Each time: a service that lost it would not end."""

    async def scenario(running: Replica) -> None:
        async with opened(single(server)) as own:
            for _ in range(20):
                task = asyncio.create_task(running.follower.acknowledge(own, "r1"))
                end = time.monotonic() + 20
                while not await running.store.replicas():
                    assert time.monotonic() < end
                    await asyncio.sleep(0.005)
                running.follower._moved.set()
                task.cancel()
                done, _ = await asyncio.wait([task], timeout=20)
                assert done, "it goes on"

    run(single(server), scenario)


def test_a_user_that_may_not_write_the_list_can_follow_it(server: Server) -> None:
    """As docs/operating.md shows it."""
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()
    (rules,) = re.findall(r"`(%R~.*?)`", page)
    with server.client() as client:
        tell(client, "ACL", "SETUSER", "replica", "on", ">pw", *rules.split())
    limited = Topology(Arrangement.SINGLE, (Address(HOST, server.port, username="replica", password="pw"),))

    async def go() -> None:
        async with opened(single(server)) as store, replica(limited) as running, opened(limited) as own:
            await running.is_sound()
            made = await store.revoke(order("alice"))
            await running.has("alice")
            await own.heard("r1", made.change)
            await own.leave("r1")
            with pytest.raises(StoreUnavailableError, match="NOPERM"):
                await own.restore(ALICE, "thief", "mine")

    asyncio.run(go())


def test_a_long_list_is_read_in_turns_with_the_calls(server: Server) -> None:
    """Ten thousand entries, and none is lost."""

    async def scenario(store: RevocationStore) -> None:
        for start in range(0, 10_000, 500):
            await asyncio.gather(*(store.revoke(order(f"u{start + n}")) for n in range(500)))
        async with replica(single(server)) as running:
            longest, last = 0.0, time.monotonic()
            while len(running.guard) < 10_000:
                await asyncio.sleep(0)
                now = time.monotonic()
                longest, last = max(longest, now - last), now
            assert longest < 5, "a call would have waited"
            caller = dataclasses.replace(CALLER, user="u9999")
            assert any(each.subject.value == "u9999" for each in running.guard)
            assert caller.user in running.names

    async def go() -> None:
        async with opened(single(server)) as store:
            await scenario(store)

    asyncio.run(go())
