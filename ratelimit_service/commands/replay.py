"""A log against limits: each request decided as the service decides it, at the time that the log has for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ratelimit_service.commands.access_log import Request, Unreadable
from ratelimit_service.commands.tally import Tally
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.model import FailureMode
from ratelimit_service.rules import Limits
from ratelimit_service.stores.memory import MemoryStore

MAX_BUCKETS = 1_000_000
MAX_TOLD = 10  # unreadable lines of which it is told why
PAUSE = 500  # lines after which it is told how far that is


@dataclass(slots=True)
class Outcome:
    """What a replay has found."""

    tally: Tally = field(default_factory=Tally)
    unreadable: int = 0
    told: list[Unreadable] = field(default_factory=list)  # the first of them

    @property
    def lines(self) -> int:
        """How many lines there were."""
        return self.tally.requests + self.unreadable


async def replay(
    requests: Iterable[Request | Unreadable],
    limits: Limits,
    *,
    heard: Callable[[Outcome], None],
    max_buckets: int = MAX_BUCKETS,
) -> Outcome:
    """Decide each request; `heard` is told now and then how far that is."""
    outcome = Outcome()
    tally = outcome.tally
    store = MemoryStore(lambda: tally.last_us, max_buckets)
    # With ALLOW, a request that finds no room passes and says so: it is neither admitted nor denied by a count.
    limiter = Limiter(store, store, Modes(FailureMode.ALLOW))
    limiter.use(limits)
    for request in requests:
        if isinstance(request, Unreadable):
            outcome.unreadable += 1
            if len(outcome.told) < MAX_TOLD:
                outcome.told.append(request)
        else:
            tally.at(request.time_us)
            if request.domain not in limits.domains:
                tally.unknown_domain(request.domain)
            tally.decided(await limiter.decide(limiter.prepare(request.domain, request.descriptors)))
        if outcome.lines % PAUSE == 0:
            heard(outcome)
    return outcome
