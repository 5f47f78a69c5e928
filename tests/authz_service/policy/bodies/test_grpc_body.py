"""gRPC bodies by descriptors."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bodies.grpc_body import (
    MAX_MESSAGE_BYTES,
    MAX_VALUES,
    DescriptorError,
    GrpcBodyError,
    Methods,
    load_methods,
)
from tests.authz_service.policy.bodies.descriptors import SERVICE, descriptor_set, framed, message

BOOKS = load_methods(descriptor_set().SerializeToString())


def test_a_message_is_written_as_protojson_has_it() -> None:
    data = message(
        title="Ü", pageCount=5_000_000_000, weight=1.5, cover="/w==", marks=[1, 2], printed="2026-07-28T00:00:00Z",
        sequel={"title": "b"},
    )  # fmt: skip
    assert BOOKS.read(SERVICE, "Put", framed(data)) == {
        "title": "Ü",
        "pageCount": "5000000000",
        "weight": 1.5,
        "cover": "/w==",
        "marks": [1, 2],
        "printed": "2026-07-28T00:00:00Z",
        "sequel": {"title": "b"},
    }


def test_what_is_not_set_is_left_out() -> None:
    assert BOOKS.read(SERVICE, "Put", framed(b"")) == {}


def test_only_the_first_message_is_read() -> None:
    assert BOOKS.read(SERVICE, "Put", framed(message(title="a")) + framed(message(title="b"))) == {"title": "a"}


@pytest.mark.parametrize(
    ("service", "method", "frame"),
    [
        (SERVICE, "Put", framed(b"x", compressed=True)),
        (SERVICE, "Put", framed(b"x", length=2)),
        (SERVICE, "PutMany", framed(b"")),
        (SERVICE, "Get", framed(b"")),
        ("books.v1.Films", "Put", framed(b"")),
        ("", "", framed(b"")),
    ],
)
def test_what_cannot_be_told_has_no_value(service: str, method: str, frame: bytes) -> None:
    assert BOOKS.read(service, method, frame) is None


@pytest.mark.parametrize(
    "frame", [b"", b"\0\0\0\0", framed(b"\xff"), framed(b"\x0a\x02\xff\xfe"), framed(b"\x0a\x05a")]
)
def test_what_is_no_message_is_an_error(frame: bytes) -> None:
    with pytest.raises(GrpcBodyError):
        BOOKS.read(SERVICE, "Put", frame)


def test_a_message_that_is_cut_is_told_so() -> None:
    assert BOOKS.is_cut(framed(b"x", length=2))
    assert not BOOKS.is_cut(framed(b"x"))
    assert not BOOKS.is_cut(b"\0\0")


def test_size_and_count_are_bounded() -> None:
    assert len(BOOKS.read(SERVICE, "Put", framed(message(marks=[1] * (MAX_VALUES - 1))))["marks"]) == MAX_VALUES - 1
    nested = b""
    for _ in range(200):  # deeper than the parser goes
        nested = (
            b"\x3a"
            + (bytes([len(nested)]) if len(nested) < 128 else bytes([len(nested) % 128 | 128, len(nested) // 128]))
            + nested
        )
    for data in (message(marks=[1] * (MAX_VALUES + 1)), message(title="a" * MAX_MESSAGE_BYTES), nested):
        with pytest.raises(GrpcBodyError):
            BOOKS.read(SERVICE, "Put", framed(data))


@given(st.binary())
def test_any_body_is_a_value_or_an_error(frame: bytes) -> None:
    for body in (frame, framed(frame)):
        try:
            found = BOOKS.read(SERVICE, "Put", body)
        except GrpcBodyError:
            continue
        assert found is None or isinstance(found, dict)


# Descriptors


def test_protobufs_own_files_may_be_left_out() -> None:
    books = load_methods(descriptor_set(whole=False).SerializeToString())
    assert books.read(SERVICE, "Put", framed(message(printed="2026-07-28T00:00:00Z"))) == {
        "printed": "2026-07-28T00:00:00Z"
    }


def faulty(change: str) -> bytes:
    """Descriptors with one fault."""
    found = descriptor_set()
    if change == "import":
        found.file[0].dependency.append("absent.proto")
    elif change == "circle":
        found.file[1].dependency.append("books.proto")
    elif change == "type":
        found.file[0].message_type[0].field[5].type_name = ".books.v1.Absent"
    elif change == "service":
        del found.file[0].service[:]
    return found.SerializeToString()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xff", "is no FileDescriptorSet"),
        (b"", "describes no service"),
        (faulty("service"), "describes no service"),
        (faulty("import"), "lacks the file absent.proto"),
        (faulty("circle"), "in a circle"),
        (faulty("type"), "has the file books.proto, which cannot be used"),
    ],
)
def test_descriptors_that_cannot_be_used_are_an_error(data: bytes, told: str) -> None:
    with pytest.raises(DescriptorError, match=told):
        load_methods(data)


def test_descriptors_may_stand_in_any_order() -> None:
    found = descriptor_set()
    backwards = FileDescriptorSet(file=list(reversed(found.file)))
    assert isinstance(load_methods(backwards.SerializeToString()), Methods)
