"""What files begin with."""

from __future__ import annotations

import base64
import gzip
import io
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.file_magic import a_part_begins_a_file, base64_beginnings, begins_a_file

SIGNS = [
    b"%PDF-1.7\n",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rtf1",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x7fELF\x02",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"II*\0",
    b"OggS",
    b"\0\0\0\x20ftypmp42",
    b"RIFF\0\0\0\0WEBP",
    b"MZ" + bytes(126) + b"PE\0\0",
    b"PK\x05\x06",
    b"fLaC",
    b"\xfd7zXZ\0",
]


@pytest.mark.parametrize("sign", SIGNS, ids=repr)
@given(rest=st.binary(max_size=50))
def test_a_file_of_a_known_kind_is_known_by_its_beginning(sign: bytes, rest: bytes) -> None:
    """As a body, and as a part of one with and without the lines' carriage returns."""
    assert begins_a_file(sign + rest)
    for empty in (b"\r\n\r\n", b"\n\n"):
        assert a_part_begins_a_file(b"--b\r\nContent-Type: x/y" + empty + sign + rest)


def test_files_that_programs_write_are_known(tmp_path: Path) -> None:
    """Archives and a database, by the standard library."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "a")
    assert begins_a_file(packed.getvalue())
    taped = io.BytesIO()
    with tarfile.open(fileobj=taped, mode="w") as tape:
        tape.addfile(tarfile.TarInfo("a.txt"))
    assert begins_a_file(taped.getvalue())
    assert begins_a_file(gzip.compress(b"a"))
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path)
    connection.execute("create table x (y)")
    connection.close()
    assert begins_a_file(path.read_bytes())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "MZ and PE are letters",
        "PK",
        "a %PDF- in a text",
        '{"a": "GIF89a"}',
        "BM",
        "RIFF",
        "II",
        "ID3",
        "Rar",
        "OLE",
        "%!PS",
    ],
)
def test_no_text_begins_so(text: str) -> None:
    """Nor does one that tells of such a file."""
    assert not begins_a_file(text.encode())
    assert not a_part_begins_a_file(b"--b\r\n\r\n" + text.encode() + b"\r\n--b--")


@given(st.binary(max_size=20))
def test_the_base64_of_a_file_begins_with_one_of_the_signs(rest: bytes) -> None:
    """Whatever follows, and each is long enough to be told from a word."""
    for sign in (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"{\\rtf", b"GIF89a", b"SQLite format 3\0"):
        assert base64.b64encode(sign + rest).startswith(base64_beginnings())
    assert min(map(len, base64_beginnings())) >= 6
