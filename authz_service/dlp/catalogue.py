"""What can be found, as a table: made from the detectors themselves, so that it cannot say what they do not do. Pure.

A detector's judgement is a function, which cannot be read; so it is tried. Values that the detector makes up are
changed in one way after the other, and what makes it refuse them, or less sure, is what it checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import re2

from authz_service.dlp.detectors import Detector

FORM, NEIGHBOURS, CHECKSUM, CONTEXT, RANDOMNESS = "form", "neighbours", "check digits", "context", "randomness"
_SAMPLES = 8  # values that are tried: a detector makes up another each time
_MOST = 0.8  # share of changed values that a checksum refuses, at least; it is nearly all of them
_LONG = 16  # characters from which on a value of words is no secret
_PREFIX = 12  # characters that may have to be as they are

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue. `confidence` is what a value of the detector's own making gets; None without one."""

    entity: str
    detector: str
    confidence: float | None
    checks: tuple[str, ...]
    source: str


def entries(detectors: Iterable[Detector]) -> list[Entry]:
    """The catalogue, by entity and name."""
    return sorted(map(_entry, detectors), key=lambda entry: (entry.entity, entry.detector))


def _entry(detector: Detector) -> Entry:
    trials = list(_trials(detector))
    confidence = max((trial.confidence for trial in trials), default=None)
    return Entry(detector.entity, detector.name, confidence, (FORM, *_checks(trials)), detector.source)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A value where it stands, and how sure the detector is of it."""

    detector: Detector
    pattern: re2._Regexp
    text: bytes
    start: int
    end: int
    confidence: float

    def doubts(self, before: bytes, value: bytes, after: bytes) -> bool | None:
        """Whether the detector refuses another value, or is less sure; None where its form alone is another."""
        text, start, end = before + value + after, len(before), len(before) + len(value)
        if self._end(text, start) != end:
            return None
        return self.detector.accepts(text, start, end) < self.confidence

    def needs_other_neighbours_than(self, before: bytes, after: bytes) -> bool:
        """Whether the value is refused between other neighbours, by its pattern (a word's end) or by its judge."""
        _, value, _ = self.parts
        return self._end(before + value + after, len(before)) is None or bool(self.doubts(before, value, after))

    def _end(self, text: bytes, start: int) -> int | None:
        match = self.pattern.match(text, start)
        return None if match is None else self.detector.extent(text, start, match.end())

    @property
    def parts(self) -> tuple[bytes, bytes, bytes]:
        """What stands before, the value, and what stands behind."""
        return self.text[: self.start], self.text[self.start : self.end], self.text[self.end :]


def _trials(detector: Detector) -> Iterator[_Trial]:
    if detector.example is None:
        return
    pattern = re2.compile(detector.pattern.encode(), _OPTIONS)
    for _ in range(_SAMPLES):
        text = detector.example()
        position = 0
        while (match := pattern.search(text, position)) is not None:
            end = detector.extent(text, match.start(), match.end())
            confidence = detector.accepts(text, match.start(), end)
            if confidence:
                yield _Trial(detector, pattern, text, match.start(), end, confidence)
                break
            position = match.start() + 1


def _checks(trials: Sequence[_Trial]) -> Iterator[str]:
    if any(trial.needs_other_neighbours_than(*sides) for trial in trials for sides in _joined(trial)):
        yield NEIGHBOURS
    doubts = [trial.doubts(*parts) for trial in trials for parts in _changed(trial)]
    judged = [doubt for doubt in doubts if doubt is not None]
    checked = bool(judged) and sum(judged) >= _MOST * len(judged)
    if checked:
        yield CHECKSUM
    elif any(trial.doubts(*parts) for trial in trials for parts in _made_of_words(trial)):
        yield RANDOMNESS
    if any(trial.doubts(b"", trial.parts[1], b"") for trial in trials):
        yield CONTEXT


def _joined(trial: _Trial) -> Iterator[tuple[bytes, bytes]]:
    before, _, after = trial.parts
    for neighbour in (b"a", b"Z", b"0"):
        yield before + neighbour, after
        yield before, neighbour + after


def _changed(trial: _Trial) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The value with one letter or digit in the place of another."""
    before, value, after = trial.parts
    for index, byte in enumerate(value):
        other = _NEXT.get(byte)
        if other is not None:
            yield before, value[:index] + bytes([other]) + value[index + 1 :], after


def _made_of_words(trial: _Trial) -> Iterator[tuple[bytes, bytes, bytes]]:
    """A long value that goes on as people fill one in: one letter, one digit, words."""
    before, value, after = trial.parts
    for start in (_PREFIX, len(value) // 2):
        for filling in (b"x", b"X", b"0", b"yourtokenhere"):
            rest = value[start:]
            words = (filling * len(rest))[: len(rest)]
            filled = bytes(word if byte in _NEXT else byte for byte, word in zip(rest, words, strict=True))
            if len(value) >= _LONG:
                yield before, value[:start] + filled, after


def _cycle(alphabet: bytes) -> dict[int, int]:
    return dict(pairwise(alphabet + alphabet[:1]))


_NEXT = _cycle(b"0123456789") | _cycle(b"abcdefghijklmnopqrstuvwxyz") | _cycle(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def to_json(catalogue: Iterable[Entry]) -> list[dict[str, object]]:
    """The catalogue as JSON has it."""
    return [
        {
            "entity": entry.entity,
            "detector": entry.detector,
            "confidence": entry.confidence,
            "checks": list(entry.checks),
            "source": entry.source,
        }
        for entry in catalogue
    ]


def to_text(catalogue: Iterable[Entry]) -> str:
    """The catalogue in columns."""
    rows = [_HEAD, *map(_cells, catalogue)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def to_markdown(catalogue: Iterable[Entry]) -> str:
    """The page docs/dlp-detectors.md, whole."""
    rows = (
        " | ".join([f"`{entity}`", f"`{name}`", confidence, checks, source.replace("|", "\\|")])
        for entity, name, confidence, checks, source in map(_cells, catalogue)
    )
    return _PAGE + "".join(f"| {row} |\n" for row in rows)


def _cells(entry: Entry) -> tuple[str, ...]:
    confidence = "-" if entry.confidence is None else f"{entry.confidence:.2f}"
    return entry.entity, entry.detector, confidence, ", ".join(entry.checks), entry.source or "-"


_HEAD = ("entity", "detector", "confidence", "checked by", "source")
_PAGE = f"""\
# What can be found

Printed by `python -m authz_service dlp rules --markdown`, from the detectors themselves; do not write in it. How to add
detectors of your own stands in [dlp.md](dlp.md).

An entity is what rules and findings speak of; several detectors can find it, each in another form. The confidence is
that of a good example. A value is checked by its

- **{FORM}**: the pattern, always;
- **{NEIGHBOURS}**: it is no part of something longer;
- **{CHECKSUM}**: one digit or letter changed, and it is refused, or the detector is less sure of it;
- **{RANDOMNESS}**: a word or a note in the place of a secret is refused;
- **{CONTEXT}**: what stands near it says what it is: words in the text, the name of a key or a field, a scheme.

| {" | ".join(_HEAD)} |
|{" --- |" * len(_HEAD)}
"""
