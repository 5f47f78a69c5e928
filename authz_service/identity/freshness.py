"""How long an issuer's keys serve before they are fetched again, and when they are too old to serve at all. Pure.

The configuration says both. What an issuer says of its answer (Cache-Control, RFC 9111 section 5.2.2) counts for the
next fetch only, and only within bounds: neither may it be asked without end, nor may a key that it withdrew go on for
as long as a header likes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from authz_service.settings.identity import KeyTimes

SHORTEST_REFRESH = 60.0  # seconds; no answer makes the next fetch come sooner, unless the configuration does
LONGEST_REFRESH = 3600.0  # seconds; no answer puts the next fetch off further, unless the configuration does
MAX_HEADER = 1024  # characters of a Cache-Control that is looked at; a longer one says nothing

_DIRECTIVE = re.compile(r'\s*([A-Za-z0-9_-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,"]*)))?\s*(?:,|$)')
_SECONDS = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Freshness:
    """The terms for one issuer's keys."""

    refresh_seconds: float
    usable_seconds: float

    @classmethod
    def of(cls, times: KeyTimes) -> Freshness:
        """As it is configured."""
        return cls(float(times.refresh_seconds), float(times.usable_seconds))

    def is_usable(self, age: float) -> bool:
        """Whether keys of this age (seconds) may verify tokens."""
        return age < self.usable_seconds

    def refresh_after(self, lifetime: float | None) -> float:
        """Seconds from one fetch to the next; `lifetime` is what the issuer said, None where it said nothing.

        At most half of the time for which keys are usable, so that the old ones serve while the new ones are fetched.
        """
        if lifetime is None:
            return self.refresh_seconds
        shortest = min(SHORTEST_REFRESH, self.refresh_seconds)
        longest = max(min(LONGEST_REFRESH, self.usable_seconds / 2), self.refresh_seconds)
        return min(max(lifetime, shortest), longest)


def lifetime(cache_control: str | None, age: str | None) -> float | None:
    """Seconds for which an answer is fresh, by its Cache-Control and Age; None where it does not say, or not clearly.

    Of `max-age` that is given twice the smaller counts. `no-store` and `no-cache` mean none at all.
    """
    if not cache_control or len(cache_control) > MAX_HEADER:
        return None
    found: list[float] = []
    place = 0
    while place < len(cache_control):
        directive = _DIRECTIVE.match(cache_control, place)
        if directive is None:
            return None
        place = directive.end()
        name, value = directive[1].lower(), directive[2] or directive[3] or ""
        if name in {"no-store", "no-cache"}:
            found.append(0.0)
        elif name == "max-age" and _SECONDS.fullmatch(value):
            found.append(float(value))
    if not found:
        return None
    spent = float(age) if age and _SECONDS.fullmatch(age) else 0.0
    return max(min(found) - spent, 0.0)
