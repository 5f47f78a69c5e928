"""A body that is a message of the Model Context Protocol (JSON-RPC 2.0) → what it asks for. Pure.

What counts is the body. From revision 2026-07-28 on clients repeat its method and name in `Mcp-Method` and `Mcp-Name`.
Somebody on the way may have gone by those, so headers that say another thing than the body are refused, in any
revision.

Batches (arrays; only revision 2025-03-26 had them) are refused: one decision, one limit and one audit event would stand
for many calls, and the policy would have to judge each, which a policy that reads `input.mcp.tool` does not do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from authz_service.errors import McpRefused
from authz_service.model import HttpRequest
from authz_service.policy.bodies.reading import Body
from authz_service.policy.mcp_values import read_value

MIRRORING: Final = "2026-07-28"  # the first revision whose clients must repeat method and name in headers
MAX_NAME: Final = 1_024  # characters of a method, a name, an identifier
INVALID_REQUEST: Final = -32600  # JSON-RPC 2.0 section 5.1
HEADER_MISMATCH: Final = -32020  # MCP, revision 2026-07-28
# What names the thing that a method is about, in its `params`; those of `MUST_NAME` must be in `Mcp-Name` too.
NAMED_BY: Final[Mapping[str, str]] = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "resources/subscribe": "uri",
    "resources/unsubscribe": "uri",
}
# What the tasks extension repeats in `Mcp-Name`; there are clients that leave it out.
_ALSO_NAMED_BY: Final = dict.fromkeys(("tasks/get", "tasks/update", "tasks/cancel"), "taskId")
MUST_NAME: Final = frozenset({"tools/call", "prompts/get", "resources/read"})
_VERSION_IN_BODY: Final = "io.modelcontextprotocol/protocolVersion"
_BODILESS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})  # streams and ends of sessions of older revisions
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ENVELOPE: Final = ("jsonrpc", "id", "method", "params", "result", "error")
_PARAMETERS: Final = ("name", "uri", "arguments", "_meta")


def says_mcp(headers: Mapping[str, str]) -> bool:
    """Whether a request carries a header of the protocol."""
    return "\nmcp-" in "\n".join(("", *headers))  # asked of every request: a third of the time of one by one


def read_mcp(request: HttpRequest, body: Body) -> dict[str, Any] | None:
    """Return what a message asks for, None where the body is none.

    Raises:
        McpRefused: the message is malformed or a batch, or a header says another thing; or headers of the protocol come
            with a body that is no message, or has not come whole.
        RequestRefused: the body cannot be read.
    """
    announced = says_mcp(request.headers)
    if announced and request.method in _BODILESS and not request.body and not body.truncated:
        return None
    value = body.value if not body.truncated and body.media.is_json else None
    batch = isinstance(value, list) and any(isinstance(item, dict) and _claims(item) for item in value)
    if batch or (announced and isinstance(value, list)):
        raise McpRefused("mcp_batch", "batches of messages are not taken", INVALID_REQUEST)
    if not isinstance(value, dict) or not _claims(value):
        if announced:
            raise McpRefused("mcp_malformed", "the body is no message that can be judged", INVALID_REQUEST)
        return None
    return _message(request.headers, value)


def _claims(value: Mapping[str, Any]) -> bool:
    """Whether an object says that it is JSON-RPC, in any spelling that a lenient reader would take."""
    return "jsonrpc" in value or any(name.casefold() == "jsonrpc" for name in value)


def _message(headers: Mapping[str, str], value: dict[str, Any]) -> dict[str, Any]:
    known = value.get("id")
    identifier = known if _is_identifier(known) else None

    def malformed() -> McpRefused:
        return McpRefused("mcp_malformed", "the message is malformed", INVALID_REQUEST, identifier)

    parameters = value.get("params", {})
    if value.get("jsonrpc") != "2.0" or not isinstance(parameters, dict) or ("id" in value and identifier is None):
        raise malformed()
    if _has_look_alike(value, _ENVELOPE) or _has_look_alike(parameters, _PARAMETERS):
        raise malformed()
    if "method" not in value:
        if ("result" in value) == ("error" in value):
            raise malformed()
        if not _agrees(headers, None, None, None, must_state=False):
            raise McpRefused("mcp_header_mismatch", "headers and body do not agree", HEADER_MISMATCH, identifier)
        return {"kind": "response", "id": identifier}
    method = value["method"]
    if not _is_name(method) or "result" in value or "error" in value:
        raise malformed()
    message: dict[str, Any] = {"kind": "request" if "id" in value else "notification", "method": method}
    if "id" in value:
        message["id"] = identifier
    named_by = NAMED_BY.get(method)
    name = parameters.get(named_by) if named_by else None
    if named_by and not _is_name(name):
        raise malformed()
    if method in {"tools/call", "prompts/get"}:
        arguments = parameters.get("arguments", {})
        if not isinstance(arguments, dict):
            raise malformed()
        message["arguments"] = arguments
    if named_by:
        message[{"tools/call": "tool", "prompts/get": "prompt"}.get(method, "resource")] = name
    meta = parameters.get("_meta", {})
    stated = meta.get(_VERSION_IN_BODY) if isinstance(meta, dict) else None
    repeated = parameters.get(_ALSO_NAMED_BY[method]) if method in _ALSO_NAMED_BY else name
    if not _agrees(headers, method, repeated, stated, must_state="id" in value or "_meta" in parameters):
        raise McpRefused("mcp_header_mismatch", "headers and body do not agree", HEADER_MISMATCH, identifier)
    return message


def _agrees(headers: Mapping[str, str], method: str | None, name: Any, stated: Any, *, must_state: bool) -> bool:
    """Whether the headers that repeat the body say what it says, and are there where they must be.

    A response has no method, and most methods no name: a header says another thing then, whatever it says.
    """
    version = headers.get("mcp-protocol-version", "").strip()
    if stated is not None and stated != version:
        return False
    # A version that is no date is a draft, or none: it is held to the stricter rule.
    mirrored = version != "" and not (_DATE.fullmatch(version) and version < MIRRORING)
    if mirrored and must_state and stated is None:
        return False
    written = headers.get("mcp-method")
    if method is None and written is not None:
        return False
    if mirrored if written is None else read_value(written) != method:
        return False
    written = headers.get("mcp-name")
    if written is None:
        return not (mirrored and method in MUST_NAME)
    return isinstance(name, str) and read_value(written) == name


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME


def _is_identifier(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_NAME
    return isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= MAX_NAME


def _has_look_alike(value: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Whether a member's name differs from a known one in case only: some readers take it for that one."""
    return any(name not in names and name.casefold() in names for name in value)
