"""URLs (RFC 3986) as OPA splits them: of requests, of what AWS signs, and of the names in a certificate.

One reading serves both the decision whether a host may be reached and the connection to it, so that the two cannot
differ.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_URL_CHARACTERS: Final = 16_384

_SCHEME: Final = frozenset(string.ascii_letters + string.digits + "+-.")
_UNRESERVED: Final = string.ascii_letters + string.digits + "-_.~"
_PLAIN: Final = {"path": frozenset(f"{_UNRESERVED}$&+,/:;=@"), "fragment": frozenset(f"{_UNRESERVED}$&+,/:;=@?!()*")}
_LENIENT: Final = frozenset(f"{_UNRESERVED}!$&'()*+,/:;=@[]")
_HOST: Final = frozenset(f"{_UNRESERVED}!$&'()*+,;=:[]%")
_HEX: Final = frozenset(string.hexdigits)


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts. `host` has the port; a `raw_` part is empty where escaping the plain part gives it."""

    scheme: str = ""
    opaque: str = ""
    user: str | None = None
    host: str = ""
    omits_host: bool = False
    path: str = ""
    raw_path: str = ""
    forces_query: bool = False
    raw_query: str = ""
    fragment: str = ""
    raw_fragment: str = ""

    @property
    def escaped_path(self) -> str:
        """The path with its escapes, as it was written where that is valid."""
        if self.raw_path and set(self.raw_path) <= _LENIENT | {"%"}:
            return self.raw_path
        return "*" if self.path == "*" else _escaped(self.path, "path")

    @property
    def escaped_fragment(self) -> str:
        """The fragment with its escapes."""
        return self.raw_fragment or _escaped(self.fragment, "fragment")

    def __str__(self) -> str:
        start = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            start += self.opaque
        else:
            if (self.scheme or self.host or self.user is not None) and not (
                self.omits_host and not self.host and self.user is None
            ):
                if self.host or self.path or self.user is not None:
                    start += "//"
                start += "" if self.user is None else f"{self.user}@"
                start += self.host
            start += self.escaped_path
        query = f"?{self.raw_query}" if self.raw_query or self.forces_query else ""
        return f"{start}{query}#{self.escaped_fragment}" if self.fragment else f"{start}{query}"


def parse(text: str) -> Url:
    """Split a URL.

    Raises:
        ValueError: it is none, or longer than `MAX_URL_CHARACTERS`.
    """
    if len(text) > MAX_URL_CHARACTERS:
        raise ValueError(f"URL is longer than {MAX_URL_CHARACTERS} characters")
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("invalid control character in URL")
    if text == "*":
        return Url(path="*")
    rest, _, raw_fragment = text.partition("#")
    fragment = _unescaped(raw_fragment)
    scheme, rest = _scheme(rest)
    forces_query = rest.endswith("?") and rest.count("?") == 1
    rest, _, raw_query = rest.partition("?")
    opaque = user = None
    host = ""
    if not rest.startswith("/"):
        if scheme:
            opaque, rest = rest, ""
        elif ":" in rest.partition("/")[0]:
            raise ValueError("first path segment in URL cannot contain colon")
    elif rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, rest = rest[2:].partition("/")
        user, host = _authority(authority)
        rest = f"{slash}{rest}"
    omits_host = bool(scheme) and not host and user is None and rest.startswith("/") and not _has_authority(text)
    path = _unescaped(rest)
    return Url(
        scheme=scheme,
        opaque=opaque or "",
        user=user,
        host=host,
        omits_host=omits_host,
        path=path,
        raw_path="" if _escaped(path, "path") == rest else rest,
        forces_query=forces_query,
        raw_query=raw_query,
        fragment=fragment,
        raw_fragment="" if _escaped(fragment, "fragment") == raw_fragment else raw_fragment,
    )


def _has_authority(text: str) -> bool:
    return text.partition(":")[2].startswith("//")


def _scheme(text: str) -> tuple[str, str]:
    name, colon, rest = text.partition(":")
    if not colon or not set(name) <= _SCHEME:
        return "", text
    if not name:
        raise ValueError("missing protocol scheme")
    if name[0] not in string.ascii_letters:
        if name[0] in string.digits + "+-.":
            return "", text
        raise ValueError("first path segment in URL cannot contain colon")
    return name.lower(), rest


def _authority(text: str) -> tuple[str | None, str]:
    user, at, host = text.rpartition("@")
    if set(user) - _LENIENT - {"%"} or "@" in user.replace("%40", "") or "/" in user:
        raise ValueError("invalid userinfo")
    if not set(host) <= _HOST and host.isascii():
        raise ValueError("invalid character in host name")
    if host.startswith("["):
        inside, bracket, port = host[1:].rpartition("]")
        if not bracket or "[" in inside:
            raise ValueError("missing ']' in host")
    else:
        if "[" in host or "]" in host:
            raise ValueError("invalid character in host name")
        inside, colon, digits = host.partition(":")
        port = f"{colon}{digits}"
        if "%" in inside:
            raise ValueError("invalid URL escape in host name")
    if port and not (port[0] == ":" and (port == ":" or (port[1:].isascii() and port[1:].isdigit()))):
        raise ValueError(f'invalid port "{port}" after host')
    return (user if at else None), host


def _unescaped(text: str) -> str:
    position = text.find("%")
    if position < 0:
        return text
    while position >= 0:
        if len(text) < position + 3 or not set(text[position + 1 : position + 3]) <= _HEX:
            raise ValueError(f'invalid URL escape "{text[position : position + 3]}"')
        position = text.find("%", position + 3)
    return unquote_to_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _escaped(text: str, part: str) -> str:
    plain = _PLAIN[part]
    if set(text) <= plain:
        return text
    return "".join(
        character
        if character in plain
        else "".join(f"%{octet:02X}" for octet in character.encode("utf-8", "surrogatepass"))
        for character in text
    )
