"""What a compiling process hands to the one that evaluates: a file of many small parts.

Taking a part in holds the interpreter for well under a millisecond, so that a large policy, or megabytes of data, can
be loaded in a thread beside the event loop without holding a call up.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from authz_service.rego_engine.compiled import Code, CompiledPolicy

MAX_PART_VALUES = 1_000  # of the data document in one part, about

Place = tuple[str | int, ...]
_DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Artifact:
    """Compiled code, the data document that it was compiled for, and the revision of both."""

    code: Code
    data: Any
    revision: str


def write(file: Path, artifact: Artifact) -> None:
    """Write an artifact."""
    code = artifact.code
    with file.open("wb") as out:
        pickle.dump((artifact.revision, code.may_wait, code.reads, code.places), out)
        for lines, part in zip(code.source, code.parts, strict=True):
            pickle.dump((lines, part), out)
        pickle.dump(_DONE, out)
        for piece in pieces(artifact.data):
            pickle.dump(piece, out)
        pickle.dump(_DONE, out)


def load(file: Path) -> tuple[CompiledPolicy, str]:
    """Load what `write` wrote: a policy and its revision. The file must be one that our own process has written."""
    with file.open("rb") as source:

        def part() -> Any:
            return pickle.load(source)  # noqa: S301  (from our own process, in a folder that only we can write)

        revision, may_wait, reads, places = part()
        parts = list(iter(part, _DONE))
        data = assemble(iter(part, _DONE))
    code = Code(tuple(lines for lines, _ in parts), tuple(code for _, code in parts), places, may_wait, reads)
    return CompiledPolicy(code, data), revision


def pieces(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Take a document apart into values of bounded size, each with its place; what holds others comes first."""
    if _size(value, MAX_PART_VALUES) <= MAX_PART_VALUES:
        yield place, value
        return
    yield place, type(value)()
    waiting: list[tuple[str | int, Any]] = []
    room = MAX_PART_VALUES
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        size = _size(item, MAX_PART_VALUES)
        if size > MAX_PART_VALUES or size > room:
            if waiting:
                yield place, _Several(tuple(waiting))
            waiting, room = [], MAX_PART_VALUES
        if size > MAX_PART_VALUES:
            yield from pieces(item, (*place, name))
        else:
            waiting.append((name, item))
            room -= size
    if waiting:
        yield place, _Several(tuple(waiting))


@dataclass(frozen=True, slots=True)
class _Several:
    """Items of one object or array."""

    items: tuple[tuple[str | int, Any], ...]


def assemble(found: Iterator[tuple[Place, Any]]) -> Any:
    """Put together what `pieces` took apart."""
    root: list[Any] = [None]
    for place, value in found:
        holder: Any = root
        whole: Place = (0, *place)  # the root stands in a list of its own
        *above, last = whole
        for name in above:
            holder = holder[name]
        if isinstance(value, _Several):
            for name, item in value.items:
                _put(holder[last], name, item)
        else:
            _put(holder, last, value)
    return root[0]


def _put(holder: Any, name: str | int, value: Any) -> None:
    if isinstance(holder, list) and name == len(holder):
        holder.append(value)
    else:
        holder[name] = value


def _size(value: Any, enough: int) -> int:
    """Count the values in a value, up to a little over `enough`."""
    count, waiting = 0, [value]
    while waiting and count <= enough:
        found = waiting.pop()
        count += 1
        if isinstance(found, dict):
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
        elif isinstance(found, str):
            count += len(found) // 64
    return count
