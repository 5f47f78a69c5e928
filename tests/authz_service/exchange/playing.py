"""Plays events to an exchange, and tells what it does."""

from __future__ import annotations

from authz_service.denials import Denials
from authz_service.dlp.actions import Direction
from authz_service.exchange.body import Terms
from authz_service.exchange.events import (
    Action,
    Answer,
    BodyCame,
    BodyGoes,
    Event,
    Fields,
    HeadersCame,
    Mode,
    Pause,
    TrailersCame,
)
from authz_service.exchange.inspection import Subject
from authz_service.exchange.machine import Exchange, Modes
from tests.authz_service.exchange.fixed_bodies import FixedInspection

REQUEST, RESPONSE = Direction.REQUEST, Direction.RESPONSE
POST: Fields = [(":method", "POST"), (":path", "/x"), ("content-type", "application/json")]
OK: Fields = [(":status", "200"), ("content-type", "text/plain")]


def exchange(mode: Mode, *, other: Mode = Mode.NONE, response: bool = False, terms: Terms | None = None) -> Exchange:
    """An exchange whose request's body comes in a mode, or its response's."""
    modes = Modes(other, mode) if response else Modes(mode, other)
    return Exchange(modes, FixedInspection(Subject("d-1")), "d-1", terms or Terms(), Denials())


def does(played: Exchange, *events: Event) -> list[Action]:
    """What is done on these events, but for pauses."""
    return [action for event in events for action in played.handle(event) if not isinstance(action, Pause)]


def headers(direction: Direction = REQUEST, *more: tuple[str, str], end: bool = False) -> HeadersCame:
    """Headers, with more of them than usual."""
    return HeadersCame(direction, [*(POST if direction is REQUEST else OK), *more], end)


def parts(direction: Direction, *data: bytes, end: bool = True) -> list[BodyCame]:
    """A body in parts, of which the last is marked."""
    return [BodyCame(direction, each, end and number == len(data)) for number, each in enumerate(data, 1)]


def trailers(direction: Direction, *fields: tuple[str, str]) -> TrailersCame:
    """Trailers."""
    return TrailersCame(direction, fields)


def sent(actions: list[Action]) -> bytes:
    """What goes of a body."""
    return b"".join(action.data or b"" for action in actions if isinstance(action, BodyGoes))


def answered(actions: list[Action]) -> tuple[int, str]:
    """The status and the code of the answer that is given, which is the last thing that is done."""
    assert isinstance(actions[-1], Answer)
    return actions[-1].status, actions[-1].code
