"""multipart/form-data."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bodies.multipart import (
    MAX_BOUNDARY,
    MAX_PART_HEADER_BYTES,
    MAX_PARTS,
    MultipartError,
    read_multipart,
)


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    """A part between its delimiters."""
    lines = [f"Content-Disposition: {disposition}", *headers]
    return b"--b\r\n" + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + content + b"\r\n"


def field(name: str, content: bytes) -> bytes:
    return part(f'form-data; name="{name}"', content)


END = b"--b--\r\n"


def test_each_name_has_its_values_in_their_order() -> None:
    content = field("a", b"1") + field("b", b"") + field("a", b"zwei\r\n") + END
    assert read_multipart(content, "b") == {"a": ["1", "zwei\r\n"], "b": [""]}


def test_a_part_typed_as_json_is_parsed_and_any_other_is_text() -> None:
    content = (
        part('form-data; name="a"', b'{"n": 1}', "content-type: Application/JSON; charset=utf-8")
        + part('form-data; name="a"', b"[2]", "Content-Type: application/vnd.api+json")
        + part('form-data; name="f"; filename="x.bin"', b"\xff\x00", "Content-Type: application/octet-stream")
        + END
    )
    assert read_multipart(content, "b") == {"a": [{"n": 1}, [2]], "f": ["\ufffd\x00"]}


def test_a_part_without_a_name_is_passed_over() -> None:
    content = (
        part("form-data", b"x") + part('form-data; name=""', b"x") + part("attachment", b"x")
        + b"--b\r\n\r\nx\r\n" + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" + field("a", b"1") + END
    )  # fmt: skip
    assert read_multipart(content, "b") == {"a": ["1"]}


def test_what_is_read_alike_by_all_is_taken() -> None:
    """Files' names as clients write them, names with escapes, character sets within UTF-8, and lines of dashes."""
    content = (
        part("form-data; name=f; filename=x.txt; filename*=utf-8''x.txt", b"1", "Content-Type: text/csv")
        + part('form-data; name=f; filename="C:\\x.txt"', b"2")
        + part('form-data; name="a\\"b\\\\c"', b"3", "Content-Type: text/plain; charset=UTF-8")
        + part("form-data; name=_charset_", b"UTF-8")
        + part("form-data; name=d", b"\n--\n--a\r\n--\n -- b--b")
        + END
    )
    assert read_multipart(content, "b") == {
        "f": ["1", "2"],
        'a"b\\c': ["3"],
        "_charset_": ["UTF-8"],
        "d": ["\n--\n--a\r\n--\n -- b--b"],
    }


def test_without_parts_there_are_no_fields() -> None:
    assert read_multipart(b"--b--", "b") == {}
    assert read_multipart(END, "b") == {}


GOOD = field("a", b"1")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD,  # no end
        GOOD + b"--b",
        GOOD + END + b"x",
        GOOD + END + GOOD + END,
        b"x" + GOOD + END,
        b"preamble\r\n" + GOOD + END,
        b"--b \r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" + END,
        b"--bX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" + END,
        b"--b\nContent-Disposition: form-data; name=a\n\n1\n--b--\n",
        b"--b\r\nContent-Disposition: form-data; name=a\r\n" + END,
        b"--b\r\nContent-Disposition form-data\r\n\r\n1\r\n" + END,
        b"--b\r\n: x\r\n\r\n1\r\n" + END,
        b"--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n" + END,
        b"--b\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n" + END,
        part("form-data; name=a; name=b", b"1") + END,
        part("form-data; name=a; name*=utf-8''b", b"1") + END,
        part("form-data; name=a", b"1", "content-disposition: form-data; name=b") + END,
        part("form-data; name=a", b"MQ==", "Content-Transfer-Encoding: base64") + END,
        part("form-data; name=a", b"{", "Content-Type: application/json") + END,
        part("form-data; name=a", b'{"a":1,"a":2}', "Content-Type: application/json") + END,
        part("form-data; name=a", b"1", "Content-Type: application/json, text/plain") + END,
        # what other servers read another field in
        part("form-data; name=a", b'hi\n--b\r\nContent-Disposition: form-data; name="role"\r\n\r\nadmin') + END,
        part("form-data; name=a", b'hi\n--b\nContent-Disposition: form-data; name="role"\n\nadmin') + END,
        part("form-data; name=a", b'hi\r--b\r\nContent-Disposition: form-data; name="role"\r\n\r\nadmin') + END,
        part("form-data; name=a", b"hi\n--b--\n") + END,
        part("form-data; name=a", b"\n--b") + END,
        part("form-data; name=a", b"--b\n--b") + END,
        part("form-data", b"hi\n--b\nContent-Disposition: form-data; name=role\n\nadmin") + END,
        part('attachment; name="role"', b"admin") + END,
        part("inline; name=role", b"admin") + END,
        part('form-data; name*0="ro"; name*1="le"', b"admin") + END,
        part("form-data; name*=utf-8''role", b"admin") + END,
        part("form-data; name*0*=utf-8''role", b"admin") + END,
        part('form-data; name="ro\\le"', b"admin") + END,
        part("form-data; name=role", "admin".encode("utf-16le"), "Content-Type: text/plain; charset=utf-16le") + END,
        part("form-data; name=role", b"\xe9", "Content-Type: text/plain; charset=iso-8859-1") + END,
        part("form-data; name=role", b"admin", "Content-Type: text/plain; charset*=utf-16") + END,
        part("form-data; name=a", b"1", "Content-Type: application/json; charset=utf-16") + END,
        part("form-data; name=_charset_", b"utf-16le") + END,
        part("form-data; name=a", b"1", "x: " + "y" * MAX_PART_HEADER_BYTES) + END,
    ],
)
def test_what_readers_differ_about_is_an_error(content: bytes) -> None:
    with pytest.raises(MultipartError):
        read_multipart(content, "b")


@pytest.mark.parametrize("boundary", ["", "b" * (MAX_BOUNDARY + 1), "ü"])
def test_a_boundary_that_is_not_allowed_is_an_error(boundary: str) -> None:
    with pytest.raises(MultipartError):
        read_multipart(END, boundary)


def test_parts_are_bounded() -> None:
    assert len(read_multipart(GOOD * MAX_PARTS + END, "b")["a"]) == MAX_PARTS
    with pytest.raises(MultipartError):
        read_multipart(GOOD * (MAX_PARTS + 1) + END, "b")


@pytest.mark.parametrize(("number", "count"), [(b"1e4000", 20), (b"1e5", 1_000), (b"1", 2_000), (b"1.5", 2_000)])
def test_the_bounds_of_json_hold_for_all_parts_together(number: bytes, count: int) -> None:
    """Each part by itself is within them: 190 parts of 700 times 1e4000 took most of a minute."""
    one = part("form-data; name=a", b"[" + b",".join([number] * count) + b"]", "Content-Type: application/json")
    assert len(read_multipart(one + END, "b")["a"][0]) == count
    with pytest.raises(MultipartError):
        read_multipart(one * 190 + END, "b")


@given(st.lists(st.tuples(st.sampled_from("acd"), st.binary(max_size=20)), max_size=5))
def test_what_a_client_writes_is_read_back(fields: list[tuple[str, bytes]]) -> None:
    fields = [(name, content) for name, content in fields if not re.search(b"[\r\n]--b", b"\n" + content)]
    expected: dict[str, list[str]] = {}
    for name, content in fields:
        expected.setdefault(name, []).append(content.decode("utf-8", "replace"))
    assert read_multipart(b"".join(field(*pair) for pair in fields) + END, "b") == expected


@given(st.lists(st.sampled_from([b"--b", b"\r\n", b"--", b"Content-Disposition: form-data; name=a", b"x", b"\n"])))
def test_any_content_is_fields_or_an_error(pieces: list[bytes]) -> None:
    with contextlib.suppress(MultipartError):
        assert set(read_multipart(b"".join(pieces), "b")) <= {"a"}
