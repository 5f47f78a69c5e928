"""hit.lua from the outside: the charges of requests as its words, and its numbers as counts. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

from ratelimit_service import fixed_window, sliding_window, token_bucket
from ratelimit_service.limits import SLICES, FixedWindow, SlidingWindow
from ratelimit_service.model import Charge, Count
from service_kit.valkey.connection import Command, packed
from service_kit.valkey.errors import StoreUnavailableError

SCRIPT = resources.files("ratelimit_service.stores").joinpath("hit.lua").read_text("utf-8")
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
ANSWER = 3  # numbers of the reply for each charge; the first number of all is the time

Words = list[int | str]


def encode(charges: Sequence[Charge], *, denied: bool = False, sparing: bool = False) -> tuple[list[str], Words]:
    """One request's KEYS and ARGV, which `pack` packs and `call` gives a head."""
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


class Packed(NamedTuple):
    """One request's KEYS and ARGV as they go over the wire, how many there are, and what they cost the server.

    All keys share the hash `tag`. A fixed window weighs 1; a sliding one has up to 51 slices to go through.
    """

    tag: str
    keys: bytes
    charges: int
    words: bytes
    word_count: int
    weight: int


def pack(charges: Sequence[Charge], *, denied: bool = False, sparing: bool = False, prefix: str = "") -> Packed:
    """Pack what `encode` makes of a request, with `prefix` before each key."""
    keys, words = encode(charges, denied=denied, sparing=sparing)
    tag = tag_of(keys[0])
    return Packed(
        tag,
        packed(tuple([prefix + key for key in keys])),
        len(keys),
        packed(tuple(words)),
        len(words),
        sum(8 if isinstance(charge.limit, SlidingWindow) else 1 for charge in charges),
    )


def tag_of(key: str) -> str:
    """The hash tag of a key, which all keys of a request share (see `keys`)."""
    start, end = key.find("{"), key.find("}")
    if not 0 <= start < end:
        raise StoreUnavailableError("a bucket's key has no hash tag")
    return key[start + 1 : end]


def call(head: Command, requests: Sequence[Packed], linger_ms: int) -> bytes:
    """One command for several requests; `head` calls the script, `linger_ms` is how long keys outlive their use."""
    keys = sum([each.charges for each in requests])
    words = sum([each.word_count for each in requests])
    return b"".join(
        [
            b"*%d\r\n" % (len(head) + 1 + keys + 1 + words),
            packed((*head, keys)),
            *[each.keys for each in requests],
            packed((linger_ms,)),
            *[each.words for each in requests],
        ]
    )


def decode(charges: Sequence[Charge], now_us: int, numbers: Sequence[int]) -> list[Count]:
    """What the numbers of a reply, `ANSWER` for each charge, say to one request."""
    counts = []
    each = iter(numbers)
    for (_, hits, limit, _), over, first, second in zip(charges, each, each, each, strict=True):
        if isinstance(limit, FixedWindow):
            counts.append(fixed_window.count(limit, now_us, first, over=over > 0))
        elif isinstance(limit, SlidingWindow):
            counts.append(sliding_window.count(limit, first, second, over=over > 0))
        else:
            full_at = first * limit.ticks_per_us + second
            counts.append(token_bucket.count(limit, now_us, full_at, token_bucket.cost(limit, hits), over=over > 0))
    return counts
