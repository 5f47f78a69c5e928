"""A body that begins unlike what its type says is redacted as both."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL
from authz_service.dlp.found import Found
from authz_service.dlp.scan import Scanner
from authz_service.dlp.terms import open_terms
from authz_service.dlp.tokens import DETECTOR
from authz_service.dlp.two_readings import open_redactor
from authz_service.settings.dlp import DlpSettings
from tests.authz_service.dlp.streaming import chunks

SCANNER = open_terms(DlpSettings()).scanner
SSN = "123-45-6789"
KEY = "V0u4X94k5UZrZaHn+xmRXcZwmZtXhL97DWKOa1I/"
FORM, SSE, HTML = "application/x-www-form-urlencoded", "text/event-stream", "text/html; charset=utf-8"
PARTS = "multipart/form-data; boundary=b"
LYING = pytest.mark.parametrize("content_type", [FORM, SSE, HTML, PARTS, FORM + ", text/plain", FORM + " x"])


def _replaced(found: Found) -> bytes | None:
    return None if found.detector.entity == "email_address" else b"[X]"


def _redacted(parts: list[bytes], content_type: str) -> bytes:
    redactor = open_redactor(content_type, SCANNER, _replaced, numbers="string")
    return b"".join([*map(redactor.feed, parts), redactor.finish()])


@LYING
@pytest.mark.parametrize("begun", ["", " \r\n", "\ufeff"])
def test_json_of_another_type_is_redacted_as_json_too(content_type: str, begun: str) -> None:
    """A plus sign is one, a slash with a backslash is a slash, and a number is one however it is written."""
    for body in (
        '{"aws_secret_access_key": "%s"}' % KEY,  # noqa: UP031  (braces)
        '{"u": "postgres:\\/\\/app:aljm44dHOw9B5K47SRg2@db.internal:5432\\/main"}',
        '["%s"]' % "".join(f"\\u{ord(each):04x}" for each in SSN),  # noqa: UP031
        '{"ssn": 1.23456789e8}',
    ):
        redacted = _redacted([(begun + body).encode()], content_type).decode()
        assert "[X]" in redacted
        json.loads(redacted.removeprefix(begun))
        assert not any(each in redacted for each in (KEY, "aljm44", "\\u00", "456789"))


@pytest.mark.parametrize("content_type", [FORM, SSE, PARTS, "application/json", "application/x-ndjson"])
def test_xml_of_another_type_is_redacted_as_xml_too(content_type: str) -> None:
    """Whoever asks for no type reads its character references."""
    body = "<a>%s</a>" % "".join(f"&#{ord(each)};" for each in SSN)  # noqa: UP031
    assert _redacted([body.encode()], content_type) == b"<a>[X]</a>"


def test_what_only_the_declared_reading_shows_goes_too() -> None:
    """A form may begin like JSON, and a page like a list."""
    assert _redacted([f'{{"a": "&ssn={SSN}&b=123%2D45%2D6789&c=123+45+6789'.encode()], FORM) == (
        b'{"a": "&ssn=[X]&b=%5BX%5D&c=%5BX%5D'
    )
    assert _redacted([b"[1] 123&#45;45&#45;6789"], HTML) == b"[1] [X]"


PIECES = st.sampled_from([
    SSN, KEY, "123%2D45%2D6789", "123+45+6789", "\\u0031", "23-45-6789", "&#49;", '{"ssn": 1.23456789e8}', '"',
    "\\", "{", " ", "\n", "data: ", "aws_secret_access_key=", "<a>", "--b\r\n", "me@company.example", "&", "=",
    "\ufeff",
])  # fmt: skip


@given(
    st.sampled_from(["{", "[", '"', "<", " {", "\ufeff[", "a", ""]),
    st.lists(PIECES, max_size=8).map("".join),
    st.lists(st.integers(0, 10_000), max_size=6),
    st.sampled_from([FORM, SSE, HTML, PARTS, "application/json"]),
)
def test_how_a_body_is_cut_makes_no_difference(begun: str, rest: str, cuts: list[int], content_type: str) -> None:
    """Nor whether it comes byte by byte."""
    body = (begun + rest).encode()
    expected = _redacted([body], content_type)
    assert _redacted(chunks(body, cuts), content_type) == expected
    assert _redacted([body[at : at + 1] for at in range(len(body))], content_type) == expected


def test_what_a_token_stands_for_is_not_taken_for_a_finding() -> None:
    """It is restored in the second reading, behind which nothing is searched."""
    token = "agt1_" + "A" * 40

    def restored(found: Found) -> bytes | None:
        return SSN.encode() if found.detector is DETECTOR else b"[X]"

    redactor = open_redactor(FORM, Scanner((DETECTOR, *ALL)), restored)
    assert redactor.feed(f'{{"a": "{token}"}}'.encode()) + redactor.finish() == f'{{"a": "{SSN}"}}'.encode()
