"""The policies' mask rules over an event: what OPA's `data.system.log.mask` says goes, or is replaced. Pure.

A rule is a pointer below `/input`, `/result` or `/nd_builtin_cache` ("/input/user/email"), whose value is removed, or
an object `{"op": "remove" | "upsert", "path": POINTER, "value": ANY}`. A pointer that leads nowhere changes nothing.
OPA finds no name that percent encoding would change. Here it is found, as it is written and as it reads decoded.
A rule that cannot be understood is an error, and nothing of the event may be shown then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

ROOTS = frozenset({"input", "result", "nd_builtin_cache"})
MAX_RULES = 1_000  # that are applied to one event; a set of more is an error
MAX_PATH = 1_024  # characters of a rule's pointer
MAX_ITEMS = 10_000  # of an array, up to which an upsert may reach
_SAFE = "$&+:=@!'()*,;~"  # beside letters, digits and -._: what stands as it is in a path's segment


class MaskError(Exception):
    """A set of mask rules that cannot be understood."""


@dataclass(frozen=True, slots=True)
class MaskRule:
    """What to do at one place: replace it by `value`, or remove it."""

    upsert: bool
    names: tuple[str, ...]
    value: Any = None

    @property
    def pointer(self) -> str:
        """The place, as an event's `erased` and `masked` tell it."""
        return "/" + "/".join(quote(name, safe=_SAFE) for name in self.names)


def read_rules(value: Any) -> list[MaskRule]:
    """Read what `data.system.log.mask` says.

    Raises:
        MaskError: it is no set of rules, or one of them is none.
    """
    if not isinstance(value, list):
        raise MaskError("the mask is no set")
    if len(value) > MAX_RULES:
        raise MaskError(f"the mask has more than {MAX_RULES} rules")
    return [_rule(item) for item in value]


def _rule(item: Any) -> MaskRule:
    if isinstance(item, str):
        return MaskRule(False, _names(item))
    if not isinstance(item, dict):
        raise MaskError("a mask rule is neither a string nor an object")
    op = item.get("op")
    if not isinstance(op, str) or op not in {"remove", "upsert"}:
        raise MaskError("a mask rule's `op` is neither remove nor upsert")
    return MaskRule(op == "upsert", _names(item.get("path")), item.get("value"))


def _names(path: Any) -> tuple[str, ...]:
    if not isinstance(path, str) or not path.startswith("/") or len(path) > MAX_PATH:
        raise MaskError(f"a mask rule's path is no pointer of at most {MAX_PATH} characters")
    names = tuple(path[1:].split("/"))
    if names[0] not in ROOTS:
        raise MaskError("a mask rule's path begins with none of /input, /result and /nd_builtin_cache")
    return names


def mask(event: dict[str, Any], rules: Sequence[MaskRule]) -> None:
    """Apply the rules to an event in their order, changing its values, and note in it which of them did something."""
    for rule in rules:
        if rule.names[0] not in event:
            continue
        done = _upsert(event, rule) if rule.upsert else _remove(event, rule.names)
        if done:
            event.setdefault("masked" if rule.upsert else "erased", []).append(rule.pointer)


def _remove(event: dict[str, Any], names: Sequence[str]) -> bool:
    holder: Any = event
    for name in names[:-1]:
        holder = _child(holder, name)
    place = _place(holder, names[-1])
    if place is None or (isinstance(holder, list) and place >= len(holder)):
        return False
    del holder[place]
    return True


def _upsert(event: dict[str, Any], rule: MaskRule) -> bool:
    """Put the value where the pointer leads; objects that are missing on the way are made, as OPA makes them."""
    if len(rule.names) > 1 and not isinstance(event[rule.names[0]], dict):
        return False
    holder: Any = event
    for name in rule.names[:-1]:
        below = _child(holder, name)
        if below is None and isinstance(holder, dict) and _place(holder, name) is None:
            below = holder[unquote(name)] = {}
        holder = below
    if isinstance(holder, dict):
        place = _place(holder, rule.names[-1])
        holder[unquote(rule.names[-1]) if place is None else place] = rule.value
        return True
    place = _place(holder, rule.names[-1])
    if place is None:
        return False
    holder[place] = rule.value
    return True


def _child(holder: Any, name: str) -> Any:
    place = _place(holder, name)
    return None if place is None else holder[place]


def _place(holder: Any, name: str) -> Any:
    """Return the key or index by which a name is found in a value; None where it is not."""
    if isinstance(holder, Mapping):
        return next((key for key in (name, unquote(name)) if key in holder), None)
    if isinstance(holder, list) and name.isascii() and name.isdecimal() and len(name) <= len(str(MAX_ITEMS)):
        index = int(name)
        return index if index < len(holder) else None
    return None
