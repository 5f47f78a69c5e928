"""One issuer's keys: when they are fetched, who waits for it, and what serves meanwhile. A test moves the time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from authz_service.errors import KeysUnavailable
from authz_service.identity import key_rings
from authz_service.identity.freshness import SHORTEST_REFRESH, Freshness
from authz_service.identity.key_rings import RETRY_SECONDS, UNKNOWN_KEY_SECONDS, KeyRing, keep_fresh
from authz_service.identity.key_source import KeyFile, KeySource
from tests.authz_service.key_sources import Source
from tests.authz_service.minting import ISSUER, key, key_set

OLD, NEW = key("ES256", "old"), key("ES256", "new", 1)
REFRESH, USABLE = 300.0, 86_400.0


class World:
    """A ring on a source, and the clock that it reads."""

    def __init__(self, source: KeySource) -> None:
        self.now = 1000.0
        self.refreshed: list[tuple[str, str]] = []
        self.ring = KeyRing(
            ISSUER,
            source,
            Freshness(REFRESH, USABLE),
            monotonic=lambda: self.now,
            refreshed=lambda *told: self.refreshed.append(told),
        )

    async def finds(self, key_id: str) -> bool | None:
        """Whether a key is found by its id; None where there are no keys at all."""
        try:
            keys = await self.ring.keys_for(key_id, "ES256")
        except KeysUnavailable:
            return None
        return keys.pick(key_id, "ES256") is not None

    async def pass_time(self, seconds: float, step: float = 10.0) -> None:
        """Let time pass, with a look each `step` seconds."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + step, end)
            await self.ring.look()


def with_ring(source: Source, steps: Callable[[World], Awaitable[None]]) -> World:
    """Load the keys, then take the steps."""

    async def run() -> World:
        world = World(source)
        assert await world.ring.load() is None
        await steps(world)
        return world

    return asyncio.run(run())


def test_many_callers_with_unknown_keys_cause_one_fetch() -> None:
    """Forged tokens must not become load on the issuer."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        async def ask() -> None:
            assert set(await asyncio.gather(*(world.finds(f"forged-{number}") for number in range(20)))) == {False}

        await ask()
        assert source.fetches == 2
        world.now += UNKNOWN_KEY_SECONDS - 0.001
        await ask()
        assert source.fetches == 2
        world.now += 0.001
        await ask()
        assert source.fetches == 3

    with_ring(source, steps)


def test_a_caller_that_goes_away_takes_nobodys_fetch_with_him() -> None:
    """Or a forged token each half minute, and a stream that is reset, would hold every new key off for good."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.text = key_set(OLD, NEW)
        for _ in range(10):
            source.answers.clear()
            forged = asyncio.ensure_future(world.finds("forged"))
            await asyncio.sleep(0.001)
            good = asyncio.ensure_future(world.finds("new"))
            await asyncio.sleep(0.001)
            forged.cancel()
            await asyncio.wait([forged])
            assert forged.cancelled()
            source.answers.set()
            assert await good
            world.now += UNKNOWN_KEY_SECONDS
        assert source.fetches == 11

    with_ring(source, steps)


def test_a_fetch_whose_only_caller_has_gone_away_still_brings_the_keys() -> None:
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.text = key_set(OLD, NEW)
        source.answers.clear()
        forged = asyncio.ensure_future(world.finds("forged"))
        await asyncio.sleep(0.001)
        forged.cancel()
        await asyncio.wait([forged])
        source.answers.set()
        assert await world.finds("new")
        assert source.fetches == 2

    with_ring(source, steps)


def test_a_fetch_on_its_way_that_brings_nothing_leaves_a_caller_the_one_he_may_cause() -> None:
    """It may have been answered before the key was published."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.answers.clear()
        loading = asyncio.ensure_future(world.ring.load())
        await asyncio.sleep(0.001)
        source.text = key_set(OLD, NEW)
        asking = [asyncio.ensure_future(world.finds("new")) for _ in range(3)]
        await asyncio.sleep(0.001)
        assert source.fetches == 2
        source.answers.set()
        assert await asyncio.gather(*asking) == [True, True, True]
        assert await loading is None
        assert source.fetches == 3

    with_ring(source, steps)


def test_a_fetch_that_has_just_ended_is_not_taken_for_one_on_its_way() -> None:
    """Whoever asks in the same turn of the loop gets his own."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.answers.clear()
        loading = asyncio.ensure_future(world.ring.load())
        await asyncio.sleep(0.001)
        source.text = key_set(OLD, NEW)
        source.answers.set()
        assert await asyncio.ensure_future(world.finds("new"))
        assert await loading is None
        assert source.fetches == 3

    with_ring(source, steps)


def test_loads_that_meet_are_made_one_after_the_other() -> None:
    """The second may be for what has changed since the first began."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        assert await asyncio.gather(*(world.ring.load() for _ in range(3))) == [None, None, None]
        assert source.fetches == 4

    with_ring(source, steps)


def test_the_end_of_the_service_ends_a_fetch_that_is_on_its_way() -> None:
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.answers.clear()
        forged = asyncio.ensure_future(world.finds("forged"))
        await asyncio.sleep(0.001)
        forged.cancel()
        await asyncio.wait([forged])
        await asyncio.wait_for(world.ring.close(), 20)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await world.ring.close()

    with_ring(source, steps)


def test_an_issuer_that_is_away_is_not_asked_more_often() -> None:
    """The pause counts from the attempt, not from a success."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.away = True
        assert set(await asyncio.gather(*(world.finds("new") for _ in range(20)))) == {False}
        assert source.fetches == 2

    world = with_ring(source, steps)
    assert world.refreshed == [(ISSUER, "ok"), (ISSUER, "failed")]


def test_a_key_is_fetched_at_once_though_the_set_was_just_renewed() -> None:
    """Only fetches for unknown keys are counted: an issuer may rotate right after a regular one."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        await world.pass_time(REFRESH)
        source.text = key_set(OLD, NEW)
        assert await world.finds("new")
        assert source.fetches == 3

    with_ring(source, steps)


def test_a_key_that_came_while_a_regular_fetch_was_on_its_way_is_found() -> None:
    """That fetch was too early for it; the caller's own is not."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.answers.clear()
        regular = asyncio.ensure_future(world.ring.load())
        await asyncio.sleep(0)
        source.text = key_set(OLD, NEW)
        waiting = asyncio.ensure_future(world.finds("new"))
        await asyncio.sleep(0)
        source.answers.set()
        assert await waiting
        assert await regular is None

    with_ring(source, steps)


def test_callers_with_known_keys_wait_for_no_fetch() -> None:
    """A slow issuer holds up only those whose keys are unknown."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.answers.clear()
        waiting = asyncio.ensure_future(world.finds("new"))
        await asyncio.sleep(0)
        assert await asyncio.wait_for(world.finds("old"), 5)
        assert not waiting.done()
        source.answers.set()
        assert await waiting is False

    with_ring(source, steps)


def test_the_old_keys_serve_while_new_ones_are_fetched_ahead_of_need() -> None:
    source = Source(OLD)

    async def steps(world: World) -> None:
        await world.pass_time(REFRESH - 10)
        assert source.fetches == 1
        source.answers.clear()
        world.now += 10
        looking = asyncio.ensure_future(world.ring.look())
        await asyncio.sleep(0.001)
        assert source.fetches == 2
        assert await asyncio.wait_for(world.finds("old"), 5)
        source.answers.set()
        await looking

    with_ring(source, steps)


@pytest.mark.parametrize(
    ("said", "expected"), [(None, REFRESH), (0.0, SHORTEST_REFRESH), (120.0, 120.0), (900.0, 900.0)]
)
def test_the_next_fetch_comes_when_the_last_answer_asked_for_it(said: float | None, expected: float) -> None:
    source = Source(OLD, lifetime=said)

    async def steps(world: World) -> None:
        await world.pass_time(expected - 1)
        assert source.fetches == 1
        await world.pass_time(1)
        assert source.fetches == 2

    with_ring(source, steps)


def test_keys_serve_through_an_hour_without_the_issuer_which_is_asked_twice_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And once it is back, its new keys are there within half a minute."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.away = True
        for _ in range(60):
            await world.pass_time(60)
            assert await world.finds("old")
        assert source.fetches == 1 + (3600 - REFRESH) / RETRY_SECONDS + 1
        assert key_rings.last_fetches([world.ring]) == f"failed: {ISSUER}: the issuer is away"
        assert key_rings.problem([world.ring]) is None
        source.away, source.text = False, key_set(NEW)
        await world.pass_time(RETRY_SECONDS)
        assert key_rings.last_fetches([world.ring]) == "ok"
        assert await world.finds("new")
        assert await world.finds("old") is False

    with caplog.at_level(logging.WARNING):
        with_ring(source, steps)
    assert vars(caplog.records[0])["fields"] == {"issuer": ISSUER, "problem": "the issuer is away"}


def test_keys_that_are_too_old_verify_nothing_until_the_issuer_is_back() -> None:
    """An outage, never an allow."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.away = True
        await world.pass_time(USABLE - 1, step=REFRESH)
        assert await world.finds("old")
        await world.pass_time(1)
        assert await world.finds("old") is None
        assert await world.finds("new") is None
        assert world.ring.keys is None
        assert key_rings.problem([world.ring]) == f"no usable keys of {ISSUER}"
        source.away = False
        await world.pass_time(RETRY_SECONDS)
        assert await world.finds("old")
        assert key_rings.problem([world.ring]) is None

    with_ring(source, steps)


def test_without_any_keys_it_is_an_outage_until_they_come() -> None:
    """As at a start before the issuer's."""
    source = Source(OLD)

    async def run() -> None:
        world = World(source)
        source.away = True
        assert await world.ring.load() == "the issuer is away"
        assert await world.finds("old") is None
        source.away = False
        assert await world.finds("old") is None
        world.now += UNKNOWN_KEY_SECONDS
        assert await world.finds("old")

    asyncio.run(run())


def test_a_file_is_taken_up_when_it_changes_and_a_bad_one_leaves_the_old_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told why, once for each state of the file; the next good one heals it."""
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set(OLD))

    async def run() -> None:
        world = World(KeyFile(path))
        assert await world.ring.load() is None
        path.write_bytes(b'{"keys": [')
        await world.pass_time(5, step=1)
        assert len(world.refreshed) == 2
        assert key_rings.last_fetches([world.ring]) == f"failed: {ISSUER}: key set is not JSON"
        assert key_rings.problem([world.ring]) is None
        assert await world.finds("old")
        path.write_bytes(key_set(NEW))
        await world.pass_time(1, step=1)
        assert key_rings.last_fetches([world.ring]) == "ok"
        assert await world.finds("new")
        assert await world.finds("old") is False

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert vars(caplog.records[0])["fields"] == {"issuer": ISSUER, "problem": "key set is not JSON"}


def test_the_loop_tells_what_has_changed_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all issuers together, for the health page."""
    monkeypatch.setattr(key_rings, "LOOK_SECONDS", 0.001)

    async def run() -> list[tuple[str | None, str]]:
        source = Source(OLD)
        world, other = World(source), World(Source(OLD))
        await world.ring.load()
        await other.ring.load()
        told: list[tuple[str | None, str]] = []
        heard = asyncio.Semaphore(0)

        def hear(problem: str | None, last_fetches: str) -> None:
            told.append((problem, last_fetches))
            heard.release()

        looking = asyncio.ensure_future(keep_fresh([world.ring, other.ring], hear))
        await asyncio.wait_for(heard.acquire(), 20)
        source.away = source.new = True
        await asyncio.wait_for(heard.acquire(), 20)
        await asyncio.sleep(0.02)
        world.now += USABLE
        await asyncio.wait_for(heard.acquire(), 20)
        source.away, source.new = False, True
        await asyncio.wait_for(heard.acquire(), 20)
        looking.cancel()
        return told

    failed = f"failed: {ISSUER}: the issuer is away"
    assert asyncio.run(run()) == [(None, "ok"), (None, failed), (f"no usable keys of {ISSUER}", failed), (None, "ok")]
