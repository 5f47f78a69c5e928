from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.commands import access_log
from ratelimit_service.commands.access_log import MAX_LINE_BYTES, Log, Request, Shape, Take, Unreadable
from ratelimit_service.commands.arguments import UsageError
from ratelimit_service.model import Descriptor


def read(text: str | bytes, *descriptors: str, form: str | None = None, **shape: Any) -> list[Request | Unreadable]:
    data = text.encode() if isinstance(text, str) else text
    takes = tuple(map(access_log.descriptor, descriptors))
    return list(Log(io.BytesIO(data), Shape(takes, **({"other_domain": "d"} | shape)), form))


def request(line: int, seconds: int, *descriptors: tuple[tuple[str, str], ...], domain: str = "d") -> Request:
    return Request(line, seconds * 1_000_000, domain, tuple(map(Descriptor, descriptors)))


def test_each_column_of_a_csv_is_a_descriptor_of_its_own() -> None:
    assert read("time,user,endpoint\n1,alice,/x\n2,,/y\n3,,\n") == [
        request(2, 1, (("user", "alice"),), (("endpoint", "/x"),)),
        request(3, 2, (("endpoint", "/y"),)),
        request(4, 3),
    ]


def test_columns_are_grouped_as_descriptors_say_and_one_that_lacks_a_value_is_left_out() -> None:
    text = "user,time,endpoint\nalice,1,/x\nbob,2,\n"
    assert read(text, "user", "user,endpoint", "name=user,kind:=slow") == [
        request(
            2, 1, (("user", "alice"),), (("user", "alice"), ("endpoint", "/x")), (("name", "alice"), ("kind", "slow"))
        ),
        request(3, 2, (("user", "bob"),), (("name", "bob"), ("kind", "slow"))),
    ]


def test_domain_and_hits_are_read_where_they_are() -> None:
    text = "time,domain,hits,user\n1,e,5,alice\n2,,,bob\n"
    found = read(text)
    assert found == [
        Request(2, 1_000_000, "e", (Descriptor((("user", "alice"),), 5),)),
        request(3, 2, (("user", "bob"),)),
    ]
    named = read(text, domain="f")
    assert [each.domain for each in named if isinstance(each, Request)] == ["f", "f"]


def test_json_lines_are_read_by_their_fields() -> None:
    lines = [
        {"start": "1970-01-01T00:00:01Z", "jwt": {"sub": "alice"}, "code": 200},
        {"start": "1970-01-01T00:00:02Z", "jwt": {"sub": "-"}, "code": 200},
    ]
    text = "\n".join(map(json.dumps, lines))
    assert read(text, "user=jwt.sub", "code,jwt.sub", time="start") == [
        request(1, 1, (("user", "alice"),), (("code", "200"), ("jwt.sub", "alice"))),
        request(2, 2),
    ]


@pytest.mark.parametrize(
    "text", ["\ufefftime,user\n1,a\n", "\n \ntime,user\r\n1,a\r\n\r\n", '\ufeff{"time": 1, "user": "a"}']
)
def test_the_first_line_tells_the_form_after_blank_lines_and_a_byte_order_mark(text: str) -> None:
    (found,) = read(text, "user")
    assert isinstance(found, Request)
    assert found.descriptors == (Descriptor((("user", "a"),)),)


def test_lines_that_cannot_be_read_are_told_with_the_reason_and_the_rest_is_read() -> None:
    text = b'time,user\n1,a\nx,a\n,a\n2\n3,"a\n\n4,a\n5,\xff\n6,a\n'
    assert read(text) == [
        request(2, 1, (("user", "a"),)),
        Unreadable(3, "its time is neither seconds since 1970 nor RFC 3339"),
        Unreadable(4, "has no 'time'"),
        Unreadable(5, "has 1 columns, and the header has 2"),
        Unreadable(6, "is not CSV: unexpected end of data"),
        request(8, 4, (("user", "a"),)),
        Unreadable(9, "is not UTF-8"),
        request(10, 6, (("user", "a"),)),
    ]
    assert read('{"time": 1, "user": {}}\n{"user": 1}\n{\n', "user") == [
        Unreadable(1, "its 'user' is not a single value"),
        Unreadable(2, "has no 'time'"),
        Unreadable(3, "is not JSON"),
    ]
    assert read('{"time": 1}\n', "user", other_domain=None) == [Unreadable(1, "has no 'domain'")]


def test_a_line_that_is_too_long_is_passed_over_in_bounded_memory() -> None:
    class Narrow(io.BytesIO):
        longest = 0

        def readline(self, size: int | None = -1) -> bytes:
            data = super().readline(size)
            self.longest = max(self.longest, len(data))
            return data

    file = Narrow(b"time,user\n1,a\n2," + b"a" * 3 * MAX_LINE_BYTES + b"\n3,a\n")
    log = Log(file, Shape(other_domain="d"))
    assert list(log) == [
        request(2, 1, (("user", "a"),)),
        Unreadable(3, f"is longer than {MAX_LINE_BYTES} bytes"),
        request(4, 3, (("user", "a"),)),
    ]
    assert file.longest == MAX_LINE_BYTES + 1
    assert log.bytes_read == len(file.getvalue())


@pytest.mark.parametrize(
    ("text", "descriptors", "shape", "error"),
    [
        ("user\na\n", (), {}, "--log: there is no column 'time'; there are: 'user' (--time names that with the time)"),
        ("time,time\n", (), {}, "--log: its header has the column 'time' more than once"),
        ("time,hits,domain\n", (), {}, "--log: its header has no column for a descriptor"),
        ("time,user\n", ("usr",), {}, "--descriptor: there is no column 'usr'; did you mean 'user'?"),
        ('time,"user\n', (), {}, "--log: its first line is no CSV header: unexpected end of data"),
        (
            "time,user\n",
            (),
            {"other_domain": None},
            "--domain: is needed: there are limits of several domains, and the log has no 'domain'",
        ),
        ('{"a": 1}\n', (), {}, "--descriptor: JSON lines need at least one, which tells the fields of a descriptor"),
    ],
)
def test_what_is_wrong_with_the_log_as_a_whole_is_refused(
    text: str, descriptors: tuple[str, ...], shape: dict[str, Any], error: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read(text, *descriptors, **shape)
    assert str(caught.value) == error


def test_fields_that_some_line_has_are_remembered() -> None:
    log = Log(
        io.BytesIO(b'{"time": 1, "a": 1}\n{"time": 2, "b": null}'),
        Shape(((Take("a", "a"),), (Take("b", "b"),)), other_domain="d"),
    )
    assert len(list(log)) == 2
    assert log.seen == {"a"}


@pytest.mark.parametrize("text", ["", ",", "user,", "=x", ":=x", "user=", ",user"])
def test_a_descriptor_without_a_field_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--descriptor: "):
        access_log.descriptor(text)


def test_a_descriptor_names_fields_keys_and_texts() -> None:
    assert access_log.descriptor("user,agent=a.id,kind:=a=b,empty:=") == (
        Take("user", "user"),
        Take("agent", "a.id"),
        Take("kind", None, "a=b"),
        Take("empty", None, ""),
    )


@given(st.binary(max_size=200), st.sampled_from([None, "csv", "jsonl"]))
def test_no_bytes_end_in_another_error(data: bytes, form: str | None) -> None:
    try:
        found = read(data, "user", form=form)
    except UsageError:
        return
    assert all(isinstance(each, Request | Unreadable) for each in found)
