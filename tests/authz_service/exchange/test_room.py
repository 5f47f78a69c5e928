"""Bodies that are worked on at once are bounded in bytes."""

from __future__ import annotations

import pytest

from authz_service.exchange.room import FullError, Room


def test_there_is_room_up_to_the_bound_and_again_once_some_have_gone() -> None:
    room = Room(10)
    with room.holding(6):
        with room.holding(4):
            assert room.taken == 10
        with pytest.raises(FullError), room.holding(5):
            pass
    assert room.taken == 0


def test_what_comes_alone_has_room_however_large() -> None:
    room = Room(10)
    with room.holding(11):
        assert room.taken == 11


def test_room_is_given_back_whatever_happens() -> None:
    room = Room(10)
    with pytest.raises(ValueError, match="x"), room.holding(6):
        raise ValueError("x")
    assert room.taken == 0
