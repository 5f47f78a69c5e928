"""What becomes of a finding: by what it is, which way it goes, where it stands, and what is asked for. Pure.

The first rule of the configuration that is for a finding counts, then what is usual for its entity. What the policy
says of an entity (see `overrides`) goes before both, unless the rule is `final`.

For each set of rules that a request's host, path and method choose there is one `Table`, made once: what becomes of a
finding is then looked up in a dict.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from authz_service.model import Location
from authz_service.policy.target import Target
from authz_service.routing import Conditions, holds, host_name, prepared

MAX_TABLES = 1_024  # that are kept, one for each set of rules that some request has chosen


class Action(enum.StrEnum):
    """What becomes of a value that is found."""

    ALLOW = "allow"  # passes, and nobody is told but the policy
    REPORT = "report"  # passes, and is told
    MASK = "mask"  # all but its last four characters goes
    HASH = "hash"  # a keyed hash stands in its place
    REPLACE = "replace"  # a fixed text stands in its place
    REMOVE = "remove"  # nothing stands in its place
    TOKENIZE = "tokenize"  # a token stands in its place, from which the same caller gets it back
    BLOCK = "block"  # the exchange does not pass

    @property
    def passes(self) -> bool:
        """Whether the value stays as it is."""
        return self in {Action.ALLOW, Action.REPORT}


class Direction(enum.StrEnum):
    """Which way a value goes."""

    REQUEST = "request"
    RESPONSE = "response"


# Contact data is in every other message, and what an address or a date means depends on the place: it is told.
USUALLY_REPORTED: Final = frozenset({"email_address", "phone_number", "ip_address", "date_of_birth", "unscanned"})


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of which findings; what is empty or None holds for all.

    A finding of less than `minimum_confidence` is left to the next rule. A `final` one stands against the policy.
    """

    action: Action
    entities: frozenset[str] = frozenset()
    direction: Direction | None = None
    locations: frozenset[Location] = frozenset()
    minimum_confidence: float = 0.0
    conditions: Conditions = field(default_factory=Conditions)
    final: bool = False


class Choice(NamedTuple):
    """An action for findings of at least this confidence, from 0 to 1."""

    minimum_confidence: float
    action: Action
    final: bool


class Table:
    """The rules that are for one request, and what follows from them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        # As many as there are entities, directions and locations: none of them comes from a request.
        self._choices: dict[tuple[str, Direction, Location], tuple[Choice, ...]] = {}

    def find(self, entity: str, confidence: float, direction: Direction, location: Location) -> Choice:
        """Return what becomes of a finding."""
        key = (entity, direction, location)
        choices = self._choices.get(key)
        if choices is None:
            choices = self._choices[key] = self._compiled(entity, direction, location)
        return next(choice for choice in choices if confidence >= choice.minimum_confidence)

    def _compiled(self, entity: str, direction: Direction, location: Location) -> tuple[Choice, ...]:
        """Return the choices in order; the last is for any confidence."""
        found = [
            Choice(rule.minimum_confidence, rule.action, rule.final)
            for rule in self._rules
            if (not rule.entities or entity in rule.entities)
            and rule.direction in {None, direction}
            and (not rule.locations or location in rule.locations)
        ]
        usual = Action.REPORT if entity in USUALLY_REPORTED else Action.REPLACE
        return (*found, Choice(0.0, usual, final=False))


class Actions:
    """The rules of a configuration, in order."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = [(prepared(rule.conditions), rule) for rule in rules]
        self._general = Table([rule for conditions, rule in self._rules if conditions == Conditions()])
        self._is_general = all(conditions == Conditions() for conditions, _ in self._rules)
        self._tables: dict[tuple[int, ...], Table] = {}

    def table(self, method: str, host: str, target: Target) -> Table:
        """Return the rules for a request; `host` may have a port."""
        if self._is_general:
            return self._general
        name, path = host_name(host), target.path.casefold()
        chosen = tuple(index for index, (wanted, _) in enumerate(self._rules) if holds(wanted, method, name, path))
        table = self._tables.get(chosen)
        if table is None:
            table = Table([self._rules[index][1] for index in chosen])
            if len(self._tables) < MAX_TABLES:
                self._tables[chosen] = table
        return table

    def hides(self, entity: str) -> bool:
        """Whether an entity is not to be seen in what is written down: it usually is changed, or some rule does so.

        A rule that lets it pass does not make it fit for logs.
        """
        if entity not in USUALLY_REPORTED:
            return True
        return any(not rule.action.passes and (not rule.entities or entity in rule.entities) for _, rule in self._rules)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the policy wants done with which entities, by direction; `*` is for all that are not named."""

    request: Mapping[str, Action] = field(default_factory=dict)
    response: Mapping[str, Action] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.request or self.response)

    def find(self, entity: str, direction: Direction) -> Action | None:
        """Return the action for an entity; None where the policy says nothing of it."""
        wanted = self.request if direction is Direction.REQUEST else self.response
        return wanted.get(entity) or wanted.get("*")


NO_OVERRIDES: Final = Overrides()


@dataclass(frozen=True, slots=True)
class Choices:
    """What becomes of the findings of one exchange: its table, and what the policy says."""

    table: Table
    overrides: Overrides = NO_OVERRIDES

    def find(self, entity: str, confidence: float, direction: Direction, location: Location) -> Action:
        """Return what becomes of a finding."""
        choice = self.table.find(entity, confidence, direction, location)
        if choice.final or not self.overrides:
            return choice.action
        return self.overrides.find(entity, direction) or choice.action
