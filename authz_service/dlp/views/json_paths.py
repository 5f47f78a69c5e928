"""Places in a JSON body → where they are in its tree, as `$.items[3].name` says. Pure.

One pass at the quotes: between two of them there is either a string or structure, so that a body costs time by its
strings and not by its bytes. What is no JSON gets a path that leads as far as it can be followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_KEY: Final = 64  # characters of a name in a path
MAX_DEPTH: Final = 64  # levels that are told; what is deeper is told as `…`
_NO_MARKS: Final = bytes(byte for byte in range(256) if byte not in b",{}[]")
_PLAIN_KEY: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def json_paths(body: bytes, offsets: Sequence[int]) -> list[str]:
    """Return the path of each place, which are in rising order. A place inside a member's name leads to `?` there.

    Names stand as they are written, escapes and all: whoever tells a path to others takes out what they may hold.
    """
    quotes = body
    if b"\\" in body:
        quotes = body.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    walk = _Walk()
    paths: list[str] = []
    wanted = list(offsets)
    start = 0
    for index, piece in enumerate(quotes.split(b'"')):
        end = start + len(piece)
        if index % 2:  # a string
            while len(paths) < len(wanted) and wanted[len(paths)] <= end:
                paths.append(walk.path(in_name=walk.takes_name))
            if len(paths) == len(wanted):
                break
            walk.string(body, start, end)
        else:
            position = start
            while len(paths) < len(wanted) and wanted[len(paths)] < end:
                walk.structure(body[position : wanted[len(paths)]])
                position = max(position, wanted[len(paths)])
                paths.append(walk.path())
            if len(paths) == len(wanted):
                break
            walk.structure(body[position:end])
        start = end + 1
    return paths + [walk.path()] * (len(wanted) - len(paths))


class _Walk:
    """Where in the tree the reading is: for each level a member's name, or a place in a list."""

    def __init__(self) -> None:
        self._levels: list[str | int] = []
        self.takes_name = False  # the next string is a member's name

    def string(self, body: bytes, start: int, end: int) -> None:
        """Pass a string by."""
        if self.takes_name:
            self._levels[-1] = body[start : min(end, start + MAX_KEY)].decode("utf-8", "replace")
            self.takes_name = False

    def structure(self, text: bytes) -> None:
        """Pass by what stands between strings."""
        for mark in text.translate(None, _NO_MARKS).decode("ascii"):
            if mark == ",":
                self._next()
            elif mark in "{[":
                self._levels.append("" if mark == "{" else 0)
                self.takes_name = mark == "{"
            elif self._levels:
                self._levels.pop()
                self.takes_name = False

    def _next(self) -> None:
        if not self._levels:
            return
        last = self._levels[-1]
        if isinstance(last, int):
            self._levels[-1] = last + 1
        else:
            self.takes_name = True

    def path(self, *, in_name: bool = False) -> str:
        """Write it."""
        shown = self._levels[:MAX_DEPTH]
        parts = [f"[{level}]" if isinstance(level, int) else _member(level) for level in shown]
        if in_name and parts:
            parts[-1] = ".?"
        return "$" + "".join(parts) + ("…" if len(self._levels) > MAX_DEPTH else "")


def _member(name: str) -> str:
    return f".{name}" if name and _PLAIN_KEY.issuperset(name) else f'["{name}"]' if name.isprintable() else ".?"
