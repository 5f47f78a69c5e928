"""A policy's `dlp` field → overrides of actions, and back as metadata, by which bodies are treated alike. Pure.

Two forms: by entity (`{"us_ssn": "allow", "*": "mask"}`), which holds in both directions, or by direction
(`{"request": {"us_ssn": "allow"}, "response": {"*": "block"}}`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from authz_service.dlp.actions import Action, Direction, Overrides

MAX_ENTITIES = 200  # of one direction
_ENTITY: Final = re.compile(r"\*|[a-z][a-z0-9_]{0,63}")
_DIRECTIONS: Final = frozenset(direction.value for direction in Direction)


class OverridesError(Exception):
    """The value is none of both forms, or has an action or an entity that cannot be. The text holds nothing of it."""


def read_overrides(value: Any) -> Overrides:
    """Read either form; an empty object says nothing.

    Raises:
        OverridesError: it is neither.
    """
    if not isinstance(value, Mapping):
        raise OverridesError("is no object")
    if _DIRECTIONS.isdisjoint(value):
        actions = _actions(value)
        return Overrides(actions, actions)
    if not _DIRECTIONS.issuperset(value):
        raise OverridesError("has another name beside request and response")
    return Overrides(_actions(value.get("request", {})), _actions(value.get("response", {})))


def to_metadata(overrides: Overrides) -> Mapping[str, Any]:
    """Return the second form, of plain texts; `read_overrides` reads it."""
    return {
        name: {entity: action.value for entity, action in actions.items()}
        for name, actions in (("request", overrides.request), ("response", overrides.response))
        if actions
    }


def _actions(value: Any) -> Mapping[str, Action]:
    if not isinstance(value, Mapping) or len(value) > MAX_ENTITIES:
        raise OverridesError(f"has a direction that is no object of at most {MAX_ENTITIES} entities")
    actions = {}
    for entity, action in value.items():
        if not isinstance(entity, str) or not _ENTITY.fullmatch(entity):
            raise OverridesError("has a name that is no entity's")
        try:
            actions[entity] = Action(action)
        except ValueError as error:
            raise OverridesError("has an action that there is not") from error
    return actions
