"""The life of a process."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from service_kit.lifetime import SHORT_TURN, beside, in_short_turns, settled, stop_requested, until


class Work:
    """Background work that tells how far it came."""

    def __init__(self) -> None:
        self.state = "not started"

    async def forever(self) -> None:
        self.state = "running"
        try:
            await asyncio.Event().wait()
        finally:
            self.state = "cancelled"

    async def once(self) -> None:
        self.state = "finished"

    async def fail(self) -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")


def run(scene: Coroutine[Any, Any, None]) -> None:
    """Play a scene, in bounded time."""
    asyncio.run(asyncio.wait_for(scene, 10))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_requests_the_stop(number: signal.Signals) -> None:
    """SIGTERM from the platform, SIGINT from the terminal, SIGHUP when the terminal is gone."""

    async def scene() -> None:
        stop = stop_requested()
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        await stop.wait()

    run(scene())


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """`nohup` is there to outlive the terminal."""

    async def scene() -> None:
        stop = stop_requested()
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)
        assert not stop.is_set()

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run(scene())
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_stop_cancels_the_background_work() -> None:
    """And waits until the work has cleaned up."""

    async def scene() -> None:
        stop, work = asyncio.Event(), Work()
        waiting = asyncio.ensure_future(until(stop, work.forever()))
        await asyncio.sleep(0.01)
        assert work.state == "running"
        stop.set()
        await waiting
        assert work.state == "cancelled"

    run(scene())


def test_work_that_fails_ends_the_wait_with_its_error() -> None:
    """The other work is cancelled, and the process can tell what broke it."""

    async def scene() -> None:
        stop, other = asyncio.Event(), Work()
        with pytest.raises(ValueError, match="broken"):
            await until(stop, other.forever(), Work().fail())
        assert other.state == "cancelled"

    run(scene())


def test_work_that_finishes_does_not_end_the_process() -> None:
    """Only the stop or an error does."""

    async def scene() -> None:
        stop, once, other = asyncio.Event(), Work(), Work()
        waiting = asyncio.ensure_future(until(stop, once.once(), other.forever()))
        await asyncio.sleep(0.02)
        assert (once.state, other.state, waiting.done()) == ("finished", "running", False)
        stop.set()
        await waiting

    run(scene())


def test_without_background_work_the_process_waits_for_the_stop() -> None:
    """There may be nothing to run beside the hosts."""

    async def scene() -> None:
        stop = asyncio.Event()
        waiting = asyncio.ensure_future(until(stop))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        stop.set()
        await waiting

    run(scene())


def test_a_cancelled_wait_cancels_its_work() -> None:
    """Nothing runs on behind the back of who gave up."""

    async def scene() -> None:
        work = Work()
        waiting = asyncio.ensure_future(until(asyncio.Event(), work.forever()))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert work.state == "cancelled"

    run(scene())


def test_work_that_breaks_while_it_is_cancelled_does_not_hide_the_stop() -> None:
    """The process ends as it was told to."""

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("while cleaning up")

    async def scene() -> None:
        stop, other = asyncio.Event(), Work()
        waiting = asyncio.ensure_future(until(stop, stubborn(), other.forever()))
        await asyncio.sleep(0.01)
        stop.set()
        await waiting
        assert other.state == "cancelled"

    run(scene())


def test_what_was_made_while_starting_is_left_alone_by_the_collector() -> None:
    """And what comes after is still collected."""
    made = [[] for _ in range(1_000)]  # type: list[list[Any]]
    try:
        settled()
        assert gc.get_freeze_count() > len(made)
        later: list[Any] = []
        later.append(later)
        del later
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()


def test_turns_are_short_while_heavy_work_runs_and_as_before_once_the_last_has_ended() -> None:
    """Whether it ends well or not."""
    usual, release = sys.getswitchinterval(), threading.Event()

    def wait() -> str:
        assert release.wait(10)
        return "done"

    def fail() -> None:
        raise ValueError("broken")

    async def scene() -> None:
        waiting = asyncio.ensure_future(beside(wait))
        with pytest.raises(ValueError, match="broken"):
            await beside(fail)
        assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
        release.set()
        assert await waiting == "done"
        assert sys.getswitchinterval() == usual

    run(scene())


class TestShortTurns:
    def test_they_are_short_while_anything_asks_for_them(self) -> None:
        """On the event loop itself too, where one slice of work may begin while another has not ended."""
        usual = sys.getswitchinterval()
        with in_short_turns():
            assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
            with in_short_turns():
                pass
            assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
        assert sys.getswitchinterval() == usual

    def test_they_end_with_work_that_breaks(self) -> None:
        usual = sys.getswitchinterval()
        with pytest.raises(ValueError, match="broken"), in_short_turns():
            raise ValueError("broken")
        assert sys.getswitchinterval() == usual

    def test_work_in_a_thread_and_on_the_loop_share_them(self) -> None:
        usual, release = sys.getswitchinterval(), threading.Event()

        async def scene() -> None:
            with in_short_turns():
                beneath = asyncio.ensure_future(beside(release.wait, 10))
                await asyncio.sleep(0)
            assert sys.getswitchinterval() == pytest.approx(SHORT_TURN)
            release.set()
            assert await beneath
            assert sys.getswitchinterval() == usual

        run(scene())

    def test_another_thread_has_its_turn_while_the_loop_works(self) -> None:
        """Within one slice, of which the loop gives nothing away itself."""
        turns, stop = 0, threading.Event()

        def count() -> None:
            nonlocal turns
            while not stop.is_set():
                turns += 1

        thread = threading.Thread(target=count)
        with in_short_turns():
            thread.start()
            try:
                before, ends = turns, time.monotonic() + 10
                while turns <= before + 100 and time.monotonic() < ends:
                    pass
            finally:
                stop.set()
                thread.join()
        assert turns > before + 100
