"""Views fed in parts, and what they must have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import strategies as st

from authz_service.dlp.views.piece import Piece, View

MOST_HELD = 256  # bytes: see View


def read(view: View, parts: Iterable[bytes]) -> list[Piece]:
    """Feed a view, and look that it gives back what came and holds back little."""
    pieces: list[Piece] = []
    came = b""
    for part in parts:
        pieces += view.feed(part)
        came += part
        given = b"".join(piece.raw for piece in pieces)
        assert came.startswith(given)
        assert len(came) - len(given) <= MOST_HELD
    pieces += view.finish()
    assert b"".join(piece.raw for piece in pieces) == came
    for piece in pieces:
        assert piece.raw
        assert piece.whole or len(piece.raw) == len(piece.text)
    return pieces


def texts(pieces: Iterable[Piece]) -> list[bytes]:
    """The text of each record."""
    found = [b""]
    for piece in pieces:
        found[-1] += piece.text
        if piece.ends:
            found.append(b"")
    return found


def whole_ones(pieces: Iterable[Piece]) -> list[tuple[bytes, bytes, object]]:
    """The pieces that are changed as a whole."""
    return [(piece.raw, piece.text, piece.syntax) for piece in pieces if piece.whole]


def cuts(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Every way to cut some bytes into parts, byte by byte among them."""
    places = st.lists(st.integers(0, len(data)), max_size=8).map(sorted)
    some = places.map(lambda found: [data[a:b] for a, b in zip([0, *found], [*found, len(data)], strict=True)])
    return some | st.just([data[index : index + 1] for index in range(len(data))])


def same_however_cut(new_view: Callable[[], View], data: bytes, parts: list[bytes]) -> list[Piece]:
    """Look that parts read as the whole does; return the pieces of the whole."""
    whole = read(new_view(), [data])
    cut = read(new_view(), parts)
    assert texts(cut) == texts(whole)
    assert whole_ones(cut) == whole_ones(whole)
    return whole
