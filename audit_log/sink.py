"""Writes audit events as lines, from a bounded queue, in a thread of its own: a slow disk never holds up a call."""

from __future__ import annotations

import queue
import threading
from typing import Protocol, TextIO

from audit_log.event import DecisionEvent

QUEUE_EVENTS = 10_000
QUEUE_BYTES = 64 * 1024 * 1024


class AuditUnavailableError(Exception):
    """The queue is full or the stream broken: the event cannot be recorded, so its request must not pass."""


class AuditSink(Protocol):
    """Where audit events go."""

    def record(self, event: DecisionEvent) -> None:
        """Take an event. MUST NOT block; MUST raise `AuditUnavailableError` when the event will not be kept."""
        ...


class LineSink:
    """Writes each event as one line to a text stream, batched, flushed whenever the queue runs empty."""

    def __init__(self, stream: TextIO, capacity: int = QUEUE_EVENTS) -> None:
        self._stream = stream
        self._queue: queue.Queue[str | None] = queue.Queue(capacity)
        self._bytes = 0  # of the lines that wait
        self._counting = threading.Lock()
        self._broken = False
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many events wait to be written."""
        return self._queue.qsize()

    def record(self, event: DecisionEvent) -> None:
        """Queue an event."""
        if self._broken:
            raise AuditUnavailableError("the audit stream is broken")
        if self._closed:
            raise AuditUnavailableError("the audit log is closed")
        line = event.to_json()
        with self._counting:
            if self._bytes + len(line) > QUEUE_BYTES:
                raise AuditUnavailableError("the audit queue is full")
            self._bytes += len(line)
        try:
            self._queue.put_nowait(line)
        except queue.Full as error:
            with self._counting:
                self._bytes -= len(line)
            raise AuditUnavailableError("the audit queue is full") from error

    def close(self, seconds: float = 5.0) -> None:
        """Write what waits, for at most `seconds`; no event is taken any more."""
        self._closed = True
        if self._broken:
            return
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _write(self) -> None:
        while True:
            line = self._queue.get()
            try:
                if line is None:
                    self._stream.flush()
                    return
                self._stream.write(line + "\n")
                with self._counting:
                    self._bytes -= len(line)
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                self._broken = True
                return
