"""Content codings (RFC 9110 section 8.4): what a body's header names, undone and done again as the body streams.

Decoders are for hostile input. What comes out is bounded by what came in, over the whole body and for each stage of it;
it comes in slices, so that no step holds more than one of them beside the window of its format. A body that ends within
its coding, or goes on behind it, is an error: a reader that stops earlier or later than ours would read something else.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import brotli
import zstandard

from authz_service.dlp.windows import HEAD_BYTES, MAX_WINDOW, brotli_window, zstd_window

MAX_CODINGS = 2  # on top of each other
SLICE_BYTES = 64 * 1024  # of what is decoded, at a time
FREE_BYTES = 1024 * 1024  # that may come out of however little
MAX_RATIO = 100  # of what came out to what came in, beyond that
SUPPORTED = ("gzip", "deflate", "br", "zstd")

_ALIASES = {"x-gzip": "gzip"}  # RFC 9110 section 8.4.1.3
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
# zstd's decompressor has no bound of its own. A block gives 128 KiB at most and takes four bytes at least, so that this
# much of input gives 8 MiB.
_ZSTD_STEP = 256
_LEVEL = 4  # of zlib and brotli: what is encoded again was fast to make and is read once
_BROTLI_WINDOW = 18  # bits: 256 KiB for each body that streams


class CodingError(Exception):
    """A body's coding cannot be taken. `code` is stable; no text of it holds a part of the body."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Stage(Protocol):
    """One coding being undone."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def is_whole(self) -> bool: ...

    def window(self) -> int: ...


def codings_of(header: str) -> tuple[str, ...]:
    """Read `content-encoding`: the codings in the order in which they were applied, `identity` left out.

    Raises:
        CodingError: one of them is not known, or there are too many.
    """
    names = [part.strip().lower() for part in header.split(",")]
    codings = tuple(_ALIASES.get(name, name) for name in names if name not in {"", "identity"})
    if len(codings) > MAX_CODINGS:
        raise CodingError("too_many_codings")
    if not all(coding in SUPPORTED for coding in codings):
        raise CodingError("unknown_coding")
    return codings


class Decoder:
    """Undoes codings, the last applied first."""

    def __init__(self, codings: Sequence[str], *, ratio: int = MAX_RATIO, free_bytes: int = FREE_BYTES) -> None:
        self._stages = [_DECODERS[coding]() for coding in reversed(codings)]
        self._given = [0] * len(self._stages)
        self._came = 0
        self._ratio = ratio
        self._free_bytes = free_bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` decodes to, in slices of at most `SLICE_BYTES`.

        Raises:
            CodingError: it is malformed, or gives too much for what it is.
        """
        self._came += len(data)
        return self._through(0, data)

    def finish(self) -> None:
        """Say that the body has ended; raises `CodingError` where it ends within a coding. One of no bytes is whole."""
        if self._came and not all(stage.is_whole() for stage in self._stages):
            raise CodingError("coding_truncated")

    @property
    def held(self) -> int:
        """Bytes that the windows of its codings hold, at most; zlib's, of 32 KiB, do not count."""
        return sum(min(given, stage.window()) for given, stage in zip(self._given, self._stages, strict=True))

    def _through(self, number: int, data: bytes) -> Iterator[bytes]:
        if number == len(self._stages):
            for start in range(0, len(data), SLICE_BYTES):
                yield data[start : start + SLICE_BYTES]
            return
        for part in self._stages[number].feed(data):
            self._given[number] += len(part)
            if self._given[number] > self._free_bytes + self._ratio * self._came:
                raise CodingError("coding_expands")
            yield from self._through(number + 1, part)


class _Deflate:
    """zlib's formats. `deflate` names zlib (RFC 1950), but some send it raw (RFC 1951): its first two bytes tell."""

    def __init__(self, window: int | None = None) -> None:
        self._held = b""
        self._many = window == _GZIP
        self._inflater = None if window is None else zlib.decompressobj(window)

    def feed(self, data: bytes) -> Iterator[bytes]:
        data = self._held + data
        self._held = b""
        while data:
            if self._inflater is None:
                if len(data) == 1:
                    self._held = data
                    return
                self._inflater = zlib.decompressobj(_ZLIB if _begins_zlib(data) else _RAW)
            if self._inflater.eof:
                if not self._many:
                    raise CodingError("coding_goes_on")
                self._inflater = zlib.decompressobj(_GZIP)  # RFC 1952 section 2.2: members follow one another
            try:
                part = self._inflater.decompress(data, SLICE_BYTES)
                if part:
                    yield part
                data = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
                while not data and not self._inflater.eof and (part := self._inflater.decompress(b"", SLICE_BYTES)):
                    yield part  # it was taken, and held back for want of room
            except zlib.error as error:
                raise CodingError("coding_malformed") from error

    def is_whole(self) -> bool:
        return self._inflater is not None and self._inflater.eof

    def window(self) -> int:
        return 0


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self._window = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        if data and not self._window:
            self._window = brotli_window(data[0])
        if data and self._decompressor.is_finished():
            raise CodingError("coding_goes_on")
        try:
            part = self._decompressor.process(data, output_buffer_limit=SLICE_BYTES)
            while part or not self._decompressor.can_accept_more_data():
                yield part
                part = self._decompressor.process(b"", output_buffer_limit=SLICE_BYTES)
        except brotli.error as error:  # what follows the end is among it
            raise CodingError("coding_malformed") from error

    def is_whole(self) -> bool:
        return bool(self._decompressor.is_finished())

    def window(self) -> int:
        return self._window


class _Zstandard:
    """RFC 8878: frames that follow one another."""

    def __init__(self) -> None:
        self._frame = self._new()
        self._head = b""
        self._window = MAX_WINDOW

    @staticmethod
    def _new() -> zstandard.ZstdDecompressionObj:
        return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_STEP):
            step = data[start : start + _ZSTD_STEP]
            while step:
                if self._frame.eof:
                    self._frame, self._head = self._new(), b""
                if len(self._head) < HEAD_BYTES:
                    self._head += step[: HEAD_BYTES - len(self._head)]
                    self._window = zstd_window(self._head)
                try:
                    part = self._frame.decompress(step)
                except zstandard.ZstdError as error:
                    raise CodingError("coding_malformed") from error
                if part:
                    yield part
                step = self._frame.unused_data if self._frame.eof else b""

    def is_whole(self) -> bool:
        return bool(self._frame.eof)

    def window(self) -> int:
        return self._window


def _begins_zlib(data: bytes) -> bool:
    """Whether these are zlib's first two bytes: the method, and a check of both (RFC 1950 section 2.2)."""
    return data[0] & 0x0F == zlib.DEFLATED and data[0] >> 4 <= 7 and (data[0] << 8 | data[1]) % 31 == 0  # noqa: PLR2004


_DECODERS: dict[str, Callable[[], _Stage]] = {
    "gzip": lambda: _Deflate(_GZIP),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstandard,
}


class Encoder:
    """Does codings anew, in the order of their names. A body of no bytes stays one."""

    def __init__(self, codings: Sequence[str]) -> None:
        self._stages = [_ENCODERS[coding]() for coding in codings]
        self._began = False

    def feed(self, data: bytes, *, flush: bool = False) -> bytes:
        """Return what can go. `flush`: a reader can decode all of `data` with it, now."""
        if not data:
            return b""
        self._began = True
        for stage in self._stages:
            data = stage.feed(data, flush=flush)
        return data

    def finish(self) -> bytes:
        """Return the end of the codings."""
        data = b""
        for stage in self._stages if self._began else ():
            data = stage.feed(data, flush=False) + stage.finish()
        return data


class _Deflating:
    def __init__(self, window: int) -> None:
        self._deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, window)

    def feed(self, data: bytes, *, flush: bool) -> bytes:
        return self._deflater.compress(data) + (self._deflater.flush(zlib.Z_SYNC_FLUSH) if flush else b"")

    def finish(self) -> bytes:
        return self._deflater.flush()


class _Brotling:
    def __init__(self) -> None:
        self._compressor = brotli.Compressor(quality=_LEVEL, lgwin=_BROTLI_WINDOW)

    def feed(self, data: bytes, *, flush: bool) -> bytes:
        return bytes(self._compressor.process(data) + (self._compressor.flush() if flush else b""))

    def finish(self) -> bytes:
        return bytes(self._compressor.finish())


class _Zstandarding:
    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor().compressobj()

    def feed(self, data: bytes, *, flush: bool) -> bytes:
        data = self._compressor.compress(data)
        return data + self._compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) if flush else data

    def finish(self) -> bytes:
        return self._compressor.flush()


_ENCODERS: dict[str, Callable[[], _Deflating | _Brotling | _Zstandarding]] = {
    "gzip": lambda: _Deflating(_GZIP),
    "deflate": lambda: _Deflating(_ZLIB),
    "br": _Brotling,
    "zstd": _Zstandarding,
}
