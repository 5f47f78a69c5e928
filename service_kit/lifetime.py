"""The life of a process: start its parts in order, wait for the word to end, stop them in reverse."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from typing import Any, ParamSpec, TypeVar


def stop_requested() -> asyncio.Event:
    """An event that SIGTERM, SIGINT or SIGHUP sets. Call it on the running loop.

    SIGHUP means that the terminal is gone. Where it is ignored, as under nohup, it stays ignored.
    """
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, event.set)
    return event


YOUNG_OBJECTS = 20_000  # that are made, less those that are freed, before the collector looks for cycles among them
SHORT_TURN = 0.000_5  # seconds for which a thread keeps the interpreter while heavy work runs beside the event loop

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


def settled() -> None:
    """Let the garbage collector pass over all that was made while starting, once, when the first call may come.

    A full collection would go through it again and again, milliseconds each time, and find nothing. What is replaced
    later, such as a policy, is not freed by it then if it refers to itself: once, since what replaces it is not here.
    Young objects are looked through more rarely than by default: a call makes some hundred, and hardly ever a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


async def beside(work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
    """Run heavy work, such as loading policies, in a thread, in turns with the event loop that are short.

    Calls have milliseconds, and Python's turns are 5 ms. They are short for as long as there is such work only: each
    turn takes the interpreter from the calls, of which a tenth more can be answered without.
    """
    with _TURNS:
        return await asyncio.to_thread(work, *arguments, **named)


class _Turns:
    """Short turns of threads while anything heavy runs in one. The length of turns is the whole process's."""

    def __init__(self) -> None:
        self._running = 0
        self._usual = sys.getswitchinterval()

    def __enter__(self) -> None:
        self._running += 1
        sys.setswitchinterval(SHORT_TURN)

    def __exit__(self, *_: object) -> None:
        self._running -= 1
        if not self._running:
            sys.setswitchinterval(self._usual)


_TURNS = _Turns()


def in_short_turns() -> AbstractContextManager[None]:
    """Let other threads have their turn soon while heavy work runs on the event loop itself, in slices."""
    return _TURNS


async def until(stop: asyncio.Event, *background: Coroutine[Any, Any, None]) -> None:
    """Run background work until `stop` is set, then cancel it. Work that fails ends the wait with its error."""
    tasks = [asyncio.ensure_future(work) for work in background]
    waiting = asyncio.ensure_future(stop.wait())
    pending: set[asyncio.Future[Any]] = {waiting, *tasks}
    try:
        while not waiting.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                future.result()
    finally:
        for future in (waiting, *tasks):
            future.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await future
