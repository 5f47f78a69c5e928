"""Texts, views and detectors for tests of streams: values, near misses, and ways to cut them."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence

from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.detectors.detector import DIGITS, LETTERS_AND_DIGITS, stands_alone
from authz_service.dlp.found import Found
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.folding import Folding
from authz_service.dlp.views.piece import Piece, Syntax


def _has_word(text: bytes, start: int, end: int) -> float:
    """A number with a word near it, on either side."""
    near = text[max(0, start - 32) : start] + b" " + text[end : end + 16]
    return 0.7 * (b"acct" in near and stands_alone(text, start, end, DIGITS))


def _is_last(text: bytes, start: int, end: int) -> float:
    """Refused for its right neighbour only."""
    return text[end : end + 1] != text[start : start + 1]


def _any(text: bytes, start: int, end: int) -> float:
    return len(text[start:end]) > 0


# Each does one thing that makes a stream hard.
HARD = (
    Detector("acct", "account", "[0-9]{9}", "[0-9]{9}", _has_word, before=32, after=16),
    Detector("last", "last", "qqqqqqqq", "qqqqqqqq", _is_last),
    Detector("word", "word", "id[0-9]{3}", r"\bid[0-9]{3}\b", _any),
    Detector("begins", "begins", "top[0-9]", r"(?:^|\n)top[0-9]{1,8}$", _any),
    Detector("left", "left", "abcdefgh", "abcdefgh", _any),
    Detector("right", "right", "ghijklmn", "ghijk(?:lmnopqr|lmn)", _any),
    Detector("tailed", "tailed", "t_", "t_[a-z0-9]{4}", _any, tail=LETTERS_AND_DIGITS | frozenset(b"_"), longest=40),
    Detector("far", "far", "f_", "f_[a-z0-9]{4}", _any, tail=LETTERS_AND_DIGITS | frozenset(b"_"), longest=900),
    Detector(
        "block", "block", "<<", "<<BEGIN>>", _any,
        tail=LETTERS_AND_DIGITS | frozenset(b"<> \n-+/="), until=b"<<END>>", longest=1500,
    ),
    Detector(
        "paired", "paired", "p<", "p<[a-z]{2}", _any,
        tail=LETTERS_AND_DIGITS | frozenset(b'"'), paired=b'"', until=b"END", longest=900,
    ),
    Detector("mail", "mail", "@", "[a-z0-9._]{1,30}@[a-z]{1,10}[.]com", _any),
)  # fmt: skip
SCANNER = Scanner((*ALL, *HARD))

SSN, KEY, TOKEN = b"123-45-6789", b"AK" + b"IAIOSFODNN7EXAMPLE", b"gh" + b"p_" + b"a1B2" * 9
VALUES = (
    SSN, KEY, TOKEN, b"123456789", b"acct", b"acct 123456789", b"qqqqqqqq", b"id123", b"top1234", b"abcdefgh",
    b"ghijklmnopqr", b"abcdefghijklmnopqr", b"t_abcd", b"t_" + b"abcd" * 12, b"f_" + b"abc_" * 30,
    b"f_" + b"a" * 600, b"f_" + b"bc_t_abcd" * 100, b"<<BEGIN>> abc\ndef <<END>>", b"<<BEGIN>>",
    b"<<BEGIN>>" + b"abcd" * 200 + b"<<END>>", b"<<END>>", b"t_abcd@abc.com", b"me@abc.com", b"[REDACTED:us_ssn]",
    b"gh" + b"p_" + b"7" * 255, b"gh" + b"s_" + b"x." * 300, base64.b64encode(SSN), base64.b64encode(SSN)[:15],
    b'p<ab""cd""', b'p<ab"', b'p<ab""cdEND""', b"p<ab" + b'"' * 13, b'p<ab"""cd', b"p<ab" + b'cd""' * 150 + b'""END',
    b"%31%32%33-45%2D6789", b"123%2D45-6789", b"12345+6789", b"123+45%206789", b"%41K" + KEY[2:], KEY + b"%41",
    b"<<BEGIN%3E%3E" + b"abcd%0A" * 60 + b"<<END>>", b"<<BEGIN>>" + b"ab+cd" * 200 + b"%3C%3CEND>>", b"t_%61bcd%2525",
)  # fmt: skip
NOISE = (
    b"1", b"A", b"q", b"-", b" ", b"AKIA", b"\xff", b"123-45-", b"\n", b"\r\n", b"_", b"=", b"<", b"gh", b"top", b"id",
    b"a" * 30, b"0" * 40, b"IGFi" * 6, b"x" * 64 + b"\n", b" " * 40, b"t_f_", b"@", b"ab@", b'"', b"\\", b"&",
    b"%", b"%2", b"%20", b"%41", b"%31", b"+", b"12+34", b"%E2%80%8B" * 5, b"%E2%80", b"%EF%BC%91", b"%25", b"-" * 700,
)  # fmt: skip
PLAIN = st.lists(st.sampled_from(VALUES) | st.sampled_from(NOISE) | st.binary(max_size=3), max_size=12).map(b"".join)


def lines(text: bytes, width: int, end: bytes) -> bytes:
    """A text in lines of one width."""
    return end.join(text[place : place + width] for place in range(0, len(text), width))


@st.composite
def encoded(draw: st.DrawFn) -> bytes:
    """A text in base64, in one line or several."""
    text = draw(PLAIN) + draw(st.sampled_from([b"", SSN, TOKEN, b"<<BEGIN>>" + b"ab" * 500 + b"<<END>>"])) + draw(PLAIN)
    encode = draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
    written = encode(text)
    if draw(st.booleans()):
        written = written.rstrip(b"=")
    written = draw(st.sampled_from([b"", b"", b"a", b"a/", b"abc", base64.b64encode(SSN)[:15], b"_" * 25])) + written
    width = draw(st.sampled_from([0, 60, 64, 76, 77]))
    return lines(written, width, draw(st.sampled_from([b"\n", b"\r\n"]))) if width else written


TEXTS = st.lists(PLAIN | encoded(), max_size=4).map(b"".join)


class Marking:
    """A view for tests, with four signs.

    `~x` is one whole piece that reads as `x`, `~~` reads as nothing, `|` ends the text, `#` begins a form as far as the
    next `#`.
    """

    def __init__(self) -> None:
        self._held = b""
        self._syntax = Syntax.PLAIN

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        data = self._held + data
        self._held = b""
        pieces: list[Piece] = []
        place = 0
        while place < len(data):
            sign = data[place : place + 1]
            if sign == b"~":
                if place + 1 == len(data):
                    self._held = sign
                    break
                text = data[place + 1 : place + 2]
                pieces.append(Piece(data[place : place + 2], b"" if text == b"~" else text, self._syntax, whole=True))
                place += 2
                continue
            after = place + 1
            if sign == b"#":
                self._syntax = Syntax.FORM if self._syntax is Syntax.PLAIN else Syntax.PLAIN
            elif sign != b"|":
                after = min(
                    [at for at in (data.find(mark, place) for mark in (b"~", b"|", b"#")) if at >= 0] or [len(data)]
                )
            text = data[place:after]
            pieces.append(Piece(text, text, self._syntax, ends=sign == b"|"))
            place = after
        return pieces

    def finish(self) -> Sequence[Piece]:
        """Read what was held."""
        held, self._held = self._held, b""
        return [Piece(held, held)] if held else []


class Whole:
    """A view that reads everything as it stands."""

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        return [Piece(data, data)]

    def finish(self) -> Sequence[Piece]:
        """Nothing is held."""
        return []


class Folded:
    """A view that folds look-alikes, and nothing else."""

    def __init__(self) -> None:
        self._folding = Folding()

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        return self._folding.feed([Piece(data, data)] if data else [])

    def finish(self) -> Sequence[Piece]:
        """Read what was held."""
        return self._folding.finish()


class Noting:
    """A treatment that notes what it is asked. What is in `passes` is let pass."""

    def __init__(self, passes: frozenset[str] = frozenset()) -> None:
        self.asked: list[tuple[str, bytes | None, int]] = []
        self._passes = passes

    def __call__(self, found: Found) -> bytes | None:
        self.asked.append((found.detector.name, found.value, found.offset))
        return None if found.detector.name in self._passes else f"[REDACTED:{found.detector.entity}]".encode()


def redactor(treat: Noting, scanner: Scanner = SCANNER, *, marking: bool = False) -> BodyRedactor:
    """A redactor of one body."""
    return BodyRedactor(Marking() if marking else Whole(), scanner, treat)


def chunks(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Data cut at places."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]
