"""The decision: a prepared request in, statuses out. Also the one place that knows what happens without the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratelimit_service.errors import NoConfigurationError
from ratelimit_service.model import Charge, Count, Decision, Descriptor, FailureMode, Role, Status
from ratelimit_service.prepared import Match, Prepared, prepare
from ratelimit_service.rules import Limits
from ratelimit_service.stores import CounterStore, PartlyKnownError
from service_kit.valkey.errors import StoreUnavailableError


@dataclass(frozen=True, slots=True)
class Modes:
    """What holds for every request: `shadow` decides as ever and denies nothing, `quota` makes each rule a quota."""

    failure: FailureMode = FailureMode.ALLOW
    shadow: bool = False
    quota: bool = False


class Limiter:
    """Decides requests with the limits that are in use. Lives on one event loop."""

    def __init__(self, store: CounterStore, local: CounterStore, modes: Modes) -> None:
        """`local` counts while `store` is away, if `modes.failure` says so."""
        self._store = store
        self._local = local
        self._modes = modes
        self._limits: Limits | None = None

    def use(self, limits: Limits) -> None:
        """Decide with these limits from the next request on."""
        self._limits = limits

    @property
    def limits(self) -> Limits:
        """Those in use; raises `NoConfigurationError` before the first `use`."""
        if self._limits is None:
            raise NoConfigurationError("no rate limit configuration loaded")
        return self._limits

    def prepare(self, domain: str, descriptors: Sequence[Descriptor]) -> Prepared:
        """Find what applies to a request; raises `NoConfigurationError` before the first `use`."""
        return prepare(self.limits, domain, descriptors, quota=self._modes.quota, shadow=self._modes.shadow)

    async def decide(self, request: Prepared) -> Decision:
        """Decide one request."""
        failure: FailureMode | None = None
        counts: Sequence[Count | None] = ()
        if request.charges:
            try:
                counts = await self._store.hit(request.charges)
            except StoreUnavailableError as error:
                failure = self._modes.failure
                counts = await self._without_store(request.charges)
                if isinstance(error, PartlyKnownError):
                    counts = [known or count for known, count in zip(error.known, counts, strict=True)]
        remaining = iter(counts)
        statuses = [_status(match, next(remaining) if match.limit else None, failure) for match in request.matches]
        over = _denied(statuses)
        shadow = self._modes.shadow
        return Decision(
            request.domain,
            request.descriptors,
            statuses,
            over and not shadow,
            over and shadow,
            failure,
            _metadata(statuses) if request.tells else None,
        )

    async def _without_store(self, charges: Sequence[Charge]) -> Sequence[Count | None]:
        if self._modes.failure is FailureMode.LOCAL:
            try:
                return await self._local.hit(charges)
            except StoreUnavailableError:
                pass  # No room to count in: then nothing more is admitted.
        return [None] * len(charges)


def _status(match: Match, count: Count | None, failure: FailureMode | None) -> Status:
    """The answer to a descriptor. What is not known is not said: without an answer of a store there is no count."""
    descriptor, rule, limit, _, role = match
    if limit is None:
        return Status(False, descriptor.hits, rule)
    if count is not None:
        exceeded = count.over
    elif failure is FailureMode.ALLOW:
        # A limit of 0 denies every hit, and needs no counter for that.
        exceeded = limit.requests_per_unit == 0 and descriptor.hits > 0 and not descriptor.refund
    else:
        exceeded = not descriptor.refund
    return Status(exceeded and role is not Role.SHADOW, descriptor.hits, rule, limit, count, exceeded, role)


def _denied(statuses: Sequence[Status]) -> bool:
    """Whether any limit that binds is exceeded, or all of those that are quotas."""
    quotas = quotas_over = 0
    for status in statuses:
        if status.role is Role.QUOTA and status.limit is not None:
            quotas += 1
            quotas_over += status.exceeded
        elif status.exceeded and status.role is Role.BINDING:
            return True
    return quotas > 0 and quotas == quotas_over


def _metadata(statuses: Sequence[Status]) -> Mapping[str, Any] | None:
    """What the rules of the descriptors that passed have to tell; of a name that comes twice the first counts."""
    found: dict[str, Any] = {}
    for status in statuses:
        if status.rule and status.rule.metadata and not status.over:
            found = {**status.rule.metadata, **found}
    return found or None
