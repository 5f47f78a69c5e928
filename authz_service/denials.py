"""A denial → the form in which this client understands it: JSON, gRPC status or JSON-RPC error. Pure.

- gRPC: Envoy turns the HTTP status into a gRPC status and the body into its message; the body is one plain line.
- MCP: a JSON-RPC error with the request's id. A policy's denial has the HTTP status that the configuration says, since
  clients that are told 403 show none of what is inside; 400, 401 and 503 stay, as their clients act upon them.
- All others: a stable JSON object with `error`, `message` and `decision_id`, and nothing of how it came about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authz_service.identity.jws import JwsError, read_object
from authz_service.model import DecidedBy, Decision, HttpRequest, Outcome

MAX_BODY = 64 * 1024  # bytes of a request's body that is read for its id
MAX_ID = 256  # characters of a JSON-RPC id
# JSON-RPC's range for what a server defines itself (section 5.1); MCP uses some others of it.
DENIED, UNAUTHENTICATED, UNAVAILABLE = -32003, -32001, -32005
_INVALID_REQUEST = -32600
_CODES = {400: _INVALID_REQUEST, 401: UNAUTHENTICATED, 503: UNAVAILABLE}
_FORBIDDEN = 403
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Denials:
    """`messages` replace texts by code; `mcp_status` is the HTTP status of a policy's denial of an MCP call."""

    messages: Mapping[str, str] = field(default_factory=dict)
    mcp_status: int = 200

    def text(self, code: str, usual: str) -> str:
        """Return what a client is told for a code."""
        return self.messages.get(code, usual)

    def form(self, decision: Decision, request: HttpRequest) -> Decision:
        """Write the body that a decision leaves to us, in the client's form."""
        if decision.outcome is Outcome.ALLOW or decision.body is not None:
            return decision
        text = self.text(decision.code, decision.reason)
        if is_grpc(request):
            line = f"{text} ({decision.code}, decision {decision.decision_id})"
            return decision._replace(body=" ".join(_UNPRINTABLE.sub(" ", line).split()))
        headers = [*decision.headers, ("content-type", "application/json")]
        call = mcp_id(request)
        if call is not None:
            by_policy = decision.by is DecidedBy.POLICY and decision.status == _FORBIDDEN
            error = {
                "code": _CODES.get(decision.status, DENIED),
                "message": text,
                "data": {"error": decision.code, "decision_id": decision.decision_id},
            }
            return decision._replace(
                status=self.mcp_status if by_policy else decision.status,
                headers=headers,
                body=json.dumps({"jsonrpc": "2.0", "id": call.value, "error": error}),
            )
        body = {"error": decision.code, "message": text, "decision_id": decision.decision_id}
        return decision._replace(headers=headers, body=json.dumps(body))


@dataclass(frozen=True, slots=True)
class CallId:
    """The id of a JSON-RPC request."""

    value: str | int | None


def is_grpc(request: HttpRequest) -> bool:
    """Whether a request is a gRPC call, by its media type."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/grpc" or kind.startswith("application/grpc+")


def mcp_id(request: HttpRequest) -> CallId | None:
    """Return the id of an MCP call that waits for an answer; None where a request is none."""
    headers = request.headers
    if request.method != "POST" or not 0 < len(request.body) <= MAX_BODY:
        return None
    accept = headers.get("accept", "").lower()
    marked = any(name.startswith("mcp-") for name in headers)
    if not marked and not ("text/event-stream" in accept and "application/json" in accept):
        return None
    try:
        message: Mapping[str, Any] = read_object(request.body)
    except JwsError:
        return None
    value = message.get("id")
    if message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str) or "id" not in message:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > MAX_ID:
        return CallId(None)
    return CallId(value)
