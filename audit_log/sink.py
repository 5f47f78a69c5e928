"""Writes audit events as lines, from a bounded queue, in a thread of its own: a slow disk never holds up a call."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Protocol, TextIO

log = logging.getLogger(__name__)

log = logging.getLogger(__name__)

QUEUE_EVENTS = 10_000
QUEUE_BYTES = 64 * 1024 * 1024
GATHER_SECONDS = 0.005


class AuditUnavailableError(Exception):
    """The queue is full or the stream broken: the event cannot be recorded, so its request must not pass."""


class AuditEvent(Protocol):
    """Anything that is written down: one line of JSON."""

    def to_json(self) -> str:
        """The line, without its end."""
        ...


class AuditSink(Protocol):
    """Where the events of decisions go."""

    def record(self, event: AuditEvent) -> None:
        """Take an event. MUST NOT block; MUST raise `AuditUnavailableError` when the event will not be kept."""
        ...


class LineSink:
    """Writes each event as one line to a text stream; what comes within `GATHER_SECONDS` is flushed together.

    A thread that is woken for each event costs the calls more than writing does: it takes the interpreter from them.
    """

    def __init__(self, stream: TextIO, capacity: int = QUEUE_EVENTS) -> None:
        self._stream = stream
        self._capacity = capacity
        self._lines: deque[str] = deque()
        self._bytes = 0  # of the lines that wait
        self._unflushed = 0  # lines that were handed to the stream, and may not be where it leads to
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._broken = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many events wait to be written."""
        return len(self._lines)

    def record(self, event: AuditEvent) -> None:
        """Queue an event."""
        if self._broken:
            raise AuditUnavailableError("the audit stream is broken")
        line = event.to_json()
        with self._guard:
            if self._closed.is_set():
                raise AuditUnavailableError("the audit log is closed")
            if len(self._lines) >= self._capacity or self._bytes + len(line) > QUEUE_BYTES:
                raise AuditUnavailableError("the audit queue is full")
            self._bytes += len(line)
            self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self, seconds: float = 5.0) -> int:
        """Write what waits, for at most `seconds`; no event is taken any more. Return how many may be lost."""
        with self._guard:
            self._closed.set()
        self._wake.set()
        if not self._broken:
            self._thread.join(seconds)
        lost = len(self._lines) + self._unflushed
        if lost:
            log.error("audit events were not written", extra={"fields": {"events": lost}})
        return lost

    def _write(self) -> None:
        closed = False
        while not closed:
            self._wake.wait()
            self._closed.wait(GATHER_SECONDS)
            self._wake.clear()  # before the lines are taken: one that comes now wakes the thread again
            closed = self._closed.is_set()  # after it: who closed just before would wake nobody
            try:
                self._write_waiting()
            except Exception as error:  # whatever it is, nobody writes from now on
                self._broken = True
                log.error("the audit stream is broken", exc_info=error)
                return

    def _write_waiting(self) -> None:
        while self._lines:
            self._unflushed += 1
            line = self._lines.popleft()
            self._stream.write(line + "\n")
            with self._guard:
                self._bytes -= len(line)
        self._stream.flush()
        self._unflushed = 0
