"""Who hears nothing for long gives up, who works does not, and one timer looks after all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from authz_service.servicers.idling import LOOKS, Idling

SECONDS = 0.2
PATIENCE = 20.0


def _run(scene: Callable[[Idling], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(PATIENCE):
            return await scene(Idling(SECONDS))

    return asyncio.run(bounded())


async def _waits(idling: Idling) -> str:
    waiting = idling.begin()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if waiting.gave_up():
            return "gave up"
        raise
    finally:
        idling.end(waiting)
    return "heard"


def test_who_hears_nothing_gives_up_and_goes_on_with_its_own_work() -> None:
    """The cancelling is taken back: nothing that comes after is cancelled by it."""

    async def scene(idling: Idling) -> None:
        began = asyncio.get_running_loop().time()
        assert await _waits(idling) == "gave up"
        assert asyncio.get_running_loop().time() - began >= SECONDS
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    _run(scene)


def test_who_hears_something_now_and_then_waits_on() -> None:
    async def scene(idling: Idling) -> None:
        waiting = idling.begin()
        for _ in range(10):
            await asyncio.sleep(SECONDS / LOOKS)
            waiting.heard()
            waiting.waits()
        idling.end(waiting)
        assert not waiting.is_over

    _run(scene)


def test_who_works_is_not_waiting_however_long_it_takes() -> None:
    async def scene(idling: Idling) -> None:
        waiting = idling.begin()
        waiting.heard()
        await asyncio.sleep(3 * SECONDS)
        idling.end(waiting)
        assert not waiting.is_over

    _run(scene)


def test_who_has_ended_is_left_alone_and_the_next_is_looked_after_again() -> None:
    async def scene(idling: Idling) -> None:
        for _ in range(2):
            waiting = idling.begin()
            idling.end(waiting)
            await asyncio.sleep(2 * SECONDS)  # the timer has ended too
            assert not waiting.is_over
        assert await _waits(idling) == "gave up"

    _run(scene)


def test_each_is_looked_after_on_its_own() -> None:
    async def scene(idling: Idling) -> None:
        async def hears() -> str:
            waiting = idling.begin()
            waiting.heard()
            await asyncio.sleep(3 * SECONDS)
            idling.end(waiting)
            return "heard"

        ends = await asyncio.gather(_waits(idling), hears(), _waits(idling))
        assert list(ends) == ["gave up", "heard", "gave up"]

    _run(scene)


def test_a_cancelling_from_elsewhere_is_not_taken_for_a_long_wait() -> None:
    """Nor one that comes together with it."""

    async def scene(idling: Idling) -> None:
        alone = asyncio.ensure_future(_waits(idling))
        await asyncio.sleep(0)
        alone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await alone

        async def both() -> str:
            waiting = idling.begin()
            waiting.is_over = True
            waiting.task.cancel()
            waiting.task.cancel()
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                return "gave up" if waiting.gave_up() else "cancelled"
            finally:
                idling.end(waiting)
            return "heard"

        assert await asyncio.ensure_future(both()) == "cancelled"

    _run(scene)
