"""RateLimitRequest as JSON over HTTP, for trying things out with curl: envoyproxy/ratelimit's /json, with its codes."""

from __future__ import annotations

from google.protobuf import json_format

from ratelimit_service.servicers.rls import RateLimitServicer
from service_kit.http_host import Reply
from service_kit.rpc import RpcError
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse

MAX_BODY_BYTES = 64 * 1024  # a request of a person's size: it is parsed between the calls of others
MAX_DEPTH = 20  # levels of a request's JSON


class JsonPage:
    """Answers 200 when no limit is exceeded, 429 when one is, and 400 for a request that cannot be answered."""

    def __init__(self, servicer: RateLimitServicer) -> None:
        self._servicer = servicer

    async def answer(self, body: bytes) -> Reply:
        """Decide one request."""
        if len(body) > MAX_BODY_BYTES:
            return Reply(400, f"the body is larger than {MAX_BODY_BYTES} bytes\n")
        request = RateLimitRequest()
        try:
            json_format.Parse(body, request, max_recursion_depth=MAX_DEPTH)
        except (json_format.ParseError, UnicodeDecodeError, RecursionError, ValueError):
            return Reply(400, "the body is no RateLimitRequest in JSON\n")
        try:
            response = await self._servicer.should_rate_limit(request)
        except RpcError as error:
            return Reply(400, f"{error.text}\n")
        text = json_format.MessageToJson(response, indent=None)
        return Reply(429 if response.overall_code == RateLimitResponse.OVER_LIMIT else 200, text, "application/json")
