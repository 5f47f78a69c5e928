"""Texts of any length → parts, places and positions."""

from __future__ import annotations

import base64
import io
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp import long_texts
from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.long_texts import Place, characters, located, parts, scan_long_text
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.piece import Piece


def _stands_apart(text: bytes, start: int, end: int) -> float:
    return float(text[start - 1 : start] != b"x" and text[end : end + 1] != b"x")


WIDE = "\uff41"  # the full-width letter, which reads as a
MARK = Detector("mark", "mark", "ab+c", "ab{1,8}c", _stands_apart)
SCANNER = Scanner([MARK])
TEXTS = st.lists(
    st.sampled_from(
        [b"a", b"b", b"c", b"x", b"\n", b"abc", b"abbbc", b"xabc", "é".encode(), WIDE.encode(), "\u200b".encode()]
    )
).map(b"".join)


def spans(text: bytes) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in scan_long_text(text, SCANNER)]


def spans_in_parts(text: bytes, scanner: Scanner = SCANNER) -> list[tuple[int, int]]:
    found = list(parts(io.BytesIO(text).read, scanner))
    assert b"".join(part.text for part in found) == text
    begins = [0, *accumulate(len(part.text) for part in found)]
    return [(at + span.start, at + span.end) for at, part in zip(begins, found, strict=False) for span in part.spans]


@given(text=TEXTS, window=st.integers(min_value=1, max_value=30))
def test_where_the_windows_lie_makes_no_difference(text: bytes, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_texts, "WINDOW", window)
        patch.setattr(long_texts, "MARGIN", 12)
        assert spans_in_parts(text) == spans(text)


VALUE = b"abbbbbbbbbbc"
ENCODED = base64.b64encode(VALUE)


@given(before=st.integers(0, 40), window=st.integers(30, 60), count=st.integers(1, 4))
def test_base64_is_found_wherever_windows_lie(before: int, window: int, count: int) -> None:
    """Told by its fours; a part goes on as far as it does."""
    scanner = Scanner([Detector("mark", "mark", "ab+c", "ab{8,12}c", lambda *_: 1.0)])
    text = b"." * before + (ENCODED + b" " + VALUE + b"." * 9 + b"\n") * count
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_texts, "WINDOW", window)
        patch.setattr(long_texts, "MARGIN", 16)
        found = spans_in_parts(text, scanner)
    assert [text[start:end] for start, end in found] == [ENCODED, VALUE] * count


def test_a_line_that_is_longer_than_a_window_is_cut_in_its_middle() -> None:
    text = (b"." * (long_texts.WINDOW - long_texts.MARGIN - 2) + b"abbbc") * 3
    assert spans_in_parts(text) == spans(text)
    assert len(spans(text)) == 3


def test_no_more_than_two_windows_are_held() -> None:
    class Endless:
        """Counts what it is asked for."""

        left = 10 * long_texts.WINDOW

        def read(self, size: int) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return b"." * size

    source = Endless()
    sizes = [len(part.text) for part in parts(source.read, SCANNER)]
    assert sum(sizes) == 10 * long_texts.WINDOW
    assert max(sizes) <= 2 * long_texts.WINDOW


def test_what_is_found_in_a_text_that_reads_otherwise_is_told_as_it_came() -> None:
    pieces = [
        Piece("é ".encode(), "é ".encode()),
        Piece(WIDE.encode(), b"a", whole=True),
        Piece("\u200b".encode(), b"", whole=True),
        Piece(b"bbc", b"bbc"),
        Piece("\u200b".encode(), b"", whole=True),
        Piece(b" abc", b" abc"),
    ]
    raw = b"".join(piece.raw for piece in pieces)
    found = [raw[span.start : span.end].decode() for span in located(pieces, SCANNER)]
    assert found == [f"{WIDE}\u200bbbc", "abc"]


def test_look_alikes_are_seen_through() -> None:
    text = f"..{WIDE}bb\u200bc\u00ad..".encode()
    (span,) = scan_long_text(text, SCANNER)
    assert text[span.start : span.end].decode() == f"{WIDE}bb\u200bc"


def test_what_ends_in_a_piece_that_goes_whole_takes_all_of_it() -> None:
    pieces = [Piece(b"\\u0061bc.", b"abc.", whole=True), Piece(b"ab", b"ab"), Piece(b"\\u0063", b"c", whole=True)]
    raw = b"".join(piece.raw for piece in pieces)
    assert [raw[span.start : span.end] for span in located(pieces, SCANNER)] == [b"\\u0061bc.", b"ab\\u0063"]


@given(text=st.text())
def test_characters_are_counted_as_python_counts_them(text: str) -> None:
    assert characters(text.encode("utf-8", "surrogatepass")) == len(text)


@given(texts=st.lists(st.text(alphabet="aé😀\n")))
def test_a_place_is_line_and_column_however_one_came_there(texts: list[str]) -> None:
    place = Place()
    for text in texts:
        place.pass_over(text.encode())
    whole = "".join(texts)
    assert place == Place(whole.count("\n") + 1, len(whole) - whole.rfind("\n"))


def test_what_is_percent_encoded_is_found_by_its_escapes() -> None:
    spans = scan_long_text(b"https://a.example/?n=123%2D45-6789&b", Scanner(ALL))
    assert [(span.start, span.end) for span in spans] == [(21, 34)]
