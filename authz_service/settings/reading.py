"""What several sections are read with: files, URLs, addresses."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from service_kit.listening import MAX_PORT
from service_kit.strict_yaml import Section

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(\d{1,5})")


def file_named(section: Section, key: str, folder: Path) -> Path:
    """Read the name of a file that is there, relative to the configuration's folder."""
    name = section.text(key)
    path = folder / name
    if name and not path.is_file():
        section.fault(key, f"names no file: {path}")
    return path


def require_safe_url(section: Section, key: str, url: str, what: str, deed: str = "put in {} of his own") -> None:
    """Note a fault unless a URL is https, or http on this machine; `what` comes from there, or goes there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        section.fault(key, "is not a URL")
        return
    if parts.scheme not in {"https", "http"} or not host:
        section.fault(key, "must be an https URL")
    elif parts.scheme == "http" and host not in _LOOPBACK:
        section.fault(key, f"must be https: over plain http anyone on the way could {deed.format(what)}")


def is_address(text: str) -> bool:
    """Whether a text is host:port."""
    match = _ADDRESS.fullmatch(text)
    return match is not None and int(match[2]) <= MAX_PORT
