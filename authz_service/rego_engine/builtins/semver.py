"""Semantic versions (semver.org, 2.0.0): whether a string is one, and which of two comes first.

A leading `v` is let pass, as OPA does. Major, minor and patch have at most 63 bits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, write

_LARGEST: Final = 2**63 - 1
_MOST_DIGITS: Final = len(str(_LARGEST))
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

# A numeric identifier comes before any other, and is compared as a number: by length, having no leading zeros.
_Identifier = tuple[bool, int, str]


class _Version(NamedTuple):
    """A version, in the order that section 11 gives them; build metadata has no part in it."""

    major: int
    minor: int
    patch: int
    released: bool  # a pre-release comes before its release
    identifiers: list[_Identifier]


@builtin("semver.compare")
def compare(left: Value, right: Value) -> Value:
    """-1, 0 or 1, as the one version comes before, with or after the other."""
    first, second = string(left, 1), string(right, 2)
    one, other = _checked(first, 1), _checked(second, 2)
    return (one > other) - (one < other)


@builtin("semver.is_valid")
def is_valid(value: Value) -> Value:
    """Whether a value is a version."""
    return type(value) is str and _parse(value) is not None


def _checked(text: str, position: int) -> _Version:
    found = _parse(text)
    if found is None:
        raise BuiltinFault(f"operand {position}: string {write(text)} is not a valid SemVer")
    return found


def _parse(text: str) -> _Version | None:
    """Read a version; None if it is none."""
    rest, plus, metadata = text.removeprefix("v").partition("+")
    if plus and not all(map(_is_identifier, metadata.split("."))):
        return None
    core, dash, pre_release = rest.partition("-")
    identifiers = pre_release.split(".") if dash else []
    if not all(map(_is_identifier, identifiers)):
        return None
    if any(len(name) > 1 and name[0] == "0" and name.isdigit() for name in identifiers):
        return None
    parts = core.split(".")
    if len(parts) != 3 or not all(map(_is_number, parts)):  # noqa: PLR2004  (major, minor, patch)
        return None
    major, minor, patch = map(int, parts)
    if max(major, minor, patch) > _LARGEST:
        return None
    return _Version(major, minor, patch, not dash, list(map(_identifier, identifiers)))


def _is_identifier(text: str) -> bool:
    return text != "" and not text.strip(_LETTERS) and text.isascii()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and (text[0] != "0" or text == "0") and len(text) <= _MOST_DIGITS


def _identifier(text: str) -> _Identifier:
    return (False, len(text), text) if text.isdigit() else (True, 0, text)
