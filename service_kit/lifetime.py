"""The life of a process: start its parts in order, wait for the word to end, stop them in reverse."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


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


SWITCH_SECONDS = 0.000_5  # for which a thread may keep the event loop waiting


def settled() -> None:
    """Let the garbage collector pass over all that was made while starting, once, when the first call may come.

    A full collection would go through it again and again, milliseconds each time, and find nothing. What is replaced
    later, such as a policy, is not freed by it then if it refers to itself: once, since what replaces it is not here.
    """
    gc.collect()
    gc.freeze()
    # Threads that compile or write pages take turns with the event loop: short ones, for the calls have milliseconds.
    sys.setswitchinterval(SWITCH_SECONDS)


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
