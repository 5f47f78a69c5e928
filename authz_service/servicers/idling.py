"""Ends the wait of whoever has heard nothing for too long: one timer for all, and no look at a clock for each message.

A timer for each message costs more than reading it. So all that wait are looked at now and then, and each counts how
often it was found waiting since it heard something.
"""

from __future__ import annotations

import asyncio

LOOKS = 8  # within the time that is too long: an end comes up to an eighth of it late


class Waiting:
    """One who waits, by turns: `heard` before it works on what came, `waits` before it waits for more."""

    __slots__ = ("is_over", "looks", "task")

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.is_over = False
        self.looks = 0  # less than none while it works
        self.task = task

    def heard(self) -> None:
        """Say that something came: however long the work on it takes, this is no waiting."""
        self.looks = -1

    def waits(self) -> None:
        """Say that the work is done."""
        self.looks = 0

    def gave_up(self) -> bool:
        """Whether the task was cancelled for its long wait, and for nothing else. To be asked once, where it was."""
        return self.is_over and not self.task.uncancel()


class Idling:
    """Looks after all that wait, on one event loop."""

    def __init__(self, seconds: float) -> None:
        """`seconds` in which something must be heard."""
        self._pause = seconds / LOOKS
        self._waiting: set[Waiting] = set()
        self._looks = False

    def begin(self) -> Waiting:
        """Look after the current task from now on; it is cancelled when it has waited too long."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (whoever waits is a task)
        waiting = Waiting(task)
        self._waiting.add(waiting)
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_later(self._pause, self._look)
        return waiting

    def end(self, waiting: Waiting) -> None:
        """Look after it no longer."""
        self._waiting.discard(waiting)

    def _look(self) -> None:
        if not self._waiting:
            self._looks = False
            return
        asyncio.get_running_loop().call_later(self._pause, self._look)
        for waiting in self._waiting:
            if waiting.looks >= LOOKS and not waiting.is_over:
                waiting.is_over = True
                waiting.task.cancel()
            elif waiting.looks >= 0:
                waiting.looks += 1
