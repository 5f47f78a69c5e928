"""Whose body it is, and of which exchange: what a finding in it is told with. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

MAX_TEXT = 512  # characters of each field
_DIRECTIONS = ("request", "response")


class NoteError(ValueError):
    """The bytes are no note."""


@dataclass(frozen=True, slots=True)
class Note:
    """One body of an exchange. `time` is in seconds since the epoch; a field that is not known is empty.

    `complete`: the body is there in whole, and not only its beginning.
    """

    decision_id: str
    request_id: str
    direction: str
    user: str = ""
    agent: str = ""
    issuer: str = ""
    token_id: str = ""
    endpoint: str = ""
    content_type: str = ""
    time: float = 0.0
    complete: bool = True

    def to_bytes(self) -> bytes:
        """JSON, each text cut at `MAX_TEXT` characters."""
        plain = {
            name: value[:MAX_TEXT]
            if isinstance(value, str)
            else value  # an identity is never longer: see identity.claims
            for name, value in asdict(self).items()
        }
        return json.dumps(plain, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Note:
        """Read what `to_bytes` has written; raises `NoteError`."""
        try:
            plain = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise NoteError("is no JSON") from error
        if not isinstance(plain, dict) or set(plain) != {field.name for field in fields(cls)}:
            raise NoteError("has other fields")
        texts = [value for name, value in plain.items() if name not in {"time", "complete"}]
        if not all(isinstance(text, str) and len(text) <= MAX_TEXT for text in texts):
            raise NoteError("has a field that is no text")
        if type(plain["time"]) not in {int, float} or type(plain["complete"]) is not bool:
            raise NoteError("has a field of another kind")
        if plain["direction"] not in _DIRECTIONS:
            raise NoteError("has no direction")
        return cls(**plain)
