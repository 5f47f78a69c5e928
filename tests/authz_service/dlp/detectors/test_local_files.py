"""Signs that a body carries content of the caller's own files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.local_files import carries_local_file


@pytest.mark.parametrize(
    "body",
    [
        "file:///etc/passwd",
        'see "file://home/x"',
        "/home/alice/notes.txt",
        "see /Users/alice/Desktop",
        '{"path": "/etc/passwd"}',
        "(/root/.ssh/id_rsa)",
        "=/var/log/syslog",
        "\n/tmp/x",
        "/mnt/c/x",
        "/Volumes/Data",
        "~/.ssh/id_rsa",
        "cat ~/x",
        "C:\\Users\\alice\\x",
        "c:/Users/alice/x.txt",
        '{"p": "C:\\\\Users\\\\alice\\\\x"}',
        "D:\\My Files\\x",
        "\\\\server\\share",
        '{"p": "\\\\\\\\server\\\\share$"}',
        'Content-Disposition: form-data; name="f"; filename="a.txt"',
        "content-disposition: attachment; FILENAME*=utf-8''a.txt",
        "data:text/plain;base64,SGk=",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "file:/etc/hosts",
        "/usr/local/x",
        "/run/secrets/db",
        "/private/var/x",
        "/dev/shm/x",  # noqa: S108
        "/dev/fd/3",
        "$HOME/x",
        "${HOME}/.aws/credentials",
        "%USERPROFILE%\\x",
        "%AppData%\\\\x",
        '"JVBERi0xLjcKJ"',
        "content=iVBORw0KGgoAAAANSUhEUg",
        '"UEsDBBQAAAAIAAAAIQDfpNJsWgEAACAFAAAT"',
        '"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgG"',
        "text: f0VMRgIBAQAAAAAAAAAAAAMAPgABAAAA",
    ],
)
def test_a_sign_of_a_local_file_is_seen(body: str) -> None:
    """Anywhere in a body, which need not be text."""
    assert carries_local_file(body.encode())
    assert carries_local_file(b"\xff\x00\n" + body.encode() + b"\n\xfe")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "profile",
        "https://example.com/home/alice",
        "https://example.com/etc/x",
        "a/tmp/x",
        "1/2",
        "/homework/x",
        "/home",
        "user~/x",
        "a:b",
        "12:30/13:30",
        "http://x",
        "\\n and \\t",
        "filename=a.txt",
        "data:text/plain,hello",
        "Content-Disposition: inline",
        '{"path": "/reports/2024"}',
        "/dev/null",
        "/run/now",
        "about ~5/day",
        "$HOMES/x",
        '"/9j/"',
        '"UEsDB is how it begins"',
        "xJVBERi0xLjcKJ",
        "100%TEMP%x",
        "it begins with %PDF-1.7",
    ],
)
def test_what_merely_looks_alike_is_not(body: str) -> None:
    """A policy blocks on this."""
    assert not carries_local_file(body.encode())


@given(st.binary(), st.binary())
def test_nothing_around_a_sign_hides_it(before: bytes, after: bytes) -> None:
    """Whatever bytes."""
    assert carries_local_file(before + b" file:///etc/passwd " + after)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (rb'{"read":"file:\/\/\/home\/ines\/p.csv"}', "application/json"),
        (rb'{"read":"\u002fhome\u002Fines"}', "application/json"),
        (b"read=%2Fhome%2Fines%2Fp.csv", "application/x-www-form-urlencoded"),
        (b"read=file%3A%2F%2F%2Fetc%2Fpasswd", "application/x-www-form-urlencoded"),
        (b"FILE:///srv/x", "text/plain"),
        (b"see /HOME/ines and /opt/x", "text/plain"),
        (b"data:text/csv;charset=utf-8;base64,YWJj", "text/plain"),
        ('{"read": "/home/ines/p.csv"}'.encode("utf-16"), "application/json; charset=utf-16"),
        (b"--b\r\nContent-Disposition: form-data; name=a;\r\n filename=p.csv\r\n", "multipart/form-data"),
    ],
)
def test_no_usual_encoding_hides_a_sign(body: bytes, content_type: str) -> None:
    """A body is read as the application behind will read it."""
    assert carries_local_file(body, content_type)


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "identity, gzip", "unknown"])
def test_a_body_that_cannot_be_read_counts_as_carrying_a_file(encoding: str) -> None:
    """A policy is never told less than there is."""
    assert carries_local_file(b"\x1f\x8b\x08", "", encoding)
    assert not carries_local_file(b"", "", encoding)
    assert not carries_local_file(b"hello", "", "identity")


@given(st.binary())
def test_any_body_is_judged(body: bytes) -> None:
    """Broken escapes included."""
    assert carries_local_file(body + rb"\u00", "application/json") in {True, False}


@pytest.mark.parametrize(
    "sign", [b"%PDF-1.7", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"\x1f\x8b\x08"]
)
def test_a_body_or_a_part_that_is_a_file_counts(sign: bytes) -> None:
    """Without a name, a path or a URL."""
    assert carries_local_file(sign + b"...", "application/octet-stream")
    part = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + sign + b"...\r\n--b--"
    assert carries_local_file(part, "multipart/form-data; boundary=b")
    assert not carries_local_file(part, "text/plain")
