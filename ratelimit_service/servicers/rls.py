"""Envoy's RateLimitService (envoy.service.ratelimit.v3): RateLimitRequest to model, decision to RateLimitResponse.

Answers as envoyproxy/ratelimit does, except that a bad request ends with INVALID_ARGUMENT and not with UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ratelimit_service.errors import InvalidRequestError, NoConfigurationError
from ratelimit_service.limiter import Limiter
from ratelimit_service.limits import MAX_UINT32, FixedWindow, Unit, unit_of
from ratelimit_service.model import Decision, Descriptor, Role, Status
from ratelimit_service.telemetry import Metrics
from service_kit import rpc
from service_kit.rpc import RpcError, Service
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


class RateLimitServicer:
    """Answers ShouldRateLimit."""

    def __init__(self, limiter: Limiter, metrics: Metrics, extras: Extras | None = None) -> None:
        self._limiter = limiter
        self._metrics = metrics
        self._extras = extras or Extras()

    def service(self) -> Service:
        """The service to serve."""
        descriptor = wire.DESCRIPTOR.services_by_name["RateLimitService"]
        return Service(descriptor, {"ShouldRateLimit": self.should_rate_limit})

    async def should_rate_limit(self, request: wire.RateLimitRequest) -> wire.RateLimitResponse:
        """Decide one request; ends with INVALID_ARGUMENT, or UNAVAILABLE where no configuration is loaded."""
        try:
            descriptors = parse(request)
            decision = await self._limiter.decide(request.domain, descriptors)
        except InvalidRequestError as error:
            self._metrics.refused(error.code)
            raise RpcError(rpc.Status.INVALID_ARGUMENT, str(error)) from error
        except NoConfigurationError as error:
            # UNAVAILABLE tells Envoy and its operator that the service is not there yet, not that the request is wrong.
            self._metrics.refused(error.code)
            raise RpcError(rpc.Status.UNAVAILABLE, str(error)) from error
        except Exception:
            self._metrics.refused("internal")
            raise
        self._metrics.decided(decision, known_domain=request.domain in self._limiter.limits.domains)
        return respond(decision, request, self._extras)


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
    entries = tuple((entry.key, entry.value) for entry in message.entries)
    return Descriptor(entries, hits, override, refund=message.is_negative_hits)


def respond(decision: Decision, request: wire.RateLimitRequest, extras: Extras) -> wire.RateLimitResponse:
    """Write a decision down as a response."""
    response = _Response(overall_code=_OVER_LIMIT if decision.over else _OK)
    for status in decision.statuses:
        _write(response.statuses.add(), status)
    if extras.headers is not None:
        _add_headers(response, decision, extras.headers)
    if extras.dynamic_metadata:
        _add_metadata(response, decision, request)
    return response


def _write(message: wire.RateLimitResponse.DescriptorStatus, status: Status) -> None:
    message.code = _OVER_LIMIT if status.over else _OK
    if status.rule is not None and status.rule.unlimited:
        message.limit_remaining = MAX_UINT32
    # Without a count the numbers would be made up, and Envoy would pass them on as X-RateLimit headers.
    if status.limit is None or status.count is None:
        return
    message.current_limit.requests_per_unit = status.limit.requests_per_unit
    message.current_limit.unit = _REPLY_UNITS[unit_of(status.limit)]
    message.current_limit.name = status.limit.name
    message.limit_remaining = status.count.remaining
    message.duration_until_reset.seconds = status.count.reset_seconds


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
