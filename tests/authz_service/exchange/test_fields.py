"""Header fields around bodies that may change."""

from __future__ import annotations

import pytest

from authz_service.dlp.actions import Direction
from authz_service.dlp.codings import CodingError
from authz_service.exchange import fields
from authz_service.exchange.events import Change
from authz_service.exchange.refusals import RefusedError

REQUEST, RESPONSE = Direction.REQUEST, Direction.RESPONSE


@pytest.mark.parametrize(
    ("text", "length"), [("0", 0), ("17", 17), ("", None), ("-1", None), ("1,1", None), ("٣", None), ("9" * 16, None)]
)
def test_a_length_is_a_number_of_bounded_size(text: str, length: int | None) -> None:
    assert fields.length_of([("content-length", text)]) == length


def test_values_of_one_name_are_a_list() -> None:
    assert fields.value_of([("a", "1"), ("b", "2"), ("a", "3")], "a") == "1,3"
    assert fields.codings_to_undo(REQUEST, [("content-encoding", "gzip"), ("content-encoding", "br")]) == ("gzip", "br")


@pytest.mark.parametrize("kind", ["text/event-stream; charset=utf-8", "application/x-ndjson", "application/grpc+proto"])
def test_what_is_read_while_it_comes_is_live(kind: str) -> None:
    assert fields.is_live([("content-type", kind)])
    assert not fields.is_live([("content-type", "application/json")])


@pytest.mark.parametrize(
    ("direction", "field"),
    [
        (REQUEST, ("upgrade", "WebSocket")),
        (REQUEST, ("upgrade", "h2c, websocket")),
        (REQUEST, (":method", "CONNECT")),
        (RESPONSE, (":status", "101")),
    ],
)
def test_other_protocols_are_refused(direction: Direction, field: tuple[str, str]) -> None:
    with pytest.raises(RefusedError, match="upgrade_refused"):
        fields.refuse_other_protocols(direction, [field])


def test_http_itself_is_not() -> None:
    fields.refuse_other_protocols(REQUEST, [(":method", "GET"), ("upgrade", "h2c"), ("upgrade-insecure-requests", "1")])
    fields.refuse_other_protocols(RESPONSE, [(":status", "200"), ("upgrade", "h2,h2c")])


@pytest.mark.parametrize(
    ("direction", "field"),
    [
        (REQUEST, ("content-range", "bytes 0-1/2")),
        (RESPONSE, (":status", "206")),
        (RESPONSE, ("content-type", "multipart/byteranges; boundary=x")),
    ],
)
def test_parts_of_bodies_are_refused(direction: Direction, field: tuple[str, str]) -> None:
    with pytest.raises(RefusedError, match="partial_content"):
        fields.codings_to_undo(direction, [field])


def test_an_answer_that_there_is_no_such_part_is_none() -> None:
    assert fields.codings_to_undo(RESPONSE, [(":status", "416"), ("content-range", "bytes */9")]) == ()


def test_a_coding_of_each_grpc_message_is_refused() -> None:
    with pytest.raises(RefusedError, match="unknown_coding"):
        fields.codings_to_undo(REQUEST, [("grpc-encoding", "gzip")])
    with pytest.raises(CodingError):
        fields.codings_to_undo(REQUEST, [("content-encoding", "lzma")])


@pytest.mark.parametrize(
    ("asked", "change"),
    [
        ("", Change((), [])),
        ("gzip, br;q=0.5", Change((), [])),
        ("gzip, *;q=0.1", Change([("accept-encoding", "gzip")], [])),
        ("dcb", Change([("accept-encoding", "identity")], [])),
    ],
)
def test_codings_that_we_do_not_know_are_not_asked_for(asked: str, change: Change) -> None:
    assert fields.ask_for_whole([("accept-encoding", asked)]) == change


def test_parts_are_not_asked_for() -> None:
    assert fields.ask_for_whole([("range", "bytes=0-1"), ("if-range", '"x"')]).remove == ("range", "if-range")


def test_digests_go_and_strong_tags_become_weak() -> None:
    every = [(name, "x") for name in ("content-digest", "repr-digest", "digest", "content-md5", "accept-ranges")]
    assert fields.no_longer_true(every) == Change((), [name for name, _ in every])
    assert fields.no_longer_true([("etag", '"a"')]).set == (("etag", 'W/"a"'),)
    assert fields.no_longer_true([("etag", 'W/"a"')]) == Change((), [])
