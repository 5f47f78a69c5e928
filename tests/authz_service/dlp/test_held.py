"""Parts that wait for a decision."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.held import UNREAD, Dropped, Held, Part, numbered, unread
from authz_service.dlp.views.piece import Piece, Syntax

PIECES = st.lists(
    st.binary(max_size=5).map(lambda raw: Piece(raw, raw))
    | st.binary(max_size=2).map(lambda text: Piece(b"?" + text, text, whole=True)),
    max_size=8,
)


def held(*pieces: Piece) -> Held:
    """A queue of pieces."""
    queue = Held()
    for part in numbered(pieces, 100):
        queue.add(part)
    return queue


def raws(parts: list[Part]) -> list[bytes]:
    """What they came as."""
    return [part.raw for part in parts]


@given(PIECES, st.lists(st.integers(0, 40), max_size=4).map(sorted))
def test_everything_is_taken_once_and_in_order(pieces: list[Piece], places: list[int]) -> None:
    """With its own place among the bytes that came."""
    queue = held(*pieces)
    taken = [part for place in [*places, 100] for part in queue.take(place)]
    assert b"".join(raws(taken)) == b"".join(piece.raw for piece in pieces)
    offset = 100
    for part in taken:
        assert part.offset == offset
        offset += len(part.raw)


@given(PIECES, st.integers(0, 40), st.integers(0, 40))
def test_what_is_dropped_is_between_what_is_taken(pieces: list[Piece], start: int, length: int) -> None:
    """A whole piece that lies across an end of it goes as a whole."""
    queue = held(*pieces)
    before = queue.take(start)
    queue.drop(start + length)
    after = queue.take(100)
    text = b"".join(piece.text for piece in pieces)
    kept = b"".join(part.text for part in before), b"".join(part.text for part in after)
    assert text.startswith(kept[0])
    assert text.endswith(kept[1])
    assert len(kept[0]) <= start
    assert len(kept[1]) <= max(0, len(text) - start - length)


def test_a_place_in_the_text_is_one_among_the_bytes() -> None:
    """And has a syntax."""
    queue = held(Piece(b"ab", b"ab"), Piece(b"%41%42", b"AB", Syntax.FORM, whole=True), Piece(b"cd", b"cd"))
    assert [queue.find(place)[1] for place in range(6)] == [100, 101, 102, 102, 108, 109]
    assert queue.find(2)[0] is Syntax.FORM
    queue.take(5)
    assert queue.find(5)[1] == 109
    assert queue.find(9)[1] == 108  # beyond: where the last began


def test_the_text_between_two_places_is_known_while_it_waits() -> None:
    """Of what has gone nothing is."""
    queue = held(Piece(b"abc", b"abc"), Piece(b"\\u0041", b"A", whole=True), Piece(b"def", b"def"))
    assert queue.text(1, 5) == b"bcAd"
    queue.take(2)
    assert queue.text(2, 6) == b"cAde"
    assert queue.text(1, 3) is None


def test_dropping_tells_of_ends_and_of_fixed_places() -> None:
    """Of parts that are gone altogether, and of any touched."""
    queue = held(Piece(b"ab", b"ab", ends=True), Piece(b"cd", b"cd", Syntax.FIXED))
    assert queue.drop(1) == Dropped(ends=False, fixed=False)
    assert queue.drop(2) == Dropped(ends=True, fixed=False)
    assert queue.drop(3) == Dropped(ends=False, fixed=True)


def test_a_part_that_reads_otherwise_is_split_in_both_ways() -> None:
    """Byte for byte: a plus of a form reads as a space."""
    queue = held(Piece(b"a+b+c", b"a b c", Syntax.FORM))
    assert [(part.raw, part.text) for part in queue.take(2)] == [(b"a+", b"a ")]
    queue.drop(3)
    assert [(part.raw, part.text) for part in queue.take(5)] == [(b"+c", b" c")]


def test_what_reads_as_nothing_goes_with_what_is_before_it() -> None:
    """Unless what is around it is dropped."""
    nothing = Piece(b"\xe2\x80\x8b", b"", whole=True)
    queue = held(Piece(b"ab", b"ab"), nothing, Piece(b"cd", b"cd"))
    assert raws(queue.take(2)) == [b"ab", b"\xe2\x80\x8b"]
    queue = held(Piece(b"ab", b"ab"), nothing, Piece(b"cd", b"cd"))
    queue.take(1)
    queue.drop(3)
    assert raws(queue.take(4)) == [b"d"]


def test_parts_pass_through_but_for_the_last_bytes() -> None:
    """As if they had been added and taken."""
    queue = held(Piece(b"ab", b"ab"))
    queue.take(1)
    assert raws(queue.through(numbered([Piece(b"cd", b"cd"), Piece(b"efg", b"efg")], 102), 2)) == [b"b", b"cd", b"e"]
    assert queue.start == 5
    assert [(part.raw, part.offset) for part in queue.take(7)] == [(b"fg", 105)]
    assert raws(queue.through(numbered([Piece(b"h", b"h")], 107), 0)) == [b"h"]


def test_the_first_byte_that_is_held_is_known() -> None:
    """Behind what was taken of a part, and before the whole of one that is changed as a whole."""
    queue = held(Piece(b"ab", b"ab"), Piece(b"%41%42", b"AB", whole=True))
    assert queue.first == 100
    queue.take(1)
    assert queue.first == 101
    queue.take(3)
    assert queue.first == 102
    queue.take(4)
    assert queue.first is None


def test_what_is_not_to_be_read_again_reads_as_a_space() -> None:
    """Its bytes stay."""
    part = unread(Part(b"abc", b"abc", Syntax.FORM, False, True, 7))
    assert part == Part(b"abc", UNREAD, Syntax.FORM, True, True, 7)
