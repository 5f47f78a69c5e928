"""The name of a bucket in the store.

    rl:{<domain>}:<kind>:<key>=<value>:<key>=<value>...

`kind` is `w` and the unit's seconds for a fixed window, `b` for a token bucket: a limit that changes its algorithm or
unit starts a bucket of its own, and the windows of two limits of one unit on the same entries share their count.

Domain, keys and values are percent-encoded, so none of them can hold a `:`, `=`, `{` or `}` of its own: no two
different buckets get the same name. What is longer than 64 bytes stands as `#` and its SHA-256; no encoded text begins
with a `#`. That bounds the length of names, and keeps long values, such as tokens, out of the store.

The braces are a Redis Cluster hash tag: all buckets of a domain live in one slot, so that one script can charge all the
buckets of a request atomically. The price is that a domain is served by one node.

The time is no part of a name: the store's clock decides which window it is, and one bucket is one key for ever.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import quote

from ratelimit_service.model import Entry, FixedWindow, Limit

MAX_COMPONENT_BYTES = 64  # longer ones are hashed

_PLAIN = re.compile(r"[A-Za-z0-9_.~/@-]{0,64}")


def escape(text: str | bytes) -> str:
    """Encode one component: letters, digits and `_.~/@-` stay, other bytes become `%XX`; `#` and a hash if too long."""
    if isinstance(text, str):
        if _PLAIN.fullmatch(text) is not None:
            return text
        text = text.encode("utf-8", "surrogatepass")
    if len(text) > MAX_COMPONENT_BYTES:
        return "#" + hashlib.sha256(text).hexdigest()
    return quote(text, safe="/@")


def bucket(domain: str, entries: Iterable[Entry], limit: Limit) -> str:
    """The key of the bucket that counts `entries` against `limit`."""
    kind = f"w{limit.unit.value}" if isinstance(limit, FixedWindow) else "b"
    path = "".join(f":{escape(key)}={escape(value)}" for key, value in entries)
    return f"rl:{{{escape(domain)}}}:{kind}{path}"
