"""Opaque tokens → their claims: what an issuer said is remembered for a short while, and it is not asked too much.

    one question        for all callers that bring the same token at once
    an answer           serves again for a few seconds, the bad news for fewer; never longer than the token lives
    MAX_QUESTIONS       on their way at once; others wait, WAIT_SECONDS at most and MAX_WAITING of them
    a breaker           ends questions at once while the endpoint fails again and again; now and then one tries it

What an answer says is believed for as long as it is remembered: a token that its issuer withdraws passes until then.
Tokens are kept by their hash. Only the question itself is I/O, and is handed in.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from authz_service.errors import CredentialRefused, Outage
from service_kit.breaker import Breaker

MAX_QUESTIONS = 64
MAX_WAITING = 1_000  # questions, those on their way among them
WAIT_SECONDS = 0.5  # for one's turn
MAX_ACTIVE = 10_000  # remembered answers, of about 2 KB each since the claims are kept
MAX_INACTIVE = 50_000  # of about 200 bytes each

log = logging.getLogger(__name__)

Result = Literal["active", "inactive", "failed"]
Claims = Mapping[str, Any]


class EndpointError(Exception):
    """The issuer's word could not be had. The text is for the log; `away`: whether the endpoint itself failed."""

    def __init__(self, text: str, *, away: bool) -> None:
        super().__init__(text)
        self.away = away


class Endpoint(Protocol):
    """Asks the issuer."""

    async def ask(self, token: str) -> Claims | None:
        """Return the claims of an active token, None for one that is not.

        MUST end within bounded time, and MUST raise only `EndpointError`, whose text MUST NOT hold the token.
        """
        ...

    async def close(self) -> None:
        """Give up connections; nothing is asked any more."""
        ...


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of a token until some time (seconds, monotonic); no claims where it is not active."""

    claims: Claims | None
    until: float


class Introspector:
    """Remembers and asks. `monotonic` gives seconds; `asked` hears how each question ended."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        cache_seconds: float,
        negative_cache_seconds: float,
        monotonic: Callable[[], float],
        asked: Callable[[Result], None],
    ) -> None:
        self._endpoint = endpoint
        self._seconds = {True: cache_seconds, False: negative_cache_seconds}
        self._monotonic = monotonic
        self._asked = asked
        self._active: dict[bytes, _Answer] = {}
        self._inactive: dict[bytes, _Answer] = {}
        self._questions: dict[bytes, asyncio.Task[_Answer | str]] = {}
        self._turns = asyncio.Semaphore(MAX_QUESTIONS)
        self._breaker = Breaker()
        self._next_try = -math.inf  # when a question may go out although the breaker is open

    async def introspect(self, token: str, now: float) -> Claims:
        """Return the claims of an active token. `now` is in epoch seconds.

        Raises:
            CredentialRefused: the token is not active.
            Outage: nothing is known of it, and it cannot be asked about.
        """
        digest = hashlib.sha256(token.encode()).digest()
        answer: _Answer | str | None = self._known(digest)
        if answer is None:
            question = self._questions.get(digest)
            if question is None:
                if len(self._questions) >= MAX_WAITING:
                    raise _outage(f"more than {MAX_WAITING} tokens wait to be asked about")
                question = asyncio.ensure_future(self._ask(token, digest, now))
                self._questions[digest] = question
                question.add_done_callback(lambda _: self._questions.pop(digest, None))
            # A caller that goes away takes nobody's answer with him.
            answer = await asyncio.shield(question)
        if isinstance(answer, str):
            raise _outage(answer)
        if answer.claims is None:
            raise CredentialRefused("token_inactive", "the token is not active")
        return answer.claims

    async def close(self) -> None:
        """End what is on its way, and give up connections."""
        questions = list(self._questions.values())
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
        await self._endpoint.close()

    def _known(self, digest: bytes) -> _Answer | None:
        for remembered in (self._active, self._inactive):
            answer = remembered.get(digest)
            if answer is not None:
                if self._monotonic() < answer.until:
                    return answer
                del remembered[digest]
        return None

    async def _ask(self, token: str, digest: bytes, now: float) -> _Answer | str:
        """Ask in turn; returns why there is no answer, so that each caller gets an error of his own."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            self._asked("failed")
            return f"no question could be asked within {WAIT_SECONDS:g} s"
        tries = self._breaker.open
        try:
            if tries and self._monotonic() < self._next_try:
                tries = False
                self._asked("failed")
                return "the endpoint has failed again and again, and is not asked for a moment"
            if tries:
                self._next_try = math.inf  # until this question has ended
            began = self._monotonic()
            claims = await self._endpoint.ask(token)
        except EndpointError as error:
            self._asked("failed")
            self._note(away=error.away)
            return str(error)
        finally:
            self._turns.release()
            if tries:
                self._next_try = self._monotonic() + self._breaker.next_probe()
        self._note(away=False)
        self._asked("inactive" if claims is None else "active")
        return self._remember(digest, claims, began, now)

    def _note(self, *, away: bool) -> None:
        if not away:
            if self._breaker.succeeded():
                log.warning("introspection endpoint answers again")
        elif self._breaker.failed():
            self._next_try = self._monotonic() + self._breaker.next_probe()
            log.error("introspection endpoint fails, and is asked now and then only")

    def _remember(self, digest: bytes, claims: Claims | None, began: float, now: float) -> _Answer:
        """Keep an answer from when it was asked for, the oldest making room."""
        seconds = self._seconds[claims is not None]
        if claims is not None and "exp" in claims:
            seconds = min(seconds, float(claims["exp"]) - now)
        answer = _Answer(claims, began + seconds)
        remembered, most = (self._inactive, MAX_INACTIVE) if claims is None else (self._active, MAX_ACTIVE)
        if seconds > 0:
            if len(remembered) >= most:
                del remembered[next(iter(remembered))]
            remembered[digest] = answer
        return answer


def _outage(detail: str) -> Outage:
    return Outage("introspection_unavailable", detail)
