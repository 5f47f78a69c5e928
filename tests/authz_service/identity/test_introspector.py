"""What is remembered of opaque tokens, how much is asked, and what happens when the issuer cannot answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused, Outage
from authz_service.identity import introspector
from authz_service.identity.introspector import MAX_QUESTIONS, EndpointError, Introspector, Result
from service_kit.breaker import FAILURES, PROBE_SECONDS

NOW = 1_763_870_417.0
TTL, NEGATIVE = 30.0, 5.0


class Issuer:
    """An endpoint in memory, which can be away, refuse, or be held back; notes what it was asked."""

    def __init__(self, **tokens: Mapping[str, Any]) -> None:
        self.tokens: dict[str, Mapping[str, Any]] = dict(tokens)
        self.asked: list[str] = []
        self.error: EndpointError | None = None
        self.answers = asyncio.Event()  # cleared, it holds every answer back
        self.answers.set()
        self.running = self.most_running = 0
        self.closed = False

    async def close(self) -> None:
        self.closed = True

    async def ask(self, token: str) -> Mapping[str, Any] | None:
        self.asked.append(token)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0)
            await self.answers.wait()
            if self.error is not None:
                raise self.error
            return self.tokens.get(token)
        finally:
            self.running -= 1


class World:
    """An introspector on an issuer, and the clocks that it reads."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.time = 0.0
        self.results: list[Result] = []
        self.introspector = Introspector(
            issuer,
            cache_seconds=TTL,
            negative_cache_seconds=NEGATIVE,
            monotonic=lambda: self.time,
            asked=self.results.append,
        )

    async def says(self, token: str) -> str:
        """The token's subject, or the code of the refusal or outage."""
        try:
            return str((await self.introspector.introspect(token, NOW + self.time)).get("sub"))
        except (CredentialRefused, Outage) as error:
            return error.code


def with_world(issuer: Issuer, steps: Callable[[World], Awaitable[None]]) -> World:
    """Take the steps."""

    async def run() -> World:
        world = World(issuer)
        await steps(world)
        return world

    return asyncio.run(run())


def test_an_active_token_has_the_claims_that_its_issuer_says() -> None:
    async def steps(world: World) -> None:
        assert await world.introspector.introspect("a", NOW) == {"sub": "alice", "scope": "r"}
        assert await world.says("b") == "token_inactive"

    assert with_world(Issuer(a={"sub": "alice", "scope": "r"}), steps).results == ["active", "inactive"]


def test_an_answer_serves_for_its_time_and_bad_news_for_a_shorter_one() -> None:
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        for time, count_a, count_b in ((0.0, 1, 1), (4.9, 1, 1), (5.0, 1, 2), (29.9, 1, 3), (30.0, 2, 3)):
            world.time = time
            assert await world.says("a") == "alice"
            assert await world.says("b") == "token_inactive"
            assert (issuer.asked.count("a"), issuer.asked.count("b")) == (count_a, count_b)

    with_world(issuer, steps)


def test_what_the_issuer_withdrew_is_refused_once_its_answer_is_forgotten() -> None:
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        assert await world.says("a") == "alice"
        issuer.tokens.clear()
        world.time = TTL
        assert await world.says("a") == "token_inactive"
        issuer.tokens["a"] = {"sub": "alice"}
        world.time += NEGATIVE
        assert await world.says("a") == "alice"

    with_world(issuer, steps)


@settings(max_examples=50, deadline=None)
@given(st.integers(-100, 100), st.floats(0, 100))
def test_no_answer_serves_longer_than_its_token_lives(life: int, later: float) -> None:
    """Nor is one kept whose token has ended."""
    issuer = Issuer(a={"sub": "alice", "exp": NOW + life})

    async def steps(world: World) -> None:
        assert await world.says("a") == "alice"
        world.time = later
        await world.says("a")
        assert len(issuer.asked) == (1 if later < min(TTL, life) else 2)

    with_world(issuer, steps)


def test_an_answer_is_as_old_as_its_question() -> None:
    """A slow answer may have been overtaken on its way."""
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        issuer.answers.clear()
        waiting = asyncio.ensure_future(world.says("a"))
        await asyncio.sleep(0.01)
        world.time = 20.0
        issuer.answers.set()
        assert await waiting == "alice"
        world.time = TTL
        await world.says("a")
        assert len(issuer.asked) == 2

    with_world(issuer, steps)


def test_many_callers_with_one_token_ask_one_question() -> None:
    """And each gets an error of his own where that is the answer."""
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        assert set(await asyncio.gather(*(world.says("a") for _ in range(50)))) == {"alice"}
        assert set(await asyncio.gather(*(world.says("b") for _ in range(50)))) == {"token_inactive"}
        issuer.error = EndpointError("away", away=True)
        found = await asyncio.gather(
            *(world.introspector.introspect("c", NOW) for _ in range(50)), return_exceptions=True
        )
        assert len({id(error) for error in found}) == 50

    with_world(issuer, steps)
    assert issuer.asked == ["a", "b", "c"]


def test_a_caller_that_goes_away_takes_nobodys_answer_with_him() -> None:
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        issuer.answers.clear()
        first, second = (asyncio.ensure_future(world.says("a")) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.sleep(0)
        issuer.answers.set()
        assert await second == "alice"
        assert await world.says("a") == "alice"

    with_world(issuer, steps)
    assert issuer.asked == ["a"]


def test_no_more_questions_go_out_at_once_than_are_allowed() -> None:
    issuer = Issuer(**{f"t{number}": {"sub": "alice"} for number in range(300)})

    async def steps(world: World) -> None:
        assert set(await asyncio.gather(*map(world.says, issuer.tokens))) == {"alice"}

    with_world(issuer, steps)
    assert (issuer.most_running, len(issuer.asked)) == (MAX_QUESTIONS, 300)


def test_who_waits_too_long_or_where_too_many_wait_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the issuer is slow, callers do not pile up."""
    monkeypatch.setattr(introspector, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(introspector, "MAX_WAITING", MAX_QUESTIONS + 2)
    issuer = Issuer(**{f"t{number}": {"sub": "alice"} for number in range(MAX_QUESTIONS + 3)})

    async def steps(world: World) -> None:
        issuer.answers.clear()
        waiting = [asyncio.ensure_future(world.says(token)) for token in issuer.tokens]
        done, _ = await asyncio.wait(waiting, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result() for task in done} == {"introspection_unavailable"}
        await asyncio.sleep(0.2)
        issuer.answers.set()
        found = await asyncio.gather(*waiting)
        assert (found.count("alice"), found.count("introspection_unavailable")) == (MAX_QUESTIONS, 3)
        assert await world.says(f"t{MAX_QUESTIONS + 2}") == "alice"

    with_world(issuer, steps)


def test_an_endpoint_that_is_away_is_an_outage_and_never_remembered() -> None:
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        issuer.error = EndpointError("the issuer is away", away=True)
        with pytest.raises(Outage) as caught:
            await world.introspector.introspect("a", NOW)
        assert (caught.value.code, caught.value.detail) == ("introspection_unavailable", "the issuer is away")
        issuer.error = None
        assert await world.says("a") == "alice"

    assert with_world(issuer, steps).results == ["failed", "active"]


def test_answers_at_hand_serve_while_the_endpoint_is_away() -> None:
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        assert await world.says("a") == "alice"
        issuer.error = EndpointError("away", away=True)
        world.time = TTL - 1
        assert await world.says("a") == "alice"
        world.time = TTL
        assert await world.says("a") == "introspection_unavailable"

    with_world(issuer, steps)


def test_an_endpoint_that_fails_again_and_again_is_asked_now_and_then_until_it_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By one question at a time, whatever their number."""
    issuer = Issuer(a={"sub": "alice"})

    async def ask(world: World, count: int) -> set[str]:
        return set(await asyncio.gather(*(world.says(f"x{number}-{world.time}") for number in range(count))))

    async def steps(world: World) -> None:
        issuer.error = EndpointError("away", away=True)
        for _ in range(FAILURES):
            assert await world.says("a") == "introspection_unavailable"
        assert await ask(world, 20) == {"introspection_unavailable"}
        assert len(issuer.asked) == FAILURES
        for _ in range(10):
            world.time += PROBE_SECONDS[1]
            asked = len(issuer.asked)
            assert await ask(world, 20) == {"introspection_unavailable"}
            assert len(issuer.asked) == asked + 1
        issuer.error = None
        world.time += PROBE_SECONDS[1]
        assert await world.says("a") == "alice"
        assert await ask(world, 20) == {"token_inactive"}

    with caplog.at_level(logging.WARNING):
        with_world(issuer, steps)
    assert [record.message for record in caplog.records] == [
        "introspection endpoint fails, and is asked now and then only",
        "introspection endpoint answers again",
    ]


def test_an_answer_that_cannot_be_relied_on_does_not_count_as_being_away() -> None:
    """Or a few odd tokens would keep all others from being asked about."""
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        issuer.error = EndpointError("answered 400", away=False)
        for number in range(3 * FAILURES):
            assert await world.says(f"odd{number}") == "introspection_unavailable"
        issuer.error = None
        assert await world.says("a") == "alice"

    with_world(issuer, steps)


def test_a_fault_of_ours_while_the_endpoint_is_tried_does_not_end_the_trying() -> None:
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        issuer.error = EndpointError("away", away=True)
        for _ in range(FAILURES):
            await world.says("a")
        world.time += PROBE_SECONDS[1]
        issuer.error = RuntimeError("a fault")  # type: ignore[assignment]
        with pytest.raises(RuntimeError):
            await world.says("a")
        issuer.error = None
        world.time += PROBE_SECONDS[1]
        assert await world.says("a") == "alice"

    with_world(issuer, steps)


def test_what_is_remembered_has_bounds_and_nobody_can_push_out_good_tokens_with_bad_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(introspector, "MAX_ACTIVE", 2)
    monkeypatch.setattr(introspector, "MAX_INACTIVE", 3)
    issuer = Issuer(a={"sub": "alice"}, b={"sub": "bob"}, c={"sub": "carol"})

    async def steps(world: World) -> None:
        await world.says("a")
        await world.says("b")
        for number in range(10):
            await world.says(f"bad{number}")
        await world.says("a")
        assert issuer.asked.count("a") == 1
        await world.says("c")
        await world.says("b")
        await world.says("a")
        assert (issuer.asked.count("b"), issuer.asked.count("a")) == (1, 2)
        await world.says("bad9")
        await world.says("bad0")
        assert (issuer.asked.count("bad9"), issuer.asked.count("bad0")) == (1, 2)

    with_world(issuer, steps)


def test_what_is_on_its_way_ends_when_it_is_closed() -> None:
    issuer = Issuer(a={"sub": "alice"})

    async def steps(world: World) -> None:
        issuer.answers.clear()
        waiting = asyncio.ensure_future(world.says("a"))
        await asyncio.sleep(0.01)
        await world.introspector.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (issuer.running, issuer.closed) == (0, True)

    with_world(issuer, steps)
