"""Base64 in a text: what is found in it decoded is put out, and what is around it stays as it is.

A run is 24 or more characters of base64's two alphabets; where a line of exactly 64 or 76 of them ends, as in mail and
PEM, it goes on in the next. It is read from its first character on, four at a time, and only the fours that a finding
touches are written anew, filled up with spaces to whole ones. What has been decoded is not decoded again, and what was
found in the text as it stands is not looked into.

Few runs are worth decoding: most are names, paths, UUIDs and digests. All that detectors find is printable ASCII, whose
base64 has a shape, so that a run is skipped, and a finding let be, unless two fours in a row have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import re2

from authz_service.dlp.base64_run import Edit, Run
from authz_service.dlp.found import Blocked, Treatment
from authz_service.dlp.held import UNREAD, Held, Part
from authz_service.dlp.scan import Scanner
from authz_service.dlp.writing import written

LEAST = 24  # characters of a run; what is shorter is too short for most of what could be in it
_LINES = (64, 76)  # characters of a line in PEM (RFC 7468) and MIME (RFC 2045)


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_IN = r"[A-Za-z0-9+/_-]"
# Four characters that stand for three printable ones of ASCII (and for few others).
_FOUR = rf"[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{_IN}"


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode(), options)


_LONG = _compile(rf"{_IN}{{{LEAST}}}")
_OTHER = _compile(r"[^A-Za-z0-9+/_-]")
_PRINTABLE = _compile(_FOUR + _FOUR)
# What makes a run worth decoding, or that it may go on in the next line.
_SIGN = _compile(rf"{_FOUR}{_FOUR}|{_IN}{{64}}(?:{_IN}{{12}})?\r?(?:\n|\z)")


@dataclass(slots=True)
class _Open:
    """A run that is being read, and how its characters lie in the text."""

    run: Run
    start: int  # where it begins in the whole text
    line: int = 0  # characters of each line, 0 while there is only one
    end: int = 0  # bytes between two lines
    column: int = 0  # characters of the line that is being read

    def place(self, character: int) -> int:
        """Where a character is in the whole text."""
        return self.start + character + (character // self.line * self.end if self.line else 0)

    def behind(self, character: int) -> int:
        """Where the character before ends: not behind the line, where both are not the same."""
        return self.place(character - 1) + 1 if character else self.start


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
            kept = 0 if last.ends else len(text) - len(text.rstrip(_ALPHABET))
            if (not kept or (kept <= len(last.text) and not last.whole)) and not _LONG.search(text):
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
            follows = self._read_run(self._open, text, place, ends=ends)
            if follows == place and self._open is not None:
                break  # a line end that may be one in a run
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
        run.column += stop - place
        if stop == len(text) and not ends:
            self._feed(run, text[place:stop], ends=False)
            return stop
        between = 2 if text[stop : stop + 2] == b"\r\n" else int(text[stop : stop + 1] == b"\n")
        if run.column in _LINES and run.line in {0, run.column} and (between or text[stop:] == b"\r"):
            behind = text[stop + between : stop + between + 1]
            if not ends and (not behind or text[stop:] == b"\r"):
                self._feed(run, text[place:stop], ends=False)
                return stop
            if behind and behind in _ALPHABET and run.end in {0, between}:
                self._feed(run, text[place:stop], ends=False)
                run.line, run.end, run.column = run.column, between, 0
                return stop + between
        self._feed(run, text[place:stop], ends=True)
        return stop

    def _begin(self, start: int) -> _Open:
        run = Run(self._scanner, self._treat, self._offset)
        return _Open(run, start)

    def _offset(self, character: int) -> int:
        return self._held.find(self._open.place(character))[1] if self._open is not None else 0

    def _feed(self, run: _Open, characters: bytes, *, ends: bool) -> None:
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
    while (match := _LONG.search(text, place)) is not None:
        place = match.start()
        sign = _SIGN.search(text, place)
        if sign is None:
            break
        start = place + len(text[place : sign.start()].rstrip(_ALPHABET))
        if start > place:  # what is between is skipped
            place = start
            continue
        other = _OTHER.search(text, place)
        stop = other.start() if other else len(text)
        if not (other or ends) or stop - place in _LINES or _PRINTABLE.search(text, place, stop):
            return place, True
        place = stop
    kept = len(text) if ends else place + len(text[place:].rstrip(_ALPHABET))
    return kept, len(text) - kept >= LEAST
