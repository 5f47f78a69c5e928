"""A small real inspection for tests: one fixed text is replaced, another blocks; what may be either is held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit_log.event import FindingNote
from authz_service.dlp.actions import Direction
from authz_service.dlp.found import Blocked
from authz_service.exchange.events import Change, Fields
from authz_service.exchange.inspection import Subject

SECRET = b"the-SECRET-value"
HARMLESS = b"[gone]"
FORBIDDEN = b"the-FORBIDDEN-one"


def redacted(text: bytes) -> bytes:
    """What becomes of a whole text."""
    return text.replace(SECRET, HARMLESS)


class FixedRedactor:
    """Holds back what could be the beginning of either text."""

    def __init__(self, notes: list[FindingNote]) -> None:
        self._held = b""
        self._notes = notes

    def feed(self, data: bytes) -> bytes:
        text = self._take(self._held + data)
        kept = next(
            (size for size in range(min(len(text), len(FORBIDDEN) - 1), 0, -1) if self._may_begin(text[-size:])), 0
        )
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def finish(self) -> bytes:
        text, self._held = self._held, b""
        return text

    def _take(self, text: bytes) -> bytes:
        if FORBIDDEN in text:
            self._notes.append(FindingNote("forbidden", "body", "", "block"))
            raise Blocked("secret_found")
        if SECRET in text:
            self._notes.append(FindingNote("secret", "body", "", "replace"))
        return redacted(text)

    @staticmethod
    def _may_begin(end: bytes) -> bool:
        return SECRET.startswith(end) or FORBIDDEN.startswith(end)


@dataclass
class FixedInspection:
    """Looks at one exchange."""

    subject: Subject
    cut: list[Direction] = field(default_factory=list)
    notes: dict[Direction, list[FindingNote]] = field(default_factory=lambda: {each: [] for each in Direction})

    def open(self, direction: Direction, fields: Fields, request: Fields) -> FixedRedactor:
        del fields, request
        return FixedRedactor(self.notes[direction])

    def change(self, direction: Direction, fields: Fields, request: Fields, *, trailers: bool) -> Change:
        del request
        changed = []
        for name, value in fields:
            if FORBIDDEN.decode() in value:
                raise Blocked("secret_found")
            if SECRET.decode() in value:
                self.notes[direction].append(
                    FindingNote("secret", "trailer" if trailers else "header", name, "replace")
                )
                changed.append((name, value.replace(SECRET.decode(), HARMLESS.decode())))
        return Change(changed)

    def findings(self, direction: Direction) -> Sequence[FindingNote]:
        return self.notes[direction]

    def cut_off(self, direction: Direction) -> None:
        self.cut.append(direction)


@dataclass
class FixedBodies:
    """Remembers every exchange."""

    inspected: list[FixedInspection] = field(default_factory=list)

    def inspect(self, subject: Subject) -> FixedInspection:
        self.inspected.append(FixedInspection(subject))
        return self.inspected[-1]
