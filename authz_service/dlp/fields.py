"""Short texts that something was found in, such as a header or a parameter, and what they become. Pure.

A text is searched once. What becomes of it is decided later, when the policy has seen what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.encoded import Run, runs
from authz_service.dlp.found import Blocked, Found
from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.tokens import ENTITY as OWN_TOKEN
from authz_service.dlp.treatments import BLOCKED, Exchange
from authz_service.dlp.views.folding import fold
from authz_service.model import Location

Named = Callable[[int], str]  # where something begins in a text → what findings call the place


@dataclass(frozen=True, slots=True)
class Field:
    """A text as the application reads it, with what was found in it, in order and apart, and where each ends.

    `encoded` are those of its parts that are written in base64 and hold something, each with what it reads as.
    """

    text: bytes
    location: Location
    struck: tuple[tuple[Found, int], ...]
    encoded: tuple[tuple[Run, Field], ...] = ()

    def treated(self, exchange: Exchange, direction: Direction, blocks: Blocks) -> bytes:
        """Return the text as it goes on. What is blocked is noted in `blocks`, and the rest is told all the same."""
        treat = exchange.at(direction, self.location)
        changed: list[tuple[int, int, bytes]] = []
        for found, end in self.struck:
            try:
                instead = treat(found)
            except Blocked as blocked:
                blocks.add(blocked.code)
                continue
            if instead is not None:
                changed.append((found.offset, end, instead))
        for run, inner in self.encoded:
            text = inner.treated(exchange, direction, blocks)
            if text != inner.text:
                changed.append((run.start, run.end, run.write(text)))
        return _spliced(self.text, sorted(changed)) if changed else self.text

    def noted(self, exchange: Exchange, direction: Direction, blocks: Blocks | None = None) -> bool:
        """Note down what was found; return whether any of it may not stay. For what cannot be written anew."""
        actions = {
            exchange.note(found, direction, self.location)
            for found, _ in self.struck
            if found.detector.entity != OWN_TOKEN
        }
        if blocks is not None and Action.BLOCK in actions:
            blocks.add(BLOCKED[direction])
        inner = [field.noted(exchange, direction, blocks) for _, field in self.encoded]  # all of them, to tell all
        return any(inner) or not all(action.passes for action in actions)


class Blocks:
    """Why an exchange does not pass. The first reason is the one that counts."""

    def __init__(self) -> None:
        self.code: str | None = None

    def add(self, code: str) -> None:
        """Note a reason."""
        if self.code is None:
            self.code = code


def field_of(
    text: bytes, spans: Sequence[Span], location: Location, named: Named, scanner: Scanner | None
) -> Field | None:
    """Return a field with these findings, None without any. With a `scanner` its base64 is searched too."""
    encoded = tuple(_encoded(run, location, named) for run in runs(text, spans, scanner)) if scanner else ()
    return Field(text, location, _struck(text, spans, named), encoded) if spans or encoded else None


def _encoded(run: Run, location: Location, named: Named) -> tuple[Run, Field]:
    place = named(run.start)
    return run, Field(run.text, location, _struck(run.text, run.spans, lambda _: place))


def _struck(text: bytes, spans: Sequence[Span], named: Named) -> tuple[tuple[Found, int], ...]:
    return tuple(
        (
            Found(span.detector, span.confidence, fold(text[span.start : span.end]), span.start, named(span.start)),
            span.end,
        )
        for span in spans
    )


def _spliced(text: bytes, changed: Sequence[tuple[int, int, bytes]]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end, instead in changed:
        parts += (text[position:start], instead)
        position = end
    return b"".join([*parts, text[position:]])


def split(spans: Sequence[Span], end: int, start: int) -> tuple[list[Span], list[Span]]:
    """Share spans out between a name, up to `end`, and a value, from `start`: one that reaches over goes into both."""
    name = [Span(span.start, min(span.end, end), span.detector, span.confidence) for span in spans if span.start < end]
    value = [
        Span(max(span.start - start, 0), span.end - start, span.detector, span.confidence)
        for span in spans
        if span.end > start
    ]
    return name, value
