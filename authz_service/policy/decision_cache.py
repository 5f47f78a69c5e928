"""Results that the policy itself allows to be kept for a while. Pure: times are passed in.

A result may carry `cache: {"ttl": SECONDS, "key": [PATH, ...]}`. It then answers for every request of the same caller
whose input has the same values at those paths ("method", "user.roles", "attributes.request.http.host"), for `ttl`
seconds, and no longer than the token lives that it was made for.

A path is a text, or a list of names for those that have dots in them. In a text a dot may end a name or be a part of
it: what an object has decides. A number leads into a list. A path that can be read in two ways, or that leads through
what is neither object nor list, says nothing for certain of the request, and nothing is kept.

Always a part of the key, whether or not the policy thinks of it: the rule, who calls and what he has proven, and what
was found in the request. What a policy forgets must not let one caller in as another, nor a secret out.

A result is dropped as soon as the policy changes or a revocation is heard of. A `cache` that is not understood keeps
nothing, and changes nothing of the decision.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from authz_service.dlp.request import Scan
from authz_service.model import Identity
from authz_service.policy.document import MEMBERS

MAX_ENTRIES = 10_000
MAX_BYTES = 64 * 1024 * 1024  # of all results that are kept
MAX_RESULT_BYTES = 64 * 1024  # of one; a larger one is not kept
MAX_TTL = 3_600.0  # seconds; a longer one counts as this
MAX_PATHS = 16  # of one key
MAX_PATH = 256  # characters of one, in all its names
MAX_NAMES = 64  # of one path
MAX_SHAPES = 8  # different keys of one rule; further ones are not kept
MAX_RULES = 256  # whose keys are known

Path = str | tuple[str, ...]  # with dots between names, or name by name
Shape = tuple[Path, ...]
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")  # as it is written only once


@dataclass(frozen=True, slots=True)
class Asking:
    """One question to the policy: for whom, about what, when.

    `policy` is the engine, whose identity tells it from the next one, and `revision` what it says of itself.
    `generation` counts the revocations that were known when the caller was looked at. `now` is in epoch seconds.
    """

    policy: object
    revision: str
    rule: str
    identity: Identity | None
    scan: Scan
    generation: int
    now: float


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    until: float
    size: int


class DecisionCache:
    """The results that are kept, for one policy and one generation at a time."""

    def __init__(self, entries: int = MAX_ENTRIES, most_bytes: int = MAX_BYTES) -> None:
        """`entries` 0 keeps nothing."""
        self._most_entries = entries
        self._most_bytes = most_bytes
        self._kept: dict[bytes, _Kept] = {}
        self._bytes = 0
        self._shapes: dict[str, list[Shape]] = {}
        self._policy: object = None
        self._revision = ""
        self._generation = 0

    def __len__(self) -> int:
        return len(self._kept)

    def members(self, rule: str, reads: frozenset[str] | None) -> frozenset[str] | None:
        """Return the members of the input to build: those that the policy reads, and those that keys are made of."""
        shapes = self._shapes.get(rule)
        if reads is None or not shapes:
            return reads
        return reads | {_member(path) for shape in shapes for path in shape}

    def knows(self, rule: str) -> bool:
        """Whether any result of a rule has asked to be kept, so that it is worth looking."""
        return rule in self._shapes

    def find(self, asking: Asking, document: Mapping[str, Any]) -> Any:
        """Return the result that is kept for a question; None where there is none."""
        if not self._shapes or not self._is_current(asking):
            return None
        for shape in self._shapes.get(asking.rule, ()):
            key = _key(asking, shape, document)
            kept = self._kept.get(key) if key is not None else None
            if key is None or kept is None:
                continue
            if asking.now < kept.until:
                return kept.value
            self._drop(key)
        return None

    def keep(self, asking: Asking, document: Mapping[str, Any], built: frozenset[str] | None, value: Any) -> None:
        """Keep a result, if it says so. `built` are the members of the input that were built; None: all.

        Where a key needs a member that was not built, the result is not kept; the next input will have it.
        """
        found = _read_cache(value)
        if found is None or not self._most_entries or not self._is_current(asking):
            return
        ttl, shape = found
        if not self._learn(asking.rule, shape) or any(_is_missing(path, built) for path in shape):
            return
        until = asking.now + ttl
        if asking.identity is not None:
            until = min(until, asking.identity.expires_at)
        size = _size(value)
        key = _key(asking, shape, document)
        if key is None or until <= asking.now or size > min(MAX_RESULT_BYTES, self._most_bytes):
            return
        self._drop(key)
        while len(self._kept) >= self._most_entries or self._bytes + size > self._most_bytes:
            self._drop(next(iter(self._kept)))  # the one that was kept first
        self._kept[key] = _Kept(value, until, size)
        self._bytes += size

    def _is_current(self, asking: Asking) -> bool:
        """Whether a question is about what the cache is for; a newer policy or generation empties it first."""
        if asking.policy is not self._policy or asking.revision != self._revision:
            self._policy, self._revision = asking.policy, asking.revision
            self._shapes.clear()
            self._empty()
        if asking.generation > self._generation:
            self._generation = asking.generation
            self._empty()
        return asking.generation == self._generation  # one from before a revocation neither finds nor keeps

    def _empty(self) -> None:
        self._kept.clear()
        self._bytes = 0

    def _learn(self, rule: str, shape: Shape) -> bool:
        """Note of which paths a rule's keys are made; say whether the shape is one of those that are known."""
        if rule not in self._shapes and len(self._shapes) >= MAX_RULES:
            return False
        shapes = self._shapes.setdefault(rule, [])
        if shape in shapes:
            return True
        if len(shapes) >= MAX_SHAPES:
            return False
        shapes.append(shape)
        return True

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.size


def _read_cache(value: Any) -> tuple[float, Shape] | None:
    """Return for how long a result may be kept, and what its key is made of; None where it may not."""
    cache = value.get("cache") if isinstance(value, dict) else None
    if not isinstance(cache, dict) or cache.keys() != {"ttl", "key"}:
        return None
    ttl, paths = cache["ttl"], cache["key"]
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not math.isfinite(ttl) or ttl <= 0:
        return None
    if not isinstance(paths, list) or len(paths) > MAX_PATHS:
        return None
    read = [_read_path(path) for path in paths]
    known = {path for path in read if path is not None}
    if None in read:
        return None
    return min(float(ttl), MAX_TTL), tuple(sorted(known, key=lambda path: (isinstance(path, str), path)))


def _read_path(path: Any) -> Path | None:
    """Return a path as it is understood; None where it is none."""
    if isinstance(path, str):
        return path if 0 < len(path) <= MAX_PATH and path.count(".") < MAX_NAMES else None
    if not isinstance(path, list) or not 0 < len(path) <= MAX_NAMES or not all(isinstance(name, str) for name in path):
        return None
    return tuple(path) if sum(map(len, path)) <= MAX_PATH else None


def _member(path: Path) -> str:
    """Return the member of the input into which a path leads: none has a dot in its name."""
    return path.partition(".")[0] if isinstance(path, str) else path[0]


def _is_missing(path: Path, built: frozenset[str] | None) -> bool:
    member = _member(path)
    return built is not None and member in MEMBERS and member not in built


def _key(asking: Asking, shape: Shape, document: Mapping[str, Any]) -> bytes | None:
    """Return what two questions share exactly when one result answers both: a digest, so that keys are short.

    None where a path does not say for certain what the request has there, or where a value is none that JSON has: what
    cannot be told from others is no key.
    """
    values = [_at(document, path) for path in shape]
    if None in values:
        return None
    parts = [asking.rule, _caller(asking.identity), _carried(asking.scan), shape, values]
    try:  # texts as they are: escaped, the two halves of a character would read like the character
        return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).digest()
    except (TypeError, ValueError, RecursionError):
        return None


def _caller(identity: Identity | None) -> Sequence[Any] | None:
    if identity is None:
        return None
    certificate = identity.certificate.sha256 if identity.certificate else None
    confirmation = identity.confirmation
    return [
        identity.issuer, identity.user, identity.agent, identity.tenant, list(identity.roles), identity.binding.value,
        certificate, [confirmation.jkt, confirmation.x5t_s256] if confirmation else None,
    ]  # fmt: skip


def _carried(scan: Scan) -> Sequence[Any]:
    return [scan.carries_local_file, [[*astuple(finding)] for finding in scan.findings]]


def _at(document: Mapping[str, Any], path: Path) -> Sequence[Any] | None:
    """Return what stands at a path, and the way to it; or how far the way goes, where the next name is not there.

    The way is told because two requests may have one value in places that a policy reads differently: under a name with
    a dot, under two names, in a list. None where more than one way leads on, or none can.
    """
    names = path.split(".") if isinstance(path, str) else path
    way: list[str | int] = []
    value: Any = document
    at = 0
    while at < len(names):
        step: str | int
        if isinstance(value, Mapping):
            ends = range(len(names), at, -1) if isinstance(path, str) else (at + 1,)
            found = [end for end in ends if ".".join(names[at:end]) in value]
            if len(found) > 1:
                return None
            if not found:
                return ["absent", way]
            step, at = ".".join(names[at : found[0]]), found[0]
        elif isinstance(value, list | tuple) and _INDEX.fullmatch(names[at]):
            step, at = int(names[at]), at + 1
            if step >= len(value):
                return ["absent", way]
        else:
            return None
        way.append(step)
        value = value[step]
    return ["is", way, value]


def _size(value: Any) -> int:
    try:
        return len(json.dumps(value, default=str))
    except (TypeError, ValueError, RecursionError):
        return MAX_RESULT_BYTES + 1
