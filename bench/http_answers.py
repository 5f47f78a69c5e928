"""HTTP/1.1 answers, read as they come. No I/O in here; as much of HTTP as Envoy's answers to a GET need."""

from __future__ import annotations

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
CHUNKED = b"\r\ntransfer-encoding:"
MAX_HEAD_BYTES = 65_536


class AnswerError(Exception):
    """Bytes that are no answer, or one of a kind that a measurement should not meet."""


class AnswerReader:
    """Reads one answer after another from the same connection, each to a request that was sent alone."""

    __slots__ = ("_body_left", "_chunks", "_head", "_status")

    def __init__(self) -> None:
        self._head = b""
        self._status = 0
        self._body_left: int | None = -1  # bytes; -1 while the head is not whole, None where it comes in chunks
        self._chunks = _Chunks()

    def feed(self, data: bytes) -> int | None:
        """Take what came; return the status once the answer is whole, None before."""
        if self._body_left is not None and self._body_left < 0:
            data = self._head + data if self._head else data
            end = data.find(END_OF_HEAD)
            if end < 0:
                if len(data) > MAX_HEAD_BYTES:
                    raise AnswerError("a head without an end")
                self._head = data
                return None
            self._head = b""
            self._status, self._body_left = read_head(data[: end + 2])
            data = data[end + len(END_OF_HEAD) :]
        if self._body_left is None:
            if not self._chunks.feed(data):
                return None
            self._body_left = -1
            return self._status
        self._body_left -= len(data)
        if self._body_left > 0:
            return None
        if self._body_left < 0:
            raise AnswerError("more bytes than the answer has")
        self._body_left = -1
        return self._status


class _Chunks:
    """Reads bodies in chunks (RFC 9112 section 7.1), one after another, as far as where they end."""

    __slots__ = ("_chunk_left", "_line")

    def __init__(self) -> None:
        self._line = b""  # the beginning of one that says a length
        self._chunk_left = 0  # bytes, with the line break behind them

    def feed(self, data: bytes) -> bool:
        """Take what came; whether the body has ended."""
        while data:
            skipped = min(self._chunk_left, len(data))
            self._chunk_left -= skipped
            line, end, rest = (self._line + data[skipped:]).partition(b"\r\n")
            self._line = b""
            if not end:
                self._line = line
            elif line.strip(b"0") or not line:
                self._chunk_left = _length(line) + len(end)
            elif rest == b"\r\n":
                return True
            elif len(rest) < len(b"\r\n"):
                self._line = line + end + rest
                return False
            else:
                raise AnswerError("trailers, or more bytes than the answer has")
            data = rest
        return False


def _length(line: bytes) -> int:
    """How many bytes a chunk has."""
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise AnswerError("a chunk without a length") from None


def read_head(head: bytes) -> tuple[int, int | None]:
    """Return status and length of the body in bytes, None where it comes in chunks.

    `head` ends with the line break of its last line.
    """
    if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
        raise AnswerError("not an HTTP/1.1 answer")
    head = head.lower()
    if CHUNKED in head:
        return int(head[9:12]), None
    at = head.find(LENGTH)
    if at < 0:
        return int(head[9:12]), 0
    start = at + len(LENGTH)
    return int(head[9:12]), int(head[start : head.index(b"\r\n", start)])
