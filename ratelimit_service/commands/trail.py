"""The way that a descriptor takes down the tree of rules, with what was not taken and why. Pure.

The steps are those of `matching`, which alone decides; here they are told.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ratelimit_service import matching
from ratelimit_service.rules import Entry, Node, Pattern, Rule, Wildcard


class How(enum.Enum):
    """How a rule asks for an entry."""

    EXACT = "exact"
    WILDCARD = "wildcard"
    ANY_VALUE = "any value"


class Why(enum.IntEnum):
    """Why a rule was not taken; the nearer it came to be, the lower."""

    EXACT_WINS = 0
    EARLIER_WILDCARD_WINS = 1
    WILDCARD_WINS = 2
    OTHER_VALUE = 3
    VALUE_DOES_NOT_FIT = 4
    OTHER_KEY = 5
    KEY_DOES_NOT_FIT = 6

    @property
    def takes_the_entry(self) -> bool:
        """Whether the rule asks for the entry all the same."""
        return self <= Why.WILDCARD_WINS

    @property
    def text(self) -> str:
        """The reason in words."""
        return _WORDS[self]


_WORDS = {
    Why.EXACT_WINS: "takes this too, but the exact rule wins",
    Why.EARLIER_WILDCARD_WINS: "takes this too, but the wildcard before it wins",
    Why.WILDCARD_WINS: "takes this too, but the wildcard wins",
    Why.OTHER_VALUE: "asks for another value",
    Why.VALUE_DOES_NOT_FIT: "its pattern does not fit the value",
    Why.OTHER_KEY: "asks for another key",
    Why.KEY_DOES_NOT_FIT: "its pattern does not fit the key",
}


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that was not taken. `leads_on` says that it would have led to a rule for the whole descriptor."""

    rule: Rule
    why: Why
    leads_on: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """One entry: the rule that takes it and how, or None, and those beside it, the nearest first."""

    entry: Entry
    rule: Rule | None
    how: How | None
    passed: tuple[Passed, ...]


@dataclass(frozen=True, slots=True)
class Trail:
    """The levels, as far as entries and rules go.

    `rule` is the one for the descriptor, or None. `deeper` are the rules below the last one that was taken: each needs
    one more entry. `left` is how many entries no level was found for.
    """

    levels: tuple[Level, ...]
    rule: Rule | None
    deeper: tuple[Rule, ...]
    left: int


def follow(root: Node, entries: Sequence[Entry]) -> Trail:
    """Follow the entries from a domain's root; there must be at least one."""
    levels = []
    node = root
    for at, entry in enumerate(entries):
        chosen = matching.step(node, entry)
        levels.append(_level(node, entry, chosen, entries[at + 1 :]))
        if chosen is None:
            return Trail(tuple(levels), None, (), len(entries) - at - 1)
        node = chosen
    return Trail(tuple(levels), node.rule, tuple(child.rule for child in _in_order(node)), 0)


def _level(node: Node, entry: Entry, chosen: Node | None, rest: Sequence[Entry]) -> Level:
    how = None if chosen is None else _how(node, entry, chosen)
    wildcards = {id(each.node): each for each in node.wildcards}
    passed = []
    for child in _in_order(node):
        if child is not chosen:
            why = _why(child.rule, wildcards.get(id(child)), entry, how)
            leads_on = why.takes_the_entry and matching.match(child, rest) is not None
            passed.append(Passed(child.rule, why, leads_on))
    passed.sort(key=lambda each: each.why)
    return Level(entry, chosen.rule if chosen else None, how, tuple(passed))


def _in_order(node: Node) -> Iterator[Node]:
    yield from sorted(node.children(), key=lambda child: (child.rule.source, child.rule.line))


def _how(node: Node, entry: Entry, chosen: Node) -> How:
    if node.exact.get(entry) is chosen:
        return How.EXACT
    return How.WILDCARD if any(each.node is chosen for each in node.wildcards) else How.ANY_VALUE


def _why(rule: Rule, wildcard: Wildcard | None, entry: Entry, how: How | None) -> Why:
    """Why a rule is not the one that takes the entry; `how` is how the one that does asks for it."""
    key, value = rule.steps[-1]
    if wildcard.matches(entry) if wildcard else key == entry[0] and value in {"", entry[1]}:
        if how is How.EXACT:
            return Why.EXACT_WINS
        return Why.EARLIER_WILDCARD_WINS if wildcard else Why.WILDCARD_WINS
    if not Pattern(key).matches(entry[0]):
        return Why.KEY_DOES_NOT_FIT if "*" in key else Why.OTHER_KEY
    return Why.VALUE_DOES_NOT_FIT if "*" in value else Why.OTHER_VALUE
