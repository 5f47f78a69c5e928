"""A hundred thousand broken coded bodies, and as many exchanges in every mode and order of events: `make fuzz`.

Whatever comes, a decoder ends with a text or with its own error, gives no more than it may, and takes no text otherwise
than the makers of the formats do. An exchange ends with its own answer or error, lets nothing go that was not looked
at, and what passes to its end is the redacted whole.
"""

from __future__ import annotations

import contextlib
import gzip
import random
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import brotli
import pytest
import zstandard

from authz_service.denials import Denials
from authz_service.dlp.actions import Direction
from authz_service.dlp.codings import SLICE_BYTES, SUPPORTED, CodingError, Decoder, Encoder, codings_of
from authz_service.exchange.body import Over, Terms
from authz_service.exchange.events import (
    Action,
    Answer,
    BodyCame,
    BodyGoes,
    Event,
    Fields,
    HeadersCame,
    HeadersGo,
    Mode,
    TrailersCame,
    TrailersGo,
)
from authz_service.exchange.inspection import Subject
from authz_service.exchange.machine import Exchange, Modes
from authz_service.exchange.passage import CHUNK_BYTES, HOLD_BYTES
from authz_service.exchange.refusals import UnexpectedError
from tests.authz_service.exchange.fixed_bodies import FORBIDDEN, SECRET, FixedInspection, redacted
from tests.authz_service.exchange.playing import OK, POST
from tests.fuzz.test_dlp_fuzz import TEXTS, made_up
from tests.fuzz.test_ratelimit_fuzz import fuzz, mutated

pytestmark = pytest.mark.long

MAX_PEAK_KIB = 64 * 1024  # beyond what is there already, while bombs of 32 MiB are tried
MAX_WAITING = 4 * HOLD_BYTES  # bytes that came and of which nothing has gone
MIB = 1024 * 1024
READERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
LENGTHS = [0, 1, 5, 100, 1_000, HOLD_BYTES, HOLD_BYTES + 1]
LIMITS = [0, 1, 20, 200, 5_000, MIB]
BODIES = [SECRET, SECRET, SECRET[:7], SECRET[7:], b"the-", b"S", b"some more text ", b"\n\n", b"z" * 5_000]
HEADERS: Sequence[tuple[str, str]] = (
    ("etag", '"v1"'), ("content-digest", "sha-256=:x:"), ("range", "bytes=0-1"), ("content-range", "bytes 0-1/9"),
    ("content-encoding", "compress"), ("content-encoding", "gzip, gzip, gzip"), ("content-type", "text/event-stream"),
    ("content-type", "application/grpc"), ("x-secret", SECRET.decode()), ("x-no", FORBIDDEN.decode()),
    ("upgrade", "websocket"), ("content-length", "9" * 30), ("content-length", "x"),
)  # fmt: skip


def encoded(codings: Sequence[str], texts: Sequence[bytes]) -> bytes:
    """Texts in codings, each flushed."""
    encoder = Encoder(codings)
    return b"".join([*(encoder.feed(text, flush=True) for text in texts), encoder.finish()])


def bomb(codings: Sequence[str]) -> bytes:
    """Zeros, 32 MiB of them, never held as a whole."""
    encoder = Encoder(codings)
    zeros = bytes(MIB)
    return b"".join([*(encoder.feed(zeros) for _ in range(32)), encoder.finish()])


def cut(seed: random.Random, data: bytes) -> list[bytes]:
    """The same in parts, some of which may be empty."""
    cuts = sorted(seed.choices(range(len(data) + 1), k=seed.choice([0, 1, 3, 30])))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def peak() -> int:
    """The most memory that was resident since the last time that this was asked, in KiB."""
    status = Path("/proc/self/status").read_text("utf-8")
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # proc(5): begins to measure anew
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])


@dataclass
class Decoded:
    """What came of a body: its text as far as it was given, and the code of the error that ended it, if one did."""

    text: bytes = b""
    code: str = ""


def decode(codings: Sequence[str], parts: Sequence[bytes], ratio: int, free_bytes: int) -> Decoded:
    """Decode a body in parts, and check at each step that no more comes out than may."""
    decoder = Decoder(codings, ratio=ratio, free_bytes=free_bytes)
    out: list[bytes] = []
    came = given = 0
    code = ""
    try:
        for part in parts:
            came += len(part)
            for each in decoder.feed(part):
                given += len(each)
                assert len(each) <= SLICE_BYTES
                assert given <= free_bytes + ratio * came
                out.append(each)
        decoder.finish()
    except CodingError as error:
        code = error.code
    return Decoded(b"".join(out), code)


@pytest.mark.parametrize("last", SUPPORTED)
def test_no_coded_body_breaks_a_decoder(last: str) -> None:
    stacks = [(last,), *((first, last) for first in SUPPORTED)]
    bombs = [bomb(codings) for codings in stacks]

    def one(seed: random.Random) -> str:
        codings = stacks[0] if seed.random() < 0.6 else seed.choice(stacks)
        ratio, free_bytes = seed.choice([(100, MIB), (100, MIB), (3, 50)])
        kind = seed.random()
        if kind < 0.1:
            data = seed.randbytes(seed.choice([1, 5, 30, 300]))
        elif kind < 0.11:
            data = bombs[stacks.index(codings)]
        else:
            data = encoded(codings, [made_up(seed) for _ in range(seed.choice([1, 1, 2]))])
            if seed.random() < 0.2:
                data += encoded(codings, [seed.choice(TEXTS)])
        if seed.random() < 0.5:
            data = mutated(seed, data)
        parts = cut(seed, data)
        found = decode(codings, parts, ratio, free_bytes)
        whole = decode(codings, [data], ratio, free_bytes)
        if found.code == "coding_expands" or whole.code == "coding_expands":
            return "expands"  # by what had come then, which cutting changes
        assert bool(found.code) == bool(whole.code), (codings, parts, found.code, whole.code)
        if found.code:
            return found.code
        assert found.text == whole.text, (codings, parts)
        return "read" if agrees(codings, data, found.text) else "read here alone"

    peak()
    before = peak()
    fuzz(f"bodies in {last}", one)
    assert peak() - before < MAX_PEAK_KIB


def agrees(codings: Sequence[str], data: bytes, text: bytes) -> bool:
    """Whether the maker of a format reads a body too; what both read must be the same."""
    if len(codings) > 1 or not data:
        return True
    try:
        theirs = READERS[codings[0]](data)
    except (OSError, EOFError, zlib.error, brotli.error, zstandard.ZstdError):
        return False  # raw deflate
    assert text.startswith(theirs) if codings[0] == "zstd" else text == theirs, data  # theirs reads one frame
    return True


@dataclass
class Side:
    """One direction: what came of it, what went, and what it is to become."""

    mode: Mode
    codings: Sequence[str] = ()
    came: list[bytes] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    kinds: list[type[Action]] = field(default_factory=list)
    announced: int | None = None
    is_whole: bool = False


def text_of(codings: Sequence[str], parts: Sequence[bytes]) -> tuple[bytes, bool]:
    """As much of a text as can be read, which may depend on the parts where that is not all, and whether it is."""
    found = decode(codings, parts, 10_000, 64 * MIB)
    return found.text, not found.code


def expected(text: bytes, limit: int) -> bytes:
    """What a whole text becomes: it is looked at as far as its limit, if it has one."""
    return redacted(text[:limit]) + text[limit:] if limit else redacted(text)


def body_of(seed: random.Random) -> bytes:
    """A text that holds what goes, what begins like it, and seldom what blocks."""
    parts = seed.choices(BODIES, k=seed.choice([0, 1, 3, 8, 20]))
    if seed.random() < 0.1:
        parts.insert(seed.randrange(len(parts) + 1), FORBIDDEN)
    return b"".join(parts) * seed.choice([1] * 15 + [30])


def direction_events(seed: random.Random, direction: Direction, mode: Mode) -> Iterator[Event]:
    """Events of one direction in their order, as Envoy would send them, with headers that seldom hold."""
    fields = list(POST if direction is Direction.REQUEST else OK)
    codings = seed.choices(SUPPORTED, k=seed.choice([0, 0, 0, 1, 1, 2]))
    data = encoded(codings, [body_of(seed)])
    if codings:
        fields.append(("content-encoding", ", ".join(codings)))
        if seed.random() < 0.2:
            data = mutated(seed, data)
    if seed.random() < 0.5:
        fields.append(("content-length", str(len(data) if seed.random() < 0.6 else seed.choice(LENGTHS))))
    if seed.random() < 0.2:
        fields.append(seed.choice(HEADERS))
    if seed.random() < 0.1:
        yield HeadersCame(direction, fields, end=True)
        return
    yield HeadersCame(direction, fields)
    has_trailers = seed.random() < 0.3
    if mode is not Mode.NONE:
        parts = [data] if mode is Mode.BUFFERED else cut(seed, data)
        for number, part in enumerate(parts, 1):
            yield BodyCame(direction, part, end=number == len(parts) and not has_trailers)
    if has_trailers or mode is Mode.NONE:
        yield TrailersCame(direction, [] if seed.random() < 0.8 else [seed.choice(HEADERS)])


def events_of(seed: random.Random, modes: Modes) -> list[Event]:
    """Events of both directions, one after the other or in between, some of them lost, doubled or out of place."""
    request = list(direction_events(seed, Direction.REQUEST, modes.request))
    response = list(direction_events(seed, Direction.RESPONSE, modes.response))
    if seed.random() < 0.5:
        events = request + response
    else:
        events = []
        while request or response:
            events.append((request if request and (not response or seed.random() < 0.5) else response).pop(0))
    for _ in range(seed.choice([0, 0, 0, 0, 1, 3])):
        at, to = seed.randrange(len(events)), seed.randrange(len(events) + 1)
        match seed.randrange(3):
            case 0 if len(events) > 1:
                del events[at]
            case 1:
                events.insert(to, events[at])
            case _:
                events.insert(to, events.pop(at))
    return events


def begin(side: Side, fields: Fields) -> None:
    """Note what the headers say of a body."""
    with contextlib.suppress(CodingError):
        side.codings = codings_of(",".join(value for name, value in fields if name == "content-encoding"))
    side.announced = next((int(value) for name, value in fields if name == "content-length" and value.isdigit()), None)


def check(side: Side, event: Event, actions: Sequence[Action]) -> None:
    """Check what is done on one event."""
    assert not any(isinstance(each, Answer) for each in actions[:-1]), "something is done behind an answer"
    goes = [each for each in actions if isinstance(each, HeadersGo | BodyGoes | TrailersGo)]
    assert all(each.direction is event.direction for each in goes)
    side.kinds += [type(each) for each in goes]
    assert side.kinds == sorted(side.kinds, key=[HeadersGo, BodyGoes, TrailersGo].index), "out of order"
    assert side.kinds.count(HeadersGo) <= 1
    assert side.kinds.count(TrailersGo) <= 1
    bodies = [each for each in goes if isinstance(each, BodyGoes)]
    is_answered = bool(actions) and isinstance(actions[-1], Answer)
    if isinstance(event, BodyCame) and side.mode is not Mode.FULL_DUPLEX and not is_answered:
        assert len(bodies) == 1, "a part has one answer"
    for each in bodies:
        assert each.streamed is (side.mode is Mode.FULL_DUPLEX)
        assert not each.streamed or len(each.data or b"") <= CHUNK_BYTES
        side.gone.append(b"".join(side.came) if each.data is None else each.data)
        length = dict(each.change.set).get("content-length")
        assert length is None or length == str(len(side.gone[-1]))
    if any(each.end for each in bodies):
        assert [each.end for each in bodies].index(True) == len(bodies) - 1
    if isinstance(event, BodyCame | TrailersCame) and not is_answered:
        waiting = sum(map(len, side.came)) - sum(map(len, side.gone))
        assert side.codings or waiting <= MAX_WAITING, "more waits than may"


def check_text(side: Side, limit: int, *, is_answered: bool) -> str:
    """Check what has gone of a body against what it is to become. No word of it is let go that is not so."""
    text, is_read = text_of(side.codings, side.came)
    sent, is_sent = text_of(side.codings, side.gone)
    whole = expected(text, limit)
    if side.is_whole and not is_answered:
        assert is_read, "a body passes that cannot be read"
        assert is_sent, "a body is sent that cannot be read"
        assert sent == whole
        return "whole"
    assert whole.startswith(sent), "something goes that was not looked at"
    return "in part"


def test_no_order_of_events_breaks_an_exchange() -> None:
    def one(seed: random.Random) -> str:
        modes = Modes(seed.choice(list(Mode)), seed.choice(list(Mode)))
        limits = seed.choice(LIMITS), seed.choice(LIMITS)
        terms = Terms(limits[0], limits[1], seed.choice(list(Over)), seed.choice([100, 2]), seed.choice([MIB, 100]))
        played = Exchange(modes, FixedInspection(Subject("d-1")), "d-1", terms, Denials())
        sides = {Direction.REQUEST: Side(modes.request), Direction.RESPONSE: Side(modes.response)}
        refused: Direction | None = None
        outcome = "ended early"
        for event in events_of(seed, modes):
            side = sides[event.direction]
            if refused is not None:
                assert not list(played.handle(event)), "something is done behind an answer"
                continue
            try:
                if isinstance(event, BodyCame):
                    side.came.append(event.data)
                actions = []
                for action in played.handle(event):
                    actions.append(action)  # noqa: PERF402  (what was done before an error counts)
            except UnexpectedError:
                if isinstance(event, BodyCame):
                    side.came.pop()
                outcome = "unexpected"
                break
            if isinstance(event, HeadersCame):
                begin(side, event.fields)
            check(side, event, actions)
            if actions and isinstance(actions[-1], Answer):
                refused, outcome = event.direction, actions[-1].code
            side.is_whole = side.is_whole or isinstance(event, TrailersCame) or getattr(event, "end", False)
        list(played.cut_off("cut_off"))
        ends = []
        for direction, side in sides.items():
            limit = limits[0] if side.mode is Mode.BUFFERED else limits[1]
            ends.append(check_text(side, limit, is_answered=direction is refused))
        return "passed" if outcome == "ended early" and ends == ["whole", "whole"] else outcome

    fuzz("exchanges", one)
