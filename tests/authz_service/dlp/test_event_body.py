"""A body of events → the same, without what is not to pass, in one event or over several."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp import event_body
from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.deltas import USUAL_PATHS, DeltaPaths
from authz_service.dlp.detectors import ALL
from authz_service.dlp.event_body import EventRedactor
from authz_service.dlp.found import Blocked, Found, Treatment
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.opening import open_view
from tests.authz_service.dlp.streaming import HARD, KEY, PLAIN, SCANNER, SSN, TEXTS, TOKEN, Noting, Whole, chunks

PATHS = DeltaPaths(USUAL_PATHS)
EVERYTHING = frozenset(each.name for each in (*ALL, *HARD))
CUTS = st.lists(st.integers(0, 10_000), max_size=8)
EVENTS, LINES = "text/event-stream", "application/x-ndjson"
DONE = b"data: [DONE]\n\n"
PING = b": ping\n\n"
GONE = "[REDACTED:us_ssn]"


def redactor(treat: Treatment, content_type: str = EVENTS, scanner: Scanner = SCANNER) -> EventRedactor:
    """A redactor of one body."""
    return EventRedactor(open_view(content_type, numbers="string"), scanner, treat, PATHS)


def told(data: list[bytes], treat: Treatment, content_type: str = EVENTS) -> bytes:
    """What comes out of what is fed."""
    body = redactor(treat, content_type)
    return b"".join([*map(body.feed, data), body.finish()])


def framed(value: Any, content_type: str = EVENTS, *, ascii_only: bool = True) -> bytes:
    """One event."""
    written = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")
    return b"data: %s\n\n" % written if content_type == EVENTS else written + b"\n"


def choice(text: str, index: int = 0) -> dict[str, Any]:
    """A chunk of a chat completion."""
    return {"id": "c-1", "choices": [{"index": index, "delta": {"content": text}, "finish_reason": None}]}


def block(text: str, index: int = 0) -> dict[str, Any]:
    """A part of a message's content."""
    return {"type": "block.delta", "index": index, "delta": {"type": "text", "text": text}}


def output(text: str, index: int = 0) -> dict[str, Any]:
    """A part of a response's output."""
    return {"type": "output.delta", "id": "i", "index": index, "delta": text}


KINDS = st.sampled_from([choice, block, output])


def values(body: bytes) -> list[Any]:
    """The JSON of each event."""
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n")]
    return [json.loads(line) for line in lines if line.startswith(b"{")]


def joined(body: bytes, index: int = 0) -> str:
    """The text that a client puts together."""
    found = ""
    for value in values(body):
        if "choices" in value:
            found += "".join(one["delta"].get("content", "") for one in value["choices"] if one["index"] == index)
        elif value.get("index") == index:
            delta = value.get("delta", "")
            found += delta if isinstance(delta, str) else delta.get("text", "")
    return found


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    """A text cut at places."""
    places = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


def plain(text: bytes) -> str:
    """A text that reads in JSON as it is written, without the signs that joined texts leave alone."""
    return "".join(
        character for character in text.decode("latin-1") if " " <= character <= "~" and character not in '"\\%+'
    )


def redacted(text: str) -> str:
    """A text without what is not to pass, in base64 too."""
    body = BodyRedactor(Whole(), SCANNER, Noting())
    return (body.feed(text.encode()) + body.finish()).decode()


@given(PLAIN, CUTS, CUTS, KINDS, st.sampled_from([EVENTS, LINES]))
def test_deltas_joined_hold_what_the_text_redacted_holds(
    text: bytes, splits: list[int], cuts: list[int], kind: Any, content_type: str
) -> None:
    """However the text is split into events, and however the bytes are cut."""
    written = plain(text)
    expected = redacted(written)
    for parts in (pieces(written, splits), [*written[:100], written[100:]]):
        body = b"".join(framed(kind(part), content_type) for part in parts)
        out = told(chunks(body, cuts), Noting(), content_type)
        assert joined(out) == expected
        assert len(values(out)) == len(parts)


@given(
    TEXTS, CUTS, CUTS, st.tuples(KINDS, st.booleans()),
    st.sampled_from([frozenset(), frozenset({"mail", "far", "block"})]),
)  # fmt: skip
def test_how_a_text_is_split_and_bytes_are_cut_makes_no_difference(
    text: bytes, splits: list[int], cuts: list[int], form: tuple[Any, bool], passes: frozenset[str]
) -> None:
    """Neither to what comes out nor to what is asked; base64 over events, look-alikes and line ends among it."""
    kind, ascii_only = form
    # Of detectors only one of the tests' own begins with a line end, of which JSON's escape would lose its half.
    written = text.decode("utf-8", "replace").replace("\\", "").replace("\ntop", " top")
    whole, split, cut = Noting(passes), Noting(passes), Noting(passes)
    expected = joined(told([framed(kind(written), ascii_only=ascii_only)], whole))
    body = b"".join(framed(kind(part), ascii_only=ascii_only) for part in pieces(written, splits))
    out = told([body], split)
    assert joined(out) == expected
    assert sorted(map(str, (one[:2] for one in split.asked))) == sorted(map(str, (one[:2] for one in whole.asked)))
    assert told(chunks(body, cuts), cut) == out
    assert cut.asked == split.asked


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Events of all kinds, in any order."""
    texts = TEXTS.map(lambda text: text.decode("utf-8", "replace"))
    deltas = st.builds(lambda kind, text, index: framed(kind(text, index)), KINDS, texts, st.integers(0, 2))
    others = st.sampled_from([
        PING, DONE, b"event: x\ndata: {}\n\n", b'data: {"a": "123-\ndata: 45-6789"}\n\n', b"data: 123-45-6789\n\n",
        b'data: {"type": "content_block_stop", "index": 1}\r\n\r\n', b'data: {"delta": {"text": "12\n\n',
        b'data: {"choices": [{"index": 0, "delta": {"content": "12"}, "finish_reason": "stop"}]}\r\r', b"\n\n",
        b'data: {"choices":[{"delta":{"content":"1"}},{"delta":{"content":"2"}}]}\n\n', b"id: 3\nretry: 5\n\n",
        b'data: {"delta": "\\ud83d", "index": 7}\n\n', b'data: {"delta": {"text": "3-\ndata: 45"}}\n\n',
    ])  # fmt: skip
    return b"".join(draw(st.lists(deltas | others, max_size=12)))


@given(streams(), CUTS, st.sampled_from([EVENTS, LINES]))
def test_how_a_stream_is_cut_makes_no_difference(body: bytes, cuts: list[int], content_type: str) -> None:
    """Whatever is in it."""
    whole, cut, bytewise = Noting(), Noting(), Noting()
    expected = told([body], whole, content_type)
    assert told(chunks(body, cuts), cut, content_type) == expected
    few = 500
    parts = [*(body[place : place + 1] for place in range(min(few, len(body)))), body[few:]]
    assert told(parts, bytewise, content_type) == expected
    assert whole.asked == cut.asked == bytewise.asked


@given(streams(), CUTS, st.sampled_from([EVENTS, LINES]))
def test_what_is_let_pass_goes_out_as_it_came(body: bytes, cuts: list[int], content_type: str) -> None:
    """Byte for byte."""
    assert told(chunks(body, cuts), Noting(EVERYTHING), content_type) == body


@given(PLAIN, PLAIN, CUTS, CUTS)
def test_texts_that_interleave_are_apart(one: bytes, other: bytes, splits: list[int], cuts: list[int]) -> None:
    """Each holds what it holds alone."""
    first, second = (pieces(plain(text), splits) for text in (one, other))
    body = b"".join(
        framed(choice(part, index)) for pair in itertools.zip_longest(first, second, fillvalue="")
        for index, part in enumerate(pair)
    )  # fmt: skip
    out = told(chunks(body, cuts), Noting())
    for index, text in enumerate((one, other)):
        assert joined(out, index) == redacted(plain(text))


def stepped(bodies: list[bytes], treat: Treatment | None = None) -> list[bytes]:
    """What comes out after each event, and at the end."""
    body = redactor(treat or Noting(), scanner=Scanner(ALL))
    return [*map(body.feed, bodies), body.finish()]


def spelled(text: str, width: int, kind: Any = choice) -> list[bytes]:
    """A text in events of so many characters."""
    return [framed(kind(text[place : place + width])) for place in range(0, len(text), width)]


@pytest.mark.parametrize("kind", [choice, block, output])
@pytest.mark.parametrize("value", [SSN, KEY, TOKEN], ids=["ssn", "key", "token"])
@pytest.mark.parametrize("width", [1, 3, 100])
def test_a_value_split_over_events_is_taken_out_of_all_of_them(value: bytes, width: int, kind: Any) -> None:
    """Where each event by itself has nothing in it; their number stays, and their JSON."""
    events = spelled(f"This is {value.decode()}, you know.", width, kind)
    body = b"".join(events)
    if width < len(value):
        alone = BodyRedactor(open_view(EVENTS), Scanner(ALL), Noting())
        assert alone.feed(body) + alone.finish() == body
    out = b"".join(stepped(events))
    assert re.fullmatch(r"This is \[REDACTED:[a-z_]+\], you know\.", joined(out))
    assert len(values(out)) == len(events)


def test_a_tools_arguments_are_one_text() -> None:
    """JSON within JSON, in pieces."""
    parts = ['{"ssn', '": "123', "-45-67", '89", "n": 1}']
    events = [
        framed({"type": "d", "index": 1, "delta": {"type": "input_json_delta", "partial_json": part}}) for part in parts
    ]
    found = [value["delta"]["partial_json"] for value in values(b"".join(stepped(events)))]
    assert json.loads("".join(found)) == {"ssn": GONE, "n": 1}


def test_an_event_waits_only_while_its_end_may_be_the_beginning_of_something() -> None:
    """The others pass at once, and those that wait pass when it is known."""
    parts = ["It is a long way, ", "she; ", "said. ", "Call: ", "me", " now, ", "12", "-3", " etc, ", "not."]
    events = [framed(choice(part)) for part in parts]
    passed = stepped([*events, DONE])
    assert passed[:4] == events[:4]
    assert passed[4:6] == [b"", events[4] + events[5]]
    assert passed[6:9] == [b"", b"", events[6] + events[7] + events[8]]
    assert passed[9:] == [b"", events[9] + DONE, b""]


def test_heartbeats_and_other_events_pass_at_once_where_nothing_waits_before_them() -> None:
    """And behind what waits, in their order."""
    other = b'event: status\ndata: {"n": 1}\n\n'
    assert stepped([PING, framed(choice("a ")), other, PING]) == [PING, framed(choice("a ")), other, PING, b""]
    events = [framed(choice("12")), PING, other, framed(choice(" ")), PING]
    assert stepped(events) == [b"", b"", b"", b"".join(events[:4]), PING, b""]


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (choice, DONE), (block, framed({"type": "content_block_stop", "index": 0})),
        (output, framed({"type": "x.done"})),
        (choice, framed({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})),
        (block, framed({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})),
    ],
)  # fmt: skip
def test_the_end_of_a_text_decides_it(kind: Any, end: bytes) -> None:
    """Whatever announces it. What comes then is another text."""
    event, rest = framed(kind("123-45-")), framed(kind("6789, "))
    assert stepped([event, end, rest]) == [b"", event + end, rest, b""]


def test_another_texts_end_decides_nothing() -> None:
    """Its value would pass in two halves."""
    end = framed({"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]})
    out = b"".join(stepped([framed(choice("123-45-")), end, framed(choice("6789"))]))
    assert joined(out) == GONE


def test_the_end_of_the_body_decides_the_rest() -> None:
    """In the middle of an event too."""
    event = framed(choice("123-45-6789"))
    assert joined(b"".join(stepped([event]))) == GONE
    assert joined(b"".join(stepped([event[:-1]]))) == GONE
    assert stepped([event[:-5]])[-1] != event[:-5]


def test_a_value_that_blocks_stops_all_that_it_is_in() -> None:
    """Nothing of it has gone."""

    def refuse(found: Found) -> bytes | None:
        code = "secret_in_response"
        raise Blocked(code, found)

    body = redactor(refuse)
    assert [body.feed(event) for event in spelled("is 123-45-", 3)] == [framed(choice("is ")), b"", b"", b""]
    with pytest.raises(Blocked, match="secret_in_response"):
        body.feed(framed(choice("6789 ")))


def test_where_too_much_waits_the_oldest_text_ends() -> None:
    """Others go on."""
    first, second = framed(choice("123-45-")), framed(choice("987-65-", 1))
    event = b"event: x\ndata: %s\n\n" % (b"a " * (event_body.MAX_WAITING // 8))
    body = redactor(Noting(), scanner=Scanner(ALL))
    assert [body.feed(each) for each in (first, event, event, second, event)] == [b""] * 5
    assert body.feed(event) == first + event + event
    assert joined(body.feed(framed(choice("4321, ", 1))), 1) == "[REDACTED:us_itin], "


def test_where_there_are_too_many_texts_the_one_that_was_longest_silent_ends() -> None:
    """What it held back goes."""
    events = [framed(choice("12", index)) for index in range(event_body.MAX_TEXTS)]
    body = redactor(Noting(), scanner=Scanner(ALL))
    assert body.feed(b"".join(events)) == b""
    assert body.feed(events[0]) == b""
    assert body.feed(framed(choice("12", event_body.MAX_TEXTS))) == b""  # the first text waits before the second
    assert body.feed(framed(choice(", "))) == events[0] + events[1]
    assert body.finish() == b"".join(
        [*events[2:], events[0], framed(choice("12", event_body.MAX_TEXTS)), framed(choice(", "))]
    )


def test_an_event_that_is_too_long_is_looked_at_by_itself() -> None:
    """It passes as it comes, and its values are no part of a text."""
    long = "a, " * event_body.MAX_EVENT
    body = redactor(Noting(), scanner=Scanner(ALL))
    event = framed(choice(f"{long}123-45-6789 123-45-"))
    passed = body.feed(event[: len(event) // 2])
    assert len(passed) > len(event) // 2 - body_hold_back()
    passed += body.feed(event[len(event) // 2 :])
    assert joined(passed) == f"{long}{GONE} 123-45-"
    assert body.feed(framed(choice("6789, "))) == framed(choice("6789, "))


def body_hold_back() -> int:
    """Bytes that a body's text is held back at most."""
    return BodyRedactor(open_view(EVENTS), Scanner(ALL), Noting()).hold_back + event_body.MAX_EVENT


@given(streams(), CUTS)
def test_no_more_waits_than_is_said(body: bytes, cuts: list[int]) -> None:
    """However little comes at once."""
    held = 0
    redacting = redactor(Noting(EVERYTHING))
    for part in chunks(body, cuts):
        held += len(part) - len(redacting.feed(part))
        assert held <= event_body.MAX_WAITING + event_body.MAX_EVENT + 256
    assert held == len(redacting.finish())
