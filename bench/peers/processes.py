"""A program that runs on one core: started, waited for, measured and stopped, each process by its own id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import accounting
from bench.peers.building import ROOT
from devstack.ports import HOST

START_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.002
LOG_SHOWN = 2_000  # characters, of a program that ended too early


class FailedError(Exception):
    """What was to be measured does not work; the text tells why."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Numbers of the cores that are used: one for the server, another for the load, Valkey and this program."""

    server: int
    load: int


def choose_cores() -> Cores:
    """Take the first two cores that this process may use, and keep to the one for the load from here on."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise FailedError("two cores are needed: one for the server, one for the load")
    os.sched_setaffinity(0, {usable[1]})
    return Cores(usable[0], usable[1])


@dataclass(frozen=True, slots=True)
class Program:
    """How a program is started, and the port that it serves gRPC on. `settings` tells the report what it is set to."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int
    settings: str


@dataclass(slots=True)
class Running:
    """A program on its core; `with` starts and stops it. Its output goes to files in `folder`."""

    program: Program
    core: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        taskset = shutil.which("taskset")
        if taskset is None:
            raise FailedError("taskset is not on PATH (util-linux): without it nothing stays on its core")
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [taskset, "--cpu-list", str(self.core), *self.program.command]
        with self._output.open("ab") as output, self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, cwd=ROOT, env={**os.environ, **self.program.environment}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=log,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        below = accounting.tree(self.pid)[1:]
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in below:  # what it started and left behind
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process = None

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        assert self._process is not None
        return self._process.pid

    @property
    def _log(self) -> Path:
        return self.folder / "stderr"

    @property
    def _output(self) -> Path:
        return self.folder / "stdout"

    def until(self, ask: Callable[[], bytes | None]) -> bytes:
        """Wait until somebody listens and `ask` returns an answer; return that."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            answer = ask() if self._listens() else None
            if answer is not None:
                return answer
            self.check()
            if time.monotonic() > deadline:
                raise FailedError(f"{self.program.name} does not answer after {START_SECONDS:.0f} s:{self._said()}")
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raise where it has ended."""
        if self._process is None or self._process.poll() is not None:
            raise FailedError(f"{self.program.name} has ended:{self._said()}")

    def trim_output(self) -> None:
        """Empty what it has written: audit events of millions of calls would fill a disk."""
        os.truncate(self._output, 0)  # it appends

    def cpu_seconds(self) -> float:
        """CPU time of it with all that it started."""
        return accounting.cpu_seconds(self.pid)

    def pss_bytes(self) -> int:
        """Memory of it with all that it started; what is shared counts once."""
        return accounting.pss_bytes(self.pid)

    def processes(self) -> list[str]:
        """The names of the processes that it consists of."""
        return accounting.names(self.pid)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.program.port), timeout=1):
            return True
        return False

    def _said(self) -> str:
        texts = [file.read_text("utf-8", "replace")[-LOG_SHOWN:] for file in (self._log, self._output)]
        return "\n" + "\n".join(texts)
