"""A `.tar.gz` file's bytes → the bundle's files. Pure, and bounded before anything is unpacked.

It reads what bundles are made of: files and folders in the formats of POSIX (ustar, pax) and GNU, long names included.
Everything else that tar can hold is a fault: links, devices, sparse files, sizes in binary, a header that does not add
up, bytes after the end. Python's `tarfile` is made to get along with those: it takes a damaged header for the archive's
end, and what it makes of the rest has changed from release to release.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Final

from authz_service.policy.bundles.files import MAX_BYTES, MAX_FILE_BYTES, MAX_FILES, Gathering, shown
from service_kit.faults import ConfigurationError, Fault

MAX_ARCHIVE_BYTES: Final = 32 * 1024 * 1024  # packed
MAX_EXTENSION_BYTES: Final = 64 * 1024  # of a long name or a pax header
_BLOCK: Final = 512  # bytes
MAX_TAR_BYTES: Final = MAX_BYTES + MAX_FILES * 4_096  # with each file's headers, and what fills its last block
_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's word for the gzip format alone
_OCTAL: Final = re.compile(rb" *([0-7]{1,12})[ \0]*")
_RECORD_LENGTH: Final = re.compile(rb"([1-9][0-9]{0,5}) ")
_REFUSED: Final = {
    b"1": "is a hard link", b"2": "is a symbolic link", b"3": "is a device", b"4": "is a device", b"6": "is a pipe",
    b"K": "is a link with a long name", b"S": "is a sparse file",
}  # fmt: skip

_WITHOUT_CONTENTS: Final = frozenset({b"1", b"2", b"3", b"4", b"6"})  # whatever size their headers have


class _ArchiveError(Exception):
    """What follows in the archive cannot be told."""


def read_archive(content: bytes, source: str) -> Mapping[str, bytes]:
    """Unpack a bundle.

    Raises:
        ConfigurationError: it is none, is out of bounds, or has something in it that a bundle must not have.
    """
    gathering = Gathering(source)
    try:
        _Tar(_unpacked(content), gathering).read()
    except _ArchiveError as error:
        raise ConfigurationError([*gathering.faults.found, Fault(source, 0, str(error))]) from error
    return gathering.finish()


def _unpacked(content: bytes) -> bytes:
    if len(content) > MAX_ARCHIVE_BYTES:
        raise _ArchiveError(f"is larger than {MAX_ARCHIVE_BYTES} bytes")
    unpacking = zlib.decompressobj(_GZIP)
    try:
        tar = unpacking.decompress(content, MAX_TAR_BYTES + 1)
    except zlib.error as error:
        raise _ArchiveError("is not a gzip file, or a damaged one") from error
    if len(tar) > MAX_TAR_BYTES:
        raise _ArchiveError(f"unpacks to more than {MAX_TAR_BYTES} bytes")
    if not unpacking.eof:
        raise _ArchiveError("is cut off")
    if unpacking.unused_data:
        raise _ArchiveError("goes on after the end of its gzip file")
    return tar


class _Tar:
    """One reading of an archive, block by block."""

    def __init__(self, tar: bytes, gathering: Gathering) -> None:
        self._tar = tar
        self._gathering = gathering
        self._place = 0
        self._long_name: bytes | None = None  # of the next entry

    def read(self) -> None:
        """Take in every entry up to the end's empty block."""
        while True:
            header = self._take(_BLOCK)
            if not any(header):
                break
            self._entry(header)
        if self._long_name is not None:
            raise _ArchiveError("ends with a name that has no file")
        if self._tar.count(0, self._place) != len(self._tar) - self._place:
            raise _ArchiveError("goes on after the end of its tar file")

    def _take(self, size: int) -> bytes:
        taken = self._tar[self._place : self._place + size]
        if len(taken) < size:
            raise _ArchiveError("is cut off")
        self._place += -(-size // _BLOCK) * _BLOCK  # contents fill whole blocks
        return taken

    def _entry(self, header: bytes) -> None:
        blank = header[:148] + b" " * 8 + header[156:]  # the sum is made with its own field blank
        if _number(header[148:156]) != sum(blank):
            raise _ArchiveError("is no tar file, or has a damaged header")
        size = _number(header[124:136])
        kind = header[156:157]
        if kind in {b"L", b"x", b"g"}:
            self._extension(kind, size)
            return
        name = self._long_name if self._long_name is not None else _name(header)
        self._long_name = None
        self._member(name.decode("utf-8", "surrogateescape"), kind, size)

    def _extension(self, kind: bytes, size: int) -> None:
        if size > MAX_EXTENSION_BYTES:
            raise _ArchiveError(f"has a header of more than {MAX_EXTENSION_BYTES} bytes")
        content = self._take(size)
        name = content.split(b"\0", 1)[0] if kind == b"L" else _path(content)
        if name is None:
            return
        if kind == b"g":
            raise _ArchiveError("names all its files alike")
        if self._long_name is not None:
            raise _ArchiveError("has two names for one file")
        self._long_name = name

    def _member(self, name: str, kind: bytes, size: int) -> None:
        is_folder = kind == b"5" or (kind == b"\0" and name.endswith("/"))
        if is_folder and size == 0:
            self._gathering.name(name.removesuffix("/"))
        elif is_folder or kind not in {b"0", b"\0"}:
            self._take(0 if kind in _WITHOUT_CONTENTS else size)
            text = _REFUSED.get(kind, "is a folder with contents" if is_folder else "is of a type that is not known")
            self._gathering.refuse(name, text)
        elif size > MAX_FILE_BYTES:
            raise _ArchiveError(f"has the file {shown(name)}, which is larger than {MAX_FILE_BYTES} bytes")
        else:
            self._gathering.add(name, self._take(size))


def _number(field: bytes) -> int:
    match = _OCTAL.fullmatch(field)
    if not match:
        raise _ArchiveError("is no tar file, or has a number in it that is not octal")
    return int(match[1], 8)


def _name(header: bytes) -> bytes:
    name = header[:100].split(b"\0", 1)[0]
    if header[257:263] != b"ustar\0":  # GNU's own format keeps other things where POSIX has the prefix
        return name
    prefix = header[345:500].split(b"\0", 1)[0]
    return prefix + b"/" + name if prefix else name


def _path(records: bytes) -> bytes | None:
    """Return the `path` of a pax header (POSIX.1-2001, pax), whose records are `LENGTH KEY=VALUE` and a line feed."""
    path = None
    place = 0
    while place < len(records):
        match = _RECORD_LENGTH.match(records, place)
        end = place + int(match[1]) if match else 0
        key, is_pair, value = records[match.end() if match else 0 : end - 1].partition(b"=")
        if not is_pair or end > len(records) or records[end - 1 : end] != b"\n":
            raise _ArchiveError("has a pax header that cannot be read")
        if key == b"size" or key.startswith(b"GNU.sparse."):
            raise _ArchiveError("has a sparse file, or one with its size outside its header")
        if key == b"path":
            path = value
        place = end
    return path
