"""gRPC on HTTP/2 without I/O: messages in their frames, deadlines, and the texts of statuses.

The wire format is https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from urllib.parse import quote

from service_kit.rpc import RpcError, Status

PREFIX_BYTES = 5  # of a message: 1 flag, 4 length
ENCODINGS = b"identity,deflate,gzip"  # what a client may send
MAX_TIMEOUT_DIGITS = 8

_UNITS = {72: 3600.0, 77: 60.0, 83: 1.0, 109: 1e-3, 117: 1e-6, 110: 1e-9}  # H M S m u n
_WINDOWS = {b"gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
# Readable ASCII but the percent sign goes as it is (Percent-Byte-Unencoded).
_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class Messages:
    """Takes the bytes of a body as they come, and gives the messages in them. Holds at most one message and a chunk."""

    def __init__(self, max_bytes: int, encoding: bytes | None = None) -> None:
        """`encoding` is the header `grpc-encoding`; `max_bytes` bounds one message, before and after it is inflated."""
        self._max = max_bytes
        self._window: int | None = None
        if encoding is not None and encoding != b"identity":
            self._window = _WINDOWS.get(encoding)
            if self._window is None:
                raise RpcError(Status.UNIMPLEMENTED, "the encoding of the messages is not supported")
        self._held = bytearray()

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their message."""
        return len(self._held)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield every message that is whole with `data`; raises `RpcError` at the first that cannot be taken."""
        self._held += data
        held, start = self._held, 0
        try:
            while len(held) - start >= PREFIX_BYTES:
                flag, size = held[start], int.from_bytes(held[start + 1 : start + PREFIX_BYTES], "big")
                if size > self._max:
                    raise RpcError(Status.RESOURCE_EXHAUSTED, f"a message is larger than {self._max} bytes")
                end = start + PREFIX_BYTES + size
                if len(held) < end:
                    return
                message, start = bytes(held[start + PREFIX_BYTES : end]), end
                yield self._plain(flag, message)
        finally:
            del held[:start]

    def end(self) -> None:
        """Say that the body has ended; raises `RpcError` where it ends within a message."""
        if self._held:
            raise RpcError(Status.INVALID_ARGUMENT, "the body ends within a message")

    def one(self, body: bytes) -> bytes | None:
        """Return the message of a body that is one uncompressed message and no more, which nearly all are."""
        if len(body) >= PREFIX_BYTES and not body[0]:
            size = int.from_bytes(body[1:PREFIX_BYTES], "big")
            if size == len(body) - PREFIX_BYTES and size <= self._max:
                return body[PREFIX_BYTES:]
        return None

    def _plain(self, flag: int, message: bytes) -> bytes:
        if flag == 0:
            return message
        if flag != 1 or self._window is None:
            raise RpcError(Status.INTERNAL, "a message has a flag that its headers do not explain")
        inflater = zlib.decompressobj(self._window)
        try:
            plain = inflater.decompress(message, self._max + 1)
        except zlib.error as error:
            raise RpcError(Status.INTERNAL, "a message cannot be inflated") from error
        if len(plain) > self._max:
            raise RpcError(Status.RESOURCE_EXHAUSTED, f"a message is larger than {self._max} bytes")
        if not inflater.eof or inflater.unused_data:
            raise RpcError(Status.INTERNAL, "a message cannot be inflated")
        return plain


def frame(message: bytes) -> bytes:
    """A message in its frame, uncompressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def seconds_of(timeout: bytes) -> float:
    """Read the header `grpc-timeout`: up to eight digits and a unit. Raises `RpcError` for anything else."""
    digits = timeout[:-1]
    unit = _UNITS.get(timeout[-1]) if timeout else None
    if unit is None or not digits.isdigit() or len(digits) > MAX_TIMEOUT_DIGITS:
        raise RpcError(Status.INVALID_ARGUMENT, "grpc-timeout is malformed")
    return int(digits) * unit


def percent_encoded(text: str) -> bytes:
    """A text as the header `grpc-message` carries it."""
    return quote(text, safe=_PLAIN).encode("ascii")
