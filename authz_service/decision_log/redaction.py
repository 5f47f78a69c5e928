"""What no policy need ask for: credentials, and whatever DLP finds, are taken out of every event. Pure.

Every string of an event's input and result is looked at, names of objects too, as it is written and at each level of
percent encoding: what is found at one hides nothing at the next. What goes is replaced, and the event's `masked` tells
where it stood. A text that is too long, or is still encoded at the last level, goes whole.

No pattern here is tried twice on the same signs of a text, so that the time is in proportion to its length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from authz_service.dlp.reading import scan_text, suspects_text
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner

CREDENTIAL: Final = "[REDACTED:credential]"
TOO_DEEP: Final = "[REDACTED:depth]"
TOO_LONG: Final = "[REDACTED:length]"
TOO_ENCODED: Final = "[REDACTED:encoding]"
MAX_TEXT_BYTES = 64 * 1024  # of one text, more than all headers of a request by Envoy's own bound
MAX_DEPTH = 64  # values within values; what is deeper is left out
MAX_DECODINGS = 4  # of percent encoding, one within another
MAX_PLACES = 100  # of which an event tells
# Names, in lower case, whose values are credentials wherever they stand: headers, parameters, claims.
CREDENTIAL_NAMES: Final = frozenset({
    "authorization", "proxy-authorization", "dpop", "cookie", "set-cookie", "x-api-key", "api-key", "api_key",
    "x-goog-api-key", "x-auth-token", "private-token", "x-vault-token", "x-forwarded-access-token", "access_token",
    "refresh_token", "id_token", "token", "client_secret", "client_assertion", "password",
    "rawvalue", "rawbody",  # of headers and bodies, in base64, where nothing could be found
})  # fmt: skip
# The same for parameters of a query. `code` is OAuth's there (RFC 6749 section 4.1.2), and elsewhere any reason's.
QUERY_NAMES: Final = CREDENTIAL_NAMES | {"code"}
_NAME: Final = re.compile(rf"(?i:\b(?:{'|'.join(sorted(QUERY_NAMES))}))\Z")  # at the end of what is before a `=`
_APART: Final = re.compile(r"([&\s\"'])")  # ends a parameter
_SCHEME: Final = re.compile(r"(?i:\b(bearer|dpop|basic)\s+[a-z0-9._~+/-]{16,}=*)")
_RUN: Final = re.compile(r"[A-Za-z0-9_.-]{13,}")  # in which a token may be (RFC 7515 section 7.1), up to its end
_TOKEN_START: Final = "eyJ"  # noqa: S105  (how the base64url of a JSON object begins)
_TOKEN_HEAD: Final = 11  # characters of the shortest first part


@dataclass(slots=True)
class Redaction:
    """The redaction of one event; `places` are pointers to what was replaced."""

    scanner: Scanner
    places: list[str] = field(default_factory=list)

    def clean(self, value: Any, *names: str) -> Any:
        """Return a value of JSON's own types without what must not be shown; `names` lead to it."""
        if isinstance(value, str):
            cleaned = self._text(value)
            if cleaned != value:
                self._note(names)
            return cleaned
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if len(names) > MAX_DEPTH:
            self._note(names)
            return TOO_DEEP
        if isinstance(value, Mapping):
            return self._members(value, names)
        if isinstance(value, list | tuple):
            return [self.clean(item, *names, str(index)) for index, item in enumerate(value)]
        return value

    def _members(self, value: Mapping[Any, Any], names: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        credentials = QUERY_NAMES if names[-1:] == ("parsed_query",) else CREDENTIAL_NAMES
        for key, item in value.items():
            name = self._text(str(key))
            if name != key:
                self._note((*names, name))
            if name.lower() in credentials:
                found[name] = CREDENTIAL
                self._note((*names, name))
            else:
                found[name] = self.clean(item, *names, name)
        return found

    def _note(self, names: tuple[str, ...]) -> None:
        if len(self.places) < MAX_PLACES:
            self.places.append("/" + "/".join(quote(name, safe="$&+:=@!'()*,;~") for name in names))

    def _text(self, text: str) -> str:
        """Take out of a text what is found in it, as it is written and at each level of its encoding."""
        data = text.encode("utf-8", "replace")
        if len(data) > MAX_TEXT_BYTES:
            return TOO_LONG
        shown = text
        for _ in range(MAX_DECODINGS + 1):
            cleaned = self._octets(data)
            if cleaned != data:
                data, shown = cleaned, cleaned.decode("utf-8", "replace")
            decoded = unquote_to_bytes(data.replace(b"+", b" "))
            if decoded == data:
                return shown
            data = decoded
        return TOO_ENCODED

    def _octets(self, data: bytes) -> bytes:
        """Take out of a text what is found in it as it is written."""
        text = data.decode("utf-8", "replace")
        cleaned = _SCHEME.sub(_without_token, text)
        if _TOKEN_START in cleaned:
            cleaned = _RUN.sub(_without_jwt, cleaned)
        if "=" in cleaned:
            cleaned = "".join(map(_without_value, _APART.split(cleaned)))
        data = data if cleaned == text else cleaned.encode()
        # Last, because a detector may take a credential for one of its own, and events name credentials alike.
        spans = scan_text(data, self.scanner) if suspects_text(data, self.scanner) else []
        return redact(data, spans) if spans else data


def _without_token(match: re.Match[str]) -> str:
    return f"{match[1]} {CREDENTIAL}"


def _without_jwt(match: re.Match[str]) -> str:
    """Take a signed or encrypted token out of a run of its characters, with what follows it there."""
    parts = match[0].split(".")
    for index, part in enumerate(parts[:-2]):
        start = part.find(_TOKEN_START)
        if start >= 0 and len(part) - start >= _TOKEN_HEAD:
            return ".".join([*parts[:index], part[:start] + CREDENTIAL])
    return match[0]


def _without_value(parameter: str) -> str:
    """Take the value out of `name=value` where the name, however often it is encoded, is a credential's."""
    parts = parameter.split("=")
    for index, name in enumerate(parts[:-1]):
        if _NAME.search(_decoded(name)) and any(parts[index + 1 :]):
            return "=".join([*parts[: index + 1], CREDENTIAL])
    return parameter


def _decoded(name: str) -> str:
    for _ in range(MAX_DECODINGS):
        decoded = unquote_plus(name)
        if decoded == name:
            break
        name = decoded
    return name
