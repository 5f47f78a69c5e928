"""An issuer that rotates its keys, over real HTTP, while many callers come with tokens of the old and the new ones.

Ages are simulated, so that hours pass in a moment; the fetches, their races and the signatures are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from authz_service.errors import CredentialRefused, Outage
from authz_service.identity import key_rings
from authz_service.identity.jwks_http import KeyEndpoint
from authz_service.identity.key_rings import RETRY_SECONDS, UNKNOWN_KEY_SECONDS, KeyRing
from authz_service.settings.identity import KeyTimes
from tests.authz_service.identifying import Told, load, parts_of
from tests.authz_service.minting import ISSUER, NOW, SigningKey, issuer, key, key_set

ROTATIONS = 6
CALLERS = 24
REFRESH, USABLE = 60, 1800  # seconds


class RotatingIssuer:
    """Signs with its newest key; publishes that and the two before."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.keys: list[SigningKey] = []
        self.published: list[SigningKey] = []
        self.fetches = 0
        self._runner = web.AppRunner(self._application())
        self._port = 0
        self.rotate()

    def rotate(self) -> None:
        """Publish a new key, and sign with it from now on."""
        self.publish()
        self.sign_with_newest()

    def publish(self) -> None:
        """Publish a new key, and sign with the old one still."""
        number = next(self._numbers)
        self.published = [*self.published[-2:], key("ES256", f"k{number}", number)]

    def sign_with_newest(self) -> None:
        """Sign with what was published last."""
        self.keys = [*self.keys, self.published[-1]]

    def _application(self) -> web.Application:
        async def answer(_: web.Request) -> web.Response:
            self.fetches += 1
            text = key_set(*self.published)  # as it is when the request comes
            await asyncio.sleep(0.005)
            return web.Response(body=text, content_type="application/json")

        application = web.Application()
        application.router.add_get("/jwks.json", answer)
        return application

    async def start(self) -> None:
        """Serve, on the same port each time."""
        self._runner = web.AppRunner(self._application())
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Nobody answers any more."""
        await self._runner.cleanup()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._port}/jwks.json"


class World:
    """A verifier that trusts the issuer, and the time."""

    def __init__(self, idp: RotatingIssuer) -> None:
        self.idp = idp
        self.told = Told()
        trusted = issuer()
        terms = KeyTimes(REFRESH, USABLE)
        described = type(trusted)(
            trusted.issuer, trusted.audiences, trusted.algorithms, trusted.claims, idp.uri, None, "", 0, keys=terms
        )
        self.parts = parts_of((described, KeyEndpoint(idp.uri)), told=self.told)
        self.numbers = itertools.count()

    @property
    def ring(self) -> KeyRing:
        return self.parts.rings[ISSUER]

    async def outcome(self, signer: SigningKey) -> str:
        """Of a token that nobody has seen before: the user, or the code of the refusal or outage."""
        token = signer.token(jti=f"t{next(self.numbers)}")
        await asyncio.sleep(0)
        try:
            return (await self.parts.tokens.verify(token, NOW)).user
        except (CredentialRefused, Outage) as error:
            return error.code

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, with a look every ten seconds."""
        end = self.told.monotonic + seconds
        while self.told.monotonic < end:
            self.told.monotonic = min(self.told.monotonic + 10, end)
            await self.ring.look()

    @contextlib.asynccontextmanager
    async def load_of_callers(self, outcomes: Counter[str]) -> AsyncIterator[None]:
        """Callers without a pause, each with a token of the newest key or the one before."""
        ending = asyncio.Event()

        async def call(number: int) -> None:
            while not ending.is_set():
                signer = self.idp.keys[-1] if number % 2 else self.idp.keys[-2:][0]
                outcomes[await self.outcome(signer)] += 1

        callers = [asyncio.ensure_future(call(number)) for number in range(CALLERS)]
        try:
            yield
        finally:
            ending.set()
            await asyncio.gather(*callers)


def with_issuer(steps: Callable[[World], Awaitable[None]]) -> RotatingIssuer:
    """Load the issuer's keys, then take the steps."""

    async def run() -> RotatingIssuer:
        idp = RotatingIssuer()
        await idp.start()
        world = World(idp)
        assert await load(world.parts) == []
        try:
            await steps(world)
        finally:
            await idp.stop()
        return idp

    return asyncio.run(run())


async def some_calls(outcomes: Counter[str], count: int = 100) -> None:
    """Wait until so many more calls have ended."""
    async with asyncio.timeout(60):
        end = outcomes.total() + count
        while outcomes.total() < end:  # noqa: ASYNC110  (it is the callers that are waited for)
            await asyncio.sleep(0.005)


def test_no_good_token_is_refused_while_an_issuer_rotates_its_keys_without_a_warning() -> None:
    """It signs with a key in the moment in which it publishes it, half a minute after the last one."""
    outcomes: Counter[str] = Counter()

    async def steps(world: World) -> None:
        async with world.load_of_callers(outcomes):
            for _ in range(ROTATIONS):
                await some_calls(outcomes)
                world.told.monotonic += UNKNOWN_KEY_SECONDS
                world.idp.rotate()
                await world.ring.look()
            await some_calls(outcomes)

    idp = with_issuer(steps)
    assert set(outcomes) == {"alice"}
    assert ROTATIONS < idp.fetches <= 1 + 2 * ROTATIONS


def test_no_good_token_is_refused_amid_forged_ones_where_keys_are_published_ahead() -> None:
    """By as long as regular fetches are apart; forged key ids have used up what unknown keys may cause."""
    outcomes: Counter[str] = Counter()

    async def steps(world: World) -> None:
        async with world.load_of_callers(outcomes):
            for number in range(ROTATIONS):
                assert await world.outcome(key("ES256", f"forged-{number}", 1)) == "key_unknown"
                world.idp.publish()
                await world.pass_time(REFRESH)
                assert await world.outcome(key("ES256", f"forged-again-{number}", 1)) == "key_unknown"
                world.idp.sign_with_newest()
                await some_calls(outcomes)

    with_issuer(steps)
    assert set(outcomes) == {"alice"}


def test_a_key_without_warning_amid_forged_ones_is_unknown_for_half_a_minute_at_most() -> None:
    """What the bound on fetches costs, and all of it."""

    async def steps(world: World) -> None:
        assert await world.outcome(key("ES256", "forged", 1)) == "key_unknown"
        fetches = world.idp.fetches
        world.idp.rotate()
        old, new = world.idp.keys
        found = await asyncio.gather(*(world.outcome(signer) for signer in [old, new] * 20))
        assert Counter(found) == {"alice": 20, "key_unknown": 20}
        assert world.idp.fetches == fetches
        world.told.monotonic += UNKNOWN_KEY_SECONDS
        assert set(await asyncio.gather(*(world.outcome(signer) for signer in [old, new] * 20))) == {"alice"}
        assert world.idp.fetches == fetches + 1

    with_issuer(steps)


def test_an_issuer_that_is_away_for_an_hour_is_done_without_for_as_long_as_is_configured() -> None:
    """Half of it here; then its tokens are an outage, and half a minute after it is back all is well."""

    async def steps(world: World) -> None:
        signer = world.idp.keys[-1]
        await world.idp.stop()
        for _ in range(USABLE // 60 - 1):
            await world.pass_time(60)
            assert await world.outcome(signer) == "alice"
            assert key_rings.problem([world.ring]) is None
        await world.pass_time(60)
        for _ in range((3600 - USABLE) // 60):
            assert await world.outcome(signer) == "keys_unavailable"
            await world.pass_time(60)
        assert key_rings.problem([world.ring]) == f"no usable keys of {ISSUER}"
        assert "cannot be reached: Connection refused" in key_rings.last_fetches([world.ring])
        failed = sum(result == "failed" for _, result in world.told.refreshed)
        assert failed <= 3600 / RETRY_SECONDS
        await world.idp.start()
        world.idp.rotate()
        await world.pass_time(RETRY_SECONDS)
        assert await world.outcome(world.idp.keys[-1]) == "alice"
        assert await world.outcome(signer) == "alice"
        assert key_rings.last_fetches([world.ring]) == "ok"

    with_issuer(steps)
