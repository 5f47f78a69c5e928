"""The decision: descriptors in, statuses out. Also the one place that knows what happens when the store is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ratelimit_service import keys, matching
from ratelimit_service.errors import NoConfigurationError
from ratelimit_service.limits import Limit
from ratelimit_service.model import Charge, Count, Decision, Descriptor, FailureMode, Role, Status
from ratelimit_service.rules import Limits, Rule
from ratelimit_service.stores import CounterStore, PartlyKnownError
from service_kit.valkey.errors import StoreUnavailableError

OVERRIDE = Rule("(override)", (), "", 0)  # what a limit that the request brings along is reported under


@dataclass(frozen=True, slots=True)
class Modes:
    """What holds for every request: `shadow` decides as ever and denies nothing, `quota` makes each rule a quota."""

    failure: FailureMode = FailureMode.ALLOW
    shadow: bool = False
    quota: bool = False


class Match(NamedTuple):
    """What applies to a descriptor. Nothing is counted where `limit` is None; no rule applies where `rule` is."""

    descriptor: Descriptor
    rule: Rule | None
    limit: Limit | None
    key: str  # of the bucket; empty where nothing is counted
    role: Role


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

    async def decide(self, domain: str, descriptors: Sequence[Descriptor]) -> Decision:
        """Decide one request; raises `NoConfigurationError` before the first `use`."""
        matches = match_all(self.limits, domain, descriptors, quota=self._modes.quota)
        shadow = self._modes.shadow
        charges = [
            Charge(
                match.key,
                -match.descriptor.hits if match.descriptor.refund else match.descriptor.hits,
                match.limit,
                Role.SHADOW if shadow else match.role,
            )
            for match in matches
            if match.limit is not None
        ]
        failure: FailureMode | None = None
        counts: Sequence[Count | None] = ()
        if charges:
            try:
                counts = await self._store.hit(charges)
            except StoreUnavailableError as error:
                failure = self._modes.failure
                counts = await self._without_store(charges)
                if isinstance(error, PartlyKnownError):
                    counts = [known or count for known, count in zip(error.known, counts, strict=True)]
        remaining = iter(counts)
        statuses = tuple(_status(match, next(remaining) if match.limit else None, failure) for match in matches)
        over = _denied(matches, statuses)
        return Decision(
            domain,
            tuple(descriptors),
            statuses,
            over=over and not shadow,
            shadowed=over and shadow,
            failure=failure,
            metadata=_metadata(matches, statuses),
        )

    async def _without_store(self, charges: Sequence[Charge]) -> Sequence[Count | None]:
        if self._modes.failure is FailureMode.LOCAL:
            try:
                return await self._local.hit(charges)
            except StoreUnavailableError:
                pass  # No room to count in: then nothing more is admitted.
        return [None] * len(charges)


def match_all(limits: Limits, domain: str, descriptors: Sequence[Descriptor], *, quota: bool = False) -> list[Match]:
    """Find what applies to each descriptor of a request; a rule that another of its rules replaces does not."""
    root = limits.domains.get(domain)
    if root is None:
        return [Match(descriptor, None, None, "", Role.BINDING) for descriptor in descriptors]
    matches = []
    replaced: set[str] = set()
    for descriptor in descriptors:
        override = descriptor.override
        if override is not None:
            key = keys.bucket(domain, descriptor.entries, override)
            matches.append(Match(descriptor, OVERRIDE, override, key, Role.BINDING))
            continue
        node = matching.match(root, descriptor.entries)
        if node is None or node is root:
            matches.append(Match(descriptor, None, None, "", Role.BINDING))
            continue
        rule = node.rule
        role = Role.SHADOW if rule.shadow_mode else Role.QUOTA if rule.quota_mode or quota else Role.BINDING
        key = rule.bucket.key(descriptor.entries) if rule.bucket else ""
        matches.append(Match(descriptor, rule, rule.limit, key, role))
        if rule.replaces:
            replaced |= rule.replaces
    if not replaced:
        return matches
    return [
        Match(match.descriptor, None, None, "", Role.BINDING) if match.rule and match.rule.name in replaced else match
        for match in matches
    ]


def _status(match: Match, count: Count | None, failure: FailureMode | None) -> Status:
    """The answer to a descriptor. What is not known is not said: without an answer of a store there is no count."""
    descriptor, limit = match.descriptor, match.limit
    if limit is None:
        return Status(over=False, hits=descriptor.hits, rule=match.rule)
    if count is not None:
        exceeded = count.over
    elif failure is FailureMode.ALLOW:
        # A limit of 0 denies every hit, and needs no counter for that.
        exceeded = limit.requests_per_unit == 0 and descriptor.hits > 0 and not descriptor.refund
    else:
        exceeded = not descriptor.refund
    shown = exceeded and match.role is not Role.SHADOW
    return Status(shown, descriptor.hits, match.rule, limit, count, exceeded, match.role)


def _denied(matches: Sequence[Match], statuses: Sequence[Status]) -> bool:
    """Whether any limit that binds is exceeded, or all of those that are quotas."""
    quotas = quotas_over = 0
    for match, status in zip(matches, statuses, strict=True):
        if match.role is Role.QUOTA and status.limit is not None:
            quotas += 1
            quotas_over += status.exceeded
        elif status.exceeded and match.role is Role.BINDING:
            return True
    return quotas > 0 and quotas == quotas_over


def _metadata(matches: Sequence[Match], statuses: Sequence[Status]) -> Mapping[str, Any] | None:
    """What the rules of the descriptors that passed have to tell; of a name that comes twice the first counts."""
    found: dict[str, Any] = {}
    for match, status in zip(matches, statuses, strict=True):
        if match.rule and match.rule.metadata and not status.over:
            found = {**match.rule.metadata, **found}
    return found or None
