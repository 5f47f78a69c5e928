"""A URI as DPoP proofs name it, in the one form in which two of them are compared (RFC 9449 section 4.3, item 9). Pure.

Without query and fragment; scheme and host in lower case, the default port left out, an empty path as `/`, escapes of
unreserved characters decoded and all others in upper case, dot segments resolved (RFC 3986 section 6.2); and slashes
merged, since the proxy in front has merged them before the request came here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_URI = 8 * 1024 + 512  # characters: a path, and the origin before it

_PORTS = {"https": 443, "http": 80}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_URI = re.compile(r"[!-~]+", re.ASCII)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)
_SLASHES = re.compile(r"/{2,}")


def normalise(uri: str) -> str | None:
    """Return a URI's form to compare, or None where it is no absolute http or https URI without user and password."""
    if len(uri) > MAX_URI or not _URI.fullmatch(uri) or "\\" in uri:
        return None
    try:
        parts = urlsplit(uri)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or not _AUTHORITY.fullmatch(parts.netloc):
        return None
    written = f"[{host}]" if ":" in host else host
    path = normalise_path(parts.path)
    if path is None:
        return None
    origin = f"{parts.scheme}://{written}"
    return (origin if port in {None, _PORTS[parts.scheme]} else f"{origin}:{port}") + path


def normalise_path(path: str) -> str | None:
    """Return a path's form to compare, or None where it begins with no slash or an escape in it is broken."""
    if not path.startswith("/"):
        return None if path else "/"  # behind an origin, anything else would be a part of the host
    if _BROKEN_ESCAPE.search(path):
        return None
    text = _ESCAPE.sub(_decoded, path) if "%" in path else path
    if "/." not in text and "//" not in text:
        return text
    kept: list[str] = []
    segments = _SLASHES.sub("/", text).removeprefix("/").split("/")
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."} and kept[-1:] != [""]:
        kept.append("")
    return "/" + "/".join(kept)


def _decoded(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()
