"""Child processes: started with their output in a file, watched, ended in reverse order. None is left behind."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: a forked child should load nothing

END_SECONDS = 15.0  # after SIGTERM; then SIGKILL
TAIL_LINES = 15


class ProcessEndedError(Exception):
    """A process that should run has ended. The text says which, how, and the end of what it said."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: `log` takes standard error, `output` standard output (`log` too where it is None)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    output: Path | None = None


class Processes:
    """The children of this process."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Program, asyncio.subprocess.Process]] = {}
        self._reported: set[str] = set()

    async def start(self, program: Program) -> None:
        """Start a program in a session of its own, so that a Ctrl-C reaches us and we end it in order."""
        with program.log.open("ab") as log, (program.output or program.log).open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                env=dict(program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        self._running[program.name] = (program, process)

    def ids(self) -> dict[str, int]:
        """Process id by name."""
        return {name: process.pid for name, (_, process) in self._running.items()}

    def check(self) -> None:
        """Raise `ProcessEndedError` for a process that has ended and was not told of yet."""
        for name, (program, process) in self._running.items():
            if process.returncode is not None and name not in self._reported:
                self._reported.add(name)
                raise ProcessEndedError(_obituary(program, process.returncode))

    async def first_end(self) -> None:
        """Wait until a process ends that was not told of yet, and raise `ProcessEndedError`."""
        waits = [
            asyncio.ensure_future(process.wait())
            for name, (_, process) in self._running.items()
            if name not in self._reported
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self.check()

    async def stop(self) -> None:
        """End every process, the last started first."""
        for _, process in reversed(self._running.values()):
            if process.returncode is not None:
                continue
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


def _end_with_parent() -> None:
    """In the child, before its program starts: have Linux end it when we end, even by SIGKILL."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _obituary(program: Program, code: int) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    tail = program.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
    said = "\n".join(f"    {line}" for line in tail) or "    (nothing)"
    return f"{program.name} {how}. The end of {program.log}:\n{said}"
