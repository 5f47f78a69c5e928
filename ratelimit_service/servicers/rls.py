"""Envoy's RateLimitService (envoy.service.ratelimit.v3)."""

from __future__ import annotations

from ratelimit_service.errors import InvalidRequestError, NoConfigurationError
from ratelimit_service.limiter import Limiter
from ratelimit_service.servicers.known import Known, KnownRequests
from ratelimit_service.servicers.rls_messages import Extras, draft_of, parse, respond
from ratelimit_service.telemetry import Metrics
from service_kit import rpc
from service_kit.rpc import RpcError, Service
from service_kit.wire import rate_limit_pb2 as wire


class RateLimitServicer:
    """Answers ShouldRateLimit."""

    def __init__(self, limiter: Limiter, metrics: Metrics, extras: Extras | None = None) -> None:
        self._limiter = limiter
        self._metrics = metrics
        self._extras = extras or Extras()
        self._known = KnownRequests()

    def service(self) -> Service:
        """The service to serve."""
        descriptor = wire.DESCRIPTOR.services_by_name["RateLimitService"]
        return Service(descriptor, {"ShouldRateLimit": self.should_rate_limit})

    async def should_rate_limit(self, request: wire.RateLimitRequest) -> wire.RateLimitResponse:
        """Decide one request; ends with INVALID_ARGUMENT, or UNAVAILABLE where no configuration is loaded."""
        try:
            prepared, draft = self._asked(request)
            decision = await self._limiter.decide(prepared)
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
        self._metrics.decided(decision, known_domain=prepared.known_domain)
        return respond(draft, decision, request, self._extras)

    def _asked(self, request: wire.RateLimitRequest) -> Known:
        message = request.SerializeToString()
        known = self._known.find(self._limiter.limits, message)
        if known is None:
            prepared = self._limiter.prepare(request.domain, parse(request))
            known = Known(prepared, draft_of(prepared.matches))
            self._known.keep(message, known)
        return known
