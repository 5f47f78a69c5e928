"""Parts of a body → the same, with other things in the place of what was found in their text."""

from __future__ import annotations

from collections.abc import Sequence

from authz_service.dlp.found import Blocked, Treatment
from authz_service.dlp.held import UNREAD, Held, Part, unread
from authz_service.dlp.judging import Judging, Outcome, Place
from authz_service.dlp.readings import Readings
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.piece import Syntax
from authz_service.dlp.writing import written

_TEXTS = frozenset({Syntax.PLAIN, Syntax.JSON_STRING, Syntax.XML})
_AT_ONCE = 4096  # bytes of short texts that are looked at together


class TextRedaction:
    """Takes the parts of a body and gives them back when they are decided, those with findings not to be read again."""

    def __init__(self, scanner: Scanner, treat: Treatment, *, prompt: bool = False) -> None:
        """One that is `prompt` holds back no more than it must, and leaves percent escapes as they stand."""
        self._sweep = scanner.sweep(prompt=True) if prompt else Readings(scanner)
        self._held = Held()
        self._judging = Judging(treat)
        self._place = Place(self._held.text, self._offset)
        self._begun = False  # a text that has not ended yet
        self._passed = 0  # the place up to which something was found and let pass
        self._here = Syntax.PLAIN, 0  # how the last thing that was asked for is written, and where it began
        self._out: list[Part] = []

    def feed(self, parts: Sequence[Part]) -> list[Part]:
        """Read on. Nothing is held back behind a part that ends the text."""
        texts: list[bytes] = []
        looked_at = passed = 0
        begun, add = self._begun, self._held.add
        for index, part in enumerate(parts):
            if not begun and index >= looked_at:
                looked_at, is_clean = self._look_at(parts, index)
                if is_clean:
                    passed = looked_at
                    self._pass_over(parts[index:passed])
            if index < passed:
                continue
            add(part)
            texts.append(part.text)
            begun = not part.ends
            if part.ends:
                self._decide(b"".join(texts), ends=True)
                texts = []
        self._begun = begun
        if texts:
            self._decide(b"".join(texts), ends=False)
        return self._decided()

    @property
    def first(self) -> int | None:
        """Where what is not decided begins among the bytes that came; None where all is."""
        return self._held.first

    def _pass_over(self, parts: Sequence[Part]) -> None:
        self._sweep.pass_over(sum([len(part.text) for part in parts]))
        self._out += self._held.through(parts, 0)

    def _look_at(self, parts: Sequence[Part], index: int) -> tuple[int, bool]:
        """Look at several texts at once, as short events are: up to which part, and whether nothing is in them."""
        texts: list[bytes] = []
        size = count = ended = behind = 0
        while index < len(parts) and size < _AT_ONCE:
            part = parts[index]
            index += 1
            size += len(part.text)
            texts.append(part.text)
            if part.ends:
                texts.append(b"\n")  # no text goes on in the next one
                count, ended = len(texts), ended + 1
                behind = index
        if ended <= 1:
            return index, False
        return behind, self._sweep.is_clean(b"".join(texts[:count]))

    def finish(self) -> list[Part]:
        """Decide what is left."""
        self._begun = False
        self._decide(b"", ends=True)
        return self._decided()

    def _decided(self) -> list[Part]:
        out, self._out = self._out, []
        return out

    def _decide(self, text: bytes, *, ends: bool) -> None:
        for stretch in self._sweep.feed(text, ends=ends):
            outcome = self._judging.judge(stretch, self._place)
            if outcome is not None:
                self._apply(outcome)
        self._pass(self._sweep.safe)

    def _offset(self, place: int) -> int:
        self._pass(place)
        self._here = self._held.find(place)
        return self._here[1]

    def _apply(self, outcome: Outcome) -> None:
        if outcome.passes:
            self._passed = max(self._passed, outcome.end)
            return
        # What is before has been given back when the place was asked for. Between two stretches of a span, what reads
        # as nothing goes with them.
        if outcome.found is None or outcome.start < self._held.start:
            self._here = self._held.find(self._held.start)
        syntax, offset = self._here
        if outcome.is_escaped and syntax in _TEXTS:
            syntax = Syntax.FORM  # it is a part of a URL, or of a form
        is_left = outcome.end > self._held.start  # else a whole part has gone for a finding before
        dropped = self._held.drop(outcome.end)
        if dropped.fixed:
            code = "secret_in_fixed_place"
            raise Blocked(code, outcome.found)
        raw = written(outcome.text, syntax) if outcome.found and is_left else b""
        if outcome.found or dropped.ends:
            self._out.append(Part(raw, UNREAD, syntax, True, dropped.ends, offset))

    def _pass(self, place: int) -> None:
        """Give back what is before a place as it is."""
        if place < self._held.start:
            return
        if self._held.start < self._passed:
            self._out += map(unread, self._held.take(min(place, self._passed)))
        self._out += self._held.take(place)
