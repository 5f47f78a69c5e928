"""Answers are read whole or byte by byte, and what is no answer is refused."""

from __future__ import annotations

import pytest

from bench.http_answers import MAX_HEAD_BYTES, AnswerError, AnswerReader

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CASES = [
    (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\n\r\nhello", 200),
    (b"HTTP/1.1 200 OK\r\nContent-Length:5\r\n\r\nhello", 200),
    (b"HTTP/1.1 429 Too Many Requests\r\nx-a: b\r\ncontent-length: 0\r\n\r\n", 429),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\r\n\r\n", 200),
    (
        CHUNKED + b"5\r\nhello\r\n00c;a=b\r\n0\r\n\r\n 0\r\n\r\n \r\n0\r\n\r\n",
        200,
    ),
    (b"HTTP/1.1 502 Bad Gateway\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 502),
]


@pytest.mark.parametrize(("answer", "status"), CASES)
def test_an_answer_that_comes_whole_is_read_at_once(answer: bytes, status: int) -> None:
    reader = AnswerReader()
    assert [reader.feed(answer), reader.feed(answer)] == [status, status]


@pytest.mark.parametrize(("answer", "status"), CASES)
def test_an_answer_that_comes_byte_by_byte_is_complete_with_its_last_byte(answer: bytes, status: int) -> None:
    reader = AnswerReader()
    for _ in range(2):
        assert [reader.feed(bytes([byte])) for byte in answer] == [None] * (len(answer) - 1) + [status]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab", "more bytes"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello world\r\n", "without a length"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nHTTP", "more bytes"),
        (b"HTTP/1.0 200 OK\r\n\r\n", "not an HTTP/1.1 answer"),
        (b"HTTP/1.1 abc\r\n\r\n", "not an HTTP/1.1 answer"),
        (b"x" * (MAX_HEAD_BYTES + 1), "without an end"),
    ],
)
def test_what_is_no_answer_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        AnswerReader().feed(data)
