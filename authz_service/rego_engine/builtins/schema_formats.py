"""The formats that JSON schema's keyword "format" knows here; any other fits every string.

Dates and times are read as `time_reading` does, and regular expressions are RE2's, as in the rest of a policy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import re2

from authz_service.rego_engine.builtins.time_reading import read_time
from authz_service.rego_engine.errors import BuiltinFault

MAX_PATTERN: Final = 1_000  # characters of a regular expression
MAX_STRING: Final = 10_000  # characters of a text that is held against a format
_CACHED: Final = 256  # regular expressions
_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False

_HOSTNAME: Final = re2.compile(
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_HOSTNAME_LENGTH: Final = 255
_UUID: Final = re2.compile(r"(?i)[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}")
_POINTER: Final = re2.compile(r"(?:/(?:[^~/]|~0|~1)*)*")
_RELATIVE_POINTER: Final = re2.compile(r"(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)")
_TEMPLATE: Final = re2.compile(r"(?:[^{]*(?:\{[^}]*\})?)*")
_ADDRESS: Final = re2.compile(r"""(?:"[^"\\]*"|[^\s@<>()\[\],;:"\\]+)@(?:\[[0-9A-Fa-f:.]+\]|[^\s@<>()\[\],;:"\\]+)""")
_SCHEME: Final = re2.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_BAD_ESCAPE: Final = re2.compile(r"%(?:[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|.?$)")
_DATE_TIMES: Final = ("15:04:05", "15:04:05Z07:00", "2006-01-02", "2006-01-02T15:04:05Z07:00")


@lru_cache(maxsize=_CACHED)
def _compiled(pattern: str) -> re2._Regexp | None:
    try:
        return re2.compile(pattern, _OPTIONS)
    except (re2.error, ValueError):
        return None


def expression(pattern: str) -> re2._Regexp | None:
    """Return a compiled regular expression; None if it is none, or is longer than `MAX_PATTERN`."""
    return _compiled(pattern) if len(pattern) <= MAX_PATTERN else None


def found_in(compiled: re2._Regexp, text: str) -> bool:
    """Whether an expression matches anywhere in a text; a lone surrogate matches nothing."""
    try:
        return compiled.search(text) is not None
    except UnicodeEncodeError:
        return False


def has_format(name: str, text: str) -> bool:
    """Whether a text has a format, by the name that schemas have for it."""
    check = _FORMATS.get(name)
    if check is None:
        return True
    try:
        return len(text) <= MAX_STRING and check(text)
    except (ValueError, BuiltinFault):  # a lone surrogate, or a time that cannot be read
        return False


def _reads_as(*layouts: str) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        for layout in layouts:
            try:
                read_time(layout, text)
            except BuiltinFault:
                continue
            return True
        return False

    return check


def _is_email(text: str) -> bool:
    start, bracket, rest = text.rpartition("<")
    if bracket and rest.endswith(">") and "<" not in start and ">" not in start:
        text = rest[:-1]
    return _ADDRESS.fullmatch(text.strip()) is not None


def _is_ip(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not getattr(address, "scope_id", None)


def _is_reference(text: str) -> bool:
    """Whether it is a URI or a relative reference (RFC 3986 section 4.1)."""
    if "\\" in text or any(character < " " or character == "\x7f" for character in text) or _BAD_ESCAPE.search(text):
        return False
    parts = urlsplit(text)
    _ = parts.port  # raises ValueError for what is no port
    if " " in parts.netloc:
        return False
    first, _, _ = parts.path.partition("/")
    return bool(parts.scheme or _SCHEME.match(text) or parts.netloc) or ":" not in first


def _is_uri(text: str) -> bool:
    return _SCHEME.match(text) is not None and _is_reference(text)


_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "date": _reads_as("2006-01-02"),
    "time": _reads_as("15:04:05Z07:00", "15:04:05"),
    "date-time": _reads_as(*_DATE_TIMES),
    "hostname": lambda text: len(text) <= _HOSTNAME_LENGTH and _HOSTNAME.fullmatch(text) is not None,
    "email": _is_email,
    "idn-email": _is_email,
    "ipv4": lambda text: "." in text and _is_ip(text),
    "ipv6": lambda text: ":" in text and _is_ip(text),
    "uri": _is_uri,
    "uri-reference": _is_reference,
    "iri": _is_uri,
    "iri-reference": _is_reference,
    "uri-template": lambda text: _is_reference(text) and _TEMPLATE.fullmatch(urlsplit(text).path) is not None,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
    "regex": lambda text: not text or expression(text) is not None,
    "json-pointer": lambda text: _POINTER.fullmatch(text) is not None,
    "relative-json-pointer": lambda text: _RELATIVE_POINTER.fullmatch(text) is not None,
}
