"""Remembers which buckets are over, so that a caller who goes on asking costs the store nothing.

What is remembered is only what stays true: a fixed window that is over stays so until it ends; a bucket or a sliding
window that had no room for so many hits has none for as many or more until the time that it told. A rule that gets
another limit, and hits that are given back, are noticed. What a bucket says to one of several charges of a request is
not remembered, since the others may not have been taken. As in envoyproxy/ratelimit, a fixed window does not count what
is answered from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ratelimit_service.limits import FixedWindow, Limit
from ratelimit_service.model import Charge, Count, Role
from ratelimit_service.stores import CounterStore, PartlyKnownError
from service_kit.valkey.errors import StoreUnavailableError

BYTES_PER_ENTRY = 512  # what an entry takes at most, about: a key has a few hundred bytes


@dataclass(frozen=True, slots=True)
class _Known:
    limit: Limit
    hits: int  # what had no room; 0 for a fixed window, which has no room for anything
    remaining: int
    until_us: int


class LocalCache:
    """A counter store in front of another one, with at most `max_entries` buckets that are over."""

    def __init__(self, store: CounterStore, clock: Callable[[], int], max_entries: int) -> None:
        """`clock` tells microseconds, from any start on, and never goes back."""
        self._store = store
        self._clock = clock
        self._max_entries = max_entries
        self._known: dict[str, _Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        """Charge what is not known to be over, as part of a denied request where that follows from the rest."""
        now_us = self._clock()
        charged = Counter(charge.key for charge in charges)
        given_back = {charge.key for charge in charges if charge.hits < 0}
        cached = [None if charge.key in given_back else self._look(charge, now_us) for charge in charges]
        # The same object where it is all of them: a store may know it from before.
        asked = (
            [charge for charge, count in zip(charges, cached, strict=True) if count is None] if any(cached) else charges
        )
        denied = denied or _denies(charges, cached)
        try:
            counts = iter(await self._store.hit(asked, denied=denied) if asked else ())
        except StoreUnavailableError as error:
            if not any(cached):
                raise
            raise PartlyKnownError(error, cached) from error
        answers = []
        for charge, count in zip(charges, cached, strict=True):
            answer = count or next(counts)
            if count is None:
                self._note(charge, answer, now_us, alone=charged[charge.key] == 1)
            answers.append(answer)
        return answers

    def _look(self, charge: Charge, now_us: int) -> Count | None:
        known = self._known.get(charge.key)
        if known is None or charge.hits <= 0:
            return None
        if known.limit != charge.limit or known.until_us <= now_us:
            del self._known[charge.key]
            return None
        if charge.hits < known.hits:
            return None
        used = charge.limit.requests_per_unit + charge.hits if known.hits == 0 else 0
        return Count(over=True, remaining=known.remaining, reset_us=known.until_us - now_us, used=used, cached=True)

    def _note(self, charge: Charge, count: Count, asked_us: int, *, alone: bool) -> None:
        if charge.hits < 0:
            self._known.pop(charge.key, None)
        elif alone and count.over and count.reset_us > 0 and charge.hits > 0:
            if len(self._known) >= self._max_entries and charge.key not in self._known:
                del self._known[next(iter(self._known))]  # the oldest: nothing is lost but a question to the store
            hits = 0 if isinstance(charge.limit, FixedWindow) else charge.hits
            # Counted from before the question, so that it is never thought over for longer than it is.
            self._known[charge.key] = _Known(charge.limit, hits, count.remaining, asked_us + count.reset_us)


def _denies(charges: Sequence[Charge], cached: Sequence[Count | None]) -> bool:
    """Whether what is known denies the request, whatever the rest says.

    Quotas deny together: while there are others to ask, these decide, since all that are known are over.
    """
    known = [charge.role for charge, count in zip(charges, cached, strict=True) if count is not None]
    asked = [charge.role for charge, count in zip(charges, cached, strict=True) if count is None]
    return Role.BINDING in known or (Role.QUOTA in known and Role.QUOTA not in asked)
