"""Parts of a multipart body in UTF-16 and UTF-32 are read, and what is found in them blocks."""

from __future__ import annotations

import base64
import codecs
import quopri
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.codings import CodingError
from authz_service.dlp.found import Blocked, Found
from authz_service.dlp.scan import Scanner
from authz_service.dlp.terms import open_terms
from authz_service.dlp.views.escaped import FORM, EscapedView
from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.opening import open_view
from authz_service.dlp.views.wide_text import WideView
from authz_service.settings.dlp import DlpSettings
from tests.authz_service.dlp.views.cutting import cuts, read, same_however_cut, texts

SCANNER: Scanner = open_terms(DlpSettings()).scanner
TYPE = "multipart/form-data; boundary=b"
SSN = "My number is 123-45-6789."
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"")


def part(content: bytes, content_type: str = "", encoding: str = "") -> bytes:
    """One part between two others."""
    fields = f"content-type: {content_type}\r\n" if content_type else ""
    fields += f"content-transfer-encoding: {encoding}\r\n" if encoding else ""
    return b"--b\r\n\r\none\r\n--b\r\n" + fields.encode() + b"\r\n" + content + b"\r\n--b\r\n\r\nlast\r\n--b--\r\n"


def _replaced(found: Found) -> bytes | None:
    del found
    return b"[X]"


def _beside() -> BodyRedactor:
    def refuse(found: Found) -> bytes | None:
        raise Blocked("beside", found)

    return BodyRedactor(EscapedView(FORM), SCANNER, refuse)


def through(body: bytes, step: int = 0) -> bytes:
    """What comes out of a body."""
    redactor = BodyRedactor(open_view(TYPE, beside=_beside), SCANNER, _replaced)
    parts = [body[place : place + step] for place in range(0, len(body), step)] if step else [body]
    return b"".join([*map(redactor.feed, parts), redactor.finish()])


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize(("encoding", "mark"), list(zip(WIDE, MARKS, strict=False)))
def test_a_value_in_one_blocks_however_its_encoding_is_told(encoding: str, mark: bytes, step: int) -> None:
    """By a mark, by its zeros, or by its type; in base64 too."""
    written = SSN.encode(encoding)
    encoded = base64.encodebytes(mark + written)
    for body in (
        part(mark + written), part(written, "text/csv"), part(mark + written, "image/png"),
        part(written, f"text/plain; charset={encoding}"), part(mark + written, f"text/plain; charset={encoding[:6]}"),
        part(encoded, "", "base64"), part(encoded, f"text/plain;charset={encoding}", "base64"),
    ):  # fmt: skip
        with pytest.raises(Blocked, match="secret_in_fixed_place"):
            through(body, step)


@pytest.mark.parametrize("encoding", WIDE)
def test_one_without_a_finding_goes_as_it_came(encoding: str) -> None:
    """A table that a program has exported so is no reason to refuse."""
    content = "name;town\r\nÉmile;北京 \U0001f600\r\n" * 50
    for body in (part(content.encode(encoding)), part(content.encode(encoding), f"text/csv; charset={encoding}")):
        assert through(body) == body
        assert through(body, 7) == body


def test_only_such_a_part_is_read_so() -> None:
    """What is in the others is replaced where it stands."""
    body = part("Émile".encode("utf-16")) + part(b"123-45-6789")
    assert through(body) == part("Émile".encode("utf-16")) + part(b"[X]")


def test_what_is_declared_wide_and_is_ascii_is_looked_at_as_it_stands() -> None:
    """A reader may not ask for the type of a part."""
    for content in (SSN.encode() + b" ", b"\xff\xfe" + SSN.encode() + b" "):
        with pytest.raises(Blocked):
            through(part(content, "text/plain; charset=utf-16le"))


@pytest.mark.parametrize(
    "content_type",
    ["text/plain; charset=utf-7", "text/plain; charset=utf-16", "text/plain; charset=utf-16be", "a/b; charset=cp037"],
)
@pytest.mark.parametrize("encoding", ["", "base64", "quoted-printable"])
def test_what_cannot_be_read_is_refused(content_type: str, encoding: str) -> None:
    """An encoding that is not known, an order that is not, or one that contradicts the bytes."""
    with pytest.raises(CodingError, match="unknown_charset"):
        through(part(base64.b64encode(b"a\0b\0") if encoding == "base64" else b"a\0b\0", content_type, encoding))


@pytest.mark.parametrize("mark", MARKS)
def test_in_quoted_printable_it_is_refused(mark: bytes) -> None:
    """No mail program writes it, and it could not be told from bytes that mean themselves."""
    written = quopri.encodestring(mark + SSN.encode("utf-16-le"))
    with pytest.raises(CodingError, match="unknown_charset"):
        through(part(written, "", "quoted-printable"))
    with pytest.raises(CodingError, match="unknown_charset"):
        through(part(written, "", "quoted-printable"), 1)
    assert through(part(b"a=00=01=FF", "", "quoted-printable")) == part(b"a=00=01=FF", "", "quoted-printable")


CONTENTS = st.sampled_from([SSN, '{"a": "\\u0041 \\ud83d\\ude00"}', "", "a", "\U0001f600é", "\uff11"])


@given(st.data(), CONTENTS, st.sampled_from([*WIDE, "utf-8"]), st.sampled_from(MARKS), st.booleans())
def test_however_it_is_cut_it_reads_the_same(
    data: st.DataObject,
    content: str,
    encoding: str,
    mark: bytes,
    odd: bool,  # noqa: FBT001
) -> None:
    """In the middle of a mark or a character."""
    body = part(mark + content.encode(encoding) + b"\0" * odd)
    parts = data.draw(cuts(body))
    with suppress(CodingError):  # what begins like UTF-32, and is none
        whole = texts(read(open_view(TYPE), [body]))
        assert texts(read(open_view(TYPE), parts)) == whole


@given(st.data(), st.binary(max_size=30))
def test_what_is_like_ascii_is_what_the_other_view_says(data: st.DataObject, body: bytes) -> None:
    """Byte for byte, with its escapes."""
    body = b'"\\u0041' + body
    pieces = same_however_cut(lambda: WideView(JsonView(), None), body, data.draw(cuts(body)))
    assert texts(pieces) == texts(read(JsonView(), [body]))


def test_an_empty_part_is_nothing() -> None:
    """Whatever it declares."""
    assert list(WideView(JsonView(), "utf-16-le").finish()) == []
    assert through(part(b"", "text/plain; charset=utf-16le")) == part(b"", "text/plain; charset=utf-16le")
