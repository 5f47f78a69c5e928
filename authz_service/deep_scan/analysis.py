"""An analyser in a process of its own, which can be ended: a text may take it longer than anybody will wait.

The process is started anew for the next text. It is spawned, not forked: this one has threads and connections.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from authz_service.deep_scan.analyser import ANALYSERS, AnalyserError, Hit

START_SECONDS = 120.0  # for an analyser to load its model
END_SECONDS = 5.0
MAX_HITS = 10_000
_SPAWN = multiprocessing.get_context("spawn")


class AnalysisFailed(Exception):  # noqa: N818  (what happened)
    """A text was not analysed. The text says why, and nothing of what is in it."""


class Analysis:
    """One analyser's process. Texts are given to it one after the other."""

    def __init__(self, name: str, *, deadline: float) -> None:
        """`name` is one of `ANALYSERS`; `deadline` is in seconds, for one text."""
        self._name = name
        self._deadline = deadline
        self._process: Any = None
        self._pipe: Connection | None = None

    async def start(self) -> None:
        """Start the process and wait until it is ready; raises `AnalyserError`."""
        ours, theirs = _SPAWN.Pipe()
        process = self._process = _SPAWN.Process(target=_serve, args=(self._name, theirs), daemon=True)
        await asyncio.to_thread(process.start)
        theirs.close()
        self._pipe = ours
        try:
            problem = await self._receive(START_SECONDS)
        except AnalysisFailed as error:
            raise AnalyserError(f"the analyser {self._name} does not start: it {error}") from error
        if problem is not None:
            await self.close()
            raise AnalyserError(str(problem))

    async def analyse(self, text: str) -> Sequence[Hit]:
        """Return what is found in a text.

        Raises:
            AnalysisFailed: it took too long, or ended its process.
            AnalyserError: there is no process, and none can be started.
        """
        if self._pipe is None:
            await self.start()
        pipe = self._pipe
        if pipe is None:
            raise AnalyserError("there is no analyser")
        try:
            await asyncio.to_thread(pipe.send, text)
        except OSError as error:
            await self.close()
            raise AnalysisFailed("ended") from error
        hits = await self._receive(self._deadline)
        if not isinstance(hits, list):
            raise AnalysisFailed(f"failed with {hits}")
        return hits

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.join, END_SECONDS)

    async def _receive(self, seconds: float) -> Any:
        pipe = self._pipe
        if pipe is None:
            raise AnalysisFailed("is not there")
        try:
            if await asyncio.to_thread(pipe.poll, seconds):
                return await asyncio.to_thread(pipe.recv)
        except (EOFError, OSError) as error:
            await self.close()
            raise AnalysisFailed("ended") from error
        await self.close()
        raise AnalysisFailed(f"took longer than {seconds:g} s")


def _serve(name: str, pipe: Connection) -> None:
    """Be the process: say whether there is an analyser, then answer each text with a list, or with an error's type."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; who started this process ends it
    try:
        analyser = ANALYSERS[name]()
    except Exception as error:  # noqa: BLE001  (told to who started it)
        pipe.send(str(error) if isinstance(error, AnalyserError) else f"{name}: {type(error).__name__}")
        return
    pipe.send(None)
    while True:
        try:
            text = pipe.recv()
        except EOFError:
            return
        try:
            answer: Any = list(analyser.analyse(text))[:MAX_HITS]
        except Exception as error:  # noqa: BLE001  (the text may be in its message)
            answer = type(error).__name__
        pipe.send(answer)
