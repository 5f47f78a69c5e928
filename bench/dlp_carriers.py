"""What values stand in: sentences, JSON, logs, CSV, YAML, queries, code, headers. None of it holds anything itself."""

from __future__ import annotations

import random
import re
import string

from bench.dlp_personal import Value

_PLAIN = frozenset(string.ascii_letters + string.digits + "-._~")  # what a query carries unescaped
_NEUTRAL = ("value", "note", "field_7", "data", "x", "entry", "payload", "remark", "c")
_BEFORE = (
    "The quarterly report is attached and the numbers look fine so far. ",
    "Thanks for getting back to me yesterday, much appreciated!\n\n",
    '{"event": "saved", "ok": true, "tags": ["a", "b"]}\n',
    "2026-11-03T10:11:12Z INFO worker started in 35 ms\n",
    "def main() -> None:\n    run(retries=3, verbose=True)\n",
    "",
    "",
)
_AFTER = (
    "\nPlease let me know whether that works for you.",
    "\nBest regards, the team",
    '\n{"event": "done", "took_ms": 12}',
    "\n2026-11-03T10:11:13Z INFO worker stopped",
    "",
    "",
)


# `name` is the words that stand beside a value, `id` the same as an identifier, `number` any number.
BESIDE_WORDS = (
    '{"id": %(number)d, "%(id)s": "%(value)s", "active": true}',
    '{"%(id)s":"%(value)s"}',
    "%(id)s=%(value)s",
    "%(id)s: %(value)s",
    "  - %(id)s: '%(value)s'",
    "%(name)s: %(value)s",
    "The %(name)s is %(value)s, as I said before.",
    "My %(name)s: %(value)s. Can you check it?",
    "INFO request done %(id)s=%(value)s status=ok",
    'export %(constant)s="%(value)s"',
    '    %(id)s = "%(value)s"',
    "<%(id)s>%(value)s</%(id)s>",
    "X-%(header)s: %(value)s",
    "| %(name)s | %(value)s |",
)
ALONE = (
    *BESIDE_WORDS,
    "%(value)s",
    "see %(value)s for that",
    "(%(value)s)",
    "[%(number)d, '%(value)s', None]",
    "a,b,c\n1,%(value)s,x\n2,,y",
    '"%(value)s";"open";"retail"',
    "WARN could not parse <%(value)s> (skipped)",
    "Was it %(value)s? I am not sure.",
)
_QUERY = "GET /search?%(id)s=%(value)s&page=2 HTTP/1.1"


def carry(rng: random.Random, value: Value) -> tuple[str, int]:
    """Put a value into a text; return it with the place where the value begins."""
    before, after = rng.choice(_BEFORE), rng.choice(_AFTER)
    if not value.words:
        inner = value.text
    else:
        beside = value.needs_words or rng.random() < 0.5
        name = rng.choice(value.words if beside else _NEUTRAL)
        carriers = BESIDE_WORDS if beside else ALONE
        if _PLAIN.issuperset(value.text):
            carriers = (*carriers, _QUERY, _QUERY)
        inner = rng.choice(carriers) % _fields(rng, name, value.text)
    text = f"{before}{inner}{after}"
    return text, len(before) + inner.rindex(value.text)


def _fields(rng: random.Random, name: str, value: str) -> dict[str, str | int]:
    identifier = re.sub(r"\W+", "_", name).strip("_")
    return {
        "name": name,
        "id": identifier,
        "constant": identifier.upper(),
        "header": identifier.replace("_", "-").title(),
        "number": rng.randrange(99),
        "value": value,
    }
