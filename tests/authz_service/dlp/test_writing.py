"""A text → how it is written at a place."""

from __future__ import annotations

import json
from html import unescape
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.views.piece import Syntax
from authz_service.dlp.writing import written


@given(st.text())
def test_a_text_is_read_back_as_it_is(text: str) -> None:
    """In each syntax, by others' readers."""
    data = text.encode("utf-8", "replace")
    text = data.decode()
    assert written(data, Syntax.PLAIN) == data
    assert json.loads(b'"' + written(data, Syntax.JSON_STRING) + b'"') == text
    assert json.loads(written(data, Syntax.JSON_NUMBER)) == text
    assert unescape(written(data, Syntax.XML).decode()) == text
    assert unquote_to_bytes(written(data, Syntax.FORM)) == data


@given(st.binary())
def test_bytes_that_are_no_text_do_not_break_a_string(data: bytes) -> None:
    """They are replaced."""
    assert isinstance(json.loads(b'"' + written(data, Syntax.JSON_STRING) + b'"'), str)


def test_a_form_keeps_its_signs_to_itself() -> None:
    """None of them is in what is written."""
    assert written(b"a&b=c+d %", Syntax.FORM) == b"a%26b%3Dc%2Bd%20%25"
