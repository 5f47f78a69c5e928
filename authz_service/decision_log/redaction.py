"""What no policy need ask for: credentials, and whatever DLP finds, are taken out of every event. Pure.

Every string of an event's input and result is looked at, names of objects too, as it is written and as it reads
decoded. What goes is replaced, and the event's `masked` tells where it stood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner

CREDENTIAL: Final = "[REDACTED:credential]"
TOO_DEEP: Final = "[REDACTED:depth]"
MAX_DEPTH = 64  # values within values; what is deeper is left out
MAX_DECODINGS = 4  # of percent encoding, one within another
MAX_PLACES = 100  # of which an event tells
# Names, in lower case, whose values are credentials wherever they stand: headers, parameters, claims.
CREDENTIAL_NAMES: Final = frozenset({
    "authorization", "proxy-authorization", "dpop", "cookie", "set-cookie", "x-api-key", "access_token",
    "refresh_token", "id_token", "client_secret", "client_assertion", "password",
    "rawvalue", "rawbody",  # of headers and bodies, in base64, where nothing could be found
})  # fmt: skip
# Credentials within longer texts: after a scheme's name, a token that shows what it is (RFC 7519), one in a query.
_WITHIN: Final = re.compile(
    r"(?i:\b(?P<scheme>bearer|dpop|basic)\s+[a-z0-9._~+/-]{16,}=*)"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){1,3}"
    r"|(?i:\b(?P<name>access_token|refresh_token|id_token|client_secret|client_assertion)=[^&\s\"']+)"
)


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
        for key, item in value.items():
            name = self._text(str(key))
            if name != key:
                self._note((*names, name))
            if name.lower() in CREDENTIAL_NAMES:
                found[name] = CREDENTIAL
                self._note((*names, name))
            else:
                found[name] = self.clean(item, *names, name)
        return found

    def _note(self, names: tuple[str, ...]) -> None:
        if len(self.places) < MAX_PLACES:
            self.places.append("/" + "/".join(quote(name, safe="$&+:=@!'()*,;~") for name in names))

    def _text(self, text: str) -> str:
        """Take out of a text what is found in it as it is written, or else as it reads decoded."""
        data = text.encode("utf-8", "replace")
        for _ in range(MAX_DECODINGS + 1):
            cleaned = self._octets(data)
            if cleaned is not None:
                return cleaned
            decoded = unquote_to_bytes(data.replace(b"+", b" "))
            if decoded == data:
                break
            data = decoded
        return text

    def _octets(self, data: bytes) -> str | None:
        """Return a text without what is found in it; None where nothing is."""
        spans = self.scanner.scan(data) if self.scanner.suspects(data) else []
        text = (redact(data, spans) if spans else data).decode("utf-8", "replace")
        cleaned = _WITHIN.sub(_credential, text)
        return cleaned if spans or cleaned != text else None


def _credential(match: re.Match[str]) -> str:
    if match["scheme"]:
        return f"{match['scheme']} {CREDENTIAL}"
    return f"{match['name']}={CREDENTIAL}" if match["name"] else CREDENTIAL
