"""Tokens → Identity for several issuers. Time moves only where a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from authz_service.errors import CredentialRefused, Outage
from authz_service.identity.claims import ClaimNames
from authz_service.identity.key_rings import UNKNOWN_KEY_SECONDS
from authz_service.model import Identity
from authz_service.settings.identity import Issuer, KeyTimes
from tests.authz_service.identifying import Told, load, parts_of
from tests.authz_service.key_sources import Source
from tests.authz_service.minting import ISSUER, LIFETIME, NOW, compact, issuer, key, key_set, usual_claims

KEPT = 300.0  # seconds for which a token is known, unless it is configured otherwise
OLD, NEW = key("ES256", "old"), key("ES256", "new", 1)


class World:
    """A verifier on sources in memory, and the clock that it reads."""

    def __init__(self, *issuers: tuple[Issuer, Source], **settings: Any) -> None:
        self.told = Told()
        self.parts = parts_of(*issuers, told=self.told, **settings)

    @property
    def known(self) -> list[bool]:
        """Of each token, whether it was known."""
        return [result == "known" for result in self.told.looked_up]

    async def load(self) -> list[tuple[str, str]]:
        return await load(self.parts)

    async def ask(self, token: str, now: float = NOW) -> Identity:
        return await self.parts.tokens.verify(token, now)

    async def outcome(self, token: str, now: float = NOW) -> str:
        """The user's name, or the code of the refusal or outage."""
        try:
            return (await self.ask(token, now)).user
        except (CredentialRefused, Outage) as error:
            return error.code


def with_source(source: Source, steps: Callable[[World], Awaitable[None]], **settings: Any) -> World:
    """Load one issuer's keys, then take the steps."""

    async def run() -> World:
        world = World((issuer(), source), **settings)
        assert await world.load() == []
        await steps(world)
        return world

    return asyncio.run(run())


def test_a_token_that_holds_names_the_caller() -> None:
    """By the claims that this issuer's configuration names."""

    async def run() -> None:
        described = issuer(claims=ClaimNames("email", "client", "scope"))
        world = World((described, Source(OLD)))
        await world.load()
        found = await world.ask(OLD.token(email="a@b.example", client="desk", scope="r w"))
        assert found is not None
        assert (found.user, found.agent, found.roles, found.issuer) == ("a@b.example", "desk", ("r", "w"), ISSUER)

    asyncio.run(run())


def test_each_issuer_vouches_for_its_own_tokens_only() -> None:
    """A key of one verifies no token of the other, whatever its id."""

    async def run() -> None:
        other = "https://other.example"
        theirs = key("ES256", "old", 2)
        world = World((issuer(), Source(OLD)), (issuer(other), Source(theirs)))
        await world.load()
        assert await world.outcome(OLD.token()) == "alice"
        assert await world.outcome(theirs.token(iss=other, sub="bob")) == "bob"
        assert await world.outcome(theirs.token(iss=ISSUER)) == "signature_invalid"
        assert await world.outcome(OLD.token(iss=other)) == "signature_invalid"

    asyncio.run(run())


def test_an_issuer_has_its_own_terms() -> None:
    """Algorithms and audiences of another do not count."""

    async def run() -> None:
        other = "https://other.example"
        terms = issuer(other, algorithms=("EdDSA",), audiences=("elsewhere",))
        world = World((issuer(), Source(OLD)), (terms, Source(OLD, key("EdDSA", "ed"))))
        await world.load()
        assert await world.outcome(OLD.token(iss=other, aud="elsewhere")) == "algorithm_refused"
        assert await world.outcome(key("EdDSA", "ed").token(iss=other)) == "audience_wrong"
        assert await world.outcome(key("EdDSA", "ed").token(iss=other, aud="elsewhere")) == "alice"

    asyncio.run(run())


@pytest.mark.parametrize("unknown", ["https://evil.example", ISSUER + "/", ""])
def test_an_unknown_issuer_costs_no_fetch(unknown: str) -> None:
    """Nobody can make us talk to others, nor to our own issuer."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        world.told.monotonic += 10 * UNKNOWN_KEY_SECONDS
        assert await world.outcome(OLD.token(iss=unknown)) == "issuer_unknown"

    with_source(source, steps)
    assert source.fetches == 1


def test_an_algorithm_that_is_not_accepted_costs_no_fetch() -> None:
    """It is refused before a key is looked for."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        world.told.monotonic += 10 * UNKNOWN_KEY_SECONDS
        for algorithm in ("none", "HS256", "PS256", "ES384"):
            forged = compact({"alg": algorithm, "kid": "x"}, usual_claims(), lambda _: b"x")
            assert await world.outcome(forged) == "algorithm_refused"

    with_source(source, steps)
    assert source.fetches == 1


def test_a_new_key_is_picked_up_with_the_first_token_that_names_it() -> None:
    """For all who wait for it, by one fetch."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.text = key_set(OLD, NEW)
        world.told.monotonic += UNKNOWN_KEY_SECONDS
        outcomes = await asyncio.gather(*(world.outcome(token) for token in [NEW.token(), OLD.token()] * 10))
        assert set(outcomes) == {"alice"}
        assert source.fetches == 2

    with_source(source, steps)


def test_a_key_that_the_issuer_withdrew_verifies_nothing_more() -> None:
    """Once the set is renewed."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        assert await world.outcome(OLD.token()) == "alice"
        source.text = key_set(NEW)
        world.told.monotonic += UNKNOWN_KEY_SECONDS
        assert await world.outcome(NEW.token()) == "alice"
        assert await world.outcome(OLD.token()) == "key_unknown"

    with_source(source, steps)


def test_a_key_that_changed_under_its_id_takes_the_place_of_the_old_one() -> None:
    """Prepared keys are kept only where the set did not change."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        assert await world.outcome(OLD.token()) == "alice"
        again = key("ES256", "old", 3)
        source.text = key_set(again)
        await world.load()
        assert await world.outcome(OLD.token()) == "signature_invalid"
        assert await world.outcome(again.token()) == "alice"

    with_source(source, steps)


@pytest.mark.parametrize("broken", [b"", b"nonsense", b'{"keys": []}', b'{"keys": [{"kty": ["RSA"]}]}', b"<html>"])
def test_an_answer_that_is_no_key_set_leaves_the_keys_at_hand(broken: bytes) -> None:
    """An issuer's fault page is no rotation."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.text = broken
        problems = await world.load()
        assert [(name, text[:8]) for name, text in problems] == [(ISSUER, "key set ")]
        assert await world.outcome(OLD.token()) == "alice"

    with_source(source, steps)


def test_keys_at_hand_serve_while_the_issuer_is_away_until_they_are_too_old() -> None:
    """Then it is an outage, never an allow."""
    source = Source(OLD)

    async def steps(world: World) -> None:
        source.away = True
        world.told.monotonic += KeyTimes().usable_seconds - 1
        assert await world.outcome(OLD.token()) == "alice"
        assert await world.outcome(NEW.token()) == "key_unknown"
        world.told.monotonic += 1
        assert await world.outcome(OLD.token()) == "keys_unavailable"
        assert await world.outcome(NEW.token()) == "keys_unavailable"

    with_source(source, steps)


def test_every_issuer_that_fails_at_the_start_is_named() -> None:
    """All at once, and the others are loaded."""

    async def run() -> None:
        sources = [Source(OLD), Source(OLD), Source(OLD)]
        sources[0].away = sources[2].away = True
        names = ["https://a.example", "https://b.example", "https://c.example"]
        world = World(*[(issuer(name), source) for name, source in zip(names, sources, strict=True)])
        problems = await world.load()
        assert [name for name, _ in problems] == [names[0], names[2]]
        assert await world.outcome(OLD.token(iss=names[1])) == "alice"

    asyncio.run(run())


def test_a_token_that_comes_again_is_known_and_names_the_same_caller() -> None:
    async def steps(world: World) -> None:
        token = OLD.token()
        assert await world.ask(token) == await world.ask(token)
        assert world.known == [False, True]

    with_source(Source(OLD), steps)


def test_a_known_token_expires_and_is_refused_before_it_is_valid() -> None:
    """Its times are looked at each time, as those of a new one."""

    async def steps(world: World) -> None:
        token = OLD.token(nbf=int(NOW))
        assert await world.outcome(token) == "alice"
        assert await world.outcome(token, NOW + LIFETIME + 31) == "token_expired"
        assert await world.outcome(token, NOW - 31) == "token_not_yet_valid"
        assert world.known[0] is False

    with_source(Source(OLD), steps)


def test_a_known_token_is_refused_once_its_key_is_no_longer_the_issuers() -> None:
    source = Source(OLD)

    async def steps(world: World) -> None:
        token = OLD.token()
        assert await world.outcome(token) == "alice"
        source.text = key_set(NEW)
        world.told.monotonic += UNKNOWN_KEY_SECONDS
        assert await world.outcome(NEW.token()) == "alice"  # fetches the new keys
        assert await world.outcome(token) == "key_unknown"

    with_source(source, steps)


def test_keys_that_were_fetched_again_and_are_the_same_leave_tokens_known() -> None:
    source = Source(OLD)

    async def steps(world: World) -> None:
        token = OLD.token()
        await world.ask(token)
        assert await world.load() == []
        await world.ask(token)
        assert world.known == [False, True]

    with_source(source, steps)


def test_a_known_token_is_worth_nothing_once_the_keys_are_too_old() -> None:
    source = Source(OLD)

    async def steps(world: World) -> None:
        token = OLD.token()
        await world.ask(token)
        source.away = True
        world.told.monotonic += KeyTimes().usable_seconds
        assert await world.outcome(token) == "keys_unavailable"

    with_source(source, steps)


def test_a_token_is_verified_anew_after_a_while() -> None:
    async def steps(world: World) -> None:
        token = OLD.token()
        await world.ask(token)
        world.told.monotonic += KEPT
        await world.ask(token)
        assert world.known == [False, False]

    with_source(Source(OLD), steps)


def test_a_token_that_did_not_hold_is_never_known() -> None:
    async def steps(world: World) -> None:
        for token in (OLD.token(aud="another"), NEW.token(), OLD.token()[:-4] + "AAAA", OLD.token(sub=None)):
            refusals = [await world.outcome(token) for _ in range(2)]
            assert refusals[0] == refusals[1] != "alice"
        assert not any(world.known)

    with_source(Source(OLD), steps)


def test_a_token_that_differs_in_one_character_is_another_one() -> None:
    async def steps(world: World) -> None:
        token = OLD.token()
        await world.ask(token)
        header, payload, signature = token.split(".")
        other = ("B" if signature[10] != "B" else "C").join([signature[:10], signature[11:]])
        assert await world.outcome(f"{header}.{payload}.{other}") == "signature_invalid"

    with_source(Source(OLD), steps)
