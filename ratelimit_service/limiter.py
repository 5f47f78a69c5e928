"""The decision: descriptors in, statuses out. Also the one place that knows what happens when the store is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ratelimit_service import keys, matching
from ratelimit_service.config import Limits
from ratelimit_service.errors import NoConfigurationError, StoreUnavailableError
from ratelimit_service.model import Charge, Count, Decision, Descriptor, FailureMode, Limit, Status
from ratelimit_service.stores import CounterStore

OVERRIDE = "(override)"  # the rule that a limit which the request brings along is reported under


@dataclass(frozen=True, slots=True)
class _Match:
    """What applies to a descriptor; `limit` is None where nothing is counted."""

    descriptor: Descriptor
    rule: str | None
    limit: Limit | None


class Limiter:
    """Decides requests with the limits that are in use. Lives on one event loop."""

    def __init__(self, store: CounterStore, failure_mode: FailureMode, local: CounterStore) -> None:
        """`local` counts while `store` is away, if `failure_mode` says so."""
        self._store = store
        self._failure_mode = failure_mode
        self._local = local
        self._limits: Limits | None = None

    def use(self, limits: Limits) -> None:
        """Decide with these limits from the next request on."""
        self._limits = limits

    async def decide(self, domain: str, descriptors: Sequence[Descriptor]) -> Decision:
        """Decide one request; raises `NoConfigurationError` before the first `use`."""
        limits = self._limits  # One configuration for the whole request, whatever is swapped meanwhile.
        if limits is None:
            raise NoConfigurationError("no rate limit configuration loaded")
        matches = [_match(limits, domain, descriptor) for descriptor in descriptors]
        charges = [
            Charge(keys.bucket(domain, match.descriptor.entries, match.limit), match.descriptor.hits, match.limit)
            for match in matches
            if match.limit is not None
        ]
        if not charges:
            return Decision(domain, tuple(_uncounted(match) for match in matches))
        try:
            counts = await self._store.hit(charges)
        except StoreUnavailableError:
            return await self._without_store(domain, matches, charges)
        return Decision(domain, _statuses(matches, counts))

    async def _without_store(self, domain: str, matches: Sequence[_Match], charges: Sequence[Charge]) -> Decision:
        """The failure policy. What is not known is not said: a status then has no count."""
        mode = self._failure_mode
        if mode is FailureMode.LOCAL:
            try:
                return Decision(domain, _statuses(matches, await self._local.hit(charges)), mode)
            except StoreUnavailableError:
                pass  # No room to count in: then nothing more is admitted.
        statuses = []
        for match in matches:
            limit, hits = match.limit, match.descriptor.hits
            # A limit of 0 denies every hit, and needs no counter for that.
            over = limit is not None and (mode is not FailureMode.ALLOW or (limit.requests_per_unit == 0 and hits > 0))
            statuses.append(Status(over, hits, match.rule, limit))
        return Decision(domain, tuple(statuses), mode)


def _match(limits: Limits, domain: str, descriptor: Descriptor) -> _Match:
    root = limits.domains.get(domain)
    if root is None:
        return _Match(descriptor, None, None)
    if descriptor.override is not None:
        return _Match(descriptor, OVERRIDE, descriptor.override)
    node = matching.match(root, descriptor.entries)
    return _Match(descriptor, node.rule, node.limit) if node is not None else _Match(descriptor, None, None)


def _uncounted(match: _Match) -> Status:
    return Status(over=False, hits=match.descriptor.hits, rule=match.rule)


def _statuses(matches: Sequence[_Match], counts: Sequence[Count]) -> tuple[Status, ...]:
    remaining = iter(counts)
    statuses = []
    for match in matches:
        if match.limit is None:
            statuses.append(_uncounted(match))
        else:
            count = next(remaining)
            statuses.append(Status(count.over, match.descriptor.hits, match.rule, match.limit, count))
    return tuple(statuses)
