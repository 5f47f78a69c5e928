"""Parts in base64 are read decoded, in whatever lines they come."""

from __future__ import annotations

import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.found import Blocked, Found
from authz_service.dlp.terms import open_terms
from authz_service.dlp.views.base64_text import Base64View
from authz_service.dlp.views.opening import open_view
from authz_service.dlp.views.piece import Syntax
from authz_service.settings.dlp import DlpSettings
from tests.authz_service.dlp.streaming import Whole

SCANNER = open_terms(DlpSettings()).scanner
TYPE = "multipart/mixed; boundary=b"


def _replaced(found: Found) -> bytes | None:
    del found
    return b"[X]"


def _part(content: str, encoding: str = "base64") -> bytes:
    return f"--b\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}\r\n--b--\r\n".encode()


def _through(body: bytes) -> bytes:
    redactor = BodyRedactor(open_view(TYPE), SCANNER, _replaced)
    return redactor.feed(body) + redactor.finish()


@given(st.text(st.characters(codec="ascii"), max_size=60), st.lists(st.integers(0, 90), max_size=6))
def test_what_it_stands_for_is_read_however_it_is_cut_and_broken(text: str, cuts: list[int]) -> None:
    written = base64.b64encode(text.encode())
    places = [0, *sorted(cuts), len(written) + 90]
    view = Base64View(Whole())
    pieces = [piece for start, end in pairwise(places) for piece in view.feed(written[start:end] + b"\r\n")]
    pieces += view.finish()
    assert b"".join(piece.text for piece in pieces) == text.encode()
    assert all(piece.whole and piece.syntax is Syntax.FIXED for piece in pieces)
    assert b"".join(piece.raw for piece in pieces).replace(b"\r\n", b"") == written


@pytest.mark.parametrize("width", [4, 20, 64, 76])
@pytest.mark.parametrize("encoding", ["base64", "BASE64 ", "base64 (a comment)"])
def test_a_value_in_it_blocks_whatever_the_lines(width: int, encoding: str) -> None:
    written = base64.b64encode(b"My number is 123-45-6789.").decode()
    lines = "\r\n".join(written[start : start + width] for start in range(0, len(written), width))
    with pytest.raises(Blocked):
        _through(_part(lines, encoding))


def test_what_holds_nothing_passes_as_it_came() -> None:
    body = _part(base64.encodebytes(bytes(range(256))).decode() + "=\r\nA")
    assert _through(body) == body


def test_what_follows_padding_is_read_from_its_beginning() -> None:
    body = _part("YQ==" + base64.b64encode(b"123-45-6789 ").decode())
    with pytest.raises(Blocked):
        _through(body)
