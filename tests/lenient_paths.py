"""Every path that some server could take a request for: written apart from the product, to judge what it lets through.

Not one reading, as the gateway has, but all of them: each step below is what some server or framework does to a path,
and here they are taken in any order and any number of times. A path is protected when one of its readings is. This
errs on one side only: it takes too much for protected, never too little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

PROTECTED = "hr"
MAX_READINGS = 20_000

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_WIDE_ESCAPE = re.compile(r"%u([0-9A-Fa-f]{4})", re.IGNORECASE)
# The lead byte of a character written in more bytes than it needs, with the bytes that follow.
_OVERLONG = re.compile("[\xc0\xc1][\x80-\xff]|\xe0[\x80-\x9f][\x80-\xff]|\xf0[\x80-\x8f][\x80-\xff]{2}")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]*[^/\\]*")
_BLANK = " \t\r\n\x00\x0b\x0c\xa0"


def _unescape(path: str) -> str:
    raw = path.encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), raw).decode("utf-8", "surrogateescape")


def _unescape_bytewise(path: str) -> str:
    """Each escape a character of its own, as Latin-1 has it; the overlong ones can be seen then."""
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), path)


def _unescape_wide(path: str) -> str:
    return _WIDE_ESCAPE.sub(lambda found: chr(int(found[1], 16)), path)


def _shorten(path: str) -> str:
    """What an overlong character stands for: its low six bits, and those that fit of the byte before."""

    def meant(found: re.Match[str]) -> str:
        last, before = ord(found[0][-1]), ord(found[0][-2])
        kept = before & (0x1F if len(found[0]) == 2 else 0x3F)
        return chr(((kept << 6) | (last & 0x3F)) & 0x7F)

    return _OVERLONG.sub(meant, path)


def _without_origin(path: str) -> str:
    return _ORIGIN.sub("", path, count=1) if _ORIGIN.match(path) else path


def _without_host(path: str) -> str:
    """`//host/x` as a reference to another host's `/x`."""
    return re.sub(r"^[/\\]{2}[^/\\]*", "", path)


def _resolved(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in {"", "."}:
            kept.append(segment)
    return "/" + "/".join(kept)


def _each_segment(path: str, change: Callable[[str], str]) -> str:
    return "/".join(segment if set(segment) == {"."} else change(segment) for segment in path.split("/"))


def _trimmed(segment: str) -> str:
    """What a file system makes of a name. It comes last: nobody decodes or splits what it has found."""
    if "%" in segment or "\\" in segment:
        return segment
    return segment.lstrip(_BLANK).rstrip(_BLANK + ".") or segment


STEPS: tuple[Callable[[str], str], ...] = (
    _unescape,
    _unescape_bytewise,
    _unescape_wide,
    _shorten,
    _without_origin,
    _without_host,
    _resolved,
    lambda path: unicodedata.normalize("NFKC", path),
    lambda path: path.replace("\\", "/"),
    lambda path: re.split(r"[?#\x00]", path, maxsplit=1)[0],
    lambda path: re.sub(r"[\x00-\x1f\x7f\u200b\ufeff]", "", path),
    lambda path: _each_segment(path, lambda segment: segment.partition(";")[0]),
    lambda path: _each_segment(path, _trimmed),
    # `.. ` and `...` are the parent to some.
    lambda path: _each_segment(path, lambda segment: ".." if re.fullmatch(r"\.\.[. ]*", segment) else segment),
)


def readings(target: str) -> Iterator[str]:
    """Yield each path that a server could take this request target for. The query is left out first, as all do."""
    waiting = [target.partition("?")[0]]
    known = set(waiting)
    while waiting:
        path = waiting.pop()
        yield path
        for step in STEPS:
            found = step(path)
            if found not in known:
                assert len(known) < MAX_READINGS, "more readings than can be tried"
                known.add(found)
                waiting.append(found)


def is_protected(target: str) -> bool:
    """Whether some server would answer this with what lies in the protected area."""
    return any(_resolved(path)[1:].partition("/")[0].casefold() == PROTECTED for path in readings(target))
