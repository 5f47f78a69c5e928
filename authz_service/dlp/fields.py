"""Short texts that something was found in, such as a header or a parameter, and what they become. Pure.

A text is searched once. What becomes of it is decided later, when the policy has seen what was found.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.encoded import Run, runs
from authz_service.dlp.encoded_words import Reworded
from authz_service.dlp.found import Blocked, Found
from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.tokens import ENTITY as OWN_TOKEN
from authz_service.dlp.treatments import BLOCKED, Exchange
from authz_service.dlp.views.folding import fold
from authz_service.model import Location

Change = tuple[int, int, bytes]  # from where to where, and what stands there then
Named = Callable[[int], str]  # where something begins in a text → what findings call the place


@dataclass(frozen=True, slots=True)
class Field:
    """A text as the application reads it, with what was found in it, in order and apart, and where each ends.

    `encoded` are those of its parts that are written in base64 or as other words and hold something, each with what it
    reads as.
    """

    text: bytes
    location: Location
    struck: tuple[tuple[Found, int], ...]
    encoded: tuple[tuple[Run | Reworded, Field], ...] = ()

    def treated(self, exchange: Exchange, direction: Direction, blocks: Blocks) -> bytes:
        """Return the text as it goes on. What is blocked is noted in `blocks`, and the rest is told all the same."""
        treat = exchange.at(direction, self.location)
        changed: list[Change] = []
        for found, end in self.struck:
            try:
                instead = treat(found)
            except Blocked as blocked:
                blocks.add(blocked.code)
                continue
            if instead is not None:
                changed.append((found.offset, end, instead))
        anew: list[Change] = []
        for run, inner in self.encoded:
            text = inner.treated(exchange, direction, blocks)
            if text != inner.text:
                anew.append((run.start, run.end, run.write(text)))
        if anew:
            changed = sorted([*_beside(changed, sorted(anew)), *anew])
        return _spliced(self.text, changed) if changed else self.text

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


def field_of(  # noqa: PLR0913  (what is known of it)
    text: bytes,
    spans: Sequence[Span],
    location: Location,
    named: Named,
    scanner: Scanner | None,
    *,
    words: Sequence[Reworded] = (),
) -> Field | None:
    """Return a field with these findings, None without any. With a `scanner` its base64 is searched too.

    `words` go before what is found in them as they stand, which is told all the same unless it is the same.
    """
    if words:
        starts = [each.start for each in words]
        spans = [span for span in spans if not _is_told(span, words[bisect_right(starts, span.start) - 1])]
    inner = [*words, *(runs(text, [*spans, *words], scanner) if scanner else ())]
    encoded = tuple(_encoded(each, location, named) for each in inner)
    return Field(text, location, _struck(text, spans, named), encoded) if spans or encoded else None


def _is_told(span: Span, words: Reworded) -> bool:
    """Whether words tell of the same thing."""
    is_in = words.start <= span.start and span.end <= words.end
    return is_in and any(other.detector is span.detector for other in words.spans)


def _beside(changed: Sequence[Change], anew: Sequence[Change]) -> Iterator[Change]:
    """What of each change is left beside what is written anew, both in order and apart: the first has its text."""
    for start, end, text in changed:
        rest, place = text, start
        for index in range(bisect_right(anew, start, key=_end), len(anew)):
            left, right, _ = anew[index]
            if left >= end:
                break
            if place < left:
                yield place, left, rest
                rest = b""
            place = max(place, right)
        if place < end:
            yield place, end, rest


def _end(change: Change) -> int:
    return change[1]


def _encoded(run: Run | Reworded, location: Location, named: Named) -> tuple[Run | Reworded, Field]:
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


def _spliced(text: bytes, changed: Sequence[Change]) -> bytes:
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
