"""Header fields around bodies that may change: what is asked for, what is refused, what no longer holds. Pure.

A digest of content or representation (RFC 9530; `digest` and `content-md5` before it) is taken off, since it would not
fit: an intermediary that changes content must not pass one on that it has not made, and a digest of what we have made
would claim that its origin did. A strong entity tag becomes a weak one (RFC 9110 section 8.8.1): caches may go on with
it, but no client can take it for a promise of bytes.
"""

from __future__ import annotations

import re

from authz_service.dlp.actions import Direction
from authz_service.dlp.codings import SUPPORTED, codings_of
from authz_service.exchange.events import Change, Fields
from authz_service.exchange.refusals import RefusedError

DIGESTS = ("content-digest", "repr-digest", "digest", "content-md5")
MAX_LENGTH_DIGITS = 15
_SWITCHING, _PARTIAL = "101", "206"
_KNOWN_CODINGS = frozenset({*SUPPORTED, "x-gzip", "identity"})
_LIVE = frozenset({"text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl",
                   "application/json-seq", "application/stream+json"})  # fmt: skip
_NUMBER = re.compile(r"[0-9]+")


def value_of(fields: Fields, name: str) -> str:
    """All values of a name, joined as a list; empty where there is none."""
    return ",".join([value for each, value in fields if each == name])


def length_of(fields: Fields) -> int | None:
    """The length that is announced, if one is."""
    text = value_of(fields, "content-length")
    return int(text) if len(text) <= MAX_LENGTH_DIGITS and _NUMBER.fullmatch(text) else None


def media_type(fields: Fields) -> str:
    """The media type without parameters."""
    return value_of(fields, "content-type").partition(";")[0].strip().lower()


def is_live(fields: Fields) -> bool:
    """Whether a body is one that is read while it still comes."""
    kind = media_type(fields)
    return kind in _LIVE or is_grpc(fields)


def is_grpc(fields: Fields) -> bool:
    """Whether a body is gRPC's messages."""
    kind = media_type(fields)
    return kind == "application/grpc" or kind.startswith(("application/grpc+", "application/grpc-web"))


def refuse_other_protocols(direction: Direction, fields: Fields) -> None:
    """Refuse what turns into something else than HTTP. Nothing comes of `h2c`: Envoy does not speak it."""
    upgrade = value_of(fields, "upgrade").strip().lower()
    if direction is Direction.REQUEST:
        refused = upgrade not in {"", "h2c"} or value_of(fields, ":method").upper() == "CONNECT"
    else:
        refused = value_of(fields, ":status") == _SWITCHING
    if refused:
        raise RefusedError("upgrade_refused")


def codings_to_undo(direction: Direction, fields: Fields) -> tuple[str, ...]:
    """The codings of a body; raises `RefusedError` or `CodingError` where it cannot be looked at whole and decoded.

    A part of a body is refused: of a value that is cut in two by ranges neither half is found.
    """
    if direction is Direction.REQUEST:
        is_part = bool(value_of(fields, "content-range"))
    else:
        is_part = value_of(fields, ":status") == _PARTIAL or media_type(fields) == "multipart/byteranges"
    if is_part:
        raise RefusedError("partial_content")
    if value_of(fields, "grpc-encoding").strip().lower() not in {"", "identity"}:
        raise RefusedError("unknown_coding")  # each message is a body of its own, encoded on its own
    return codings_of(value_of(fields, "content-encoding"))


def ask_for_whole(fields: Fields) -> Change:
    """Ask the upstream for answers that can be looked at: whole, and in codings that we know.

    A server may always answer a request for a range with the whole (RFC 9110 section 14.2).
    """
    remove = [name for name in ("range", "if-range") if value_of(fields, name)]
    accepted = value_of(fields, "accept-encoding")
    items = [item.strip() for item in accepted.split(",") if item.strip()]
    kept = [item for item in items if item.partition(";")[0].strip().lower() in _KNOWN_CODINGS]
    if kept == items:
        return Change((), remove)
    return Change([("accept-encoding", ", ".join(kept) or "identity")], remove)


def no_longer_true(fields: Fields) -> Change:
    """Take off or weaken what speaks of the bytes of a body that has changed, or may."""
    present = {name for name, _ in fields}
    remove = [name for name in (*DIGESTS, "accept-ranges") if name in present]
    tag = value_of(fields, "etag").strip()
    return Change([("etag", f"W/{tag}")] if tag.startswith('"') else (), remove)
