"""Look-alikes and what they stand for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.views.folding import FOLDED, fold, folded
from tests.authz_service.dlp.streaming import Folded
from tests.authz_service.dlp.views.cutting import cuts, read, same_however_cut, texts

LOOK_ALIKES = st.sampled_from(sorted(FOLDED)).map(bytes.decode)


TEXTS = st.text(LOOK_ALIKES | st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("\uff11\uff12\uff13\uff0d\u0664\u0665\u2011\u0966\u0967\u0968\u0969", "123-45-0123"),
        ("1\u200b2\u00ad3\u20604\ufeff5\ufe0f", "12345"),
        ("123\u00a045\u202f6789", "123 45 6789"),
        ("\uff41\uff4b\uff49\uff41 \uff20 a\uff0eb", "akia @ a.b"),
        ("\U0001d7d9\U0001d7da", "12"),
        ("\u2460\u00b2\u2083\u301c4\U000e01005\U000e0041\u206a", "123-45"),
        ("1\ufe0f\u20e32\U0001d1733\U0001bca0-\U000e0fff4\ufff0", "123-4"),
        ("\U0001d400\U0001d558\u00b7", "Ag."),
        ("Größe 東京 \U0001f600", "Größe 東京 \U0001f600"),
        ("\u0430\u0440\u0456", "\u0430\u0440\u0456"),
    ],
)
def test_what_looks_alike_reads_alike(text: str, read_as: str) -> None:
    """Digits, hyphens, spaces and full-width forms; letters of other scripts are others."""
    assert fold(text.encode()) == read_as.encode()


@given(st.data(), TEXTS.map(str.encode) | st.binary(max_size=30))
def test_however_it_is_cut_it_reads_the_same(data: st.DataObject, text: bytes) -> None:
    """In the middle of a character, UTF-8 or not."""
    pieces = same_however_cut(Folded, text, data.draw(cuts(text)))
    assert texts(folded(text)) == texts(pieces)
    assert texts(pieces) == [fold(text)]


@given(TEXTS)
def test_a_folded_text_folds_to_itself(text: str) -> None:
    """One pass is enough."""
    once = fold(text.encode())
    assert fold(once) == once
    assert once.decode().isascii() or not text.isascii()


def test_each_look_alike_is_changed_for_itself() -> None:
    """What is around it stays."""
    pieces = read(Folded(), ["a\u2011b".encode()])
    assert [(piece.raw, piece.text, piece.whole) for piece in pieces] == [
        (b"a", b"a", False), ("\u2011".encode(), b"-", True), (b"b", b"b", False),
    ]  # fmt: skip


def test_text_without_any_is_one_piece() -> None:
    """Of any script and size."""
    assert len(read(Folded(), ["Größe 東京 ".encode() * 10_000])) == 1


@pytest.mark.parametrize("number", range(10))
def test_every_digit_of_unicode_reads_as_ascii(number: int) -> None:
    """Those of sixty scripts and more."""
    found = [chr(code) for code in range(0x110000) if unicodedata.decimal(chr(code), None) == number]
    assert len(found) > 50
    assert {fold(each.encode()) for each in found} == {str(number).encode()}
