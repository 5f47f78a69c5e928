"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) as a client reads them.

The data lines of one event are one text, their line ends in it and the field's name not; data that looks like JSON is
read as JSON. An empty line ends the event, and nothing found goes on beyond it: nothing of an event waits for the next
one. So does the end of a comment between two events, which is how servers keep a stream alive. Empty lines behind the
one that ends an event are one piece, however many have come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import re2

from authz_service.dlp.views.escaped import TEXT, EscapedView
from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.piece import Piece, Syntax, View

_BOM: Final = b"\xef\xbb\xbf"
_DATA: Final = b"data:"
_LIKE_JSON: Final = b'{["'
_LINE_ENDS: Final = frozenset({b"\r", b"\n"})
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OTHER = re2.compile(rb"[^\r\n]", _OPTIONS)


class SseView:
    """Reads a stream of events."""

    def __init__(self, *, numbers: Syntax = Syntax.FIXED) -> None:
        self._numbers = numbers
        self._held = b""
        self._begun = False  # the stream, of which the first bytes may be a mark
        self._others = EscapedView(TEXT)  # what reads lines that are no data; it holds nothing back between two of them
        self._line: View | None = None  # what reads the line that has begun
        self._data: View | None = None  # what reads the data of the event that has begun
        self._in_event = False

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        return self._read(data, last=False)

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        pieces = self._read(b"", last=True)
        for view in (self._line, self._data):  # at most one of them holds something back
            pieces += view.finish() if view is not None else ()
        return pieces

    def _read(self, data: bytes, *, last: bool) -> list[Piece]:
        data, self._held = self._held + data, b""
        pieces: list[Piece] = []
        if not self._begun and not (last or len(data) >= len(_BOM) or not _BOM.startswith(data)):
            self._held = data
            return pieces
        position = 0
        if not self._begun and data.startswith(_BOM):
            pieces.append(Piece(_BOM, b"", whole=True))
            position = len(_BOM)
        self._begun = self._begun or bool(data)
        ends = _Ends(data)
        while position < len(data):
            if self._line is None:
                begun = self._begin(data, position, ends, last=last)
                if begun is None:
                    break
                pieces += begun[0]
                position = begun[1]
                if self._line is None:
                    continue
            end, after = ends.next(position)
            if after == len(data) and data[end:] == b"\r" and not last:  # a line feed may follow, and belong to it
                pieces += self._line.feed(data[position:end])
                position = end
                break
            pieces += self._line.feed(data[position:after])
            position = after
            if after > end:
                if self._line is not self._data and not self._in_event:
                    pieces[-1] = pieces[-1]._replace(ends=True)
                self._line = None
        self._held = data[position:]
        return pieces

    def _begin(self, data: bytes, position: int, ends: _Ends, *, last: bool) -> tuple[list[Piece], int] | None:
        """Begin a line: return pieces and the place after them; None where more has to come first."""
        end, after = ends.next(position)
        if end == position and after > end:
            if not self._in_event and data[after : after + 1] in _LINE_ENDS:
                other = _OTHER.search(data, after)
                after = other.start() if other else len(data)
                if not (other or last) and data.endswith(b"\r"):
                    after -= 1
            elif data[end:after] == b"\r" and after == len(data) and not last:
                return None
            return self._end_event(data[end:after]), after
        head = data[position : position + len(_DATA) + 2]
        if len(head) < len(_DATA) + 2 and after == end and not last and (_DATA.startswith(head) or head[:5] == _DATA):
            return None
        if not head.startswith(_DATA):
            self._in_event = self._in_event or head[:1] != b":"
            line = data[position:after]
            is_whole = after > end and (last or after < len(data) or line[-1:] == b"\n")
            if is_whole and b"\\" not in line and line.isascii():  # it reads as it stands
                return [Piece(line, line, ends=not self._in_event)], after
            self._line = self._others
            return [], position
        name = _DATA + b" " if head[5:6] == b" " else _DATA
        is_first, self._in_event = self._data is None, True
        if self._data is None:
            value = head[len(name) : len(name) + 1]
            like_json = bool(value) and value in _LIKE_JSON
            self._data = JsonView(numbers=self._numbers) if like_json else EscapedView(TEXT)
        self._line = self._data
        piece = Piece(name, name if is_first else b"", whole=not is_first)
        return [piece], position + len(name)

    def _end_event(self, line_end: bytes) -> list[Piece]:
        pieces = list(self._data.finish()) if self._data is not None else []
        self._data, self._in_event = None, False
        return [*pieces, Piece(line_end, line_end, ends=True)]


class _Ends:
    """The ends of lines in some data, asked for from left to right: each kind is sought once, however far it is."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._feed = self._back = -1

    def next(self, position: int) -> tuple[int, int]:
        """Where a line ends, and where the next one begins; both at the end of the data where it does not end."""
        if self._feed < position:
            self._feed = self._found(b"\n", position)
        if self._back < position:
            self._back = self._found(b"\r", position)
        if self._back < self._feed:
            return self._back, self._back + (2 if self._feed == self._back + 1 < len(self._data) else 1)
        return self._feed, min(self._feed + 1, len(self._data))

    def _found(self, end: bytes, position: int) -> int:
        place = self._data.find(end, position)
        return place if place >= 0 else len(self._data)
