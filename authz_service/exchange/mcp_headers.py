"""An MCP request whose body was redacted → the headers that mirror its arguments, and what must not be rewritten. Pure.

MCP's headers `Mcp-Name` and `Mcp-Param-*` repeat values of the body, and a server refuses a request in which they
differ. Which argument a header repeats only the tool's schema says; but its value does too: a header that reads as a
value did before now reads as that value does after. `requestState` is the server's own, often sealed: changed, it would
be refused, or worse, believed; what is found in it is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from authz_service.dlp.found import Blocked
from authz_service.exchange.events import Fields
from authz_service.identity.jws import JwsError, read_object
from authz_service.policy.mcp_values import read_value, write_value

_NAMED = frozenset({"mcp-name"})
_PREFIX = "mcp-param-"
_OPAQUE = "requestState"


def mirrored(fields: Fields, before: bytes, after: bytes) -> Fields:
    """The header fields to set, where `before` was redacted to `after`.

    Raises:
        Blocked: what was changed is not to be.
    """
    named = [(name, value) for name, value in fields if name in _NAMED or name.startswith(_PREFIX)]
    is_opaque = _OPAQUE.encode() in before
    if not named and not is_opaque:
        return ()
    try:
        old, new = read_object(before), read_object(after)
    except JwsError:
        if is_opaque:
            raise Blocked("opaque_state") from None
        return ()
    if is_opaque and _opaque(old) != _opaque(new):
        raise Blocked("opaque_state")
    changed = dict(_changes(old, new))
    found = [(name, read_value(value)) for name, value in named]
    return [(name, write_value(changed[value])) for name, value in found if value in changed]


def _opaque(value: Any) -> list[Any]:
    """Every opaque value, in order. The reader has bounded the depth."""
    if isinstance(value, list):
        return [found for item in value for found in _opaque(item)]
    if not isinstance(value, dict):
        return []
    own = [value[_OPAQUE]] if _OPAQUE in value else []
    return own + [found for item in value.values() for found in _opaque(item)]


def _changes(old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """Values that differ, as a header would write them. Redaction keeps the shape: keys may differ, places do not."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = list(zip(old.values(), new.values(), strict=False))
    elif isinstance(old, list) and isinstance(new, list):
        pairs = list(zip(old, new, strict=False))
    else:
        if old != new and not isinstance(old, dict | list):
            yield _written(old), _written(new)
        return
    for before, after in pairs:
        yield from _changes(before, after)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
