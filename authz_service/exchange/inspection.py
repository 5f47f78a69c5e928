"""What finds and replaces, as an exchange knows it: the port that `bodies` implements with `dlp`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from audit_log.event import FindingNote
from authz_service.dlp.actions import Direction
from authz_service.exchange.events import Change, Fields


@dataclass(frozen=True, slots=True)
class Subject:
    """Which exchange it is. `metadata` is what ext_authz said of the request; empty for one that it has denied."""

    decision_id: str
    request_id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Redactor(Protocol):
    """Takes one body, decoded, part by part. How it is cut makes no difference to the joined output."""

    def feed(self, data: bytes) -> bytes:
        """Return what can go. It holds back a bounded rest.

        Raises:
            Blocked: the exchange is not to pass.
        """
        ...

    def finish(self) -> bytes:
        """Return what was held back; raises `Blocked` too. Called once, last."""
        ...


class Inspection(Protocol):
    """Looks at one exchange."""

    def open(self, direction: Direction, fields: Fields, request: Fields) -> Redactor:
        """Begin a body with these headers; `request` are the request's, empty where they were not seen."""
        ...

    def change(self, direction: Direction, fields: Fields, request: Fields, *, trailers: bool) -> Change:
        """Look at headers or trailers, and say what to change; raises `Blocked`."""
        ...

    def findings(self, direction: Direction) -> Sequence[FindingNote]:
        """What was found in a direction so far, told in bounded number."""
        ...

    def cut_off(self, direction: Direction) -> None:
        """Hear that a body that streams has ended, of which some may have passed and no more will. MUST NOT raise."""
        ...


class Bodies(Protocol):
    """Looks at exchanges."""

    def inspect(self, subject: Subject) -> Inspection:
        """Begin with one."""
        ...
