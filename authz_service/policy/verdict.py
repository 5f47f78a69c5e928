"""The decision rule's value → a typed verdict. What is not understood is an error, never an allow. Pure.

The result forms are those of opa-envoy-plugin: a boolean, or an object with `allowed` and the fields below. As there, a
field that this outcome does not use is not looked at. `reason`, `code` and `policy_id` are ours, for the audit line and
the denied caller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from authz_service.dlp.actions import NO_OVERRIDES, Overrides
from authz_service.dlp.overrides import OverridesError, read_overrides
from authz_service.errors import PolicyFailed
from authz_service.rego_engine.values import UNDEFINED

Pairs = Sequence[tuple[str, str]]

# Of `dynamic_metadata`. Protobuf reads 100 levels of messages, of which one of JSON takes three.
MAX_METADATA_DEPTH: Final = 30
MAX_METADATA_VALUES: Final = 10_000
MAX_METADATA_CHARACTERS: Final = 256 * 1024

_HEADER_NAME = re.compile(r":?[a-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")

# What Envoy can answer with (envoy.type.v3.StatusCode): the registered statuses, save those that it does not know.
STATUSES = frozenset(status.value for status in HTTPStatus) - {101, 102, 103, 418, 425, 451}


# The fields that an outcome uses, beside `allowed`, `reason`, `code` and `policy_id`.
FOR_ALLOW = (
    "headers", "response_headers_to_add", "request_headers_to_remove", "query_parameters_to_set",
    "query_parameters_to_remove", "dynamic_metadata", "dlp",
)  # fmt: skip
FOR_DENIAL = ("headers", "body", "http_status", "dynamic_metadata")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says. `headers` are request headers to set on an allow, response headers on a denial.

    A header's first value overwrites, its others are added. Query parameters are named and valued as an application
    reads them, decoded. `dlp` says what becomes of which findings.
    """

    allowed: bool
    headers: Pairs = ()
    response_headers_to_add: Pairs = ()
    request_headers_to_remove: Sequence[str] = ()
    query_parameters_to_set: Pairs = ()
    query_parameters_to_remove: Sequence[str] = ()
    body: str | None = None
    http_status: int = 403
    dynamic_metadata: Mapping[str, Any] = field(default_factory=dict)
    code: str | None = None
    reason: str | None = None
    policy_id: str | None = None
    dlp: Overrides = NO_OVERRIDES


def read_verdict(value: Any) -> Verdict:
    """Read a decision.

    Raises:
        PolicyFailed: it is undefined, of an unknown shape, or a field that this outcome uses has the wrong type.
    """
    if value is UNDEFINED:
        raise PolicyFailed("the decision is undefined")
    if isinstance(value, bool):
        return Verdict(value)
    if not isinstance(value, dict):
        raise PolicyFailed("the decision is neither a boolean nor an object")
    if not isinstance(value.get("allowed"), bool):
        raise PolicyFailed("the decision has no boolean `allowed`")
    allowed = value["allowed"]
    used: Mapping[str, Any] = {name: value[name] for name in (FOR_ALLOW if allowed else FOR_DENIAL) if name in value}
    return Verdict(
        allowed=allowed,
        headers=_headers(used, "headers"),
        response_headers_to_add=_headers(used, "response_headers_to_add"),
        request_headers_to_remove=_texts(used, "request_headers_to_remove"),
        query_parameters_to_set=_parameters(used, "query_parameters_to_set"),
        query_parameters_to_remove=_texts(used, "query_parameters_to_remove"),
        body=_text(used, "body"),
        http_status=_status(used),
        dynamic_metadata=_metadata(used),
        code=_ours(value, "code"),
        reason=_ours(value, "reason"),
        policy_id=_ours(value, "policy_id"),
        dlp=_overrides(used),
    )


def _wrong(name: str) -> PolicyFailed:
    return PolicyFailed(f"the decision's `{name}` has the wrong type")


def _text(value: Mapping[str, Any], name: str) -> str | None:
    text = value.get(name)
    if text is not None and not isinstance(text, str):
        raise _wrong(name)
    return text


def _ours(value: Mapping[str, Any], name: str) -> str | None:
    """Read a field that opa-envoy-plugin does not know: policies written for it may mean something else by the name."""
    text = value.get(name)
    return text if isinstance(text, str) else None


def _texts(value: Mapping[str, Any], name: str) -> tuple[str, ...]:
    if name not in value:
        return ()
    texts = value[name]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _wrong(name)
    return tuple(texts)


def _pairs(value: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    """Read an object, or a list of objects, whose values are texts or lists of texts."""
    if name not in value:
        return ()
    found: list[tuple[str, str]] = []
    groups = value[name]
    for group in groups if isinstance(groups, list) else [groups]:
        if not isinstance(group, dict):
            raise _wrong(name)
        for key, content in group.items():
            for text in content if isinstance(content, list) else [content]:
                if not isinstance(text, str):
                    raise _wrong(name)
                found.append((key, text))
    return tuple(found)


def _parameters(value: Mapping[str, Any], name: str) -> Pairs:
    """Read query parameters: one object."""
    if isinstance(value.get(name), list):
        raise _wrong(name)
    return _pairs(value, name)


def _headers(value: Mapping[str, Any], name: str) -> Pairs:
    """Read headers; names and values must be ones that cannot end a header early (RFC 9110 section 5)."""
    if name not in value:
        return ()
    pairs = [(key.lower(), text) for key, text in _pairs(value, name)]
    if not all(_HEADER_NAME.fullmatch(key) and _HEADER_VALUE.fullmatch(text) for key, text in pairs):
        raise PolicyFailed(f"the decision's `{name}` has a name or value that is no header")
    return tuple(pairs)


def _status(value: Mapping[str, Any]) -> int:
    status = value.get("http_status", 403)
    if isinstance(status, bool) or not isinstance(status, int) or status not in STATUSES:
        raise _wrong("http_status")
    return status


def _metadata(value: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = value.get("dynamic_metadata", {})
    if not isinstance(metadata, dict):
        raise _wrong("dynamic_metadata")
    level: list[Any] = [metadata]
    values = characters = depth = 0
    while level:
        values += len(level)
        characters += sum(len(item) for item in level if isinstance(item, str))
        mappings = [item for item in level if isinstance(item, dict)]
        characters += sum(len(name) for item in mappings for name in item)
        if values > MAX_METADATA_VALUES or characters > MAX_METADATA_CHARACTERS or depth > MAX_METADATA_DEPTH:
            raise PolicyFailed("the decision's `dynamic_metadata` is too large or nested too deeply")
        if not all(map(_is_double, level)):
            raise PolicyFailed("the decision's `dynamic_metadata` has a number that is out of range")
        below = [item for mapping in mappings for item in mapping.values()]
        level = below + [item for listed in level if isinstance(listed, list) for item in listed]
        depth += 1
    return {name: _sendable(item) for name, item in metadata.items()}


def _overrides(value: Mapping[str, Any]) -> Overrides:
    """Read what becomes of findings. A mistake in it is never taken for silence: a secret could get out."""
    if "dlp" not in value:
        return NO_OVERRIDES
    try:
        return read_overrides(value["dlp"])
    except OverridesError as error:
        raise PolicyFailed(f"the decision's `dlp` {error}") from error


def _is_double(value: Any) -> bool:
    """Whether a value is no number, or one that a double can hold (protobuf's `Struct` has no others)."""
    try:
        return not isinstance(value, int | float | Decimal) or math.isfinite(float(value))
    except OverflowError:
        return False


def _sendable(value: Any) -> Any:
    """Return a value with decimals as the nearest doubles, which is what can be sent."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _sendable(item) for name, item in value.items()}
    return [_sendable(item) for item in value] if isinstance(value, list) else value
