"""Server-sent events as a client reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.views.folding import fold
from authz_service.dlp.views.piece import Piece, Syntax
from authz_service.dlp.views.sse import SseView, _Ends
from tests.authz_service.dlp.views.cutting import cuts, read, texts, whole_ones

JSON_LINES = ['data: {"a": "x\\u200by"}', "data: [12345678]"]
LINES = st.sampled_from(["", "", ": ping", "data: one", "data:two", "data", "data: ", *JSON_LINES, "id: 7", "da", "x"])
STREAMS = st.builds(
    lambda lines, ends, mark: (mark + "".join(map("".join, zip(lines, ends, strict=False)))).encode(),
    st.lists(LINES, max_size=12), st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=12, max_size=12),
    st.sampled_from(["", "\ufeff"]),
)  # fmt: skip
CRUMBS = st.lists(
    st.sampled_from([b"data:", b" ", b"\n", b"\r", b"{", b'"', b"\\u0041", b":", b"a", b"\xef\xbb\xbf", b"\xe2"]),
    max_size=20,
)


def events(stream: str) -> list[str]:
    """The data of each event, as the standard has clients read them."""
    found: list[str] = []
    data: list[str] = []
    lines = stream.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in lines[:-1]:
        if not line:
            if data:
                found.append("\n".join(data))
            data = []
        elif line == "data":
            data.append("")
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
    return found


@given(st.data(), STREAMS | CRUMBS.map(b"".join))
def test_however_it_is_cut_it_reads_the_same(data: st.DataObject, stream: bytes) -> None:
    """In the middle of a line end, a name, an escape."""
    whole, cut = (read(SseView(), parts) for parts in ([stream], data.draw(cuts(stream))))
    assert records(cut) == records(whole)
    assert whole_ones(cut) == whole_ones(whole)


def records(pieces: list[Piece]) -> list[bytes]:
    """The text of each record, but for empty lines between two of them, which come in as many as they come."""
    return [record for record in texts(pieces) if record.strip(b"\r\n")]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n"])
def test_empty_lines_are_one_piece_behind_the_end_of_an_event(end: bytes) -> None:
    """However many: they hold nothing."""
    pieces = read(SseView(), [b"data: x\n\n" + end * 10_000])
    assert len(pieces) <= 5
    assert pieces[-1].ends
    assert records(read(SseView(), [b"data: x\n\n", end * 500, end[:1], b"\ndata: y\n\n"])) == [
        b"data: x\n\n", b"data: y\n\n",
    ]  # fmt: skip


class Counted(bytes):
    """Bytes that count how far they are searched."""

    searched = 0

    def find(self, sub: Any, start: Any = 0, *edge: Any) -> int:
        found = super().find(sub, start, *edge)
        Counted.searched += (found if found >= 0 else len(self)) - start
        return found


@pytest.mark.parametrize("line", [b"a\r", b"a\n", b"a\r\n", b"\r", b"a\ra\n"])
def test_line_ends_are_found_in_one_pass_of_each_kind(line: bytes) -> None:
    """Not anew from each line to the next end of the other kind."""
    data = Counted(line * 5_000)
    Counted.searched, ends, place = 0, _Ends(data), 0
    while place < len(data):
        end, after = ends.next(place)
        assert data[end:after] in {b"\r", b"\n", b"\r\n"}
        place = after
    assert Counted.searched <= 2 * len(data)


@given(STREAMS)
def test_the_data_of_an_event_is_one_text(stream: bytes) -> None:
    """In a record of its own; line ends as they are written, JSON as it reads."""
    records = [each.replace(b"\r\n", b"\n").replace(b"\r", b"\n") for each in texts(read(SseView(), [stream]))]
    place = 0
    for event in events(stream.decode()):
        expected = event.replace("\\u200b", "").encode()
        found = [
            index
            for index in range(place, len(records))
            if all(part in records[index] for part in expected.split(b"\n"))
        ]
        assert found, (expected, records)
        place = found[0]


def test_data_lines_join_to_one_text_without_their_names() -> None:
    """So that a value that is broken over them is whole."""
    pieces = read(SseView(), [b"data: -----BEGIN\ndata: KEY-----\n\n"])
    assert texts(pieces) == [b"data: -----BEGIN\nKEY-----\n\n", b""]


def ended(pieces: list[Piece]) -> bool:
    return bool(pieces) and pieces[-1].ends


def test_an_event_is_over_with_its_empty_line_and_nothing_waits() -> None:
    """Nor does a heartbeat between two of them."""
    view = SseView()
    for chunk in (b"data: x\n\n", b": ping\n", b": ping\n\n", b'data: {"a": 1}\n\n', b"\n", b": ping\n"):
        pieces = list(view.feed(chunk))
        assert b"".join(piece.raw for piece in pieces) == chunk
        assert ended(pieces)


def test_a_comment_inside_an_event_does_not_end_it() -> None:
    """A key that is broken there would go on behind it."""
    pieces = read(SseView(), [b"data: one\n: ping\ndata: two\n\n"])
    assert [piece.ends for piece in pieces if piece.ends] == [True]


@pytest.mark.parametrize("syntax", [Syntax.FIXED, Syntax.JSON_NUMBER])
def test_json_in_data_is_read_as_json(syntax: Syntax) -> None:
    """Its numbers too; other data is text."""
    body = b'data: {"a": 123456789}\n\ndata: n: 123456789 \\u0041\n\n'
    pieces = read(SseView(numbers=syntax), [body])
    assert whole_ones(pieces) == [(b"123456789", b"123456789", syntax), (b"\\u0041", b"A", Syntax.PLAIN)]
    assert b"n: 123456789 A" in texts(pieces)[1]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_strings_of_json_read_as_a_parser_reads_them(values: list[str]) -> None:
    """Pretty-printed over several data lines too."""
    written = json.dumps(values, indent=1)
    stream = "".join(f"data: {line}\n" for line in written.split("\n")) + "\n"
    text = texts(read(SseView(), [stream.encode()]))[0]
    for value in values:
        simple = "".join(each for each in value if each.isalnum())
        assert all(fold(each.encode()) in text for each in simple)
