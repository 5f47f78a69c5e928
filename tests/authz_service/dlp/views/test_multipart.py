"""multipart bodies, each part as its own headers say."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.folding import fold
from authz_service.dlp.views.multipart import MAX_HEADER_BYTES
from authz_service.dlp.views.opening import open_view
from authz_service.dlp.views.piece import View
from tests.authz_service.dlp.views.cutting import cuts, read, same_however_cut, texts

TYPE = 'multipart/form-data; boundary="b-1"'
TYPES = ["text/plain", "application/json", "application/x-www-form-urlencoded", "text/event-stream", "image/png", ""]
PLAIN_ONES = [b"", b"plain", b"a=%41&b=+", b"=41=\n", b"\xff\x00", b'{"a": "x\\u0041y"}', b"data: x\n\n"]
CONTENTS = st.sampled_from([*PLAIN_ONES, b"--b-", b"--b-2", b"\r\n--b"])
CRUMBS = st.lists(
    st.sampled_from(
        [b"--b-1", b"--", b"-", b"b-1", b"\r\n", b"\n", b"\r", b"Content-Type: application/json", b"a", b"\\u0041"]
    ),
    max_size=16,
).map(b"".join)


def part(content_type: str, content: bytes) -> bytes:
    """One part with its delimiter."""
    type_line = f"content-type: {content_type}\r\n" if content_type else ""
    return f'--b-1\r\nContent-Disposition: form-data; name="n"\r\n{type_line}\r\n'.encode() + content + b"\r\n"


def view() -> View:
    return open_view(TYPE)


BODIES = st.lists(st.builds(part, st.sampled_from(TYPES), CONTENTS), max_size=4).map(
    lambda parts: b"".join(parts) + b"--b-1--\r\n"
)


@given(st.data(), BODIES | CRUMBS)
def test_however_it_is_cut_it_reads_the_same(data: st.DataObject, body: bytes) -> None:
    """In the middle of a delimiter, a header, an escape."""
    same_however_cut(view, body, data.draw(cuts(body)))


@pytest.mark.parametrize(
    ("content_type", "content", "read_as"),
    [
        ("application/json", b'{"a": "\\u0041"}', b'{"a": "A"}'),
        ("application/problem+json; charset=utf-8", b'"\\u0041"', b'"A"'),
        ("application/x-www-form-urlencoded", b"a=%41+", b"a=A "),
        ("text/plain", b"%41 \\u0041", b"%41 A"),
        ("", b'{"a": "\\u0041"}', b'{"a": "A"}'),
        ("multipart/mixed; boundary=x", b"--x\r\n\r\n%41", b"--x\r\n\r\n%41"),
    ],
)
def test_each_part_is_read_by_its_type(content_type: str, content: bytes, read_as: bytes) -> None:
    """Without one, by how it begins; a multipart in a multipart is text."""
    body = part(content_type, content) + part("text/plain", b"end") + b"--b-1--"
    first = texts(read(view(), [body]))[1]
    assert first.endswith(b"\r\n\r\n" + read_as + b"\r\n--b-1\r\n")


def test_lines_that_were_broken_for_mail_are_whole() -> None:
    """Quoted-printable, whatever the type."""
    body = b"--b-1\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n12=33=\r\n45\r\n--b-1--"
    assert texts(read(view(), [body]))[1].endswith(b"\r\n\r\n12345\r\n--b-1")


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs"]), min_size=1, max_size=20),
        min_size=1,
        max_size=4,
    )
)
def test_parts_are_those_that_a_mail_program_finds(values: list[str]) -> None:
    """Written by one, and read by it."""
    message = EmailMessage(policy=email.policy.HTTP)
    message.make_mixed()
    for value in values:
        attached = EmailMessage(policy=email.policy.HTTP)
        attached.set_content(value, cte="8bit")
        message.attach(attached)
    written = message.as_bytes()
    content_type = email.message_from_bytes(written, policy=email.policy.HTTP)["content-type"]
    body = written.partition(b"\r\n\r\n")[2]
    records = texts(read(open_view(str(content_type)), [body]))
    assert len(records) == len(values) + 2
    for record, value in zip(records[1:], values, strict=False):
        assert record.partition(b"\r\n\r\n")[2].startswith(fold(value.encode()))


def test_a_header_without_an_end_becomes_content() -> None:
    """It is read all the same, and not kept."""
    body = b"--b-1\r\n" + b"x: y\r\n" * (MAX_HEADER_BYTES // 6 + 10) + b"\r\n%41"
    for parts in ([body], [bytes([byte]) for byte in body]):
        assert texts(read(view(), parts))[1] == body[7:]


@pytest.mark.parametrize("charset", ["utf-7", "utf-16le"])
def test_a_part_that_cannot_be_read_is_refused(charset: str) -> None:
    """A part has no encoding of its own, save one like ASCII."""
    with pytest.raises(CodingError, match="unknown_charset"):
        read(view(), [part(f"text/plain; charset={charset}", b"x")])


def test_what_is_no_multipart_after_all_is_text_with_escapes() -> None:
    """Before the first part, and where there is none."""
    assert texts(read(view(), [b'{"a": "\\u0041"}'])) == [b'{"a": "A"}']
