"""gRPC's framing: however a body is cut, its messages are the same; what is no message is refused in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.hosts.framing import Messages, frame, percent_encoded, seconds_of
from service_kit.rpc import RpcError, Status

LIMIT = 1_000
BODIES = st.lists(st.binary(max_size=200), max_size=6)


def status_of(error: pytest.ExceptionInfo[RpcError]) -> Status:
    return error.value.status


@given(messages=BODIES, cuts=st.lists(st.integers(min_value=0, max_value=1_300), max_size=8), whole=st.booleans())
def test_messages_are_the_same_however_the_body_is_cut(
    messages: list[bytes],
    cuts: list[int],
    whole: bool,  # noqa: FBT001
) -> None:
    body = b"".join(map(frame, messages))
    places = [*range(len(body)), len(body)] if whole else sorted({*cuts, 0})
    reader = Messages(LIMIT)
    found: list[bytes] = []
    for start, end in zip(places, [*list(places)[1:], len(body)], strict=True):
        found += reader.feed(body[start:end])
    reader.end()
    assert found == messages


@given(message=st.binary(max_size=LIMIT + 10))
def test_the_short_way_sees_what_the_long_way_sees(message: bytes) -> None:
    body = frame(message)
    if len(message) > LIMIT:
        assert Messages(LIMIT).one(body) is None
    else:
        assert Messages(LIMIT).one(body) == message == next(Messages(LIMIT).feed(body))
    assert Messages(LIMIT).one(body[:-1]) is None
    assert Messages(LIMIT).one(body + b"\0") is None
    assert Messages(LIMIT).one(b"\1" + body[1:]) is None


@given(messages=BODIES, cut=st.integers(min_value=1, max_value=1_000))
def test_a_body_that_ends_within_a_message_is_refused(messages: list[bytes], cut: int) -> None:
    body = b"".join(map(frame, [*messages, b"last"]))
    reader = Messages(LIMIT)
    found = list(reader.feed(body[: -min(cut, 8)]))
    assert found == messages
    with pytest.raises(RpcError) as refused:
        reader.end()
    assert status_of(refused) is Status.INVALID_ARGUMENT


def test_a_message_that_says_it_is_too_large_is_refused_by_its_first_five_bytes() -> None:
    reader = Messages(LIMIT)
    with pytest.raises(RpcError) as refused:
        list(reader.feed(b"\0" + (LIMIT + 1).to_bytes(4, "big")))
    assert status_of(refused) is Status.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(("encoding", "pack"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)])
@given(message=st.binary(max_size=LIMIT))
def test_compressed_messages_are_inflated(encoding: bytes, pack: object, message: bytes) -> None:
    assert callable(pack)
    packed = pack(message)
    body = b"\1" + frame(packed)[1:]
    assert list(Messages(2 * LIMIT, encoding).feed(body + frame(message))) == [message, message]


def test_a_message_that_is_too_large_once_inflated_is_refused() -> None:
    packed = gzip.compress(b"\0" * (LIMIT + 1))
    with pytest.raises(RpcError) as refused:
        list(Messages(LIMIT, b"gzip").feed(b"\1" + frame(packed)[1:]))
    assert status_of(refused) is Status.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("encoding", "flag", "packed"),
    [
        (None, 1, gzip.compress(b"x", mtime=0)),  # no encoding was told
        (b"identity", 1, b"x"),
        (b"gzip", 2, gzip.compress(b"x", mtime=0)),  # no such flag
        (b"gzip", 1, b"nonsense"),
        (b"gzip", 1, gzip.compress(b"x", mtime=0)[:-1]),
        (b"gzip", 1, gzip.compress(b"x", mtime=0) + b"more"),
    ],
)
def test_a_message_that_cannot_be_inflated_is_refused(encoding: bytes | None, flag: int, packed: bytes) -> None:
    with pytest.raises(RpcError) as refused:
        list(Messages(LIMIT, encoding).feed(bytes([flag]) + frame(packed)[1:]))
    assert status_of(refused) is Status.INTERNAL


def test_an_encoding_that_is_not_known_is_unimplemented() -> None:
    with pytest.raises(RpcError) as refused:
        Messages(LIMIT, b"br")
    assert status_of(refused) is Status.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(b"1H", 3600), (b"2M", 120), (b"3S", 3), (b"200m", 0.2), (b"99999999u", 99.999999), (b"5n", 5e-9), (b"0m", 0)],
)
def test_deadlines_are_read_in_every_unit(written: bytes, seconds: float) -> None:
    assert seconds_of(written) == pytest.approx(seconds)


@pytest.mark.parametrize("written", [b"", b"m", b"1", b"1s", b"-1m", b"1.5m", b"123456789m", "1²m".encode(), b" 1m"])
def test_a_deadline_that_is_malformed_is_refused(written: bytes) -> None:
    with pytest.raises(RpcError) as refused:
        seconds_of(written)
    assert status_of(refused) is Status.INVALID_ARGUMENT


@given(text=st.text())
def test_a_text_survives_its_header(text: str) -> None:
    encoded = percent_encoded(text.encode("utf-8", "replace").decode())
    assert all(0x20 <= byte < 0x7F for byte in encoded)
    assert unquote(encoded.decode()) == text.encode("utf-8", "replace").decode()
