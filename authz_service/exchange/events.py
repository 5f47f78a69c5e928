"""What comes in an exchange, and what is to be done. All are frozen; none knows protobuf."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from audit_log.event import FindingNote
from authz_service.dlp.actions import Direction

Fields = Sequence[tuple[str, str]]  # header fields in their order; names are lower-case, and may repeat


class Mode(enum.Enum):
    """How a body comes, and what may be answered to it (ProcessingMode.BodySendMode)."""

    NONE = enum.auto()  # it passes beside us
    BUFFERED = enum.auto()  # whole, in one part; headers may change with it
    STREAMED = enum.auto()  # in parts, with exactly one answer to each
    FULL_DUPLEX = enum.auto()  # in parts, with any number of answers at any time


@dataclass(frozen=True, slots=True)
class HeadersCame:
    """The headers. `end`: there is neither body nor trailers."""

    direction: Direction
    fields: Fields
    end: bool = False


@dataclass(frozen=True, slots=True)
class BodyCame:
    """A part of the body. `end`: there is no more of it, and no trailers. With trailers no part has it."""

    direction: Direction
    data: bytes
    end: bool = False


@dataclass(frozen=True, slots=True)
class TrailersCame:
    """The trailers, which end a direction."""

    direction: Direction
    fields: Fields


Event = HeadersCame | BodyCame | TrailersCame


@dataclass(frozen=True, slots=True)
class Change:
    """What to change of header fields. The first of a name overwrites, further ones of it are added."""

    set: Fields = ()
    remove: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "set", tuple(self.set))
        object.__setattr__(self, "remove", tuple(self.remove))

    def __add__(self, other: Change) -> Change:
        """Both; what the other sets comes last, and nothing is set that is removed."""
        if not (other.set or other.remove):  # as nearly always
            return self
        replaced = {name for name, _ in other.set}
        removed = dict.fromkeys([*self.remove, *other.remove])
        kept = [(name, value) for name, value in self.set if name not in replaced and name not in removed]
        return Change([*kept, *other.set], [name for name in removed if name not in replaced])


UNCHANGED = Change()


@dataclass(frozen=True, slots=True)
class HeadersGo:
    """Let the headers go."""

    direction: Direction
    change: Change = UNCHANGED


@dataclass(frozen=True, slots=True)
class BodyGoes:
    """Let this go in the place of the part that came; None is the part as it came.

    `streamed`: as one of any number of parts, of which `end` marks the last.
    """

    direction: Direction
    data: bytes | None
    change: Change = UNCHANGED
    streamed: bool = False
    end: bool = False


@dataclass(frozen=True, slots=True)
class TrailersGo:
    """Let the trailers go."""

    direction: Direction
    change: Change = UNCHANGED


@dataclass(frozen=True, slots=True)
class Answer:
    """End the exchange with this in place of the upstream's answer; where that has begun, cut it off."""

    status: int
    headers: Fields
    body: str
    code: str


@dataclass(frozen=True, slots=True)
class Record:
    """Write down what became of a direction, before the action that follows."""

    direction: Direction
    code: str
    status: int
    findings: Sequence[FindingNote]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing yet: others may have their turn."""


Action = HeadersGo | BodyGoes | TrailersGo | Answer | Record | Pause
