"""A scanner as a process: says who it is in one JSON line, then answers each line `{"text"}` with what it found."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version

Found = tuple[str, int, int]
"""Our name of the entity, and the characters from where up to where."""


def serve(package: str, entities: Iterable[str], scan: Callable[[str], list[Found]], note: str = "") -> None:
    """Answer until there are no more lines. `entities` are all that the scanner may find, by our names."""
    _say({"version": version(package), "note": note, "entities": sorted(set(entities))})
    for line in sys.stdin:
        text = json.loads(line)["text"]
        began = time.process_time()
        found = scan(text)
        _say({"seconds": time.process_time() - began, "findings": found})


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


def characters(text: str) -> Callable[[int], int]:
    """How a place in the bytes of a text (UTF-8) is told in its characters."""
    if text.isascii():
        return lambda place: place
    data = text.encode()
    return lambda place: len(data[:place].decode("utf-8", "ignore"))
