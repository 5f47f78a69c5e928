"""The bounded queue between the calls and the log, and the thread that shapes what is in it.

A call puts a record in and goes on: it never waits, and no failure here is its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from authz_service.decision_log.record import Record
from authz_service.decision_log.shaping import Fate, Shaper

QUEUE_RECORDS = 10_000
QUEUE_BYTES = 32 * 1024 * 1024
BATCH = 200  # records that are shaped before sinks hear of them
GATHER_SECONDS = 0.05
CLOSE_SECONDS = 2.0  # this and the sending of what waits have to fit in what a supervisor leaves for the end

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where lines go."""

    def write(self, lines: Sequence[bytes]) -> Fate | None:
        """Take lines, or leave them all out, and say which; None where that is counted later.

        MUST NOT wait for the network; MAY raise `OSError`.
        """
        ...


class DecisionQueue:
    """Takes records in, and gives lines to every sink."""

    def __init__(
        self,
        shaper: Shaper,
        sinks: Sequence[Sink],
        counted: Callable[[str, int], None],
        *,
        records: int = QUEUE_RECORDS,
        most_bytes: int = QUEUE_BYTES,
    ) -> None:
        """`counted` hears what became of how many records, from any thread; with several sinks, once for each."""
        self._shaper = shaper
        self._sinks = sinks
        self._counted = counted
        self._most_records = records
        self._most_bytes = most_bytes
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many records wait to be shaped."""
        return len(self._records)

    def record(self, record: Record) -> None:
        """Take a record, or leave it out where there is no room."""
        with self._guard:
            full = (
                self._closed.is_set()
                or len(self._records) >= self._most_records
                or self._bytes + record.size > self._most_bytes
            )
            if not full:
                self._records.append(record)
                self._bytes += record.size
        if full:
            self._counted(Fate.FULL.value, 1)
        elif not self._wake.is_set():
            self._wake.set()

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Shape and write what waits, for at most `seconds`; nothing is taken any more."""
        with self._guard:
            self._closed.set()
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        closed = False
        while not closed:
            self._wake.wait()
            closed = self._closed.wait(GATHER_SECONDS)
            self._wake.clear()  # before the records are taken: one that comes now wakes the thread again
            while self._records:
                self._write([line for line in map(self._shaped, self._taken()) if line is not None])

    def _taken(self) -> list[Record]:
        with self._guard:
            taken = [self._records.popleft() for _ in range(min(BATCH, len(self._records)))]
            self._bytes -= sum(record.size for record in taken)
        return taken

    def _shaped(self, record: Record) -> bytes | None:
        time.sleep(0)  # the calls come first: the thread offers the interpreter after each record
        try:
            line = self._shaper.line(record)
        except Exception as error:  # whatever it is, it concerns one record and no call
            log.error("a decision could not be logged", exc_info=error)
            line = Fate.FAILED
        if isinstance(line, bytes):
            return line
        self._counted(line.value, 1)
        return None

    def _write(self, lines: Sequence[bytes]) -> None:
        for sink in self._sinks if lines else ():
            fate: Fate | None
            try:
                fate = sink.write(lines)
            except Exception as error:
                log.error("decisions could not be written", exc_info=error)
                fate = Fate.FAILED
            if fate is not None:
                self._counted(fate.value, len(lines))
