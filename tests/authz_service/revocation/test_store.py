"""The list on real servers in every arrangement: changed whole, read whole, bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from authz_service.revocation import store as stores
from authz_service.revocation.model import Action, Kind, Order, Subject
from authz_service.revocation.records import RecordError, position, read_change, read_entry
from authz_service.revocation.store import CHANGES, KEYS, REPLICAS, ListFullError, RevocationStore
from service_kit.valkey.errors import StoreUnavailableError
from service_kit.valkey.topology import Topology
from tests.authz_service.revocation.stores import ARRANGEMENTS, arranged, opened, order, run, single
from tests.valkey_servers import Server

ALICE = Subject(Kind.USER, "alice")
LIST, ENDS = KEYS[:2]


@pytest.fixture(scope="module", params=ARRANGEMENTS)
def topology(request: pytest.FixtureRequest) -> Iterator[Topology]:
    """Each arrangement in turn."""
    with arranged(request.param) as found:
        yield found


async def subjects(store: RevocationStore) -> list[str]:
    """Whom the list is of."""
    return sorted(str(read_entry(*entry).subject) for entry in (await store.load()).entries or ())


def test_what_is_revoked_is_listed_told_and_restored(topology: Topology) -> None:
    """With one server, Sentinels and a Cluster alike."""

    async def scenario(store: RevocationStore) -> None:
        assert await store.restore(ALICE, "root", "nothing there") is None
        began = await store.load()
        assert (began.last, began.number, began.entries) == ("0-0", 0, [])
        made = await store.revoke(order(seconds=3600))
        assert made.replaced == ()
        (entry,) = (await store.load()).entries or ()
        found = read_entry(*entry)
        assert (found.subject, found.by, found.reason, found.change) == (ALICE, "root", "stolen laptop", made.change)
        assert found.until is not None
        assert found.until - found.since == pytest.approx(3600, abs=1)
        assert found.since == pytest.approx(time.time(), abs=60)
        ((change_id, change),) = await store.changes(began.last)
        assert change is not None
        assert (change_id, change.revocation, change.number) == (made.change, found, 1)
        again = await store.revoke(order())
        assert again.replaced == (found,)
        lifted = await store.restore(ALICE, "bob", "found again")
        assert lifted is not None
        assert [each.change for each in lifted.replaced] == [again.change]
        ended = await store.load(made.change)
        assert (ended.last, ended.number, ended.entries) == (lifted.change, 3, [])
        last = read_change(ended.missed[-1])
        assert (len(ended.missed), last.action, last.by, last.reason) == (2, Action.RESTORE, "bob", "found again")

    run(topology, scenario)


def test_replicas_say_how_far_they_are(topology: Topology) -> None:
    """And that they end."""

    async def scenario(store: RevocationStore) -> None:
        await store.heard("b", "7-1")
        await store.heard("a", "")
        told = await store.replicas()
        assert [(each.name, each.position) for each in told] == [("a", (0, 0)), ("b", (7, 1))]
        assert all(each.silent < 20 for each in told)
        await store.leave("b")
        await store.leave("nobody")
        assert [each.name for each in await store.replicas()] == ["a"]

    run(topology, scenario)


def test_all_tokens_and_old_tokens_are_revoked_side_by_side_and_restored_together(server: Server) -> None:
    """One does not take the other's place."""

    async def scenario(store: RevocationStore) -> None:
        await store.revoke(order())
        assert (await store.revoke(order(issued_before=1000.0))).replaced == ()
        assert len((await store.load()).entries or ()) == 2
        lifted = await store.restore(ALICE, "root", "found")
        assert lifted is not None
        assert [each.issued_before for each in lifted.replaced] == [None, 1000.0]
        assert (await store.load()).entries == []

    run(single(server), scenario)


def test_what_has_ended_is_taken_out_with_the_next_change(server: Server) -> None:
    """So that the list is as long as what is in force, about."""

    async def scenario(store: RevocationStore) -> None:
        for number in range(5):
            await store.revoke(order(f"u{number}", seconds=1))
        await store.revoke(order("stays", seconds=3600))
        await store.revoke(order("u0"))  # without an end in place of one
        await asyncio.sleep(1.2)
        await store.revoke(order("last"))
        assert await subjects(store) == ["user last", "user stays", "user u0"]

    run(single(server), scenario)
    with server.client() as client:
        assert client.zcard(ENDS) == 1


def test_there_are_only_so_many_and_what_is_there_can_still_be_changed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full list refuses the next one by name, and changes nothing."""
    monkeypatch.setattr(stores, "MAX_ENTRIES", 3)

    async def scenario(store: RevocationStore) -> None:
        for number in range(3):
            await store.revoke(order(f"u{number}"))
        before = await store.load()
        with pytest.raises(ListFullError):
            await store.revoke(order("one more"))
        assert await store.load() == before
        await store.revoke(order("u0", seconds=60))
        await store.restore(Subject(Kind.USER, "u1"), "root", "room")
        await store.revoke(order("one more"))

    run(single(server), scenario)


def test_the_stream_keeps_only_so_many_changes(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has missed more reads the list."""
    monkeypatch.setattr(stores, "MAX_CHANGES", 5)

    async def scenario(store: RevocationStore) -> None:
        for _ in range(8):
            await store.revoke(order())
        told = await store.changes("0-0")
        assert [change.number for _, change in told if change] == [4, 5, 6, 7, 8]

    run(single(server), scenario)


def test_replicas_that_are_too_many_are_forgotten(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that live say it again."""
    monkeypatch.setattr(stores, "MAX_REPLICAS", 3)

    async def scenario(store: RevocationStore) -> None:
        for number in range(4):
            await store.heard(f"r{number}", "1-0")
        assert [each.name for each in await store.replicas()] == ["r3"]

    run(single(server), scenario)


def test_changes_at_the_same_time_are_all_made_and_numbered_one_by_one(server: Server) -> None:
    """Whoever makes them."""

    async def scenario(store: RevocationStore) -> None:
        async with opened(single(server)) as other:
            each = [(store if n % 2 else other).revoke(order(f"u{n}")) for n in range(100)]
            made = await asyncio.gather(*each)
        told = await store.changes("0-0")
        assert [change.number for _, change in told if change] == list(range(1, 101))
        assert [change_id for change_id, _ in told] == sorted((one.change for one in made), key=position)

    run(single(server), scenario)


def test_who_waits_for_a_change_hears_it_when_it_is_made(server: Server) -> None:
    """And nothing after half a second without one."""

    async def scenario(store: RevocationStore) -> None:
        assert await store.changes("0-0") == []
        async with opened(single(server)) as other:
            waiting = asyncio.create_task(store.changes("0-0"))
            await asyncio.sleep(0.1)
            made = await other.revoke(order())
            assert [change_id for change_id, _ in await waiting] == [made.change]

    run(single(server), scenario)


def test_what_stands_there_and_is_not_ours_is_told_apart(server: Server) -> None:
    """A change that cannot be read comes without what it says; its id is known."""
    with server.client() as client:
        client.xadd(CHANGES, {"hello": "world"}, id="5-1")
        client.hset(REPLICAS, mapping={"a": "7-1 12", "b": "nonsense", "c": "7-1"})

    async def scenario(store: RevocationStore) -> None:
        assert await store.changes("0-0") == [("5-1", None)]
        assert [each.name for each in await store.replicas()] == ["a"]

    run(single(server), scenario)


def test_a_counter_that_is_no_number_is_refused(server: Server) -> None:
    """No list is better than one that may have gaps."""
    with server.client() as client:
        client.set(KEYS[3], "many")

    async def scenario(store: RevocationStore) -> None:
        with pytest.raises(RecordError):
            await store.load()

    run(single(server), scenario)


def test_who_knows_the_list_is_told_what_has_changed_and_no_more(server: Server) -> None:
    """All of it where he asks for it, or where what has changed cannot be told."""

    async def scenario(store: RevocationStore) -> None:
        first = await store.revoke(order())
        known = await store.load()
        assert (known.last, known.number) == (first.change, 1)
        same = await store.load(known.last, known.number)
        assert (same.last, same.number, same.entries, same.missed) == (known.last, 1, None, [])
        await store.revoke(order("bob"))
        further = await store.load(known.last, known.number)
        assert (further.entries, [read_change(each).subject.value for each in further.missed]) == (None, ["bob"])
        assert further.continues(known.last, known.number)
        assert (await store.load(known.last)).entries != known.entries
        assert (await store.load(known.last, 0)).entries is not None, "another number"
        assert (await store.load("5-0", 1)).entries is not None, "another change"
        with server.client() as client:
            client.delete(LIST)
        with pytest.raises(RecordError):
            await store.load(further.last, further.number)

    run(single(server), scenario)


@pytest.mark.parametrize("key", [LIST, CHANGES])
def test_a_list_that_is_gone_is_not_taken_for_an_empty_one(server: Server, key: str) -> None:
    """As where keys are evicted; the next change puts list and changes together again."""

    async def scenario(store: RevocationStore) -> None:
        await store.revoke(order())
        await store.revoke(order("bob"))
        with server.client() as client:
            client.delete(key)
        with pytest.raises(RecordError, match="do not belong together"):
            await store.load()
        await store.revoke(order("carol"))
        assert "user carol" in await subjects(store)

    run(single(server), scenario)


def test_keys_of_another_type_end_in_the_servers_own_words(server: Server) -> None:
    """Somebody else uses these names."""
    with server.client() as client:
        client.set(LIST, "x")

    async def scenario(store: RevocationStore) -> None:
        for attempt in (store.revoke(order()), store.load()):
            with pytest.raises(StoreUnavailableError, match="WRONGTYPE"):
                await attempt

    run(single(server), scenario)


def test_texts_in_any_script_come_back_as_they_were(server: Server) -> None:
    """In UTF-8 all the way."""
    asked = Order(Subject(Kind.AGENT, "дом 家 'q\" {x}", "https://idp/é"), "José", "потерян")

    async def scenario(store: RevocationStore) -> None:
        await store.revoke(asked)
        (entry,) = (await store.load()).entries or ()
        found = read_entry(*entry)
        assert (found.subject, found.by, found.reason) == (asked.subject, asked.by, asked.reason)

    run(single(server), scenario)


def test_the_list_survives_a_restart_with_a_log_on_disk() -> None:
    """As docs/operating.md asks for it."""

    async def revoke(store: RevocationStore) -> None:
        await store.revoke(order())

    async def look(store: RevocationStore) -> None:
        assert await subjects(store) == ["user alice"]
        assert (await store.load()).number == 1

    with Server(("appendonly yes",)) as server:
        run(single(server), revoke)
        server.kill()
        server.start()
        run(single(server), look)


def test_silence_ends_in_an_error_within_the_deadline() -> None:
    """A server that hangs is no reason to hang."""

    async def go(silent: Server) -> None:
        async with opened(single(silent), deadline=0.2) as store:
            await store.now()
            silent.suspend()
            with pytest.raises(StoreUnavailableError):
                await store.revoke(order())
            with pytest.raises(StoreUnavailableError):
                await store.changes("0-0")
            silent.resume()

    with Server() as silent:
        asyncio.run(asyncio.wait_for(go(silent), 20))
