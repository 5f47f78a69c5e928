"""Bodies through the real Envoy to a real HTTP/2 upstream and back, with all detectors: frames may be cut anywhere."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import h2.errors
import httpx
import pytest

from authz_service.dlp.actions import Direction
from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.detectors import EVERY
from authz_service.dlp.terms import open_terms
from authz_service.dlp.views.opening import open_view
from authz_service.exchange.bodies import ScannedBodies, ScannedExchange
from authz_service.exchange.body import Terms
from authz_service.exchange.events import Change, Fields
from authz_service.exchange.inspection import Redactor, Subject
from authz_service.model import Location
from authz_service.policy.target import parse_target
from authz_service.settings.dlp import DlpSettings
from tests.e2e.bodies_stack import LIMIT, PATIENCE, Rig, running
from tests.e2e.frame_clients import Request, send
from tests.e2e.http2_upstream import Http2Upstream, Stream

pytestmark = pytest.mark.e2e

LOOKING = ("shipped", "duplex", "streamed", "buffered")  # the listeners that look at both bodies
LIVE = ("shipped", "duplex", "streamed")  # those whose responses come as they are sent
SSN = b"219-09-9998"
GONE = b"[REDACTED:us_ssn]"
KEY = b"AK" + b"IA" + b"Q3EGRIJ5TRZ2VWXA"
WIDE = "\uff12\uff11\uff19".encode()  # 219 in full-width digits
DLP = open_terms(DlpSettings())
EXAMPLES = [each.example for each in EVERY if each.example is not None]
JSON = "application/json"
SSE = "text/event-stream"
BODIES = {
    "a plain value": b'{"note": "my ssn is %s", "key": "%s"}' % (SSN, KEY),
    "UTF-8 around and within": '{"né": "été £219-09-9998€ ✓", "ssn": "%s-09-9998"}'.encode() % WIDE,
    "escapes of JSON": rb'{"a": "\u00e9 219\u002d09\u002d9998 \ud83d\ude00", "b": "\\\u0032\u0031\u0039-09-9998\n"}',
    "base64": b'{"blob": "%s"}' % base64.b64encode(b"a note that says that my ssn is 219-09-9998 and no more"),
}


class Watched(ScannedBodies):
    """The service's own inspection, which tells also in which parts a body came to it."""

    def __init__(self) -> None:
        super().__init__(DLP, "block")
        self.parts: dict[tuple[str, Direction], list[int]] = {}

    def inspect(self, subject: Subject) -> ScannedExchange:
        return _WatchedExchange(self, super().inspect(subject))  # type: ignore[return-value]  # it has all of its methods


@dataclass
class _WatchedExchange:
    watched: Watched
    inner: ScannedExchange

    def open(self, direction: Direction, fields: Fields, request: Fields) -> Redactor:
        path = dict(request).get(":path", "")
        return _WatchedRedactor(
            self.inner.open(direction, fields, request), self.watched.parts.setdefault((path, direction), [])
        )

    def change(self, direction: Direction, fields: Fields, request: Fields, *, trailers: bool) -> Change:
        return self.inner.change(direction, fields, request, trailers=trailers)

    def findings(self, direction: Direction) -> Sequence[object]:
        return self.inner.findings(direction)

    def cut_off(self, direction: Direction) -> None:
        self.inner.cut_off(direction)


@dataclass
class _WatchedRedactor:
    inner: Redactor
    parts: list[int] = field(default_factory=list)

    def feed(self, data: bytes) -> bytes:
        self.parts.append(len(data))
        return self.inner.feed(data)

    def finish(self) -> bytes:
        return self.inner.finish()


@dataclass
class Stack:
    rig: Rig
    upstream: Http2Upstream
    watched: Watched

    def port(self, listener: str) -> int:
        return self.rig.ports[listener]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    upstream, watched = Http2Upstream(), Watched()
    folder = tmp_path_factory.mktemp("http2 bodies")
    with running(folder, Terms(limit_bytes=LIMIT), upstream=upstream, bodies=watched) as rig:
        yield Stack(rig, upstream, watched)


def whole(body: bytes, content_type: str, direction: Direction) -> bytes:
    """What becomes of a body that comes in one part."""
    exchange = DLP.treatments.exchange("POST", "api.example", parse_target("/"), None)
    redactor = BodyRedactor(open_view(content_type), DLP.scanner, exchange.at(direction, Location.BODY))
    return redactor.feed(body) + redactor.finish()


def bytewise(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def cut(body: bytes, dice: random.Random) -> list[bytes]:
    """Cut it anywhere. No part is empty: Envoy takes two empty frames in a row for an attack."""
    ends = sorted(dice.sample(range(1, len(body)), k=min(len(body) - 1, dice.choice([0, 1, 2, 5, 30, 100]))))
    return [body[start:end] for start, end in zip([0, *ends], [*ends, len(body)], strict=True)]


@pytest.mark.parametrize("listener", LOOKING)
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
class TestEveryMode:
    @pytest.mark.parametrize("name", BODIES)
    def test_a_body_cut_byte_by_byte_is_redacted_both_ways(
        self, stack: Stack, listener: str, name: str, *, http2: bool
    ) -> None:
        body = BODIES[name]
        path = stack.upstream.answering(bytewise(body), {"content-type": JSON}, pause=0.005)
        arrived = send(stack.port(listener), Request(path, bytewise(body), [("content-type", JSON)]), http2=http2)
        assert (arrived.status, arrived.is_whole) == (200, True)
        assert arrived.body == whole(body, JSON, Direction.RESPONSE)
        assert stack.upstream.seen[path].body == whole(body, JSON, Direction.REQUEST)
        assert b"9998" not in arrived.body + stack.upstream.seen[path].body
        json.loads(arrived.body)
        if listener in LIVE:
            parts = stack.watched.parts[path, Direction.RESPONSE]
            # In STREAMED Envoy puts together what comes while it waits for an answer.
            least = 5 if listener == "streamed" else len(body) // 2
            assert len(parts) > least, "frames did not come as they were cut"

    def test_gzip_is_redacted_in_frames_of_one_byte(self, stack: Stack, listener: str, *, http2: bool) -> None:
        body = BODIES["a plain value"]
        frames = bytewise(gzip.compress(body))
        named = {"content-type": JSON, "content-encoding": "gzip"}
        path = stack.upstream.answering(frames, named)
        arrived = send(stack.port(listener), Request(path, frames, list(named.items())), http2=http2)
        assert arrived.is_whole
        assert gzip.decompress(arrived.body) == whole(body, JSON, Direction.RESPONSE)
        assert gzip.decompress(stack.upstream.seen[path].body) == whole(body, JSON, Direction.REQUEST)

    def test_gzip_that_ends_within_is_never_a_whole_answer(self, stack: Stack, listener: str, *, http2: bool) -> None:
        path = stack.upstream.answering(
            bytewise(gzip.compress(BODIES["a plain value"])[:-6]), {"content-encoding": "gzip"}
        )
        arrived = send(stack.port(listener), Request(path), http2=http2)
        assert arrived.status >= 500 or not arrived.is_whole

    def test_empty_bodies_pass(self, stack: Stack, listener: str, *, http2: bool) -> None:
        async def headers_alone(stream: Stream) -> None:
            await stream.head(200, end=True)

        async def empty_frame(stream: Stream) -> None:
            await stream.head(200)
            await stream.end()

        async def empty_and_announced(stream: Stream) -> None:
            await stream.head(200, {"content-length": "0"})
            await stream.end()

        async def nothing(stream: Stream) -> None:
            await stream.head(204, end=True)

        for play in (headers_alone, empty_frame, empty_and_announced, nothing):
            for parts in (None, [b""], ()):
                path = stack.upstream.playing(play)
                arrived = send(stack.port(listener), Request(path, parts), http2=http2)
                assert (arrived.status // 100, arrived.is_whole, arrived.body) == (2, True, b""), play.__name__
                assert stack.upstream.seen[path].body == b""

    def test_a_reset_in_the_middle_is_an_abort_and_what_was_held_back_does_not_arrive(
        self, stack: Stack, listener: str, *, http2: bool
    ) -> None:
        for code in (h2.errors.ErrorCodes.NO_ERROR, h2.errors.ErrorCodes.CANCEL, h2.errors.ErrorCodes.INTERNAL_ERROR):

            async def broken(stream: Stream, code: h2.errors.ErrorCodes = code) -> None:
                await stream.head(200, {"content-type": SSE})
                await stream.data(b"data: one\n\n", b"data: 219-09")
                await asyncio.sleep(0.1)
                await stream.reset(code)

            path = stack.upstream.playing(broken)
            arrived = send(stack.port(listener), Request(path), http2=http2)
            assert arrived.status >= 500 or not arrived.is_whole
            assert b"219" not in arrived.body

    def test_a_connection_that_ends_in_the_middle_is_an_abort(
        self, stack: Stack, listener: str, *, http2: bool
    ) -> None:
        async def gone(stream: Stream) -> None:
            await stream.head(200, {"content-type": "text/plain", "content-length": "60"})
            await stream.data(b"my ssn is 219-09")
            await asyncio.sleep(0.1)
            await stream.go_away()
            stream.hang_up()

        arrived = send(stack.port(listener), Request(stack.upstream.playing(gone)), http2=http2)
        assert arrived.status >= 500 or not arrived.is_whole
        assert b"219" not in arrived.body

    def test_a_stream_goes_on_to_its_end_behind_a_goaway(self, stack: Stack, listener: str, *, http2: bool) -> None:
        async def last(stream: Stream) -> None:
            await stream.head(200, {"content-type": "text/plain"})
            await stream.data(b"my ssn is 219-")
            await stream.go_away()
            await stream.data(b"09-", b"9998", b" indeed", end=True)

        arrived = send(stack.port(listener), Request(stack.upstream.playing(last)), http2=http2)
        assert (arrived.status, arrived.is_whole) == (200, True)
        assert arrived.body == b"my ssn is " + GONE + b" indeed"
        path = stack.upstream.answering([b"another connection"])
        assert send(stack.port(listener), Request(path), http2=http2).body == b"another connection"

    def test_a_stream_that_a_goaway_leaves_out_is_an_error(self, stack: Stack, listener: str, *, http2: bool) -> None:
        async def refused(stream: Stream) -> None:
            await stream.head(200, {"content-type": "text/plain"})
            await stream.data(b"my ssn is 219-")
            await stream.go_away(last=0)

        arrived = send(stack.port(listener), Request(stack.upstream.playing(refused)), http2=http2)
        assert arrived.status >= 500 or not arrived.is_whole
        assert b"219" not in arrived.body

    def test_a_request_that_is_broken_off_never_ends_at_the_upstream(
        self, stack: Stack, listener: str, *, http2: bool
    ) -> None:
        path = stack.rig.path()
        before = len(stack.rig.audit.events)
        begins = listener in {"duplex", "streamed"}

        def begun() -> None:
            stack.rig.until(lambda: (path, Direction.REQUEST) in stack.watched.parts)
            if begins:
                stack.rig.until(lambda: path in stack.upstream.begun)

        # Duplex: Envoy lets the headers go with the first part of the body that comes back.
        parts = [b"so " * 3000, b"my ssn is 219-09"]
        send(stack.port(listener), Request(path, parts, until=begun), http2=http2)
        stack.rig.until(lambda: any(each["code"] == "cut_off" for each in stack.rig.audit.events[before:]))
        if begins:
            stack.rig.until(lambda: path in stack.upstream.broken)
        assert (path in stack.upstream.begun) == begins
        assert path not in stack.upstream.seen


@pytest.mark.parametrize("listener", ["shipped", "duplex", "buffered"])
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
class TestTrailers:
    def test_trailers_of_both_sides_are_looked_at_and_arrive(self, stack: Stack, listener: str, *, http2: bool) -> None:
        async def play(stream: Stream) -> None:
            await stream.head(200, {"content-type": "text/plain"})
            await stream.data(*bytewise(b"my ssn is " + SSN))
            await stream.trailers({"x-note": SSN.decode(), "x-sum": "7"})

        path = stack.upstream.playing(play)
        request = Request(
            path, bytewise(b"my ssn is " + SSN), [("content-type", "text/plain")], [("x-note", SSN.decode())]
        )
        arrived = send(stack.port(listener), request, http2=http2)
        assert (arrived.status, arrived.is_whole, arrived.body) == (200, True, b"my ssn is " + GONE)
        assert arrived.trailers == {"x-note": GONE.decode(), "x-sum": "7"}
        seen = stack.upstream.seen[path]
        assert (seen.body, seen.trailers) == (b"my ssn is " + GONE, {"x-note": GONE.decode()})

    def test_trailers_without_a_body_arrive(self, stack: Stack, listener: str, *, http2: bool) -> None:
        async def play(stream: Stream) -> None:
            await stream.head(200)
            await stream.trailers({"x-note": SSN.decode()})

        path = stack.upstream.playing(play)
        arrived = send(stack.port(listener), Request(path, (), trailers=[("x-note", SSN.decode())]), http2=http2)
        assert (arrived.status, arrived.is_whole, arrived.body) == (200, True, b"")
        assert arrived.trailers == {"x-note": GONE.decode()}
        assert stack.upstream.seen[path].trailers == {"x-note": GONE.decode()}


@pytest.mark.parametrize("listener", LIVE)
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("frame_bytes", [1, 1000])
def test_no_event_and_no_heartbeat_waits_for_the_next(
    stack: Stack, listener: str, coding: str, frame_bytes: int, *, http2: bool
) -> None:
    go_on = asyncio.Event()
    sent = [
        b"data: one\n\n",
        b": heartbeat\n\n",
        b"id: 2\ndata: my ssn is " + SSN + b"\n\n",
        b":\n\n",
        b"data: " + KEY + b"\n\n",
    ]
    packer = zlib.compressobj(wbits=31)

    def packed(text: bytes) -> bytes:
        return packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH) if coding else text

    async def events(stream: Stream) -> None:
        await stream.head(200, {"content-type": SSE} | ({"content-encoding": coding} if coding else {}))
        for text in map(packed, sent):
            await stream.data(*(text[at : at + frame_bytes] for at in range(0, len(text), frame_bytes)))
            await go_on.wait()
            go_on.clear()
        await stream.data(packer.flush() if coding else b"", end=True)

    url = stack.rig.url(listener, stack.upstream.playing(events))
    with stack.rig.client(http2=http2) as client, client.stream("GET", url) as answer:
        parts = answer.iter_bytes()
        for text in sent:
            expected = whole(text, SSE, Direction.RESPONSE)
            got = b""
            while len(got) < len(expected):
                got += next(parts)
            assert got == expected
            stack.rig.loop.call_soon_threadsafe(go_on.set)
        assert b"".join(parts) == b""


@pytest.mark.parametrize("listener", LIVE)
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_reset_behind_an_event_that_has_arrived_is_no_clean_end(stack: Stack, listener: str, *, http2: bool) -> None:
    go_on = asyncio.Event()

    async def broken(stream: Stream) -> None:
        await stream.head(200, {"content-type": SSE})
        await stream.data(b"data: one\n\n", b"data: 219-09")
        await go_on.wait()
        await stream.reset(h2.errors.ErrorCodes.NO_ERROR)

    got = b""
    with stack.rig.client(http2=http2) as client:
        answer_of = client.stream("GET", stack.rig.url(listener, stack.upstream.playing(broken)))
        with pytest.raises(httpx.RemoteProtocolError), answer_of as answer:  # noqa: PT012  (it is the reading that fails)
            for part in answer.iter_raw():
                got += part
                stack.rig.loop.call_soon_threadsafe(go_on.set)
    assert got == b"data: one\n\n"


def made_up(dice: random.Random) -> tuple[bytes, str]:
    """A body with several findings, and its type."""

    def text(*, lines: bool) -> str:
        words = [
            dice.choice(["note", "£5 für ✓", "ssn:", "key =", "\uff11\uff12", "\u200b", '"', "\\", "\t"])
            for _ in range(9)
        ]
        words += [dice.choice(EXAMPLES)().decode("latin-1") for _ in range(dice.randrange(1, 4))] + [SSN.decode()]
        dice.shuffle(words)
        joined = " ".join(["so", *words])  # no quote first, which would make it JSON with values in fixed places
        return joined if lines else joined.replace("\n", " ").replace("\r", " ")

    kind = dice.choice([JSON, SSE, "text/plain", "application/x-ndjson"])
    if kind == JSON:
        value = {f"k{at}": [text(lines=True), {"n": None}] for at in range(dice.randrange(1, 5))}
        return json.dumps(value, ensure_ascii=dice.random() < 0.5).encode(), kind
    if kind == "application/x-ndjson":
        return b"".join(json.dumps({"t": text(lines=True)}).encode() + b"\n" for _ in range(3)), kind
    if kind == SSE:
        return "".join(f"data: {text(lines=False)}\n\n: heartbeat\n\n" for _ in range(3)).encode(), kind
    return "\n".join(text(lines=True) for _ in range(4)).encode(), kind


@pytest.mark.parametrize("listener", LOOKING)
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_body_is_the_same_however_it_is_cut(stack: Stack, listener: str, *, http2: bool) -> None:
    dice = random.Random(f"{listener} {http2}")
    before = stack.upstream.connections
    with stack.rig.client(http2=http2) as client:
        for _ in range(40):
            body, kind = made_up(dice)
            coded = dice.random() < 0.3
            sent = gzip.compress(body) if coded else body
            named = {"content-type": kind} | ({"content-encoding": "gzip"} if coded else {})
            path = stack.upstream.answering(cut(sent, dice), named)
            answer = client.post(stack.rig.url(listener, path), content=iter(cut(sent, dice)), headers=named)
            assert answer.status_code == 200, (kind, answer.content)
            arrived = stack.upstream.seen[path].body
            assert answer.content == whole(body, kind, Direction.RESPONSE)
            assert (gzip.decompress(arrived) if coded else arrived) == whole(body, kind, Direction.REQUEST)
            assert SSN not in answer.content
            assert GONE in answer.content
    assert stack.upstream.connections <= before + 1


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_value_is_found_wherever_its_body_is_cut_in_two(stack: Stack, *, http2: bool) -> None:
    body = '{"ssn": "é219\\u002d09-9998"}'.encode()
    expected = whole(body, JSON, Direction.RESPONSE)
    assert b"9998" not in expected
    with stack.rig.client(http2=http2) as client:
        for at in range(1, len(body)):
            parts = [body[:at], body[at:]]
            path = stack.upstream.answering(parts, {"content-type": JSON})
            answer = client.post(
                stack.rig.url("duplex", path), content=iter(parts), headers={"content-type": JSON}, timeout=PATIENCE
            )
            assert answer.content == stack.upstream.seen[path].body == expected
