"""Envoy's RateLimitService (envoy.service.ratelimit.v3): RateLimitRequest to model, decision to RateLimitResponse.

Answers as envoyproxy/ratelimit does, except that a bad request ends with INVALID_ARGUMENT and not with UNKNOWN.
"""

from __future__ import annotations

from ratelimit_service.errors import InvalidRequestError, NoConfigurationError
from ratelimit_service.limiter import Limiter
from ratelimit_service.model import MAX_UINT32, Decision, Descriptor, FixedWindow, Status, Unit
from ratelimit_service.telemetry import Metrics
from service_kit import rpc
from service_kit.rpc import RpcError, Service
from service_kit.wire import rate_limit_pb2 as wire
from service_kit.wire.envoy_type_pb2 import RateLimitUnit
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor

MAX_DESCRIPTORS = 100  # of a request
MAX_ENTRIES = 100  # of a descriptor
MAX_TEXT_BYTES = 64 * 1024  # of domain, keys and values together, in UTF-8
MAX_HITS = MAX_UINT32

_Response = wire.RateLimitResponse
_OK = _Response.OK
_OVER_LIMIT = _Response.OVER_LIMIT
_REPLY_UNITS = {
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


class RateLimitServicer:
    """Answers ShouldRateLimit."""

    def __init__(self, limiter: Limiter, metrics: Metrics) -> None:
        self._limiter = limiter
        self._metrics = metrics

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
        self._metrics.decided(decision)
        return respond(decision)


def parse(request: wire.RateLimitRequest) -> list[Descriptor]:
    """Read a request; raises `InvalidRequestError`."""
    if not request.domain:
        raise InvalidRequestError("rate limit domain must not be empty")
    if not request.descriptors:
        raise InvalidRequestError("rate limit descriptor list must not be empty")
    if len(request.descriptors) > MAX_DESCRIPTORS:
        raise InvalidRequestError(f"more than {MAX_DESCRIPTORS} descriptors")
    default_hits = request.hits_addend or 1  # proto3 cannot tell an absent number from 0 here
    descriptors = [_descriptor(descriptor, default_hits) for descriptor in request.descriptors]
    size = len(request.domain.encode()) + sum(
        len(text.encode()) for descriptor in descriptors for entry in descriptor.entries for text in entry
    )
    if size > MAX_TEXT_BYTES:
        raise InvalidRequestError(f"domain, keys and values take more than {MAX_TEXT_BYTES} bytes")
    return descriptors


def _descriptor(message: RateLimitDescriptor, default_hits: int) -> Descriptor:
    if len(message.entries) > MAX_ENTRIES:
        raise InvalidRequestError(f"a descriptor has more than {MAX_ENTRIES} entries")
    if message.is_negative_hits:
        raise InvalidRequestError("is_negative_hits is not supported")
    hits = message.hits_addend.value if message.HasField("hits_addend") else default_hits
    if hits > MAX_HITS:
        raise InvalidRequestError(f"hits_addend of a descriptor is above {MAX_HITS}")
    override = None
    if message.HasField("limit"):
        unit = _OVERRIDE_UNITS.get(message.limit.unit)
        if unit is None:
            raise InvalidRequestError("the unit of a descriptor's limit is unknown")
        override = FixedWindow(message.limit.requests_per_unit, unit)
    return Descriptor(tuple((entry.key, entry.value) for entry in message.entries), hits, override)


def respond(decision: Decision) -> wire.RateLimitResponse:
    """Write a decision down as a response."""
    response = _Response(overall_code=_OVER_LIMIT if decision.over else _OK)
    for status in decision.statuses:
        _write(response.statuses.add(), status)
    return response


def _write(message: wire.RateLimitResponse.DescriptorStatus, status: Status) -> None:
    message.code = _OVER_LIMIT if status.over else _OK
    # Without a count the numbers would be made up, and Envoy would pass them on as X-RateLimit headers.
    if status.limit is None or status.count is None:
        return
    message.current_limit.requests_per_unit = status.limit.requests_per_unit
    message.current_limit.unit = _REPLY_UNITS[status.limit.unit]
    message.current_limit.name = status.limit.name
    message.limit_remaining = status.count.remaining
    message.duration_until_reset.seconds = status.count.reset_seconds
