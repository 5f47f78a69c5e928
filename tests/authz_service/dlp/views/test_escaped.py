"""Text in which some characters are written otherwise."""

from __future__ import annotations

import html
import quopri
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.escaped import FORM, QUOTED_PRINTABLE, TEXT, XML, EscapedView, Escapes
from authz_service.dlp.views.folding import fold
from tests.authz_service.dlp.views.cutting import cuts, read, same_however_cut, texts

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("&=%+ \u2011\uff11\U0001f600é"), max_size=20)
WRITTEN = [
    "%",
    "E2",
    "%E2",
    "%80",
    "%91",
    "%F0",
    "%C3",
    "+",
    "&",
    "#",
    "#x",
    "31",
    ";",
    "amp",
    "=",
    "=E2",
    "=80",
    "=91",
    "\\",
    "\\u003",
    "\\x3",
    "\\" * 7,
    "&shy;",
    "&nbsp",
    "%u",
    "%u00",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    " ",
    "\r",
    "\n",
    "a",
]
CRUMBS = st.lists(st.sampled_from([*map(str.encode, WRITTEN), b"\xe2", b"\x80", b"\x91"]), max_size=20).map(b"".join)
ALL = pytest.mark.parametrize(
    "escapes", [FORM, XML, QUOTED_PRINTABLE, TEXT], ids=["form", "xml", "quoted_printable", "text"]
)


@ALL
@given(data=st.data(), text=TEXTS.map(lambda text: quote(text).encode()) | CRUMBS)
def test_however_it_is_cut_it_reads_the_same(data: st.DataObject, escapes: Escapes, text: bytes) -> None:
    """In the middle of an escape or of a character, well written or not."""
    same_however_cut(lambda: EscapedView(escapes), text, data.draw(cuts(text)))


@given(TEXTS)
def test_forms_read_as_applications_read_them(text: str) -> None:
    """Whatever is written by number."""
    for written in (quote_plus(text), quote(text, safe=""), "".join(f"%{byte:02x}" for byte in text.encode())):
        assert texts(read(EscapedView(FORM), [written.encode()])) == [fold(unquote_plus(written).encode())]


@given(TEXTS)
def test_xml_reads_as_parsers_read_it(text: str) -> None:
    """By name or by number, decimal or hexadecimal."""
    assume("\\" not in text)
    for written in (
        html.escape(text), "".join(f"&#{ord(each)};" for each in text if each.isprintable()),
        "".join(f"&#x{ord(each):X};" for each in text if each.isprintable()),
    ):  # fmt: skip
        expected = html.unescape(written)
        assert texts(read(EscapedView(XML), [written.encode()])) == [fold(expected.encode())]


@given(TEXTS)
def test_quoted_printable_reads_as_mail_programs_read_it(text: str) -> None:
    """Lines that were broken to be short are whole again; a look-alike that was broken stays what it is."""
    assume(fold(text.encode()) == text.encode() and "\\" not in text)
    written = quopri.encodestring(text.encode() * 5, quotetabs=True)
    assert texts(read(EscapedView(QUOTED_PRINTABLE), [written])) == [fold(quopri.decodestring(written))]


def test_each_escape_is_changed_for_itself() -> None:
    """So that nothing beside a value goes with it."""
    pieces = read(EscapedView(FORM), [b"%31%32%E2%80%91%33+x"])
    assert [(piece.raw, piece.text) for piece in pieces] == [
        (b"%31", b"1"), (b"%32", b"2"), (b"%E2%80%91", b"-"), (b"%33", b"3"), (b"+x", b" x"),
    ]  # fmt: skip


def test_a_text_without_escapes_is_one_piece() -> None:
    """Whatever its size."""
    assert len(read(EscapedView(FORM), [b"a=b+c&" * 10_000])) == 1


@pytest.mark.parametrize("escapes", [FORM, XML, QUOTED_PRINTABLE, TEXT])
@pytest.mark.parametrize("written", ["\\u0031", "\\x31", "\\\\u0031", "\\" * 8 + "u0031"])
def test_escapes_of_programs_are_read_in_all_of_them(escapes: Escapes, written: str) -> None:
    """Whoever does not ask for the type takes such a body for JSON."""
    assert texts(read(EscapedView(escapes), [f"a{written}b".encode()])) == [b"a1b"]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("&#0000049;", b"1"),
        ("&#x000031;", b"1"),
        ("&#45a", b"-a"),
        ("&shy;", b""),
        ("&hyphen;", b"-"),
        ("&ensp;", b" "),
    ],
)
def test_html_reads_as_browsers_read_it(written: str, read_as: bytes) -> None:
    """With zeros before a number, without its end, and by names that XML does not have."""
    assert texts(read(EscapedView(XML), [written.encode()])) == [read_as]


def test_a_line_may_be_broken_for_mail_with_spaces_behind() -> None:
    """They are no part of the line (RFC 2045 section 6.7, rule 3)."""
    assert texts(read(EscapedView(QUOTED_PRINTABLE), [b"12= \t\r\n3"])) == [b"123"]


@pytest.mark.parametrize(
    "text",
    [
        "123-<!-- -->45<!---->-6789",
        "<![CDATA[123-]]>45<![CDATA[-6789]]>",
        "123-<?x?>45<?php ?>-6789",
        "&#" + "0" * 32 + "49;23-45-67&#x" + "0" * 32 + "38;9",
    ],
)
def test_what_is_no_text_within_xml_reads_as_nothing(text: str) -> None:
    """Nor do zeros before a number count."""
    for parts in ([text.encode()], [bytes([byte]) for byte in text.encode()]):
        assert texts(read(EscapedView(XML), parts)) == [b"123-45-6789"]


def test_a_long_comment_is_read() -> None:
    """It could hold something itself."""
    text = b"<!-- 123-45-6789 --> <?a 123-45-6789?>"
    assert texts(read(EscapedView(XML), [text])) == [text]


@pytest.mark.parametrize("begun", ["&#", "&#x", "&#X"])
def test_a_reference_without_an_end_is_refused(begun: str) -> None:
    """Of any number of zeros no more can be held back, and behind them a digit may stand."""
    text = f"{begun}{'0' * 300}49;".encode()
    for parts in ([text], [bytes([byte]) for byte in text]):
        with pytest.raises(CodingError):
            read(EscapedView(XML), parts)


def test_xml_that_defines_entities_is_refused() -> None:
    """A value could be put together of them."""
    text = b'<!DOCTYPE a [<!ENTITY x "123-45-">]><a>&x;6789</a>'
    for parts in ([text], [bytes([byte]) for byte in text]):
        with pytest.raises(CodingError, match="xml_entities"):
            read(EscapedView(XML), parts)
    assert texts(read(EscapedView(XML), [b"<!DOCTYPE a [<!ENTIT"])) == [b"<!DOCTYPE a [<!ENTIT"]


@pytest.mark.parametrize(
    "written", ["%u0031%u0032%u0033-45%u002d6789", "12%u00ad3%uff0d45-678%uFF19", "123%u202d-45-6789"]
)
def test_forms_read_as_dotnet_reads_them(written: str) -> None:
    for parts in ([written.encode()], [bytes([byte]) for byte in written.encode()]):
        assert texts(read(EscapedView(FORM), parts)) == [b"123-45-6789"]


@pytest.mark.parametrize("written", ["12&shy3&nbsp45&nbsp6789", "1&sup23&shy;&nbsp;45&nbsp6789", "123 45&nbsp6&shy789"])
def test_old_names_of_html_need_no_end(written: str) -> None:
    for parts in ([written.encode()], [bytes([byte]) for byte in written.encode()]):
        assert texts(read(EscapedView(XML), parts)) == [b"123 45 6789"]
