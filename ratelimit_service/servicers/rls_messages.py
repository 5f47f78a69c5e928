"""RateLimitRequest → descriptors, decision → RateLimitResponse (envoy.service.ratelimit.v3).

As envoyproxy/ratelimit does it, except that a bad request is refused with INVALID_ARGUMENT and not with UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ratelimit_service.errors import InvalidRequestError
from ratelimit_service.limits import MAX_UINT32, FixedWindow, Unit, unit_of
from ratelimit_service.model import Decision, Descriptor, Role, Status
from ratelimit_service.prepared import Match
from service_kit.wire import rate_limit_pb2 as wire
from service_kit.wire.envoy_type_pb2 import RateLimitUnit
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor

MAX_DESCRIPTORS = 100  # of a request
MAX_ENTRIES = 100  # of a descriptor
MAX_TEXT_BYTES = 1024 * 1024  # of domain, keys and values together, in UTF-8; Envoy's headers have 60 KiB at most
MAX_HITS = MAX_UINT32

_Response = wire.RateLimitResponse
_OK = _Response.OK
_OVER_LIMIT = _Response.OVER_LIMIT
_REPLY_UNITS: dict[Unit | None, wire.RateLimitResponse.RateLimit.Unit] = {
    # Envoy knows single units only. With UNKNOWN it leaves the window out of X-RateLimit-Limit rather than tell a wrong
    # one; the limit, what remains and the reset are told all the same.
    None: _Response.RateLimit.UNKNOWN,
    Unit.SECOND: _Response.RateLimit.SECOND,
    Unit.MINUTE: _Response.RateLimit.MINUTE,
    Unit.HOUR: _Response.RateLimit.HOUR,
    Unit.DAY: _Response.RateLimit.DAY,
    Unit.WEEK: _Response.RateLimit.WEEK,
    Unit.MONTH: _Response.RateLimit.MONTH,
    Unit.YEAR: _Response.RateLimit.YEAR,
}
_OVERRIDE_UNITS: dict[int, Unit] = {
    RateLimitUnit.SECOND: Unit.SECOND,
    RateLimitUnit.MINUTE: Unit.MINUTE,
    RateLimitUnit.HOUR: Unit.HOUR,
    RateLimitUnit.DAY: Unit.DAY,
    RateLimitUnit.MONTH: Unit.MONTH,
    RateLimitUnit.YEAR: Unit.YEAR,
}


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """What the headers are called that tell a caller about its limits."""

    limit: str = "RateLimit-Limit"
    remaining: str = "RateLimit-Remaining"
    reset: str = "RateLimit-Reset"


@dataclass(frozen=True, slots=True)
class Extras:
    """What a response carries beyond its statuses; `headers` is None where it carries none."""

    headers: HeaderNames | None = None
    dynamic_metadata: bool = False


def parse(request: wire.RateLimitRequest) -> list[Descriptor]:
    """Read a request; raises `InvalidRequestError`."""
    if not request.domain:
        raise InvalidRequestError("rate limit domain must not be empty")
    if not request.descriptors:
        raise InvalidRequestError("rate limit descriptor list must not be empty")
    if len(request.descriptors) > MAX_DESCRIPTORS:
        raise InvalidRequestError(f"more than {MAX_DESCRIPTORS} descriptors")
    if request.ByteSize() > MAX_TEXT_BYTES:  # the texts and a little more
        raise InvalidRequestError(f"domain, keys and values take more than {MAX_TEXT_BYTES} bytes")
    default_hits = request.hits_addend or 1  # proto3 cannot tell an absent number from 0 here
    return [_descriptor(descriptor, default_hits) for descriptor in request.descriptors]


def _descriptor(message: RateLimitDescriptor, default_hits: int) -> Descriptor:
    if len(message.entries) > MAX_ENTRIES:
        raise InvalidRequestError(f"a descriptor has more than {MAX_ENTRIES} entries")
    hits = message.hits_addend.value if message.HasField("hits_addend") else default_hits
    if hits > MAX_HITS:
        raise InvalidRequestError(f"hits_addend of a descriptor is above {MAX_HITS}")
    override = None
    if message.HasField("limit"):
        unit = _OVERRIDE_UNITS.get(message.limit.unit)
        if unit is None:
            raise InvalidRequestError("the unit of a descriptor's limit is unknown")
        override = FixedWindow(message.limit.requests_per_unit, unit)
    entries = tuple([(entry.key, entry.value) for entry in message.entries])
    return Descriptor(entries, hits, override, refund=message.is_negative_hits)


def draft_of(matches: Iterable[Match]) -> bytes:
    """A response to what matches so, serialised: as it is where nothing is over, without what counts will tell."""
    response = _Response(overall_code=_OK)
    for _, rule, limit, _, _ in matches:
        message = response.statuses.add(code=_OK)
        if limit is not None:
            message.current_limit.requests_per_unit = limit.requests_per_unit
            message.current_limit.unit = _REPLY_UNITS[unit_of(limit)]
            message.current_limit.name = limit.name
        elif rule is not None and rule.unlimited:
            message.limit_remaining = MAX_UINT32
    return response.SerializeToString()


def respond(draft: bytes, decision: Decision, request: wire.RateLimitRequest, extras: Extras) -> wire.RateLimitResponse:
    """Write a decision down as a response, on the draft of one for its request."""
    response = _Response.FromString(draft)
    if decision.over:
        response.overall_code = _OVER_LIMIT
    for message, status in zip(response.statuses, decision.statuses, strict=True):
        if status.over:
            message.code = _OVER_LIMIT
        if (count := status.count) is not None:
            message.limit_remaining = count.remaining
            message.duration_until_reset.seconds = count.reset_seconds
        elif status.limit is not None:
            # Without a count the numbers would be made up, and Envoy would pass them on as X-RateLimit headers.
            message.ClearField("current_limit")
    if extras.headers is not None:
        _add_headers(response, decision, extras.headers)
    if extras.dynamic_metadata:
        _add_metadata(response, decision, request)
    return response


def _add_headers(response: wire.RateLimitResponse, decision: Decision, names: HeaderNames) -> None:
    """Tell of one limit: the last that binds and is over, else the one with the least remaining."""
    told: Status | None = None
    for status in decision.statuses:
        if status.count is None:
            continue
        if _binds(status) or told is None or _closer(status, told):
            told = status
    if told is None or told.limit is None or told.count is None:
        return
    for name, number in (
        (names.limit, told.limit.requests_per_unit),
        (names.remaining, told.count.remaining),
        (names.reset, told.count.reset_seconds),
    ):
        response.response_headers_to_add.add(key=name, value=str(number))


def _binds(status: Status) -> bool:
    return status.over and status.role is Role.BINDING


def _closer(status: Status, told: Status) -> bool:
    if status.count is None or told.count is None:
        return told.count is None
    return not _binds(told) and status.count.remaining < told.count.remaining


def _add_metadata(response: wire.RateLimitResponse, decision: Decision, request: wire.RateLimitRequest) -> None:
    """Tell what was asked and what the rules have to say of it, for Envoy's access log and the filters behind."""
    fields: dict[str, Any] = {
        "domain": request.domain,
        "descriptors": [_asked(descriptor) for descriptor in request.descriptors],
    }
    if request.hits_addend:
        fields["hitsAddend"] = request.hits_addend
    if decision.metadata:
        fields["metadata"] = dict(decision.metadata)
    response.dynamic_metadata.update(fields)


def _asked(descriptor: RateLimitDescriptor) -> dict[str, object]:
    fields: dict[str, object] = {"entries": [f"{entry.key}={entry.value}" for entry in descriptor.entries]}
    if descriptor.HasField("limit"):
        unit = RateLimitUnit.Name(descriptor.limit.unit)
        fields["limit"] = f"requests_per_unit:{descriptor.limit.requests_per_unit} unit:{unit}"
    if descriptor.HasField("hits_addend"):
        fields["hitsAddend"] = descriptor.hits_addend.value
    return fields
