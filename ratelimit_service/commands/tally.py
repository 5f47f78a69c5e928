"""What became of replayed requests: counted by rule, and by descriptor for those that are over most often. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ratelimit_service.model import Decision, Status
from ratelimit_service.rules import Entry, Rule

MAX_LIMITED = 100_000  # descriptors that are counted apart
MAX_NAMED = 20  # domains without limits that are named
MAX_TEXT = 200  # characters of a key or a value that are kept


class Who(NamedTuple):
    """The descriptor that a count is of."""

    domain: str
    entries: tuple[Entry, ...]


@dataclass(slots=True)
class RuleCount:
    """How often a rule was asked, and how often its limit was exceeded."""

    domain: str
    rule: Rule
    asked: int = 0
    over: int = 0


@dataclass(slots=True)
class Stretches:
    """How often one descriptor was over, and the longest while in which it was so each time that it came."""

    times: int = 0
    longest_us: int = 0
    longest_from_us: int = 0
    began_us: int | None = None

    def over(self, now_us: int) -> None:
        """It was over."""
        self.times += 1
        if self.began_us is None:
            self.began_us = now_us
        if now_us - self.began_us > self.longest_us or self.times == 1:
            self.longest_us, self.longest_from_us = now_us - self.began_us, self.began_us

    def passed(self) -> None:
        """It was within its limit."""
        self.began_us = None


class Limited:
    """The descriptors that are over most often, in bounded memory.

    When there are more than `most`, the half that was over less often is forgotten. `forgotten` is how often one of
    these was over at most: what a count may lack, and what may be missing from the list.
    """

    def __init__(self, most: int = MAX_LIMITED) -> None:
        self._most = most
        self._found: dict[Who, Stretches] = {}
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._found)

    def note(self, who: Who, now_us: int, *, over: bool) -> None:
        """Note what a descriptor was told."""
        found = self._found.get(who)
        if not over:
            if found is not None:
                found.passed()
            return
        if found is None:
            found = self._found[who] = Stretches()
        found.over(now_us)
        if len(self._found) > self._most:
            self._forget()

    def top(self, number: int) -> list[tuple[Who, Stretches]]:
        """Those that were over most often, the first first."""
        return heapq.nlargest(number, self._found.items(), key=lambda item: item[1].times)

    def longest(self) -> tuple[Who, Stretches] | None:
        """The one with the longest stretch."""
        return max(self._found.items(), key=lambda item: item[1].longest_us, default=None)

    def _forget(self) -> None:
        kept = self.top(self._most // 2)
        names = {who for who, _ in kept}
        gone = (found.times for who, found in self._found.items() if who not in names)
        # What was forgotten before may be in what is forgotten now, once more.
        self.forgotten += max(gone, default=0)
        self._found = dict(kept)


@dataclass(slots=True)
class Part:
    """The rules that deny, or those in shadow mode, which do not."""

    rules: dict[tuple[str, str], RuleCount] = field(default_factory=dict)
    limited: Limited = field(default_factory=Limited)

    def counted(self) -> Iterator[RuleCount]:
        """The rules that were asked, those that were exceeded most often first."""
        yield from sorted(self.rules.values(), key=lambda each: (-each.over, -each.asked, each.domain, each.rule.path))


@dataclass(slots=True)
class Tally:
    """See the module. Times are in microseconds since the epoch."""

    requests: int = 0
    denied: int = 0
    without_limit: int = 0  # no rule of theirs has one
    uncounted: int = 0  # there was no room for another bucket
    late: int = 0
    late_by_us: int = 0  # at most
    first_us: int = 0
    last_us: int = 0
    foreign: int = 0  # of domains that have no limits
    foreign_domains: set[str] = field(default_factory=set)
    binding: Part = field(default_factory=Part)
    shadow: Part = field(default_factory=Part)

    def at(self, time_us: int) -> int:
        """The time of a request, which never goes back; what comes late comes when the one before it came."""
        if self.requests == 0:
            self.first_us = self.last_us = time_us
        elif time_us < self.last_us:
            self.late += 1
            self.late_by_us = max(self.late_by_us, self.last_us - time_us)
        self.requests += 1
        self.last_us = max(self.last_us, time_us)
        return self.last_us

    def unknown_domain(self, domain: str) -> None:
        """Note a request that no limits are configured for."""
        self.foreign += 1
        if len(self.foreign_domains) < MAX_NAMED:
            self.foreign_domains.add(domain[:MAX_TEXT])

    def decided(self, decision: Decision) -> None:
        """Count what a request was told at `last_us`."""
        self.denied += decision.over
        self.uncounted += decision.failure is not None
        counted = False
        for descriptor, status in zip(decision.descriptors, decision.statuses, strict=True):
            if status.limit is not None and status.rule is not None:
                counted = True
                self._count(decision.domain, descriptor.entries, status, status.rule)
        self.without_limit += not counted

    def _count(self, domain: str, entries: tuple[Entry, ...], status: Status, rule: Rule) -> None:
        part = self.shadow if rule.shadow_mode else self.binding
        count = part.rules.get((domain, rule.path))
        if count is None:
            count = part.rules[domain, rule.path] = RuleCount(domain, rule)
        count.asked += 1
        count.over += status.exceeded
        short = tuple((key[:MAX_TEXT], value[:MAX_TEXT]) for key, value in entries)
        part.limited.note(Who(domain, short), self.last_us, over=status.exceeded)
