"""Archives: what other tools pack is read, and everything else that tar can hold is refused."""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz_service.policy.bundles import archive as reading
from authz_service.policy.bundles import files as bounds
from authz_service.policy.bundles.archive import MAX_EXTENSION_BYTES, MAX_TAR_BYTES, read_archive
from service_kit.faults import ConfigurationError
from tests.authz_service.policy.bundles.bundling import FILES, archive

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def problem(content: bytes) -> str:
    """Why an archive is refused."""
    with pytest.raises(ConfigurationError) as caught:
        read_archive(content, "b.tar.gz")
    return str(caught.value)


def tar(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """Entries as they are, packed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archived:
        for info, content in entries:
            archived.addfile(info, io.BytesIO(content))
    return gzip.compress(packed.getvalue())


def entry(name: str = "a", content: bytes = b"", **members: object) -> tuple[tarfile.TarInfo, bytes]:
    """One entry with any member set."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for member, value in members.items():
        setattr(info, member, value)
    return info, content


def header(
    name: bytes = b"a", size: bytes = b"00000000000\0", kind: bytes = b"0", magic: bytes = b"ustar\x0000"
) -> bytes:
    """A header byte by byte, with the sum that it should have."""
    start = name.ljust(100, b"\0") + b"0000600\0" + b"0000000\0" * 2 + size + b"00000000000\0"
    rest = kind + b"\0" * 100 + magic
    blank = (start + b" " * 8 + rest).ljust(512, b"\0")
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def raw(*blocks: bytes) -> bytes:
    """Blocks with an end, packed."""
    return gzip.compress(b"".join(blocks) + bytes(1024))


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    """An extension header."""
    content = b"".join(records)
    return header(b"x", b"%011o\0" % len(content), kind) + content + bytes(-len(content) % 512)


def record(text: bytes) -> bytes:
    """A pax record of a text below a hundred bytes."""
    length = len(text) + 3 + (len(text) + 3 > 9)
    return b"%d %s\n" % (length, text)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("prefix", ["", "/", "./"])
def test_an_archive_of_any_format_is_read(form: int, prefix: str) -> None:
    assert read_archive(archive(FILES, form=form, prefix=prefix), "b") == FILES


NAMES = st.from_regex(r"[a-zäё_]{1,60}(/[a-z.ü]{2,60}){0,5}", fullmatch=True).filter(lambda name: "/.." not in name)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=1500), max_size=6), st.sampled_from(FORMATS[1:]))
def test_what_tarfile_packs_is_what_is_read(files: dict[str, bytes], form: int) -> None:
    """Long names, names beyond ASCII and contents of any length included."""
    kept = {name: content for name, content in files.items() if len(name.encode()) <= bounds.MAX_NAME_BYTES}
    assert read_archive(archive(kept, form=form), "b") == kept


def test_a_long_name_in_a_prefix_is_read() -> None:
    name = "/".join(["x" * 40] * 5)
    assert list(read_archive(archive({name: b"1"}, prefix=""), "b")) == [name]


def test_folders_are_passed_over() -> None:
    content = tar(entry("./", type=tarfile.DIRTYPE), entry("a", type=tarfile.DIRTYPE), entry("a/b", b"1"))
    assert read_archive(content, "b") == {"a/b": b"1"}
    assert read_archive(raw(header(b"old/", kind=b"\0"), header(b"old/a", kind=b"\0")), "b") == {"old/a": b""}


def test_the_comment_of_a_whole_archive_is_passed_over() -> None:
    """Version control packs its revision like this."""
    assert read_archive(raw(pax(record(b"comment=abc"), kind=b"g"), header()), "b") == {"a": b""}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (tarfile.SYMTYPE, "the file 'a' is a symbolic link"),
        (tarfile.LNKTYPE, "the file 'a' is a hard link"),
        (tarfile.CHRTYPE, "the file 'a' is a device"),
        (tarfile.BLKTYPE, "the file 'a' is a device"),
        (tarfile.FIFOTYPE, "the file 'a' is a pipe"),
        (tarfile.GNUTYPE_SPARSE, "the file 'a' is a sparse file"),
        (tarfile.GNUTYPE_LONGLINK, "the file 'a' is a link with a long name"),
        (tarfile.CONTTYPE, "the file 'a' is of a type that is not known"),
        (b"V", "the file 'a' is of a type that is not known"),
        (b"\xff", "the file 'a' is of a type that is not known"),
    ],
)
def test_what_is_no_plain_file_is_refused(kind: bytes, expected: str) -> None:
    """And the rest is still looked at."""
    text = problem(raw(header(kind=kind), header(b"../b")))
    assert text.splitlines() == [f"b.tar.gz: {expected}", "b.tar.gz: the name '../b' has an empty or a dot segment"]


def test_links_as_tar_writes_them_are_refused() -> None:
    link = entry("plan.json", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    long_link = entry("data.json", type=tarfile.SYMTYPE, linkname="/x" * 200)
    assert "is a symbolic link" in problem(tar(link))
    for form in FORMATS[1:]:
        assert "link" in problem(tar(long_link, form=form))


@pytest.mark.parametrize(
    "records",
    [
        (record(b"GNU.sparse.major=1"), record(b"GNU.sparse.minor=0")),
        (record(b"GNU.sparse.realsize=99999999999"),),
        (record(b"size=99999999999"),),
    ],
)
def test_a_file_with_its_size_elsewhere_is_refused(records: tuple[bytes, ...]) -> None:
    assert "sparse" in problem(raw(pax(*records), header()))


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"5 a=1\n",
        b"9 a=1\n",
        b"6 a=11",
        b"06 a=1\n",
        b"-6 a=1\n",
        b"999999 a=1\n",
        b"9999999 a=1\n",
        b"5 ab\n",
        b"6 a=1\n6 a=1",
        b"2 a=1\n",
        b"1 \n",
    ],
)
def test_a_pax_header_that_does_not_add_up_is_refused(content: bytes) -> None:
    assert "pax header" in problem(raw(pax(content), header()))


def test_a_file_has_one_name_only() -> None:
    """Otherwise two readers could take two names from it."""
    name = pax(record(b"path=b"))
    long_name = header(b"x", b"00000000002\0", b"L") + b"c\0".ljust(512, b"\0")
    assert list(read_archive(raw(name, header()), "b")) == ["b"]
    assert list(read_archive(raw(long_name, header()), "b")) == ["c"]
    assert "two names" in problem(raw(name, long_name, header()))
    assert "two names" in problem(raw(name, name, header()))
    assert "alike" in problem(raw(pax(record(b"path=b"), kind=b"g"), header()))
    assert "no file" in problem(raw(name))
    assert "no name" in problem(raw(pax(record(b"path=")), header()))


def test_names_in_extensions_are_checked_too() -> None:
    assert "dot segment" in problem(raw(pax(record(b"path=../x")), header()))
    assert "not UTF-8" in problem(raw(pax(record(b"path=\xff")), header()))
    assert "not UTF-8" in problem(raw(header(b"\xff")))
    assert "dot segment" in problem(raw(header(b"../x", kind=b"5")))


@pytest.mark.parametrize(
    "size",
    [
        b"\x80" + bytes(10) + b"\1",
        b"\xff" * 12,
        b"-0000000001\0",
        b"0000000000x\0",
        b"\0" * 12,
        b" " * 12,
        b"0x000000001\0",
    ],
)
def test_a_size_that_is_not_octal_is_refused(size: bytes) -> None:
    """Binary sizes can be negative."""
    assert "not octal" in problem(raw(header(size=size)))


def test_a_size_beyond_the_archive_is_refused() -> None:
    assert "is cut off" in problem(raw(header(size=b"00000010000\0")))
    assert "larger than" in problem(raw(header(size=b"77777777777\0")))
    assert "a header of more than" in problem(raw(header(size=b"%011o\0" % (MAX_EXTENSION_BYTES + 1), kind=b"x")))
    assert "folder with contents" in problem(raw(header(size=b"00000000001\0", kind=b"5"), bytes(512)))


def test_a_damaged_header_is_no_end() -> None:
    """What follows it would go unseen."""
    good = header()
    for place in (0, 120, 156, 300, 511):
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        assert "damaged header" in problem(raw(header(b"b"), bad, header(b"c")))


def test_nothing_comes_after_the_end() -> None:
    assert "after the end of its tar" in problem(gzip.compress(header() + bytes(1024) + header(b"b") + bytes(1024)))
    assert "after the end of its gzip" in problem(raw(header()) + b"\0")
    assert "after the end of its gzip" in problem(raw(header()) + raw(header(b"b")))


@pytest.mark.parametrize(
    "content", [b"", b"plain", b"PK\3\4", b"\x1f\x8b", bytes(100), b"\x1f\x8b\x08\x00" + b"\xff" * 50]
)
def test_what_is_no_gzip_file_is_refused(content: bytes) -> None:
    text = problem(content)
    assert "gzip" in text or "cut off" in text


def test_an_archive_that_is_cut_off_is_refused_wherever() -> None:
    content = archive(FILES)
    unpacked = gzip.decompress(content)
    for length in range(0, len(content), 7):
        problem(content[:length])
    for length in range(0, len(unpacked) - 10240, 512):
        assert "is cut off" in problem(gzip.compress(unpacked[:length]))


def test_a_changed_byte_changes_nothing_unnoticed() -> None:
    """The gzip file's own checksum sees to that."""
    content = archive(FILES)
    for place in range(10, len(content), 5):
        try:
            assert read_archive(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :], "b") == FILES
        except ConfigurationError:
            continue


def test_a_small_file_that_unpacks_to_a_huge_one_costs_no_more_than_the_bound() -> None:
    one = gzip.compress(bytes(MAX_TAR_BYTES // 64 + 1))
    assert "goes on" in problem(one * 64)
    bomb = io.BytesIO()
    with gzip.open(bomb, "wb", compresslevel=1) as packing:
        for _ in range(3 * MAX_TAR_BYTES // (1024 * 1024)):
            packing.write(bytes(1024 * 1024))
    tracemalloc.start()
    try:
        assert "unpacks to more than" in problem(bomb.getvalue())
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_TAR_BYTES
    finally:
        tracemalloc.stop()


def test_a_large_archive_is_not_even_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ARCHIVE_BYTES", 10)
    assert "is larger than 10 bytes" in problem(b"x" * 11)


def test_an_archive_of_many_faults_is_given_up_soon() -> None:
    assert len(problem(raw(*[header(kind=b"2")] * 50_000)).splitlines()) == bounds.MAX_FAULTS


@pytest.mark.parametrize(
    "make", [lambda r: os.urandom(r.randint(0, 3000)), lambda r: bytes(r.choices(range(64), k=2048))]
)
def test_random_bytes_end_in_a_fault(make: Callable[[random.Random], bytes]) -> None:
    numbers = random.Random(7)
    for _ in range(200):
        problem(raw(b"\1" + make(numbers)))


@settings(deadline=None)
@given(st.data())
def test_a_header_with_changed_bytes_ends_in_a_fault_or_in_files(data: st.DataObject) -> None:
    """With the sum set right again, so that the fields themselves are read."""
    changed = bytearray(header(b"name", b"00000000003\0"))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, 511))] = data.draw(st.integers(0, 255))
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed)
    try:
        files = read_archive(raw(bytes(changed), b"abc".ljust(512, b"\0"), header(b"z")), "b")
    except ConfigurationError:
        return
    assert len(files) <= 2
