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
from authz_service.dlp.views.opening import MAX_NESTED, open_view
from authz_service.dlp.views.piece import View
from tests.authz_service.dlp.views.cutting import cuts, read, same_however_cut, texts

TYPE = 'multipart/form-data; boundary="b-1"'
TYPES = ["text/plain", "application/json", "application/x-www-form-urlencoded", "text/event-stream", "image/png", ""]
PLAIN_ONES = [b"", b"plain", b"a=%41&b=+", b"=41=\n", b"\xff\x00", b'{"a": "x\\u0041y"}', b"data: x\n\n"]
CONTENTS = st.sampled_from([*PLAIN_ONES, b"--b-", b"--b-2", b"\r\n--b"])
CRUMBS = st.lists(
    st.sampled_from(
        [
            b"--b-1",
            b"--",
            b"-",
            b"b-1",
            b"\r\n",
            b"\n",
            b"\r",
            b"X-Type: application/json",
            b"a",
            b"\\u0041",
            b'; filename*1="',
            b"; ",
            b"*2",
            b"content-disposition: x; name=n1",
        ]
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
    ],
)
def test_each_part_is_read_by_its_type(content_type: str, content: bytes, read_as: bytes) -> None:
    """Without one, by how it begins. Before it stands its field's name."""
    body = part(content_type, content) + part("text/plain", b"end") + b"--b-1--"
    first = texts(read(view(), [body]))[1]
    assert first.endswith(b"\r\n\r\nn\n" + read_as + b"\r\n--b-1\r\n")


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


QUOTED = b"content-transfer-encoding: quoted-printable\r\n\r\n=41"


@pytest.mark.parametrize(
    "header",
    [
        b"content-transfer-encoding: 7bit\r\n" + QUOTED,
        QUOTED.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding : 7bit\r\n\r\n"),
        b"content-type: text/plain\r\ncontent-type: application/json\r\n\r\n",
        b"content-transfer-encoding: x-uuencode\r\n\r\n",
        b"content-transfer-encoding: ,\r\n\r\n",
        b'content-disposition: form-data; name="a"; filename*0="123-";\r\n\tfilename*1="45-6789"\r\n\r\n',
        b"content-disposition: form-data; name*0*=utf-8''123; name*1*=-45\r\n\r\n",
        b"x: y\r\n" * (MAX_HEADER_BYTES // 6 + 1) + QUOTED,
    ],
)
def test_a_part_that_readers_could_take_otherwise_is_refused(header: bytes) -> None:
    """Of two encodings Go takes the first, and it keeps longer headers than we do."""
    body = b"--b-1\r\n" + header
    for parts in ([body], [bytes([byte]) for byte in body]):
        with pytest.raises(CodingError, match="unknown_part"):
            read(view(), parts)


def _nested(depth: int) -> tuple[str, bytes]:
    """Return the type and the body of so many in each other."""
    content_type, body = "text/plain", QUOTED
    for level in range(depth):
        header = f"content-type: {content_type}\r\n".encode() + (b"" if level == 0 else b"\r\n")
        content_type, body = f"multipart/mixed; boundary=x{level}", b"--x%d\r\n%s%s" % (level, header, body)
    return content_type, body


def test_parts_within_parts_are_read_as_their_own_headers_say() -> None:
    """As deep as anybody writes them; what is deeper is refused."""
    for depth in range(1, MAX_NESTED + 1):
        content_type, body = _nested(depth)
        for parts in ([body], [bytes([byte]) for byte in body]):
            assert texts(read(open_view(content_type), parts))[-1].endswith(b"\r\n\r\nA")
    content_type, body = _nested(MAX_NESTED + 1)
    with pytest.raises(CodingError, match="unknown_part"):
        read(open_view(content_type), [body])
    with pytest.raises(CodingError, match="unknown_boundary"):
        read(view(), [b"--b-1\r\ncontent-type: multipart/mixed\r\n\r\n"])


@pytest.mark.parametrize(
    ("disposition", "read_as"),
    [
        ('form-data; name="ssn"', b"\nssn\n"),
        ("form-data; filename=x; NAME = person[0].customerSsn", b"\nperson customerSsn\n"),
        ('form-data; filename="a"', b"\r\n\r\n"),
        ('form-data; name="123-45-6789"', b"\r\n\r\n"),
        (f'form-data; name="{"ab1" * 60}"', b"\n" + b"ab " * 13 + b"a\n"),
    ],
)
def test_a_field_is_named_where_its_value_begins(disposition: str, read_as: bytes) -> None:
    """By letters alone, however long the headers are that stand between."""
    body = f"--b-1\r\nContent-Disposition: {disposition}\r\nX: {'y' * 99}\r\n\r\nvalue".encode()
    for parts in ([body], [bytes([byte]) for byte in body]):
        assert texts(read(view(), parts))[1].endswith(read_as + b"value")


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "ibm500"])
def test_a_part_that_cannot_be_read_is_refused(charset: str) -> None:
    """As a whole body is."""
    with pytest.raises(CodingError, match="unknown_charset"):
        read(view(), [part(f"text/plain; charset={charset}", b"x")])


def test_what_is_no_multipart_after_all_is_text_with_escapes() -> None:
    """Before the first part, and where there is none."""
    assert texts(read(view(), [b'{"a": "\\u0041"}'])) == [b'{"a": "A"}']
