"""The keys of the store, read back: what `keys` wrote, and the rule that counts there. Pure.

A text that `keys` has hashed cannot be read back, and is shown by the beginning of its hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ratelimit_service import keys
from ratelimit_service.commands import wording
from ratelimit_service.limits import MAX_SECONDS, FixedWindow, SlidingWindow, TokenBucket
from ratelimit_service.rules import Entry, Limits, Node, Rule

HASH_DIGITS = 8  # of a hash, where it is shown

_NAME = re.compile(
    r"rl:\{(?P<domain>[^{}:=]*)\}:(?:(?P<kind>[ws])(?P<seconds>[1-9][0-9]{0,9})|b)(?P<tail>(?::[^{}:]*)*)", re.ASCII
)
_PART = re.compile(r"(?P<key>[A-Za-z0-9_./@%#-]*)(?P<sign>[=~])(?P<value>[A-Za-z0-9_./@%#-]*)", re.ASCII)
_LIMITS = {"w": FixedWindow, "s": SlidingWindow, "b": TokenBucket}


class Part(NamedTuple):
    """One entry as it stands in a key: encoded or hashed. The value of a `shared` one is a pattern."""

    key: str
    value: str
    shared: bool


@dataclass(frozen=True, slots=True)
class BucketName:
    """A key that is a bucket's. `kind` is w, s or b, as in `keys`; `seconds` of a b is 0."""

    name: str
    tag: str  # the domain, encoded or hashed
    kind: str
    seconds: int
    parts: tuple[Part, ...]
    tail: str  # the parts as they are written

    @property
    def algorithm(self) -> str:
        """What counts there, in words."""
        if self.kind == "b":
            return "token_bucket"
        return f"{'fixed' if self.kind == 'w' else 'sliding'}_window of {wording.span(self.seconds)}"


class Stored(NamedTuple):
    """A bucket as it was read from the store, and the time of the store's clock then."""

    name: BucketName
    value: bytes
    now_us: int


def parse(name: str) -> BucketName | None:
    """Read a key; None where it is not a bucket's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    seconds = int(found["seconds"] or 0)
    parts = []
    for text in found["tail"].split(":")[1:]:
        part = _PART.fullmatch(text)
        if part is None:
            return None
        parts.append(Part(part["key"], part["value"], part["sign"] == "~"))
    if seconds > MAX_SECONDS:
        return None
    return BucketName(name, found["domain"], found["kind"] or "b", seconds, tuple(parts), found["tail"])


def tail(entries: Iterable[Entry]) -> str:
    """What a key ends with that counts exactly these entries."""
    return "".join(f":{keys.escape(key)}={keys.escape(value)}" for key, value in entries)


def decode(encoded: str) -> str | None:
    """The text that was encoded; None where it was hashed."""
    if encoded.startswith("#"):
        return None
    text = unquote_to_bytes(encoded)
    try:
        return text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return text.decode("utf-8", "backslashreplace")  # Nothing that `keys` has written.


def shown(encoded: str) -> str:
    """The text for a terminal, or the beginning of its hash."""
    text = decode(encoded)
    return f"{encoded[: HASH_DIGITS + 1]}…" if text is None else wording.plain(text)


def entries_shown(name: BucketName) -> str:
    """The entries for a terminal; a pattern that some values share follows a `~`."""
    return ", ".join(f"{shown(key)}{'~' if shared else '='}{shown(value)}" for key, value, shared in name.parts)


class Rules:
    """Finds the rule that counts in a bucket. Texts that are hashed are known where the configuration holds them."""

    def __init__(self, limits: Limits) -> None:
        self._roots = {keys.escape(domain): node for domain, node in limits.domains.items()}
        configured = (text for rule in limits.rules() for step in rule.steps for text in step)
        encoded = ((keys.escape(text), text) for text in configured)
        self._texts = {key: text for key, text in encoded if key.startswith("#")}

    def of(self, name: BucketName) -> Rule | None:
        """The rule, or None: of another configuration, of a limit that a request brought, or not to be told."""
        node = self._roots.get(name.tag)
        texts = []
        for part in name.parts:
            key, value = self._text(part.key), self._text(part.value)
            node = None if node is None or key is None else _step(node, key, value, shared=part.shared)
            texts.append((key, value))
        if node is None or not name.parts:
            return None
        rule = node.rule
        if rule.limit is None or rule.bucket is None or not isinstance(rule.limit, _LIMITS[name.kind]):
            return None
        # What cannot be told stands as an empty text on both sides; the rest must be the same.
        known = rule.bucket.key([(key or "", value or "") for key, value in texts])
        head = name.name[: len(name.name) - len(name.tail)]
        written = "".join(
            f":{'' if key is None else part.key}{'~' if part.shared else '='}{'' if value is None else part.value}"
            for part, (key, value) in zip(name.parts, texts, strict=True)
        )
        return rule if known == head + written else None

    def _text(self, encoded: str) -> str | None:
        return self._texts.get(encoded) if encoded.startswith("#") else decode(encoded)


def _step(node: Node, key: str, value: str | None, *, shared: bool) -> Node | None:
    """One level down, as `matching.step` goes; `value` is None where it is hashed and no rule's."""
    for wildcard in node.wildcards:
        if shared and wildcard.value.text == value and wildcard.key.matches(key):
            return wildcard.node
    if shared:
        return None
    if value is not None and (key, value) in node.exact:
        return node.exact[key, value]
    for wildcard in node.wildcards:
        if not wildcard.key.matches(key):
            continue
        if value is None and wildcard.value.text.strip("*"):
            return None  # It may fit or not.
        if value is None or wildcard.value.matches(value):
            return wildcard.node
    return node.any_value.get(key)
