"""JSON lines with texts in them: `{"id": …, "text": "…"}` → records, and what a finding says of a text's characters.

Anything is read: a line that is no record is told of by number and by what is wrong, and nothing of it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from authz_service.dlp.base64_places import with_places
from authz_service.dlp.long_texts import characters, scan_long_text
from authz_service.dlp.scan import Scanner, Span

MAX_LINE = 64 * 1024 * 1024  # bytes, line end included


@dataclass(frozen=True, slots=True)
class Record:
    """One text with the id that its sender gave it: any JSON."""

    line: int
    id: Any
    text: str


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no record, and why."""

    line: int
    fault: str


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found, from `start` up to, not including, `end`: characters (code points) of the text."""

    start: int
    end: int
    span: Span


def records(read_line: Callable[[int], bytes]) -> Iterator[Record | BrokenLine]:
    """Read lines to the end. `read_line` returns one line with its end, or the first so many bytes of a longer one."""
    number = 0
    while line := read_line(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = read_line(MAX_LINE)
            yield BrokenLine(number, f"is longer than {MAX_LINE} bytes")
        elif line.strip():
            yield _record(number, line)


def _record(number: int, line: bytes) -> Record | BrokenLine:
    try:
        found = json.loads(line.decode(), parse_constant=_refuse)
    except UnicodeDecodeError:
        return BrokenLine(number, "is not UTF-8")
    except (ValueError, RecursionError):
        return BrokenLine(number, "is not JSON")
    if not isinstance(found, dict):
        return BrokenLine(number, "is no object")
    if "id" not in found:
        return BrokenLine(number, 'has no "id"')
    if not isinstance(found.get("text"), str):
        return BrokenLine(number, 'has no "text" that is a string')
    return Record(number, found["id"], found["text"])


def _refuse(name: str) -> None:
    raise ValueError(name)


def hits(text: str, scanner: Scanner) -> list[Hit]:
    """Scan a text; what is found is told in its characters."""
    data = text.encode("utf-8", "surrogatepass")  # a lone surrogate is three bytes, and one character like the others
    spans = with_places(data, scan_long_text(data, scanner), scanner)
    found: list[Hit] = []
    position = count = 0
    for span in spans:
        start = count + characters(data[position : span.start])
        position, count = span.end, start + characters(data[span.start : span.end])
        found.append(Hit(start, count, span))
    return found
