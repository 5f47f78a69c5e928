"""Detectors compiled together, and how far one has to look to judge by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import re2

from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.detectors.detector import LETTERS_AND_DIGITS
from authz_service.dlp.detectors.neighbours import NO_DIGIT, NO_WORD
from authz_service.dlp.detectors.searching import ANYWHERE, AT_THE_BEGINNING, Search, search_of
from authz_service.dlp.rows import LEAST, ROW
from authz_service.dlp.unsettled import Unsettled
from authz_service.dlp.width import shape_of, width_of

_TOKEN = re.compile(
    r"""
      \\Q .*? (?: \\E | \Z )
    | (?P<word> \\b )
    | (?P<other> \\[ABz] | [\^$] )
    | \\.
    | \[ \^? \]? (?: \[: .*? :\] | \\. | [^\]\\] )* \]
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD = LETTERS_AND_DIGITS | frozenset(b"_")
_NEAR = 16  # bytes before a candidate that are looked at for what it is a part of, not for words
_BEFORE = b"\n"  # what stands before each window
_MEMORY = 16 << 20  # bytes that each common automaton may grow to before it starts anew


class Compiled:
    """`matching` tells in one pass which detectors can find something at all; only their own patterns then search.

    `before` is how many bytes to the left of a candidate are looked at, `reach` how many from its beginning on: the
    longest text that a pattern matches, and what is seen behind it.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = (*detectors, _mark({detector.entity for detector in (*ALL, *detectors)}))
        self.mark = len(detectors)
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are, valid UTF-8 or not
        self.patterns: Sequence[Search] = [search_of(detector.pattern) for detector in self.detectors]
        self._behind = [_one_of(detector.behind) for detector in self.detectors]
        # Patterns that see their neighbours by themselves match otherwise where a text is cut.
        self.anchored = _those_with("other", [detector.pattern for detector in self.detectors])
        self.asserting = self.anchored | _those_with("word", [each.pattern + each.hint for each in self.detectors])
        # Their hints may be words beside, which are worth to be sought near the candidate.
        self.by_words = frozenset(index for index, detector in enumerate(self.detectors) if detector.before > _NEAR)
        self.before = max(max(detector.before, 1) for detector in self.detectors)
        self.reach = max(_reach(detector) for detector in self.detectors)
        self.unsettled = Unsettled(self.detectors, self.reach)
        options.max_mem = _MEMORY
        hints = [_within(detector) for detector in self.detectors]
        alone = [index for index, detector in enumerate(self.detectors) if _begins_alone(detector)]
        self._alone = alone
        self._any_alone = _set([self.detectors[index].pattern for index in alone], options, re2.Set.MatchSet)
        # Hints of numbers are sought only where a row of digits is: see `rows`.
        self._numbers = tuple(index for index, hint in enumerate(hints) if shape_of(hint).row.digits >= LEAST)
        self._others = tuple(index for index in range(len(hints)) if index not in self._numbers)
        self._any = _set([*(hints[index] for index in self._others), ROW], options)
        self._any_number = _set([hints[index] for index in self._numbers], options)

    def matching(self, text: bytes) -> Sequence[int]:
        """The detectors whose hints are in a text, by number."""
        text = _BEFORE + text
        found = self._any.Match(text)
        if not found:
            return ()
        others, row = self._others, len(self._others)
        matching = [others[index] for index in found if index != row]
        if len(matching) < len(found) and self._numbers:
            matching += [self._numbers[index] for index in self._any_number.Match(text) or ()]
        return matching

    def candidate(self, index: int, text: bytes, place: int, stop: int) -> tuple[int, int] | None:
        """The next text that a detector's pattern matches, which begins at a place or behind it, before another."""
        search, behind = self.patterns[index], self._behind[index]
        edge = min(stop + self.reach, len(text))
        while place < stop:
            start, end = search(ANYWHERE, text, place, edge)[0]
            if start >= stop or start < 0:
                break
            if behind is None or (start and behind.match(text, start - 1)):
                return start, end
            # What stands elsewhere is refused, and there may be such a candidate at each byte.
            other = behind.search(text, start, stop)
            place = other.end() if other else stop
        return None

    def alone(self, text: bytes) -> Sequence[int]:
        """Those of which the text begins with a candidate, where what stood before it has hidden its hint."""
        return [self._alone[index] for index in self._any_alone.Match(text) or ()]

    def beginning(self, index: int, text: bytes) -> int:
        """Where the text ends that a detector's pattern matches at the beginning, -1 where it does not."""
        return self.patterns[index](AT_THE_BEGINNING, text, 0, len(text))[0][1]


def _one_of(found: frozenset[int]) -> re.Pattern[bytes] | None:
    return re.compile(b"[" + re.escape(bytes(sorted(found))) + b"]") if found else None


def _set(patterns: Sequence[str], options: Any, kind: Callable[[Any], Any] = re2.Set.SearchSet) -> Any:
    found = kind(options)
    for pattern in patterns:
        found.Add(pattern.encode())
    found.Compile()
    return found


def _mark(entities: Iterable[str]) -> Detector:
    """What a redaction left, of these entities and nothing else: a value could else stand in its brackets.

    Nothing is found in it, and what stands around it is judged as if it were the end of the text. Its name would else
    be a context word: a redacted text would no longer scan clean.
    """
    # In a URL it is percent-encoded.
    pattern = rf"(?:\[|%5B)REDACTED(?::|%3A)(?:{'|'.join(re.escape(entity) for entity in sorted(entities))})(?:\]|%5D)"
    return Detector("", "redacted", "REDACTED(?::|%3A)", pattern, lambda *_: 1.0)


def is_within_word(text: bytes, place: int) -> bool:
    r"""Whether the bytes on both sides of a place are of a word, as \b sees it."""
    return 0 < place < len(text) and text[place - 1] in _WORD and text[place] in _WORD


def _those_with(kind: str, patterns: Sequence[str]) -> frozenset[int]:
    return frozenset(
        index
        for index, pattern in enumerate(patterns)
        if any(token.lastgroup == kind for token in _TOKEN.finditer(pattern))
    )


def _within(detector: Detector) -> str:
    """A detector's hint for windows, which begin and end at any place of a text, but never right at a number's.

    Could a number begin anywhere, the automaton would follow it from each digit of a longer one, and need a state for
    each number that there is.
    """
    hint = detector.hint
    if _begins_alone(detector):
        hint = hint.replace("(?:^|", "(?:", 1)
    return _TOKEN.sub(lambda token: "(?:)" if token.lastgroup == "other" else token.group(), hint)


def _begins_alone(detector: Detector) -> bool:
    """Whether a hint is of what has no digit, or no letter either, before it. Those of users may go on with a sign."""
    return detector in ALL and detector.hint.startswith((NO_DIGIT, NO_WORD))


def _reach(detector: Detector) -> int:
    width = width_of(detector.pattern)
    if width is None:
        message = f"the pattern of {detector.name} repeats without an end"
        raise ValueError(message)
    return max(width + max(detector.after, 1), len(detector.until))
