from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import hiredis
import pytest

from ratelimit_service.limits import FixedWindow, Unit
from ratelimit_service.model import Charge
from ratelimit_service.stores import batch, script
from ratelimit_service.stores.batch import MAX_WEIGHT, Batch, Pending
from service_kit.valkey.connection import Command, ServerError, packed
from service_kit.valkey.errors import StoreUnavailableError


def on_a_loop(test: Callable[[], None]) -> Callable[[], None]:
    """Futures belong to a loop."""

    async def go() -> None:
        test()

    def run() -> None:
        asyncio.run(go())

    run.__name__ = test.__name__
    return run


def pending(tag: str = "d", keys: int = 1, *, alone: bool = False, asking: bool = False) -> Pending:
    future: asyncio.Future[batch.Answer] = asyncio.get_running_loop().create_future()
    charges = [Charge(f"{{{tag}}}{n}", 1, FixedWindow(1, Unit.DAY)) for n in range(keys)]
    return Pending(script.pack(charges), 1.0, future, alone=alone, asking=asking)


def read(command: Command | bytes) -> list[bytes]:
    """A command as a server reads it."""
    reader = hiredis.Reader()
    reader.feed(command if isinstance(command, bytes) else b"*%d\r\n%b" % (len(command), packed(command)))
    words = reader.gets()
    assert isinstance(words, list)
    assert not reader.has_data()
    return words


def groups(taken: Batch) -> list[list[Pending]]:
    return [list(group) for group in taken.groups]


@on_a_loop
def test_requests_of_one_tag_share_a_call_in_the_order_in_which_they_came() -> None:
    one, two, other, three = pending(), pending(), pending("e"), pending()
    assert groups(batch.take(deque([one, two, other, three]), 5.0)) == [[one, two, three], [other]]


@on_a_loop
def test_one_that_must_be_alone_or_asks_for_a_slot_on_its_way_is() -> None:
    one, alone, asking, two = pending(), pending(alone=True), pending(asking=True), pending()
    taken = batch.take(deque([one, alone, asking, two]), 5.0)
    assert groups(taken) == [[one, two], [alone], [asking]]
    commands = [read(command)[0] for command in taken.commands(with_script=False)]
    assert commands == [b"EVALSHA", b"EVALSHA", b"ASKING", b"EVALSHA"]
    assert list(taken.replies([[1], [2], b"OK", [3]])) == [([one, two], [1]), ([alone], [2]), ([asking], [3])]


@on_a_loop
def test_what_is_too_much_for_one_round_trip_waits_for_the_next() -> None:
    waiting = deque(pending(keys=MAX_WEIGHT // 2) for _ in range(3))
    assert [len(group) for group in batch.take(waiting, 5.0).groups] == [2]
    assert len(waiting) == 1


@on_a_loop
def test_what_nobody_waits_for_is_left_out() -> None:
    gone, there = pending(), pending()
    gone.answer.cancel()
    assert groups(batch.take(deque([gone, there]), 5.0)) == [[there]]
    assert groups(batch.take(deque([gone]), 5.0)) == []


@on_a_loop
def test_the_script_goes_along_where_it_may_not_be_there() -> None:
    (command,) = batch.take(deque([pending(keys=2)]), 5.0).commands(with_script=True)
    assert read(command)[:5] == [b"EVAL", script.SCRIPT.encode(), b"2", b"{d}0", b"{d}1"]


@on_a_loop
def test_each_request_gets_its_own_part_of_the_reply() -> None:
    one, two = pending(keys=2), pending()
    assert batch.answer([one, two], [99, 0, 1, 2, 0, 3, 4, 1, 5, 6])
    assert one.answer.result() == (99, [0, 1, 2, 0, 3, 4])
    assert two.answer.result() == (99, [1, 5, 6])


@pytest.mark.parametrize(
    "reply",
    [None, b"OK", 7, [], [99], [99, 0, 1], [99, 0, 1, 2, 3], [99, 0, 1, b"2"], [99, 0, 1, None], ServerError("x")],
)
def test_a_reply_of_another_shape_answers_nothing(reply: object) -> None:
    @on_a_loop
    def check() -> None:
        one = pending()
        assert not batch.answer([one], reply)  # type: ignore[arg-type]  # whatever a server may say
        assert not one.answer.done()

    check()


@on_a_loop
def test_what_is_answered_is_not_answered_again() -> None:
    one, two = pending(), pending()
    one.fail(StoreUnavailableError("late"))
    one.fail(StoreUnavailableError("later"))
    assert batch.answer([one, two], [99, 0, 1, 2, 1, 3, 4])
    assert str(one.answer.exception()) == "late"
    assert two.answer.result() == (99, [1, 3, 4])
