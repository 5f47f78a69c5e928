"""Which view reads what."""

from __future__ import annotations

import pytest

from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.opening import Numbers, has_events, open_view
from authz_service.dlp.views.piece import Syntax
from tests.authz_service.dlp.views.cutting import read, texts, whole_ones

ALL_ESCAPES = b'"\\u0041 %41 &#65;"'


@pytest.mark.parametrize(
    ("content_type", "read_as"),
    [
        ("application/json", b'"A %41 &#65;"'),
        ("Application/JSON ; charset=UTF-8", b'"A %41 &#65;"'),
        ("application/vnd.api+json", b'"A %41 &#65;"'),
        ("application/x-ndjson", b'"A %41 &#65;"'),
        ("application/x-www-form-urlencoded", b'"A A &#65;"'),
        ("text/html; charset=utf-8", b'"A %41 A"'),
        ("image/svg+xml", b'"A %41 A"'),
        ("text/plain", b'"A %41 &#65;"'),
        ("application/octet-stream", b'"A %41 &#65;"'),
        ("", b'"A %41 &#65;"'),
        ("application/x-www-form-urlencoded, text/plain", b'"A A &#65;"'),
        ("application/x-www-form-urlencoded x", b'"A A &#65;"'),
        (";;;", b'"A %41 &#65;"'),
    ],
)
def test_the_media_type_says_how_a_body_is_read(content_type: str, read_as: bytes) -> None:
    """Its parameters and its case do not count."""
    assert texts(read(open_view(content_type), [ALL_ESCAPES])) == [read_as]


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("text/event-stream", True), ("Text/Event-Stream; charset=utf-8", True), ("application/x-ndjson", True),
        ("application/jsonl", True), ("application/json", False), ("text/plain", False), ("", False),
    ],
)  # fmt: skip
def test_a_body_of_events_is_told_by_its_type(content_type: str, *, told: bool) -> None:
    """Of those alone whose views end each one."""
    assert has_events(content_type) is told
    ended = [piece.ends for piece in open_view(content_type).feed(b"data: {}\n\n\n")]
    assert any(ended) is told


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream", "x/y"])
def test_what_looks_like_json_is_read_so_where_the_type_says_nothing(content_type: str) -> None:
    """Applications parse it whatever it was called."""
    for body in (b' \r\n{"a": "\\u0041"}', b'["\\u0041"]'):
        for parts in ([body], [bytes([byte]) for byte in body]):
            assert b"A" in texts(read(open_view(content_type), parts))[0]
    assert texts(read(open_view(content_type), [b" \n "])) == [b" \n "]


@pytest.mark.parametrize(("numbers", "syntax"), [("block", Syntax.FIXED), ("string", Syntax.JSON_NUMBER)])
def test_what_becomes_of_numbers_is_handed_on(numbers: Numbers, syntax: Syntax) -> None:
    """To lines, events and parts too."""
    for content_type, body in (
        ("application/json", b"[123456789]"),
        ("application/jsonl", b"[123456789]\n"),
        ("text/event-stream", b"data: [123456789]\n\n"),
        ("multipart/mixed; boundary=b", b"--b\ncontent-type: application/json\n\n[123456789]\n--b--"),
        ("text/plain", b"[123456789]"),
    ):
        assert whole_ones(read(open_view(content_type, numbers=numbers), [body])) == [
            (b"123456789", b"123456789", syntax)
        ]


@pytest.mark.parametrize("begun", ["\ufeff", " \ufeff\n", "\f"])
def test_a_mark_and_spaces_are_passed_over(begun: str) -> None:
    """JSON and XML are known behind them."""
    for text, read_as in (('{"a": "\\/"}', b'{"a": "/"}'), ("<a>&#49;</a>", b"<a>1</a>")):
        body = (begun + text).encode()
        for parts in ([body], [body[index : index + 1] for index in range(len(body))]):
            assert texts(read(open_view("text/plain"), parts))[0].endswith(read_as)


QUOTED = b"\r\ncontent-transfer-encoding: quoted-printable\r\n\r\n=41\r\n--b--"


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=b",
        'multipart/form-data; boundary="b"',
        "multipart/form-data, boundary=b",
        "multipart/form-data boundary=b; x",
        "multipart/related; start=<a@b>; boundary=b",
    ],
)
def test_a_boundary_is_known_however_the_rest_is_written(content_type: str) -> None:
    assert b"A\r\n" in texts(read(open_view(content_type), [b"--b" + QUOTED]))[1]


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "; boundary=",
        "; boundary=" + "b" * 71,
        "; boundary=\u00e9",
        "; boundary*=utf-8''b",
        "; boundary*0=b; boundary*1=c",
        "; boundary=b; boundary=c",
        '; boundary="b\\c"',
        "; boundary=b,c",
        "; boundary=-",
        "; boundary=---",
        "; boundary=---BEGIN",
        '; boundary="---BEGIN PRIVATE KEY-----"',
    ],
)
def test_a_boundary_that_is_not_certain_is_refused(parameters: str) -> None:
    """Where parts begin elsewhere, their encodings would not be known; nor is a key to be cut where it begins."""
    with pytest.raises(CodingError, match="unknown_boundary"):
        open_view(f"multipart/form-data{parameters}")
