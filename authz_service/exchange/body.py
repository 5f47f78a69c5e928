"""One body on its way: decoded, redacted, encoded again. Output comes in parts, with pauses between slices of input."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from authz_service.dlp.codings import FREE_BYTES, MAX_RATIO, Decoder, Encoder
from authz_service.exchange.inspection import Redactor
from authz_service.exchange.refusals import RefusedError

SLICE_BYTES = 4 * 1024  # that a redactor is given at a time, at most: what others wait for
_SMALLEST = 512  # bytes of a slice of text that takes long
_TURN = 0.001  # seconds of CPU time: a slice that takes longer is followed by smaller ones
_LEAST = 64  # bytes that a slice counts for at least
PAUSE = b""  # a part that is none
FREE_WINDOW = 64 * 1024  # bytes of a body's windows that do not count: a small body passes whatever long ones hold


class Over(enum.StrEnum):
    """What becomes of a body that is longer than its limit."""

    BLOCK = "block"
    REPORT = "report"  # the rest passes unscanned, with a finding


@dataclass(frozen=True, slots=True)
class Terms:
    """Bounds of bodies, in decoded bytes.

    `clock` tells CPU time in seconds, by which slices of text that takes long are made smaller; None: they are not.
    `limit_bytes` is for a body that comes whole, `stream_limit_bytes` for one that comes in parts, 0 being none: what
    is held of such a one is bounded whatever its length. `max_ratio` bounds what may come out of a coding, beyond the
    first `free_bytes`.
    """

    limit_bytes: int = 1024 * 1024
    stream_limit_bytes: int = 0
    over_limit: Over = Over.BLOCK
    max_ratio: int = MAX_RATIO
    free_bytes: int = FREE_BYTES
    clock: Callable[[], float] | None = None


class Body:
    """Takes the bytes of one body as they travel, and gives those that go on."""

    def __init__(self, redactor: Redactor, codings: Sequence[str], terms: Terms, *, limit_bytes: int) -> None:
        self.is_over = False  # longer than the limit, and its rest unscanned
        self._redactor = redactor
        self._decoder = Decoder(codings, ratio=terms.max_ratio, free_bytes=terms.free_bytes) if codings else None
        self._encoder = Encoder(codings) if codings else None
        self._over = terms.over_limit
        self._left = limit_bytes or None
        self._since = 0  # bytes since the last pause
        self._slice = SLICE_BYTES
        self._clock = terms.clock

    @property
    def windows(self) -> int:
        """Bytes that its codings hold for as long as it lasts, beyond those that do not count."""
        return max(0, self._decoder.held - FREE_WINDOW) if self._decoder else 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what can go now, encoded so that a reader can decode all of it; `PAUSE` after so much of it.

        Raises:
            Blocked: something was found with which nothing passes.
            CodingError: it cannot be decoded.
            RefusedError: it is too long.
        """
        for part in self.redacted(self.decoded(data)):
            yield self._encoder.feed(part, flush=True) if part and self._encoder else part

    def finish(self) -> Iterator[bytes]:
        """Yield what was held back; raises as `feed` does."""
        rest = self.redacted_end()
        if self._encoder is None:
            yield rest
        else:
            yield self._encoder.feed(rest) + self._encoder.finish()

    def encoded(self, text: bytes) -> bytes:
        """A whole text in the body's codings."""
        return self._encoder.feed(text) + self._encoder.finish() if self._encoder else text

    def decoded(self, data: bytes) -> Iterator[bytes]:
        """Slices of what `data` decodes to."""
        for part in self._decoder.feed(data) if self._decoder else (data,):
            start = 0
            while start < len(part):
                stop = start + self._slice
                yield part[start:stop]
                start = stop

    def redacted(self, slices: Iterator[bytes]) -> Iterator[bytes]:
        """What goes of these slices, and a pause after each that is full, or as much in several."""
        for data in slices:
            if self._left is not None and len(data) > self._left:
                yield self._exceeding(data)
            elif self.is_over:
                yield data
            else:
                if self._left is not None:
                    self._left -= len(data)
                out = self._looked_at(data)
                if out:
                    yield out
            self._since += max(len(data), _LEAST)
            if self._since >= self._slice:
                self._since = 0
                yield PAUSE

    def _looked_at(self, data: bytes) -> bytes:
        if self._clock is None or len(data) < _SMALLEST:  # to ask for the time costs as much as to look at a few bytes
            return self._redactor.feed(data)
        began = self._clock()
        out = self._redactor.feed(data)
        took = self._clock() - began
        if took > _TURN:
            self._slice = max(_SMALLEST, self._slice // 2)
        elif took < _TURN / 4:
            self._slice = min(SLICE_BYTES, self._slice * 2)
        return out

    def redacted_end(self) -> bytes:
        """The rest of it, not encoded."""
        if self._decoder:
            self._decoder.finish()
        return b"" if self.is_over else self._redactor.finish()

    def _exceeding(self, data: bytes) -> bytes:
        """Refuse a body at its limit, or look at it up to there and no further."""
        if self._over is Over.BLOCK:
            raise RefusedError("body_too_large")
        left, self._left = self._left, None
        self.is_over = True
        return self._redactor.feed(data[:left]) + self._redactor.finish() + data[left:]
