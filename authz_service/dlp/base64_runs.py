"""Base64 in a text: what is found in it decoded is put out, and what is around it stays as it is.

A run is 24 or more characters of base64's two alphabets, or fewer with the shape of printable ASCII (base64_shape);
where a line of exactly 64 or 76 of them ends, as in mail and PEM, it goes on in the next. It is read from its first
character on, four at a time, and anew from where another text is seen to begin in it: behind a path, behind the end of
one without padding. Only the fours that a finding touches are written anew, filled up with spaces to whole ones. What
has been decoded is not decoded again, and what was found in the text as it stands is not looked into.

Few runs are worth decoding: most are names, paths, UUIDs and digests. All that detectors find is printable ASCII, so
that a run is skipped, and a finding let be, unless two fours in a row have the shape of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from authz_service.dlp.base64_run import Edit, Run
from authz_service.dlp.base64_shape import ALPHABET, BEFORE, FOUR, IN, REACH, TWELVE, compiled, other_text
from authz_service.dlp.found import Blocked, Treatment
from authz_service.dlp.held import UNREAD, Held, Part
from authz_service.dlp.scan import Scanner
from authz_service.dlp.writing import written

LEAST = 24  # characters of a run that is read without a sign; what is shorter has few of what could be in it
_LINES = (64, 76)  # characters of a line in PEM (RFC 7468) and MIME (RFC 2045)
_HELD = REACH + BEFORE  # characters of an open run that wait until it is known whether another text begins in them

_RUN = compiled(rf"{IN}{{{LEAST}}}|{TWELVE}")
_OTHER = compiled(r"[^A-Za-z0-9+/_-]")
_PRINTABLE = compiled(FOUR + FOUR)
# What makes a run worth decoding, or that it may go on in the next line.
_SIGN = compiled(rf"{FOUR}{FOUR}|{IN}{{64}}(?:{IN}{{12}})?\r?(?:\n|\z)")


@dataclass(slots=True)
class _Open:
    """A run that is being read, and how its characters lie in the text."""

    run: Run
    start: int  # where it begins in the whole text
    head: int = 0  # characters of its first line that are before it
    line: int = 0  # characters of each line, 0 while there is only one
    end: int = 0  # bytes between two lines
    column: int = 0  # characters of the line that is being read
    own: int = 0  # by how far the fours in which the whole row began are off its own
    count: int = 0  # characters that have been read
    is_fresh: bool = True  # none of the line that is being read

    def place(self, character: int) -> int:
        """Where a character is in the whole text."""
        lines = (character + self.head) // self.line if self.line else 0
        return self.start + character + lines * self.end

    def behind(self, character: int) -> int:
        """Where the character before ends: not behind the line, where both are not the same."""
        return self.place(character - 1) + 1 if character else self.start


def may_hold(text: bytes) -> bool:
    """Whether there is a run in a text at all."""
    return _RUN.search(text) is not None


class Base64Runs:
    """Takes the parts of a body, and gives them back when they are decided."""

    def __init__(self, scanner: Scanner, treat: Treatment) -> None:
        self._scanner = scanner
        self._treat = treat
        self._held = Held()
        self._text = b""  # what is not read yet; while no run is open, it begins with a run or is empty
        self._base = 0  # where that is in the whole text
        self._open: _Open | None = None
        self._out: list[Part] = []

    def feed(self, parts: Sequence[Part]) -> list[Part]:
        """Read on. Nothing is held back behind a part that ends the text."""
        if parts and self._open is None:
            text = self._text + b"".join([part.text for part in parts])
            last = parts[-1]
            kept = 0 if last.ends else len(text) - len(text.rstrip(ALPHABET))
            if (not kept or (kept <= len(last.text) and not last.whole)) and not _RUN.search(text):
                self._base += len(text) - kept
                self._text = text[len(text) - kept :]
                return self._held.through(parts, kept)
        texts: list[bytes] = []
        for part in parts:
            self._held.add(part)
            texts.append(part.text)
            if part.ends:
                self._read(b"".join(texts), ends=True)
                texts = []
        if texts:
            self._read(b"".join(texts), ends=False)
        return self._decided()

    @property
    def first(self) -> int | None:
        """Where what is not decided begins among the bytes that came; None where all is."""
        return self._held.first

    def finish(self) -> list[Part]:
        """Decide what is left."""
        self._read(b"", ends=True)
        return self._decided()

    def _decided(self) -> list[Part]:
        out, self._out = self._out, []
        return out

    def _read(self, text: bytes, *, ends: bool) -> None:
        text = self._text + text
        place = 0
        while place < len(text):
            if self._open is None:
                start, is_run = _next(text, place, ends=ends)
                self._pass(self._base + start)
                if not is_run:
                    place = start
                    break
                self._open = self._begin(self._base + start)
                place = start
            run = self._open
            follows = self._read_run(run, text, place, ends=ends)
            if follows == place and self._open is run:
                break  # a line end that may be one in a run, or characters in which another may begin
            place = follows
        if ends and self._open is not None:
            self._feed(self._open, b"", ends=True)
        if ends:
            self._pass(self._base + len(text))
            place = len(text)
        self._text = text[place:]
        self._base += place

    def _read_run(self, run: _Open, text: bytes, place: int, *, ends: bool) -> int:
        """Read what there is of a run from a place on, and say to where."""
        match = _OTHER.search(text, place)
        stop = match.start() if match else len(text)
        if run.line:
            stop = min(stop, place + run.line - run.column)
        is_open = stop == len(text) and not ends
        other = _other(run, text, place, stop, ends=not is_open)
        if other >= 0:
            self._feed(run, text[place:other], ends=True)
            self._open = self._begin(self._base + other, run, run.column + other - place)
            return other
        if is_open:
            stop -= _HELD - 1
            stop = place + max(0, (stop - place + run.count) // 4 * 4 - run.count)
        run.column += stop - place
        if is_open:
            self._feed(run, text[place:stop], ends=False)
            return stop
        between = 2 if text[stop : stop + 2] == b"\r\n" else int(text[stop : stop + 1] == b"\n")
        if run.column in _LINES and run.line in {0, run.column} and (between or text[stop:] == b"\r"):
            behind = text[stop + between : stop + between + 1]
            if not ends and (not behind or text[stop:] == b"\r"):
                self._feed(run, text[place:stop], ends=False)
                return stop
            if behind and behind in ALPHABET and run.end in {0, between}:
                self._feed(run, text[place:stop], ends=False)
                run.line, run.end, run.column, run.is_fresh = run.column, between, 0, True
                return stop + between
        self._feed(run, text[place:stop], ends=True)
        return stop

    def _begin(self, start: int, before: _Open | None = None, column: int = 0) -> _Open:
        """Open a run: the first of a row of characters, or one behind another in it, from a column of its line on."""
        run = Run(self._scanner, self._treat, self._offset)
        if before is None:
            return _Open(run, start)
        own = (before.own - before.count) % 4
        return _Open(run, start, column, before.line, before.end, column, own)

    def _offset(self, character: int) -> int:
        return self._held.find(self._open.place(character))[1] if self._open is not None else 0

    def _feed(self, run: _Open, characters: bytes, *, ends: bool) -> None:
        run.count += len(characters)
        run.is_fresh = run.is_fresh and not characters
        for edit in run.run.feed(characters, ends=ends):
            self._apply(run, edit)
        if ends:
            self._open = None
        else:
            place = run.behind(run.run.safe)
            if place > self._held.start:  # else what reads as nothing here may be between two edits that follow
                self._pass(place)

    def _apply(self, run: _Open, edit: Edit) -> None:
        if not edit.follows:
            self._pass(run.place(edit.start))
        syntax, offset = self._held.find(self._held.start)
        dropped = self._held.drop(run.behind(edit.end))
        if dropped.fixed:
            code = "secret_in_fixed_place"
            raise Blocked(code, edit.found)
        if edit.text or dropped.ends:
            raw = written(edit.text, syntax) if edit.text else b""
            self._out.append(Part(raw, UNREAD, syntax, True, dropped.ends, offset))

    def _pass(self, place: int) -> None:
        self._out += self._held.take(place)


def _next(text: bytes, place: int, *, ends: bool) -> tuple[int, bool]:
    """The next run from a place on that is worth decoding; without one, what is not to be kept for the next time."""
    while (match := _RUN.search(text, place)) is not None:
        place += len(text[place : match.start()].rstrip(ALPHABET))
        sign = _SIGN.search(text, place)
        if sign is None:
            break
        start = place + len(text[place : sign.start()].rstrip(ALPHABET))
        if start > place:  # what is between is skipped
            place = start
            continue
        other = _OTHER.search(text, place)
        stop = other.start() if other else len(text)
        is_whole = other is not None or ends
        if stop - place < LEAST or not is_whole or stop - place in _LINES or _PRINTABLE.search(text, place, stop):
            return place, True
        place = stop
    kept = len(text) if ends else place + len(text[place:].rstrip(ALPHABET))
    return kept, len(text) - kept >= LEAST


def _other(run: _Open, text: bytes, place: int, stop: int, *, ends: bool) -> int:
    """Where in what there is of a run another text begins, -1 where none does."""
    passed = run.count % 4 if run.is_fresh else 0  # characters of a four that is in two lines
    characters = b"A" * passed + text[place:stop]  # no sign begins so
    found = other_text(characters, 0, run.own, 0 if run.is_fresh else BEFORE, ends=ends)
    return place + found - passed if found >= 0 else -1
