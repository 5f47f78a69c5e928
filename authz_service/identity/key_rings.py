"""One issuer's keys and their freshness: renewed ahead of need, the old ones serving meanwhile.

A set is fetched again once it is `refresh_seconds` old, or as much sooner or later as the issuer's answer asked for
within bounds (`freshness`), and at once where a file has changed. While that fails the set at hand serves on, and its
source is asked again each `RETRY_SECONDS`, until the set is `usable_seconds` old; then it verifies nothing.

A token that names an unknown key causes a fetch of its own, at most one in `UNKNOWN_KEY_SECONDS` for all callers
together, so that forged tokens cannot be turned into load on the issuer. What that guarantees: where an issuer
publishes a key no later than it signs with it, and keeps the old one published while its tokens live, no good token is
refused, unless an unknown key was asked for in the `UNKNOWN_KEY_SECONDS` before; then at most for the rest of these.

A fetch is a task of the ring's own, one at a time, for which callers wait: one that goes away ends it for nobody. Or
whoever resets his request in time could spend the one fetch that there is, each time, and keep new keys out for good.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from authz_service.errors import KeysUnavailable
from authz_service.identity.freshness import Freshness
from authz_service.identity.key_source import KeySource, KeySourceError
from authz_service.identity.keys import KeySet, KeySetError, parse_key_set

LOOK_SECONDS = 1.0  # from one look at what is due, and at files, to the next
RETRY_SECONDS = 30.0  # from a fetch that failed to the next
UNKNOWN_KEY_SECONDS = 30.0  # between fetches that unknown key ids can cause

log = logging.getLogger(__name__)

Result = Literal["ok", "failed"]


class KeyRing:
    """One issuer's keys. `monotonic` gives seconds; `refreshed` hears of every fetch: the issuer, and how it ended."""

    def __init__(
        self,
        issuer: str,
        source: KeySource,
        freshness: Freshness,
        *,
        monotonic: Callable[[], float],
        refreshed: Callable[[str, Result], None],
    ) -> None:
        self.issuer = issuer
        self._source = source
        self._freshness = freshness
        self._monotonic = monotonic
        self._refreshed = refreshed
        self._fetching: asyncio.Task[str | None] | None = None  # one at a time
        self._keys: KeySet | None = None
        self._due = float("-inf")
        self._asked = float("-inf")  # when an unknown key last caused a fetch
        self._trouble: str | None = None

    @property
    def keys(self) -> KeySet | None:
        """The keys that may verify tokens now, if any."""
        keys = self._keys
        if keys is None or not self._freshness.is_usable(self._monotonic() - keys.fetched):
            return None
        return keys

    @property
    def trouble(self) -> str | None:
        """Why the last fetch failed; None if it did not."""
        return self._trouble

    async def keys_for(self, key_id: str | None, algorithm: str) -> KeySet:
        """Return the keys to verify a token with; with one fetch first, if none fits it and one is allowed.

        Raises:
            KeysUnavailable: there are none, or they are too old.
            CredentialRefused: the key that fits cannot be used.
        """
        if not self._has(key_id, algorithm) and self._fetching is not None:
            await asyncio.shield(self._fetching)  # it may bring the key
        if not self._has(key_id, algorithm):
            if self._fetching is None and self._monotonic() - self._asked >= UNKNOWN_KEY_SECONDS:
                self._asked = self._monotonic()
                self._begin()
            if self._fetching is not None:
                await asyncio.shield(self._fetching)
        keys = self.keys
        if keys is None:
            raise KeysUnavailable(f"no usable keys of issuer {self.issuer}")
        return keys

    async def load(self) -> str | None:
        """Fetch the keys now; return the problem, if any."""
        while self._fetching is not None:  # what it reads may be older than what is there now
            await asyncio.wait([self._fetching])
        return await asyncio.shield(self._begin())

    async def close(self) -> None:
        """End a fetch that is on its way; nothing is asked for any more."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
            self._fetching = None

    async def look(self) -> None:
        """Fetch the keys if that is due, or if a file has changed."""
        if self._monotonic() >= self._due or await self._source.changed():
            await self.load()

    def _has(self, key_id: str | None, algorithm: str) -> bool:
        return self._keys is not None and self._keys.pick(key_id, algorithm) is not None

    def _begin(self) -> asyncio.Task[str | None]:
        """Begin a fetch; there is none on its way."""
        self._fetching = asyncio.ensure_future(self._fetch())
        return self._fetching

    async def _fetch(self) -> str | None:
        try:
            return await self._refresh()
        finally:
            self._fetching = None  # at once: whoever asks from now on must not take it for one on its way

    async def _refresh(self) -> str | None:
        """Fetch keys; on failure the ones at hand stay. Return the problem, if any."""
        try:
            fetched = await self._source.fetch()
            keys = parse_key_set(fetched.text, self._monotonic())
        except (KeySourceError, KeySetError) as error:
            self._trouble = str(error)
            self._due = self._monotonic() + RETRY_SECONDS
            self._refreshed(self.issuer, "failed")
            log.warning("keys not refreshed", extra={"fields": {"issuer": self.issuer, "problem": self._trouble}})
            return self._trouble
        self._trouble = None
        self._keys = keys if self._keys is None else self._keys.renewed(keys)
        self._due = keys.fetched + self._freshness.refresh_after(fetched.lifetime)
        self._refreshed(self.issuer, "ok")
        return None


async def keep_fresh(rings: Sequence[KeyRing], report: Callable[[str | None, str], None]) -> None:
    """Look after every issuer's keys until cancelled.

    `report` hears whose keys verify nothing any more, or None, and how the last fetches went: `ok`, or which failed and
    why; once after the first round, and whenever that has changed.
    """
    told: tuple[str | None, str] | None = None
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await asyncio.gather(*(ring.look() for ring in rings))
        state = (problem(rings), last_fetches(rings))
        if state != told:
            told = state
            report(*state)


def problem(rings: Sequence[KeyRing]) -> str | None:
    """Whose keys are too old to verify anything, or None: then tokens of that issuer end in 503."""
    stale = [ring.issuer for ring in rings if ring.keys is None]
    return f"no usable keys of {', '.join(stale)}" if stale else None


def last_fetches(rings: Sequence[KeyRing]) -> str:
    """How each issuer's last fetch of keys went: `ok`, or which failed and why."""
    failed = [f"{ring.issuer}: {ring.trouble}" for ring in rings if ring.trouble is not None]
    return f"failed: {'; '.join(failed)}" if failed else "ok"
