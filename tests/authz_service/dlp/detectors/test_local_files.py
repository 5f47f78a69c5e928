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
    ],
)
def test_what_merely_looks_alike_is_not(body: str) -> None:
    """A policy blocks on this."""
    assert not carries_local_file(body.encode())


@given(st.binary(), st.binary())
def test_nothing_around_a_sign_hides_it(before: bytes, after: bytes) -> None:
    """Whatever bytes."""
    assert carries_local_file(before + b" file:///etc/passwd " + after)
