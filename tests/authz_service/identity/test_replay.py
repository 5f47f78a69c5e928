"""The replay store in memory: one first use, and nothing forgotten before its time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import ReplayUnknown
from authz_service.identity.replay import FORGOTTEN_AT_ONCE, MemoryReplayStore


@dataclass
class Clock:
    """A clock that is set by hand, in seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Store:
    """A store with its clock, asked without `await`."""

    def __init__(self, capacity: int = 1_000) -> None:
        self.clock = Clock()
        self.store = MemoryReplayStore(self.clock, capacity)

    def first_use(self, key: str, seconds: float = 60.0) -> bool | None:
        """Whether it is; None where that cannot be told."""
        try:
            return asyncio.run(self.store.first_use(key, seconds))
        except ReplayUnknown as error:
            assert error.code == "replay_unknown"  # noqa: PT017  (either outcome will do)
            assert error.status == 503  # noqa: PT017  (either outcome will do)
            return None


def test_a_proof_can_be_used_once() -> None:
    """Others beside it too."""
    store = Store()
    assert [store.first_use(key) for key in ("a", "a", "b", "a", "b")] == [True, False, True, False, False]
    assert len(store.store) == 2


def test_a_proof_is_remembered_for_its_time() -> None:
    """To the end, and no longer; a second use does not lengthen it."""
    store = Store()
    store.first_use("a", 60.0)
    store.clock.now = 30.0
    assert store.first_use("a", 60.0) is False
    store.clock.now = 59.999
    assert store.first_use("a") is False
    store.clock.now = 60.0
    assert store.first_use("a") is True
    assert store.first_use("a") is False


def test_of_many_at_once_one_wins() -> None:
    """On one event loop nothing comes between looking and noting."""

    async def race() -> list[bool]:
        store = MemoryReplayStore(Clock())
        return await asyncio.gather(*(store.first_use("a", 1.0) for _ in range(50)))

    assert sorted(asyncio.run(race())) == [False] * 49 + [True]


def test_a_full_store_refuses_and_forgets_nothing() -> None:
    """Or a flood of proofs would make room for a replay."""
    store = Store(capacity=3)
    assert [store.first_use(key) for key in "abc"] == [True, True, True]
    for key in "defgh":
        assert store.first_use(key) is None
    assert [store.first_use(key) for key in "abc"] == [False, False, False]
    assert len(store.store) == 3


def test_room_comes_back_when_the_time_of_what_is_kept_is_over() -> None:
    """Of that, and of nothing else."""
    store = Store(capacity=3)
    for key, seconds in (("a", 100.0), ("b", 10.0), ("c", 50.0)):
        store.first_use(key, seconds)
    store.clock.now = 10.0
    assert store.first_use("d", 100.0) is True
    assert store.first_use("e") is None
    assert [store.first_use(key) for key in "acd"] == [False, False, False]


def test_a_store_that_is_full_looks_at_few_entries_for_each_use() -> None:
    """Otherwise each of a flood of proofs would cost as much as the whole store is large."""
    store = Store(capacity=10 * FORGOTTEN_AT_ONCE)
    for number in range(10 * FORGOTTEN_AT_ONCE):
        assert store.first_use(f"old{number}", 1.0)
    store.clock.now = 1.0
    assert store.first_use("new") is True
    assert len(store.store) == 9 * FORGOTTEN_AT_ONCE + 1
    assert store.first_use(f"old{10 * FORGOTTEN_AT_ONCE - 1}", 5.0) is True, "its time is over, if it is still there"
    for _ in range(20):
        store.first_use("new")
    assert len(store.store) == 2, "a key that was noted again is not let go of with its old time"
    assert store.first_use(f"old{10 * FORGOTTEN_AT_ONCE - 1}") is False


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 20), st.integers(0, 6)), max_size=60),
    st.integers(1, 4),
)
def test_the_store_says_what_a_list_of_all_uses_would_say(uses: list[tuple[str, int, int]], capacity: int) -> None:
    """Whatever comes, in whatever order."""
    store = Store(capacity)
    until: dict[str, float] = {}
    for key, seconds, pause in uses:
        store.clock.now += pause
        alive = {each: end for each, end in until.items() if store.clock.now < end}
        expected = False if key in alive else None if len(alive) >= capacity else True
        assert store.first_use(key, float(seconds)) is expected
        until = {**alive, key: store.clock.now + seconds} if expected else alive
        assert len(store.store) == len(until)


@pytest.mark.parametrize("seconds", [0.001, 1.0, 1e9])
def test_any_time_is_kept(seconds: float) -> None:
    """Short or long."""
    store = Store()
    assert store.first_use("a", seconds) is True
    assert store.first_use("a", seconds) is False
