"""What a revocation says: of whom, by whom, why, from when and until when. Valid once built. Pure."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

MAX_NAME = 256  # characters of a user or an agent, as in identity.claims
MAX_TEXT = 512  # characters of a token id or an issuer
MAX_BY = 128  # characters
MAX_REASON = 256  # characters
MAX_ENTRIES = 100_000  # revocations at a time, of about 500 bytes each
MAX_SECONDS = 10 * 365 * 86_400.0  # the longest time that can be said; without one it holds until it is restored
MAX_EPOCH = 253_402_300_799.0  # the end of the year 9999, in seconds since the epoch


class RevocationError(ValueError):
    """What was asked for is no revocation. The text is for whoever asked."""


class Kind(enum.StrEnum):
    """What a caller is named by."""

    TOKEN_ID = "token_id"  # noqa: S105  (the claim jti)
    AGENT = "agent"
    USER = "user"
    ISSUER = "issuer"


class Action(enum.StrEnum):
    """What a change does."""

    REVOKE = "revoke"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a revocation is of. `issuer` narrows a user, an agent or a token id to those of one issuer."""

    kind: Kind
    value: str
    issuer: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no caller can be."""
        names = self.kind in {Kind.USER, Kind.AGENT}
        _require_text(self.value, self.kind.value.replace("_", " "), MAX_NAME if names else MAX_TEXT)
        if self.issuer is not None:
            if self.kind is Kind.ISSUER:
                raise RevocationError("an issuer cannot be narrowed by an issuer")
            _require_text(self.issuer, "issuer", MAX_TEXT)

    def __str__(self) -> str:
        of = f" of issuer {self.issuer}" if self.issuer is not None else ""
        return f"{self.kind.value.replace('_', ' ')} {self.value}{of}"


@dataclass(frozen=True, slots=True)
class Order:
    """A revocation as somebody asks for it. `seconds` is how long it holds, None for until it is restored.

    With `issued_before`, in seconds since the epoch, only tokens that were issued earlier are revoked, and those that
    do not say when.
    """

    subject: Subject
    by: str
    reason: str
    seconds: float | None = None
    issued_before: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be written down or would revoke nothing."""
        require_author(self.by, self.reason)
        if self.seconds is not None and not 1 <= self.seconds <= MAX_SECONDS:
            raise RevocationError(f"a revocation holds for 1 second to {MAX_SECONDS:.0f} seconds")
        require_issued_before(self.subject, self.issued_before)


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation as it was made. `change` is the id of the change that made it; times are in epoch seconds."""

    subject: Subject
    by: str
    reason: str
    change: str
    since: float
    until: float | None = None
    issued_before: float | None = None

    def __post_init__(self) -> None:
        """Hold what was read to the same bounds as what is asked for."""
        require_author(self.by, self.reason)
        require_issued_before(self.subject, self.issued_before)

    def holds(self, issued_at: float | None, now: float) -> bool:
        """Whether it is of a token that was issued then; `now` is in epoch seconds."""
        if self.until is not None and now >= self.until:
            return False
        return self.issued_before is None or issued_at is None or not issued_at >= self.issued_before


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the list: `revocation` is what it made, and None where it restores.

    `id` is unique and grows with time. `number` is one more than that of the change before.
    """

    action: Action
    id: str
    number: int
    subject: Subject
    by: str
    reason: str
    at: float
    revocation: Revocation | None = None


def require_author(by: str, reason: str) -> None:
    """Refuse a change that does not say who makes it, and why; raises `RevocationError`."""
    _require_text(by, "name of who does this", MAX_BY)
    _require_text(reason, "reason", MAX_REASON)


def require_issued_before(subject: Subject, issued_before: float | None) -> None:
    """Refuse a time of issue that is none, or beside a token's id; raises `RevocationError`."""
    if issued_before is None:
        return
    if subject.kind is Kind.TOKEN_ID:
        raise RevocationError("a token id names one token, whenever it was issued")
    if not (math.isfinite(issued_before) and 0 < issued_before <= MAX_EPOCH):
        raise RevocationError("the time of issue is out of range")


def _require_text(value: str, what: str, most: int) -> None:
    # As identity.claims has it: what has space around it or control characters in it can be nobody's name.
    if value != value.strip() or not value.isprintable() or not 0 < len(value) <= most:
        raise RevocationError(f"the {what} must be 1 to {most} printable characters, without space around them")
