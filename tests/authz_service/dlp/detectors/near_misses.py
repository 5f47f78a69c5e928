"""Texts that look like personal data and are none, drawn from a seed: what fills logs, requests and answers of APIs.

Nothing of `authz_service` makes them.
"""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable, Iterator

_WORDS = ("order", "build", "commit", "total", "request", "shard", "offset", "page", "trace", "batch", "job", "item")
_UNITS = ("ms", "KB", "rows", "px", "s", "%", "items")


def _digits(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(count))


def _hex(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("0123456789abcdef") for _ in range(count))


def _key(draw: random.Random) -> str:
    return f"{draw.choice(_WORDS)}_{draw.choice(('id', 'no', 'ref', 'key', 'count'))}"


def _uuid(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def _moment(draw: random.Random) -> str:
    date = f"{draw.randrange(1990, 2031)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
    time = f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}"
    return date + draw.choice(("T", " ")) + time + draw.choice(("Z", ".123Z", "+0100", "+01:00", "", ".123456"))


KINDS: tuple[Callable[[random.Random], str], ...] = (
    lambda draw: f"commit {_hex(draw, 40)}",
    lambda draw: f"merge {_hex(draw, 7)} into {_hex(draw, 12)}",
    lambda draw: f"sha256:{_hex(draw, 64)}",
    lambda draw: f'"etag": "{_hex(draw, 32)}"',
    _uuid,
    lambda draw: _uuid(draw).upper(),
    lambda draw: f'"trace_id": "{_uuid(draw)}"',
    _moment,
    lambda draw: f'{{"created_at": {draw.randrange(10**9, 2 * 10**9)}}}',
    lambda draw: f'{{"ts": {draw.randrange(10**12, 2 * 10**12)}, "{_key(draw)}": {draw.randrange(10**6)}}}',
    lambda draw: str(draw.randrange(10**15, 2 * 10**15)),
    lambda draw: str(draw.randrange(10**18, 2 * 10**18)),
    lambda draw: f"{_digits(draw, 3)}-{_digits(draw, 7)}-{_digits(draw, 7)}",
    lambda draw: f"ORD-{draw.randrange(2000, 2030)}-{_digits(draw, 6)}",
    lambda draw: f"order number {_digits(draw, 9)}",
    lambda draw: f'"{_key(draw)}": "{_digits(draw, draw.randrange(5, 12))}"',
    lambda draw: f"{_key(draw)}={_digits(draw, 10)}&page={draw.randrange(99)}",
    lambda draw: f"INV{_digits(draw, 8)}",
    lambda draw: f"v{draw.randrange(20)}.{draw.randrange(20)}.{draw.randrange(200)}",
    lambda draw: f"v{draw.randrange(20)}.{draw.randrange(20)}.{draw.randrange(200)}.{draw.randrange(9)}",
    lambda draw: f"version {draw.randrange(20)}.{draw.randrange(20)}.{draw.randrange(20)}.{draw.randrange(9)}",
    lambda draw: ".".join(str(draw.randrange(20)) for _ in range(draw.choice((3, 5, 6, 7)))),
    lambda draw: f"Mozilla/5.0 Chrome/{draw.randrange(90, 140)}.0.0.0 Safari/537.36",
    lambda draw: f"{draw.random() * 10 ** draw.randrange(1, 6):.{draw.randrange(3, 17)}f}",
    lambda draw: f"{draw.random():.17e}",
    lambda draw: f"[{draw.uniform(-90, 90):.14f}, {draw.uniform(-180, 180):.14f}]",
    lambda draw: f"0x{_hex(draw, draw.choice((8, 16, 32, 40, 64)))}",
    lambda draw: base64.b64encode(draw.randbytes(draw.randrange(20, 90))).decode(),
    lambda draw: base64.urlsafe_b64encode(draw.randbytes(draw.randrange(20, 90))).decode().rstrip("="),
    lambda draw: ":".join(_hex(draw, 2) for _ in range(draw.choice((6, 20, 32)))),
    lambda draw: f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}",
    lambda draw: f"{draw.choice(('a', 'face', 'std', 'bad', 'e'))}::{draw.choice(('b', 'add', 'fade', 'c', 'f'))}()",
    lambda draw: f"icon@{draw.randrange(2, 4)}x.png",
    lambda draw: f"lodash@{draw.randrange(9)}.{draw.randrange(20)}.{draw.randrange(30)}",
    lambda draw: f"git@host.example:team/project-{draw.randrange(99)}.git",
    lambda draw: f"ssh://deploy@build{draw.randrange(9)}.example.org:22/srv",
    lambda draw: f"root@localhost:{draw.randrange(1024, 9999)}",
    lambda draw: f"978-3-{_digits(draw, 2)}-{_digits(draw, 6)}-{_digits(draw, 1)}",
    lambda draw: f"{draw.randrange(10**6)} {draw.choice(_UNITS)}, {draw.randrange(10**4)} {draw.choice(_UNITS)}",
    lambda draw: f"${draw.randrange(1, 999)},{_digits(draw, 3)},{_digits(draw, 3)}.{_digits(draw, 2)}",
    lambda draw: f"{draw.choice(_WORDS)}-{_hex(draw, 10)}-{_hex(draw, 5)}",
    lambda draw: f"report_{_moment(draw)[:10].replace('-', '')}_{_digits(draw, 6)}.csv",
    lambda draw: f"due {_moment(draw)[:10]}, shipped {draw.randrange(1, 28)}.{draw.randrange(1, 12)}.2025",
    lambda draw: f"{draw.randrange(100, 200)}-{_digits(draw, 3)}-{_digits(draw, 4)}",
    lambda draw: f"+{_digits(draw, 4)} -{_digits(draw, 3)}",
    lambda draw: f"@@ -{draw.randrange(999)},{draw.randrange(99)} +{draw.randrange(999)},{draw.randrange(99)} @@",
    lambda draw: " ".join(_digits(draw, 4) for _ in range(draw.randrange(6, 10))),
    lambda draw: f"1Z{_digits(draw, 3)}E{_digits(draw, 11)}",
    lambda draw: f"SKU {_digits(draw, 4)}-{_digits(draw, 4)}",
    lambda draw: f"arn:aws:iam::{_digits(draw, 12)}:role/{draw.choice(_WORDS)}",
    lambda draw: "/".join((draw.choice(_WORDS), _digits(draw, 9), draw.choice(_WORDS), _digits(draw, 3))),
)


def near_misses(count: int, seed: int) -> Iterator[str]:
    """Draw texts, each kind in its turn."""
    draw = random.Random(seed)
    for number in range(count):
        yield KINDS[number % len(KINDS)](draw)
