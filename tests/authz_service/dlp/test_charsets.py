"""Bodies in UTF-16 and UTF-32 are read as UTF-8 and come out as they came; what cannot be read is refused."""

from __future__ import annotations

import codecs
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.charsets import Recoding, declared, in_utf8
from authz_service.dlp.codings import CodingError
from authz_service.dlp.found import Blocked, Found
from authz_service.dlp.terms import open_terms
from authz_service.dlp.views.opening import open_view
from authz_service.settings.dlp import DlpSettings
from tests.authz_service.dlp.streaming import Whole

SCANNER = open_terms(DlpSettings()).scanner
SSN = "123-45-6789"
TEXT = f'{{"a": "é \U0001f600 {SSN}"}}'
HIDDEN = '{"a": "é \U0001f600 [X]"}'
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
MARKS = dict(
    zip(WIDE, (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), strict=True)
)


def _replaced(found: Found) -> bytes | None:
    del found
    return b"[X]"


def _blocked(found: Found) -> bytes | None:
    raise Blocked("beside", found)


def _recoded(body: bytes, content_type: str = "application/json", *cuts: int) -> bytes:
    recoding = Recoding(
        BodyRedactor(open_view(content_type), SCANNER, _replaced),
        content_type,
        lambda: BodyRedactor(Whole(), SCANNER, _blocked),
    )
    places = [0, *sorted(cuts), len(body)]
    parts = [recoding.feed(body[start:end]) for start, end in pairwise(places)]
    return b"".join([*parts, recoding.finish()])


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("with_mark", [True, False])
def test_a_value_is_found_in_them_and_the_rest_stays_in_its_encoding(encoding: str, *, with_mark: bool) -> None:
    mark = MARKS[encoding] if with_mark else b""
    for content_type in ("application/json", f"application/json; charset={encoding}", "text/plain", ""):
        body = mark + TEXT.encode(encoding)
        assert _recoded(body, content_type) == mark + HIDDEN.encode(encoding)
        assert _recoded(body, content_type, *range(1, len(body))) == mark + HIDDEN.encode(encoding)


def test_a_mark_tells_the_order_that_a_short_name_does_not() -> None:
    content_type = 'text/plain; Charset="UTF-16"'
    assert _recoded(TEXT.encode("utf-16"), content_type) == HIDDEN.encode("utf-16")
    with pytest.raises(CodingError, match="unknown_charset"):
        _recoded(TEXT.encode("utf-16-be"), content_type)


@given(
    st.binary(max_size=40),
    st.sampled_from([b"", b"a", codecs.BOM_UTF16_LE + b"a", codecs.BOM_UTF16_BE]),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_without_a_finding_every_byte_goes_as_it_came(data: bytes, begun: bytes, cuts: list[int]) -> None:
    body = begun + data
    with suppress(CodingError):  # what begins like UTF-32, and is none
        assert _recoded(body, "text/plain", *(min(cut, len(body)) for cut in cuts)) == body


@given(st.lists(st.integers(0xD7F0, 0xE00F), max_size=12), st.lists(st.integers(0, 30), max_size=4))
def test_halves_of_pairs_stay_what_they_are(units: list[int], cuts: list[int]) -> None:
    body = codecs.BOM_UTF16_LE + b"".join(unit.to_bytes(2, "little") for unit in units) + b"\x41"
    assert _recoded(body, "text/plain", *(min(cut, len(body)) for cut in cuts)) == body


def test_what_is_declared_wide_and_is_ascii_is_looked_at_as_it_stands() -> None:
    for body in (TEXT.encode(), b"a\0b\0" + SSN.encode()):
        with pytest.raises(Blocked):
            _recoded(body + b" " * (len(body) % 2), "application/json; charset=utf-16le")


def test_an_order_that_contradicts_the_declared_one_is_refused() -> None:
    for body in (TEXT.encode("utf-16-be"), codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), b"a\0\0\0b\0\0\0"):
        with pytest.raises(CodingError, match="unknown_charset"):
            _recoded(body, "text/plain; charset=utf-16le")


@pytest.mark.parametrize(
    "charset", ["utf-7", "cp037", "IBM500", "cp875", "iso-2022-jp", "hz-gb-2312", "punycode", "no-such", "ebcdic-us"]
)
def test_what_is_not_like_ascii_is_refused_wherever_it_is_declared(charset: str) -> None:
    for content_type in (
        f"text/plain; charset={charset}",
        f'application/json, text/plain;x=y;CHARSET = "{charset}"',
        f"text/plain; charset=utf-8; charset={charset}",
        f"text/plain; charset*=us-ascii''{charset}",
    ):
        with pytest.raises(CodingError, match="unknown_charset"):
            declared(content_type)


def test_two_wide_ones_are_refused() -> None:
    with pytest.raises(CodingError):
        declared("text/plain; charset=utf-16le; charset=utf-16be")


@pytest.mark.parametrize(
    "charset", ["", "utf-8", "UTF8", "us-ascii", "ISO-8859-15", "latin1", "windows-1252", "Shift_JIS", "gb18030"]
)
def test_what_is_like_ascii_is_read_as_it_stands(charset: str) -> None:
    assert declared(f"text/plain; charset={charset}") is None
    assert declared("text/plain") is None


def test_xml_in_ebcdic_is_refused_without_being_declared() -> None:
    with pytest.raises(CodingError):
        _recoded("<?xml version='1.0'?>".encode("cp037"), "text/xml")


def test_what_begins_like_a_number_is_no_wide_text() -> None:
    for begun in (b"\0\0\0 ftypmp42", b"\1\0\0\0\2\0\0\0\xff\xff\xff\xff"):
        body = begun + bytes(range(256))
        assert _recoded(body, "video/mp4", 3, 5) == body


def test_numbers_that_are_no_characters_are_refused_where_a_mark_says_so() -> None:
    with pytest.raises(CodingError):
        _recoded(codecs.BOM_UTF32_LE + b"a\0\0\0\xff\xff\xff\xff")


def test_a_body_of_one_or_no_byte_passes() -> None:
    for body in (b"", b"a", b"\0", b"\xff", b"\xff\xfe"):
        assert _recoded(body, "text/plain") == body


def test_a_whole_one_is_read_without_its_mark() -> None:
    assert in_utf8(TEXT.encode("utf-16"), "application/json") == TEXT.encode()
    assert in_utf8(b"abc", "text/plain") == b"abc"
    with pytest.raises(CodingError):
        in_utf8(b"abc", "text/plain; charset=utf-7")


def test_a_form_of_more_than_a_byte_for_each_character_is_refused() -> None:
    """What is declared is meant of the bytes that it escapes, or of none of it: servers differ."""
    for charset in ("utf-16le", "UTF-32", "utf-16"):
        with pytest.raises(CodingError, match="unknown_charset"):
            declared(f"application/x-www-form-urlencoded; charset={charset}")
    assert declared("Application/X-www-form-urlencoded; charset=latin1") is None


@pytest.mark.parametrize("declared_as", ['encoding="UTF-7"', "encoding = 'ISO-2022-JP'", f'encoding="{"x" * 60}"', ""])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_xml_that_declares_what_is_not_like_ascii_is_refused(declared_as: str, mark: bytes) -> None:
    """So is a declaration that does not end: behind the bytes that are looked at it could go on."""
    begun = mark + f'<?xml version="1.0" {declared_as}'.encode() + (b"" if declared_as else b" " * 300)
    body = begun + b"?><a>+ADEAMgAzAC0-45-6789</a>"
    for cuts in ((), range(1, len(body))):
        for content_type in ("text/xml", "application/json", ""):
            with pytest.raises(CodingError, match="unknown_charset"):
                _recoded(body, content_type, *cuts)


@pytest.mark.parametrize("name", ["UTF-8", "utf-16", "ISO-8859-1", "windows-1252"])
def test_xml_that_declares_another_encoding_is_read(name: str) -> None:
    """One of UTF-16 is often a text that was taken out of a program as it was."""
    body = f"<?xml version='1.0' encoding='{name}' standalone='yes'?><a>{SSN}</a>".encode()
    hidden = body.replace(SSN.encode(), b"[X]")
    for cuts in ((), range(1, len(body))):
        assert _recoded(body, "application/xml", *cuts) == hidden
    for short in (b"<", b"<?x", b"<?xml", b"<?xml-stylesheet a?><a/>", b"<?xml ?>"):
        assert _recoded(short, "application/xml") == short
