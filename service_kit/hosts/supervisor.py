"""The process above the workers: starts them, restarts those that die, and ends them without losing a call.

It is there as long as they are, so it imports next to nothing: no asyncio, no messages, no settings. What was needed to
make up its plan is left behind: `launching` becomes this module's `main` by exec.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

from service_kit import logs
from service_kit.hosts.order import CONTROL, DRAIN, ENVOY_LOG, FAILED, METRICS_FOLDER, SERVING

log = logging.getLogger(__name__)

FIRST_BACKOFF, LONGEST_BACKOFF = 0.1, 10.0  # seconds before a worker that died is started again
STEADY_SECONDS = 60.0  # for which a worker must have served, for the back-off to begin anew
KILL_SECONDS = 12.0  # beyond the time to drain: to close listener and pages, to write audit events; then it is killed
LOG_BYTES = 2_000  # of what Envoy said at last

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Launch:
    """How one worker is started: its program, its environment, and the files that it finds in its folder."""

    command: Sequence[str]
    environment: Mapping[str, str]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a supervisor does: one worker for each launch, with a folder `0`, `1`, … in `folder`, which is its own.

    `drain_seconds` is what workers are given to end. `service` and `level` are for the log.
    """

    service: str
    level: str
    folder: str
    drain_seconds: float
    launches: Sequence[Launch]

    def to_json(self) -> str:
        """Write it for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "launches": [Launch(**launch) for launch in fields["launches"]]})


@dataclass(slots=True)
class _Worker:
    """One place for a worker, whoever fills it at the time."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    control: socket.socket | None = None
    said: bytes = b""
    served: bool = False
    started: float = 0.0
    backoff: float = FIRST_BACKOFF
    due: float | None = field(default=0.0)  # when to start the next one, on the monotonic clock


class Supervisor:
    """Carries out a plan until told to end."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._workers = [_Worker(number) for number in range(len(plan.launches))]
        self._folder = Path(plan.folder)
        self._selector = selectors.DefaultSelector()
        self._ending: float | None = None  # when those that still run are killed
        self._code = 0

    def run(self) -> int:
        """Start the workers and keep them; return the exit code once the last has ended and the folder is gone."""
        with _signals() as wakeup:
            self._selector.register(wakeup, selectors.EVENT_READ, None)
            with contextlib.suppress(BlockingIOError):
                self._told(set(wakeup.recv(64)))  # what came before there was anybody to hear it
            try:
                while self._ending is None or any(worker.process for worker in self._workers):
                    self._turn(wakeup)
            finally:
                for worker in self._workers:
                    self._kill(worker)
                self._selector.close()
                shutil.rmtree(self._folder, ignore_errors=True)  # while signals are still heeded, and end nothing
        return self._code

    def _turn(self, wakeup: socket.socket) -> None:
        now = time.monotonic()
        if self._ending is None:
            for worker in self._workers:
                if worker.due is not None and worker.due <= now:
                    self._start(worker)
        elif now >= self._ending:
            for worker in self._workers:
                self._kill(worker)
        for key, _ in self._selector.select(self._wait(now)):
            if key.data is None:
                self._told(set(wakeup.recv(64)))
            else:
                self._heard(key.data)

    def _wait(self, now: float) -> float | None:
        """Return the seconds until something is to be done, whether or not anybody says something."""
        times = [worker.due for worker in self._workers if worker.due is not None and self._ending is None]
        if self._ending is not None:
            times.append(self._ending)
        return max(0.0, min(times) - now) if times else None

    def _start(self, worker: _Worker) -> None:
        worker.due, worker.said, worker.served, worker.started = None, b"", False, time.monotonic()
        try:
            self._spawn(worker)
        except OSError as error:  # no room, no processes, no descriptors: other workers serve, and it may pass
            fields = {"worker": worker.number, "reason": error.strerror, "backoff_seconds": worker.backoff}
            log.error("worker could not be started", extra={"fields": fields})
            if worker.backoff == FIRST_BACKOFF:  # as in `_ended`
                self._code = 1
                self._end()
            else:
                self._start_later(worker)

    def _spawn(self, worker: _Worker) -> None:
        launch, folder = self._plan.launches[worker.number], self._folder / str(worker.number)
        self._keep_folder()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        for name, text in launch.files.items():
            (folder / name).write_text(text, "utf-8")
        with contextlib.ExitStack() as undone:
            ours, theirs = socket.socketpair()
            undone.callback(ours.close)
            with theirs:
                self._selector.register(ours, selectors.EVENT_READ, worker)
                undone.callback(self._selector.unregister, ours)
                # In a session of its own: a terminal's Ctrl-C is for this process, which lets the calls finish first.
                worker.process = subprocess.Popen(  # noqa: S603  (our own program)
                    launch.command,
                    env={**launch.environment, CONTROL: str(theirs.fileno())},
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                    stdin=subprocess.DEVNULL,
                )
            undone.pop_all()
        worker.control = ours

    def _keep_folder(self) -> None:
        """Make the folder again where somebody has tidied up; raises `OSError` where it is not ours alone by now."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        found = self._folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise PermissionError(errno.EPERM, "the folder for workers belongs to somebody else")
        (self._folder / METRICS_FOLDER).mkdir(exist_ok=True)

    def _heard(self, worker: _Worker) -> None:
        """Read what a worker says; nothing means that it has ended."""
        assert worker.control is not None  # noqa: S101  (it is registered with its socket)
        with contextlib.suppress(ConnectionError):
            if said := worker.control.recv(64):
                worker.said = (worker.said + said)[-64:]
                worker.served = worker.served or SERVING in worker.said
                return
        self._ended(worker)

    def _ended(self, worker: _Worker) -> None:
        assert worker.process is not None and worker.control is not None  # noqa: S101, PT018  (as above)
        self._selector.unregister(worker.control)
        worker.control.close()
        process, worker.process, worker.control = worker.process, None, None
        try:
            code = process.wait(KILL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        self._forget_gauges(process.pid)
        if self._ending is not None:
            return
        lived = time.monotonic() - worker.started
        never_served = FAILED in worker.said or not worker.served
        if never_served and worker.backoff == FIRST_BACKOFF:  # nobody has counted on it yet: let the operator see it
            if FAILED not in worker.said:
                log.error("worker did not start", extra={"fields": self._fields(worker, code)})
            self._code = 1
            self._end()
            return
        if worker.served and lived >= STEADY_SECONDS:
            worker.backoff = FIRST_BACKOFF
        log.error("worker ended, starting another", extra={"fields": self._fields(worker, code)})
        self._start_later(worker)

    def _start_later(self, worker: _Worker) -> None:
        worker.due = time.monotonic() + worker.backoff
        worker.backoff = min(worker.backoff * 2, LONGEST_BACKOFF)

    def _fields(self, worker: _Worker, code: int) -> Mapping[str, object]:
        fields: dict[str, object] = {"worker": worker.number, "exit_code": code, "backoff_seconds": worker.backoff}
        with contextlib.suppress(OSError):
            if text := (self._folder / str(worker.number) / ENVOY_LOG).read_bytes()[-LOG_BYTES:]:
                fields["envoy"] = text.decode("utf-8", "replace")
        return fields

    def _forget_gauges(self, process: int) -> None:
        """Drop what a dead worker said of its state; what it counted stays in the sums (prometheus_client's files)."""
        for file in (self._folder / METRICS_FOLDER).glob(f"gauge_live*_{process}.db"):
            file.unlink(missing_ok=True)

    def _told(self, numbers: set[int]) -> None:
        if not numbers & set(SIGNALS):
            return
        if self._ending is None:
            self._end()
        elif numbers & {signal.SIGTERM, signal.SIGINT}:
            self._ending = 0.0  # a second word means now

    def _end(self) -> None:
        self._ending = time.monotonic() + self._plan.drain_seconds + KILL_SECONDS
        for worker in self._workers:
            worker.due = None
            if worker.control is not None:
                with contextlib.suppress(OSError):
                    worker.control.sendall(DRAIN)

    def _kill(self, worker: _Worker) -> None:
        if worker.process is not None:
            worker.process.kill()
            self._ended(worker)


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """Turn signals into bytes on a socket. SIGHUP stays ignored where it is, as under nohup."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    reader.setblocking(False)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def noted(number: int, frame: FrameType | None) -> None:
        del number, frame  # the wake-up descriptor has told it

    for number in SIGNALS:
        if number != signal.SIGHUP or before[number] != signal.SIG_IGN:
            signal.signal(number, noted)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # `launching` has kept them waiting
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


def _be_patient() -> None:
    """Let workers' threads take turns with one another without pushing in, where the system can: they inherit it.

    Envoy's thread and Python's wake each other several times for each call. Each that wakes would take the core from
    the other in the midst of its work, which costs a third of all calls where they share one (sched(7), SCHED_BATCH).
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):  # forbidden in a sandbox: slower, and no worse
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def main() -> int:
    """Carry out the plan that is in the file open as the descriptor which the first argument gives."""
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as file:
        plan = Plan.from_json(file.read())
    logs.set_up(plan.service, plan.level)
    _be_patient()
    return Supervisor(plan).run()


if __name__ == "__main__":
    sys.exit(main())
