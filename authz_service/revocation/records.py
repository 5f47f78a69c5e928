"""Revocations and changes as Valkey keeps them, and back. Pure; whatever is not as it is written here is refused.

    field   of the hash: a JSON list of kind, value, issuer, then `all` or `issued_before`: what may stand side by side
            (the store keeps a field of another form beside them, see change.lua)
    value   of the hash: the change's id, when it ends in milliseconds since the epoch (0 for never), the body
    change  of the stream: `change`, `number`, `until`, `body`, in this order
    body    a JSON object; for a change that restores, without `issued_before`

The id is the stream's: milliseconds since the epoch by the server's clock, a dash, a number.
"""

from __future__ import annotations

import json
import re
from typing import Any

from authz_service.revocation.model import Action, Change, Kind, Order, Revocation, RevocationError, Subject

MAX_BODY_BYTES = 8192  # more than the longest texts take in UTF-8
_ID = re.compile(rb"(\d{1,15})-(\d{1,19})")
_NUMBER = re.compile(rb"\d{1,15}")
_FIELDS = [b"change", b"number", b"until", b"body"]


class RecordError(Exception):
    """What Valkey holds cannot be read. The text holds nothing of it."""


def fields_of(subject: Subject) -> tuple[str, str]:
    """The fields under which a subject's revocations are kept: of all its tokens, and of those before a time."""
    named = [subject.kind.value, subject.value, subject.issuer]
    return _dumps([*named, "all"]), _dumps([*named, "issued_before"])


def field_of(subject: Subject, issued_before: float | None) -> str:
    """The field of one revocation."""
    return fields_of(subject)[issued_before is not None]


def write_order(order: Order) -> str:
    """Write the body of a revocation."""
    return _dumps({**_authored(order.subject, order.by, order.reason), "issued_before": order.issued_before})


def write_restoration(subject: Subject, by: str, reason: str) -> str:
    """Write the body of a change that restores."""
    return _dumps(_authored(subject, by, reason))


def position(change: str) -> tuple[int, int]:
    """Where a change's id stands in the order of all; raises `RecordError`."""
    match = _ID.fullmatch(change.encode("utf-8", "replace"))
    if match is None:
        raise RecordError("an id is not that of a change")
    return int(match[1]), int(match[2])


def read_entry(field: bytes, value: bytes) -> Revocation:
    """Read one revocation of the hash; raises `RecordError`."""
    match value.split(b" ", 2):
        case [change, until, body]:
            revocation = _revocation(change, until, body)
        case _:
            raise RecordError("a revocation has not its three parts")
    if field_of(revocation.subject, revocation.issued_before).encode() != field:
        raise RecordError("a revocation stands under another's name")
    return revocation


def read_change(entry: Any) -> Change:
    """Read one entry of the stream; raises `RecordError`."""
    match entry:
        case [bytes() as change_id, list() as words] if words[::2] == _FIELDS and len(words) == 2 * len(_FIELDS):
            action, number, until, body = words[1::2]
        case _:
            raise RecordError("a change has not its parts")
    if not all(isinstance(word, bytes) for word in (action, number, until, body)) or not _NUMBER.fullmatch(number):
        raise RecordError("a change has not its parts")
    if action == Action.REVOKE.value.encode():
        made = _revocation(change_id, until, body)
        return Change(
            Action.REVOKE, made.change, int(number), made.subject, made.by, made.reason, made.since, made
        )  # fmt: skip
    if action != Action.RESTORE.value.encode():
        raise RecordError("a change is of no known kind")
    found = _body(body, {"kind", "value", "issuer", "by", "reason"})
    change, since = _identified(change_id)
    subject = _subject(found)
    return Change(Action.RESTORE, change, int(number), subject, found["by"], found["reason"], since)


def _revocation(change_id: bytes, until: bytes, body: bytes) -> Revocation:
    change, since = _identified(change_id)
    if not _NUMBER.fullmatch(until):
        raise RecordError("a revocation's end is no number")
    found = _body(body, {"kind", "value", "issuer", "by", "reason", "issued_before"})
    issued_before = found["issued_before"]
    if issued_before is not None and type(issued_before) not in {int, float}:
        raise RecordError("a revocation's time of issue is no number")
    ends = int(until)
    try:
        return Revocation(
            subject=_subject(found),
            by=found["by"],
            reason=found["reason"],
            change=change,
            since=since,
            until=ends / 1000 if ends else None,
            issued_before=None if issued_before is None else float(issued_before),
        )
    except (RevocationError, OverflowError) as error:
        raise RecordError(f"a revocation is none: {type(error).__name__}") from None


def _identified(change_id: bytes) -> tuple[str, float]:
    """Read the id of a change, and when it was made."""
    match = _ID.fullmatch(change_id)
    if match is None:
        raise RecordError("an id is not that of a change")
    return change_id.decode(), int(match[1]) / 1000


def _body(data: bytes, keys: set[str]) -> dict[str, Any]:
    if len(data) > MAX_BODY_BYTES:
        raise RecordError(f"a record is larger than {MAX_BODY_BYTES} bytes")
    try:
        found = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise RecordError("a record is not JSON") from None
    if not isinstance(found, dict) or found.keys() != keys:
        raise RecordError("a record has other keys than it should")
    texts = [found[key] for key in ("kind", "value", "by", "reason")]
    texts += [found["issuer"]] if found["issuer"] is not None else []
    if not all(isinstance(text, str) for text in texts):
        raise RecordError("a record has values of other types than it should")
    return found


def _subject(found: dict[str, Any]) -> Subject:
    try:
        return Subject(Kind(found["kind"]), found["value"], found["issuer"])
    except ValueError:  # RevocationError among them
        raise RecordError("a record names nobody") from None


def _authored(subject: Subject, by: str, reason: str) -> dict[str, Any]:
    named = {"kind": subject.kind.value, "value": subject.value, "issuer": subject.issuer}
    return {**named, "by": by, "reason": reason}


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
