"""The name of a bucket in the store.

    rl:{<domain>}:<kind>:<key>=<value>:<key>=<value>...

`kind` is `w` and the seconds of a fixed window, `s` and those of a sliding one, or `b` for a token bucket: a limit that
changes its algorithm or span starts a bucket of its own, and the fixed windows of two limits of one length on the same
entries share their count. Where the values that a pattern takes share one bucket (`share_threshold`), the pattern
stands in their place, with a `~` for the `=`.

Domain, keys and values are percent-encoded, so none of them can hold a `:`, `=`, `~`, `{` or `}` of its own: no two
different buckets get the same name. What is longer than 64 bytes stands as `#` and its SHA-256; no encoded text begins
with a `#`. That bounds the length of names, and keeps long values, such as tokens, out of the store.

The braces are a Redis Cluster hash tag: all buckets of a domain live in one slot, so that one script can charge all the
buckets of a request atomically. The price is that a domain is served by one node.

The time is no part of a name: the store's clock decides which window it is, and one bucket is one key for ever.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow

MAX_COMPONENT_BYTES = 64  # longer ones are hashed

_PLAIN = re.compile(r"[A-Za-z0-9_./@-]{0,64}")


def escape(text: str | bytes) -> str:
    """Encode one component: letters, digits and `_./@-` stay, other bytes become `%XX`; `#` and a hash if too long."""
    if isinstance(text, str):
        if _PLAIN.fullmatch(text) is not None:
            return text
        text = text.encode("utf-8", "surrogatepass")
    if len(text) > MAX_COMPONENT_BYTES:
        return "#" + hashlib.sha256(text).hexdigest()
    return quote(text, safe="/@").replace("~", "%7E")  # which `quote` always leaves


def bucket(domain: str, entries: Iterable[tuple[str, str]], limit: Limit) -> str:
    """The key of the bucket that counts `entries`, all as they are, against `limit`."""
    return _head(domain, limit) + "".join(f":{escape(key)}={escape(value)}" for key, value in entries)


def prefix(domain: str) -> str:
    """What the keys of all buckets of a domain begin with."""
    return f"rl:{{{escape(domain)}}}:"


def _head(domain: str, limit: Limit) -> str:
    if isinstance(limit, FixedWindow):
        return f"{prefix(domain)}w{limit.seconds}"
    if isinstance(limit, SlidingWindow):
        return f"{prefix(domain)}s{limit.seconds}"
    return f"{prefix(domain)}b"


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a rule: what of its entry goes into the key. A text stands for itself, None for what comes."""

    key: str | None
    value: str | None
    shared: bool = False  # `value` is a pattern


@dataclass(frozen=True, slots=True)
class BucketName:
    """The key of a rule's buckets, made ready: `texts` around the encoded texts that `slots` name.

    A slot is the number of an entry, and 0 for its key or 1 for its value.
    """

    texts: tuple[str, ...]
    slots: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, domain: str, steps: Sequence[Step], limit: Limit) -> BucketName:
        """Prepare the key for entries that took these steps."""
        texts, slots = [_head(domain, limit)], []
        for number, step in enumerate(steps):
            for part, (before, text) in enumerate(((":", step.key), ("~" if step.shared else "=", step.value))):
                texts[-1] += before
                if text is None:
                    slots.append((number, part))
                    texts.append("")
                else:
                    texts[-1] += escape(text)
        return cls(tuple(texts), tuple(slots))

    def key(self, entries: Sequence[tuple[str, str]]) -> str:
        """The key of the bucket that counts these entries; the same that `bucket` gives where nothing is shared."""
        texts = self.texts
        key = texts[0]
        for at, (number, part) in enumerate(self.slots, 1):
            key += escape(entries[number][part]) + texts[at]
        return key
