"""One direction of an exchange: its headers, its body in the mode in which that comes, its trailers.

- BUFFERED: the body comes in one part, and headers may change with it. It is the last part whatever `end` says, which
  is false where trailers follow.
- STREAMED: each part has exactly one answer, what is held back goes with the next. Trailers have no answer that could
  hold a part of the body: where they come while something is held back, the exchange is cut off, as its tail would be
  lost. An announced length tells the last part before they come, so that nothing is.
- FULL_DUPLEX: parts go when they can, any number for one that came. Headers of a short answer wait for its body: one
  that is refused can so have a status. Envoy keeps headers back until the first answer to a part: where all of that is
  held back, an empty one lets them go.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from audit_log.event import FindingNote
from authz_service.dlp.actions import Direction
from authz_service.exchange import fields as headers
from authz_service.exchange.body import Body, Terms
from authz_service.exchange.events import (
    Action,
    BodyCame,
    BodyGoes,
    Change,
    Fields,
    HeadersCame,
    HeadersGo,
    Mode,
    Pause,
    Record,
    TrailersCame,
    TrailersGo,
)
from authz_service.exchange.inspection import Inspection
from authz_service.exchange.mcp_headers import mirrored
from authz_service.exchange.refusals import RefusedError, UnexpectedError

CHUNK_BYTES = 64 * 1024  # that Envoy takes at once as a streamed part
HOLD_BYTES = 64 * 1024  # of an answer's announced length, up to which its headers wait for it
UNSCANNED = FindingNote("unscanned", "body", "", "report")


class Stage(enum.Enum):
    """What may come next."""

    HEADERS = enum.auto()
    BODY = enum.auto()
    TRAILERS = enum.auto()
    NOTHING = enum.auto()


class Passage:
    """One direction. Its methods raise `Blocked`, `CodingError` and `RefusedError`, after which nothing of it goes."""

    def __init__(self, direction: Direction, mode: Mode, inspection: Inspection, terms: Terms) -> None:
        self.fields: Fields = ()
        self.stage = Stage.HEADERS
        self._direction = direction
        self._mode = mode
        self._inspection = inspection
        self._terms = terms
        self._request: Fields = ()
        self._body: Body | None = None
        self._missing: int | None = None  # bytes of the announced length that have not come
        self._held: Change | None = None  # headers that wait
        self._waiting: list[bytes] = []  # parts that wait behind them
        self._has_begun = False  # of a body that streams: a part of it has been answered
        self._told = 0  # how many findings were written down

    @property
    def is_open(self) -> bool:
        """Whether a body that is looked at has begun, and is not whole."""
        return self.stage is Stage.BODY and self._body is not None

    @property
    def windows(self) -> int:
        """Bytes that the codings of its body hold."""
        return self._body.windows if self._body is not None else 0

    def drop(self) -> None:
        """Let go of the body: it is refused, or that of the other direction is."""
        self.cut_off()
        self._body = None

    def cut_off(self) -> None:
        """Hear that nothing of it passes any more."""
        if self._has_begun:
            self._inspection.cut_off(self._direction)

    def headers_came(self, event: HeadersCame, request: Fields, other: Mode) -> Iterator[Action]:
        """Take the headers. `request` are the request's; `other` is the mode of the other direction."""
        if self.stage is not Stage.HEADERS:
            raise UnexpectedError("headers after headers")
        self.fields, self._request = event.fields, request
        headers.refuse_other_protocols(self._direction, event.fields)
        change = self._inspection.change(self._direction, event.fields, request, trailers=False)
        if self._direction is Direction.REQUEST and other is not Mode.NONE:
            change += headers.ask_for_whole(event.fields)
        self.stage = Stage.NOTHING if event.end else Stage.TRAILERS if self._mode is Mode.NONE else Stage.BODY
        if self.stage is Stage.BODY:
            codings = headers.codings_to_undo(self._direction, event.fields)
            whole = self._mode is Mode.BUFFERED
            self._body = Body(
                self._inspection.open(self._direction, event.fields, request),
                codings,
                self._terms,
                limit_bytes=self._terms.limit_bytes if whole else self._terms.stream_limit_bytes,
            )
            self._missing = headers.length_of(event.fields)
            if not whole:
                change += headers.no_longer_true(event.fields)
            if self._may_wait():
                self._held = change
                return
        else:
            yield from self.told("passed")
        yield HeadersGo(self._direction, change)

    def body_came(self, event: BodyCame) -> Iterator[Action]:
        """Take a part of the body."""
        body = self._body
        if self.stage is not Stage.BODY:
            raise UnexpectedError("a body that was not to come")
        if self._missing is not None:
            self._missing -= len(event.data)
        if event.end or self._mode is Mode.BUFFERED:
            self.stage = Stage.NOTHING if event.end else Stage.TRAILERS
        if body is None:  # it was whole by its length
            if event.data:
                raise UnexpectedError("more of a body than was announced")
            yield BodyGoes(self._direction, b"")
        elif self._mode is Mode.BUFFERED:
            yield from self._whole(body, event.data)
        elif self._mode is Mode.FULL_DUPLEX:
            yield from self._parts(body, event.data, end=event.end)
        else:
            yield from self._one(body, event.data, is_last=event.end or self._missing == 0)

    def trailers_came(self, event: TrailersCame) -> Iterator[Action]:
        """Take the trailers, and let go what was held back before them."""
        if self.stage not in {Stage.BODY, Stage.TRAILERS}:
            raise UnexpectedError("trailers that were not to come")
        is_within = self.stage is Stage.BODY
        self.stage = Stage.NOTHING
        change = self._inspection.change(self._direction, event.fields, self._request, trailers=True)
        if self._mode is not Mode.NONE:
            change += headers.no_longer_true(event.fields)
        body = self._body
        if is_within and body is not None and self._mode is not Mode.BUFFERED:
            rest = b"".join(body.finish())
            if self._mode is Mode.STREAMED and rest:
                raise RefusedError("trailers_refused")
            yield from self.told("passed", body)
            yield from self._released()
            for start in range(0, len(rest), CHUNK_BYTES):
                yield BodyGoes(self._direction, rest[start : start + CHUNK_BYTES], streamed=True)
        else:
            yield from self.told("passed", body)
        self._body = None
        yield TrailersGo(self._direction, change)

    def told(self, code: str, body: Body | None = None, status: int = 0) -> Iterator[Record]:
        """Write down what was found, or that it was refused, if anything is to be told."""
        findings = [*self._inspection.findings(self._direction), *([UNSCANNED] if body and body.is_over else [])]
        findings = findings[self._told :]
        self._told += len(findings)
        if findings or code != "passed":
            yield Record(self._direction, code, status, findings)

    def _may_wait(self) -> bool:
        """Whether headers wait for the body: a short one that is not read while it comes."""
        return (
            self._direction is Direction.RESPONSE
            and self._mode is Mode.FULL_DUPLEX
            and self._missing is not None
            and self._missing <= HOLD_BYTES
            and not headers.is_live(self.fields)
        )

    def _whole(self, body: Body, data: bytes) -> Iterator[Action]:
        """Answer a body that came in one part."""
        before: list[bytes] = []
        after: list[bytes] = []

        def noted(slices: Iterator[bytes]) -> Iterator[bytes]:
            for each in slices:
                before.append(each)
                yield each

        for part in body.redacted(noted(body.decoded(data))):
            if part:
                after.append(part)
            else:
                yield Pause()
        after.append(body.redacted_end())
        old, new = b"".join(before), b"".join(after)
        self._body = None
        if old == new:
            yield from self.told("passed", body)
            yield BodyGoes(self._direction, None)
            return
        out = body.encoded(new)
        change = headers.no_longer_true(self.fields)
        if self._direction is Direction.REQUEST:
            change += Change(mirrored(self.fields, old, new))
        if headers.value_of(self.fields, "content-length"):
            change += Change([("content-length", str(len(out)))])
        yield from self.told("passed", body)
        yield BodyGoes(self._direction, out, change)

    def _one(self, body: Body, data: bytes, *, is_last: bool) -> Iterator[Action]:
        """Answer a part with exactly one."""
        out: list[bytes] = []
        for part in body.feed(data):
            if part:
                out.append(part)
            else:
                yield Pause()
        if is_last:
            out += body.finish()
            self._body = None
            yield from self.told("passed", body)
        self._has_begun = True
        yield BodyGoes(self._direction, b"".join(out))

    def _parts(self, body: Body, data: bytes, *, end: bool) -> Iterator[Action]:
        """Answer a part with any number of parts, the last of all marked."""
        out: list[bytes] = []
        size = 0
        for part in body.feed(data):
            if not part:
                yield Pause()
                continue
            if size + len(part) > CHUNK_BYTES:
                yield from self._goes(b"".join(out))
                out, size = [], 0
            out.append(part)  # slices are small, and each message costs its sender and its reader something
            size += len(part)
        if not end:
            yield from self._goes(b"".join(out))
            if not self._has_begun and not self._is_soon_whole():
                self._has_begun = True
                yield BodyGoes(self._direction, b"", streamed=True)
            return
        self._body = None
        rest = b"".join([*out, *body.finish()])
        yield from self.told("passed", body)
        yield from self._released()
        starts = range(0, max(1, len(rest)), CHUNK_BYTES)
        for start in starts:
            part = rest[start : start + CHUNK_BYTES]
            yield BodyGoes(self._direction, part, streamed=True, end=start == starts[-1])

    def _goes(self, part: bytes) -> Iterator[Action]:
        if self._held is not None:
            if self._missing is None or self._missing >= 0:
                self._waiting.append(part)
                return
            yield from self._released()  # more has come than was announced, and there may be no end of it
        for start in range(0, len(part), CHUNK_BYTES):
            self._has_begun = True
            yield BodyGoes(self._direction, part[start : start + CHUNK_BYTES], streamed=True)

    def _is_soon_whole(self) -> bool:
        """Whether nobody can be waiting for a part before the whole: one that is refused need not begin then."""
        if self._direction is Direction.RESPONSE:
            return self._held is not None
        return self._missing is not None and 0 <= self._missing <= HOLD_BYTES

    def _released(self) -> Iterator[Action]:
        """Let headers go that waited, and what waited behind them."""
        if self._held is None:
            return
        yield HeadersGo(self._direction, self._held)
        self._held = None
        waiting, self._waiting = self._waiting, []
        yield from self._goes(b"".join(waiting))
