"""hit.lua from the outside: the charges of requests as its words, and its numbers as counts. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib import resources

from ratelimit_service import fixed_window, sliding_window, token_bucket
from ratelimit_service.limits import SLICES, FixedWindow, SlidingWindow
from ratelimit_service.model import Charge, Count

SCRIPT = resources.files("ratelimit_service.stores").joinpath("hit.lua").read_text("utf-8")
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
ANSWER = 3  # numbers of the reply for each charge; the first number of all is the time

Words = list[int | str]


def encode(charges: Sequence[Charge], *, denied: bool = False, sparing: bool = False) -> tuple[list[str], Words]:
    """One request's KEYS and ARGV, to which `call` gives their head."""
    keys = []
    words: Words = [len(charges), int(denied), int(sparing)]
    for key, hits, limit, role in charges:
        keys.append(key)
        if isinstance(limit, FixedWindow):
            words += ("w", hits, int(role), limit.seconds, limit.requests_per_unit)
        elif isinstance(limit, SlidingWindow):
            words += ("s", hits, int(role), limit.slice_us, SLICES, limit.requests_per_unit)
        else:
            ticks = token_bucket.cost(limit, hits)
            words += ("b", hits, int(role), limit.ticks_per_us)
            words += divmod(ticks, limit.ticks_per_us)
            words += divmod(limit.capacity_ticks, limit.ticks_per_us)
    return keys, words


def weight(charges: Sequence[Charge]) -> int:
    """What charges cost the server, a fixed window being 1: a sliding one has up to 51 slices to go through."""
    return sum(8 if isinstance(charge.limit, SlidingWindow) else 1 for charge in charges)


def call(requests: Iterable[tuple[list[str], Words]], linger_ms: int) -> tuple[list[str], Words]:
    """KEYS and ARGV of one call for several requests; `linger_ms` is how long keys outlive their use."""
    keys: list[str] = []
    words: Words = [linger_ms]
    for request_keys, request_words in requests:
        keys += request_keys
        words += request_words
    return keys, words


def decode(charges: Sequence[Charge], now_us: int, numbers: Sequence[int]) -> list[Count]:
    """What the numbers of a reply, `ANSWER` for each charge, say to one request."""
    counts = []
    for (_, hits, limit, _), at in zip(charges, range(0, len(numbers), ANSWER), strict=True):
        over, first, second = bool(numbers[at]), numbers[at + 1], numbers[at + 2]
        if isinstance(limit, FixedWindow):
            counts.append(fixed_window.count(limit, now_us, first, over=over))
        elif isinstance(limit, SlidingWindow):
            counts.append(sliding_window.count(limit, first, second, over=over))
        else:
            full_at = first * limit.ticks_per_us + second
            counts.append(token_bucket.count(limit, now_us, full_at, token_bucket.cost(limit, hits), over=over))
    return counts
