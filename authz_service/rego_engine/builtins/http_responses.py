"""Responses of http.send: as policies see them, how long they stay fresh (RFC 9111), and where they are kept.

What is kept is found by a digest of the request: a token that was sent stays in no memory longer than its evaluation.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from authz_service.rego_engine.builtins.http_messages import HttpResponse
from authz_service.rego_engine.builtins.json_text import unmarshal as read_json
from authz_service.rego_engine.builtins.texts import from_octets
from authz_service.rego_engine.builtins.yaml_reading import unmarshal as read_yaml
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

CACHEABLE: Final = frozenset({200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501})  # RFC 7231 section 6.1
MAX_KEPT_OCTETS: Final = 16 * 1_048_576  # of all bodies and headers together
MAX_KEPT_RESPONSES: Final = 10_000

_SECOND: Final = 1_000_000_000  # nanoseconds
_LONGEST: Final = 2**31 - 1  # seconds, RFC 9111 section 1.2.2
_YAML: Final = "application/yaml", "application/x-yaml"


def shown(response: HttpResponse, *, as_json: bool, as_yaml: bool) -> dict[str, Value]:
    """Return a response as an object. Its body is read as JSON or YAML where its type, or the policy, says so."""
    headers: dict[str, Value] = {}
    for name, value in response.headers:
        headers.setdefault(name, []).append(value)
    return {
        "status": f"{response.status} {response.reason}".rstrip(),
        "status_code": response.status,
        "body": _body(response, as_json=as_json, as_yaml=as_yaml),
        "raw_body": from_octets(response.body),
        "headers": headers,
    }


def _body(response: HttpResponse, *, as_json: bool, as_yaml: bool) -> Value:
    """Return what a body says, or null where it cannot be read."""
    kind = response.header("content-type")
    try:
        if as_json or _is_json(kind):
            return read_json(response.body.decode("utf-8", "replace"))
        if as_yaml or any(name in kind for name in _YAML):
            return read_yaml(from_octets(response.body))
    except BuiltinFault:
        return None
    return None


def _is_json(kind: str) -> bool:
    group, _, name = kind.partition(";")[0].strip().lower().partition("/")
    return group == "application" and (name == "json" or name.endswith("+json"))


def fresh_until(response: HttpResponse, now_ns: int) -> int | None:
    """Return until when a response may be used again without asking, in nanoseconds since the epoch.

    Zero means not at all, but it may be kept and asked about; None, that it must not be kept.
    """
    directives = _directives(response.header("cache-control"))
    if "no-store" in directives:
        return None
    if "no-cache" in directives:
        return 0
    if "max-age" not in directives:
        return _time_ns(response.header("expires")) or 0
    age = directives["max-age"].strip('"')
    made = _time_ns(response.header("date"))
    if not (age.isascii() and age.isdigit()) or made is None:
        return None
    if made > now_ns + _SECOND:  # a clock that is ahead of ours tells no age
        return 0
    seconds = _LONGEST if len(age) > len(str(_LONGEST)) else min(int(age), _LONGEST)
    return made + seconds * _SECOND


def refreshed(kept: HttpResponse, answer: HttpResponse) -> HttpResponse:
    """Return a kept response with the headers of the answer that it is still current (RFC 9111 section 4.3.4)."""
    newer = {name for name, _ in answer.headers}
    headers = tuple(pair for pair in kept.headers if pair[0] not in newer) + answer.headers
    return HttpResponse(kept.status, kept.reason, headers, kept.body)


def _directives(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _time_ns(text: str) -> int | None:
    try:
        found = parsedate_to_datetime(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * _SECOND
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


@dataclass(frozen=True, slots=True)
class Kept:
    """A response, and until when it is fresh."""

    response: HttpResponse
    fresh_until_ns: int

    @property
    def octets(self) -> int:
        """How much memory it takes, roughly."""
        return len(self.response.body) + sum(len(name) + len(value) for name, value in self.response.headers)


class KeptResponses:
    """Responses that outlive their evaluation, the least recently used of them dropped first. Safe among threads."""

    def __init__(self, octets: int = MAX_KEPT_OCTETS, responses: int = MAX_KEPT_RESPONSES) -> None:
        self._most_octets = octets
        self._most = responses
        self._octets = 0
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: bytes) -> Kept | None:
        """Return what is kept under a digest."""
        with self._lock:
            found = self._kept.get(digest)
            if found is not None:
                self._kept.move_to_end(digest)
            return found

    def put(self, digest: bytes, kept: Kept) -> None:
        """Keep a response under a digest, unless it alone is larger than all together may be."""
        with self._lock:
            self._drop(digest)
            if kept.octets > self._most_octets or not self._most:
                return
            self._kept[digest] = kept
            self._octets += kept.octets
            while self._octets > self._most_octets or len(self._kept) > self._most:
                self._drop(next(iter(self._kept)))

    def drop(self, digest: bytes) -> None:
        """Forget what is kept under a digest."""
        with self._lock:
            self._drop(digest)

    def _drop(self, digest: bytes) -> None:
        found = self._kept.pop(digest, None)
        if found is not None:
            self._octets -= found.octets
