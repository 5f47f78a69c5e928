"""Bodies that are worked on at once are bounded in bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.exchange.room import FullError, Room, Share


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


def test_a_share_grows_and_shrinks_within_the_bound() -> None:
    room = Room(10)
    one, other = Share(room), Share(room)
    one.hold(6)
    other.hold(4)
    with pytest.raises(FullError):
        other.hold(5)
    assert (room.taken, other.held) == (10, 4)
    one.hold(2)
    other.hold(8)
    with pytest.raises(FullError):
        one.hold(3)
    one.hold(0)
    other.hold(11)  # alone
    assert room.taken == 11


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), max_size=40))
def test_what_is_taken_is_the_sum_of_the_shares_and_within_the_bound_but_for_one_alone(
    wishes: list[tuple[int, int]],
) -> None:
    room = Room(10)
    shares = [Share(room) for _ in range(4)]
    for number, size in wishes:
        with contextlib.suppress(FullError):
            shares[number].hold(size)
        held = [share.held for share in shares]
        assert room.taken == sum(held)
        assert room.taken <= 10 or max(held) > 10 or sum(held) == max(held)
    for share in shares:
        share.hold(0)
    assert room.taken == 0
