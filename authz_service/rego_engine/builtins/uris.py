"""Built-ins of URIs: taken apart by RFC 3986, as far as Go's net/url, which policies know, keeps to it."""

from __future__ import annotations

import ipaddress
import re
import string as characters
from typing import Final
from urllib.parse import quote as escape

from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.builtins.rego_text import quote
from authz_service.rego_engine.builtins.texts import from_octets, octets
from authz_service.rego_engine.builtins.urls import unescape
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

MAX_CHARACTERS: Final = 64 * 1024  # of a URI

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PATH_SAFE: Final = "$&+,/:;=@"  # besides letters, digits and -._~
_USER_CHARACTERS: Final = frozenset(characters.ascii_letters + characters.digits + "-._:~!$&'()*+,;=%@")
_HOST_OCTETS: Final = frozenset(
    (characters.ascii_letters + characters.digits + "-._~!\"$&'()*+,:;<=>[]").encode()
) | frozenset(range(0x80, 0x100))
_PORT: Final = re.compile(r"(?::[0-9]*)?")
_ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_ASCII: Final = 0x80


@builtin("uri.parse")
def parse(value: Value) -> Value:
    """Return a URI's parts, those that are there: scheme, hostname, port, path, raw_path, raw_query, fragment."""
    text = string(value, 1)
    if len(text) > MAX_CHARACTERS:
        raise BuiltinFault(f"the URI is longer than {MAX_CHARACTERS} characters")
    start, _, fragment = text.partition("#")
    try:
        parts = _parts(start)
    except BuiltinFault as fault:
        raise BuiltinFault(f"parse {quote(start)}: {fault.text}") from None
    try:
        parts["fragment"] = _unescaped(fragment)
    except BuiltinFault as fault:
        raise BuiltinFault(f"parse {quote(text)}: {fault.text}") from None
    return {name: part for name, part in parts.items() if part}


@builtin("uri.is_valid")
def is_valid(value: Value) -> Value:
    """Whether a value is a URI or a reference to one, and not empty."""
    if type(value) is not str or not value:
        return False
    try:
        parse(value)
    except BuiltinFault:
        return False
    return True


def _parts(text: str) -> dict[str, str]:
    """Return the parts of a URI without its fragment, empty where they are not there."""
    if any(each < " " or each == "\x7f" for each in text):
        raise BuiltinFault("net/url: invalid control character in URL")
    if text.startswith(":"):
        raise BuiltinFault("missing protocol scheme")
    parts: dict[str, str] = {}
    found = _SCHEME.match(text)
    if found:
        parts["scheme"] = found[0][:-1].lower()
        text = text[found.end() :]
    rest, _, parts["raw_query"] = text.partition("?")
    if not rest.startswith("/"):
        if found:
            return parts  # what follows is opaque, as in mailto:
        if ":" in rest.partition("/")[0]:
            raise BuiltinFault("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (found or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        parts["hostname"], parts["port"] = _host_and_port(parts.get("scheme", ""), authority)
        rest = slash + path
    parts["path"] = _unescaped(rest)
    # A path that is escaped as it usually would be counts as one that is not: its raw form is the plain one.
    parts["raw_path"] = parts["path"] if escape(octets(parts["path"]), _PATH_SAFE) == rest else rest
    return parts


def _host_and_port(scheme: str, authority: str) -> tuple[str, str]:
    user, at, host = authority.rpartition("@")
    host = _literal(host) if "[" in host else _name(scheme, host)
    if at:
        if not _USER_CHARACTERS.issuperset(user):
            raise BuiltinFault("net/url: invalid userinfo")
        _unescaped(user)
    name, colon, port = host.rpartition(":")
    if not colon or not _PORT.fullmatch(f":{port}"):
        name, port = host, ""
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return name, port


def _name(scheme: str, host: str) -> str:
    """Return a host that is no IP literal, checked."""
    several = host.count(":") > 1 and scheme not in {"http", "https"}  # then only the last may start a port
    place = host.rfind(":") if several else host.find(":")
    if place >= 0:
        _check_port(host[place:])
    return _unescaped_host(host)


def _literal(host: str) -> str:
    """Return a host that is an IP literal in brackets (RFC 3986 section 3.2.2, zones by RFC 6874), checked."""
    if host.rfind("[") > 0:
        raise BuiltinFault("invalid IP-literal")
    end = host.rfind("]")
    if end < 0:
        raise BuiltinFault("missing ']' in host")
    _check_port(host[end + 1 :])
    address, zone, name = host[1:end].partition("%25")
    shown = _unescaped_host(address)
    if zone:
        shown += _unescaped_host(zone + name, is_zone=True)
    try:
        found = ipaddress.ip_address(shown)
    except ValueError:
        raise BuiltinFault(f"invalid host: ParseAddr({quote(shown)}): unable to parse IP") from None
    if found.version == 4:  # noqa: PLR2004  (IPv4)
        raise BuiltinFault("invalid IP-literal")
    return f"[{shown}]{host[end + 1 :]}"


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise BuiltinFault(f"invalid port {quote(port)} after host")


def _unescaped(text: str) -> str:
    return from_octets(unescape(octets(text)))


def _unescaped_host(text: str, *, is_zone: bool = False) -> str:
    """Decode a host's escapes: of octets beyond ASCII, and in a zone of whatever a host may have."""
    data = octets(text)
    unescaped = unescape(data)
    for found in _ESCAPE.findall(data):
        octet = int(found[1:], 16)
        allowed = octet in _HOST_OCTETS or octet == ord(" ") if is_zone else octet >= _ASCII
        if not allowed and found != b"%25":
            raise BuiltinFault(f"invalid URL escape {quote(from_octets(found))}")
    for octet in _ESCAPE.sub(b"", data):
        if octet not in _HOST_OCTETS:
            raise BuiltinFault(f"invalid character {quote(chr(octet))} in host name")
    return from_octets(unescaped)
