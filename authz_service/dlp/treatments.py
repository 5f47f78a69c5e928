"""What was found → what stands in its place, and a note of it. Pure.

An `Exchange` has a `Treatment` for each of its parts, in both directions, and their findings come together in its
notes: what, where, how often, what became of it, and the value's keyed hash; never the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from authz_service.dlp.actions import NO_OVERRIDES, Action, Actions, Choices, Direction, Overrides
from authz_service.dlp.found import Blocked, Found, Treatment
from authz_service.dlp.redactions import Redactions
from authz_service.dlp.tokens import ENTITY as OWN_TOKEN
from authz_service.dlp.tokens import Caller
from authz_service.model import Finding, Location
from authz_service.policy.target import Target

MAX_FINDINGS: Final = 100  # told of one exchange; what is done leaves none out
MAX_NAME: Final = 64  # characters of a header's or parameter's name, or of a JSON path, in a finding
BLOCKED: Final[Mapping[Direction, str]] = {
    Direction.REQUEST: "secret_in_request",
    Direction.RESPONSE: "secret_in_response",
}


@dataclass(slots=True)
class _Note:
    finding: Finding
    confidence: float
    count: int = 1


@dataclass(slots=True)
class Notes:
    """The findings of one exchange, those that are alike as one; `untold` counts those that there was no room for."""

    untold: int = 0
    _found: dict[tuple[str, Location, str, Action], _Note] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, in order of its first place."""
        return tuple(
            replace(note.finding, count=note.count, confidence=note.confidence) for note in self._found.values()
        )

    def add(self, found: Found, location: Location, action: Action, redactions: Redactions) -> None:
        """Note one down."""
        name = found.name[:MAX_NAME]
        key = (found.detector.name, location, name, action)
        note = self._found.get(key)
        if note is not None:
            note.count += 1
            note.confidence = max(note.confidence, found.confidence)
        elif len(self._found) >= MAX_FINDINGS:
            self.untold += 1
        else:
            hashed = redactions.hash(found.value) if found.value is not None else ""
            finding = Finding(
                found.detector.entity, found.detector.name, location, name, action.value, found.confidence,
                found.offset, hashed,
            )  # fmt: skip
            self._found[key] = _Note(finding, found.confidence)


@dataclass(slots=True)
class Exchange:
    """What becomes of the findings of one request and its response, and what became of those so far.

    `caller` is whose tokens are made and restored; without one there are none.
    """

    choices: Choices
    redactions: Redactions
    caller: Caller | None = None
    notes: Notes = field(default_factory=Notes)

    def overridden(self, overrides: Overrides) -> Exchange:
        """Return the same with what the policy says, and without any note yet."""
        return Exchange(replace(self.choices, overrides=overrides), self.redactions, self.caller)

    def at(self, direction: Direction, location: Location) -> Treatment:
        """Return what treats the findings of one part."""

        def treat(found: Found) -> bytes | None:
            if found.detector.entity == OWN_TOKEN:
                return self._restored(found, direction)
            action = self.note(found, direction, location)
            if action is Action.BLOCK:
                raise Blocked(BLOCKED[direction], found)
            if action.passes:
                return None
            return self.redactions.write(action, found.detector.entity, found.value, self.caller, direction)

        return treat

    def note(self, found: Found, direction: Direction, location: Location) -> Action:
        """Note down what is found, and return what is to become of it."""
        action = self.choices.find(found.detector.entity, found.confidence, direction, location)
        self.notes.add(found, location, action, self.redactions)
        return action

    def _restored(self, found: Found, direction: Direction) -> bytes | None:
        tokens = self.redactions.tokens
        if tokens is None or self.caller is None or found.value is None:
            return None
        return tokens.restore(found.value, self.caller, direction)


class Treatments:
    """Begins exchanges by the rules of the configuration."""

    def __init__(self, actions: Actions, redactions: Redactions) -> None:
        self._actions = actions
        self._redactions = redactions

    def exchange(
        self, method: str, host: str, target: Target, caller: Caller | None, overrides: Overrides = NO_OVERRIDES
    ) -> Exchange:
        """Begin one; `host` may have a port, `target` is the request's."""
        return Exchange(Choices(self._actions.table(method, host, target), overrides), self._redactions, caller)
