"""An analyser in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence

import pytest

from authz_service.deep_scan import analyser
from authz_service.deep_scan.analyser import AnalyserError, Hit
from authz_service.deep_scan.analysis import Analysis, AnalysisFailed

SSN = "123-45-6789"


def test_a_text_is_analysed_there() -> None:
    """Hits are in characters."""

    async def scenario() -> None:
        analysis = Analysis("detectors", deadline=60.0)
        try:
            assert await analysis.analyse(f"über {SSN}") == [Hit("us_ssn", 5, 16, 1.0)]
            assert await analysis.analyse("nothing") == []
        finally:
            await analysis.close()

    asyncio.run(scenario())


def test_a_process_that_ended_is_started_anew_for_the_next_text() -> None:
    """The text that it had is told as failed."""

    async def scenario() -> None:
        analysis = Analysis("detectors", deadline=60.0)
        try:
            await analysis.start()
            os.kill(analysis._process.pid, signal.SIGKILL)
            with pytest.raises(AnalysisFailed, match="ended"):
                await analysis.analyse(SSN)
            assert len(await analysis.analyse(SSN)) == 1
        finally:
            await analysis.close()

    asyncio.run(scenario())


def test_a_text_that_takes_too_long_ends_the_process_and_not_the_worker() -> None:
    """Whatever it does there: a stopped process stands for one that computes for ever."""

    async def scenario() -> None:
        analysis = Analysis("detectors", deadline=60.0)
        try:
            await analysis.start()
            process = analysis._process
            os.kill(process.pid, signal.SIGSTOP)
            analysis._deadline = 0.2
            with pytest.raises(AnalysisFailed, match=r"took longer than 0.2 s"):
                await analysis.analyse(SSN)
            assert not process.is_alive()
            analysis._deadline = 60.0
            assert len(await analysis.analyse(SSN)) == 1
        finally:
            await analysis.close()

    asyncio.run(scenario())


def test_an_analyser_that_cannot_be_had_says_what_to_do() -> None:
    """Presidio is an extra. Where it is installed there is nothing to say."""

    async def scenario() -> None:
        analysis = Analysis("presidio", deadline=60.0)
        with pytest.raises(AnalyserError, match="pip install"):
            await analysis.start()
        await analysis.close()

    try:
        import presidio_analyzer  # noqa: F401, PLC0415
    except ImportError:
        asyncio.run(scenario())
    else:
        pytest.skip("presidio-analyzer is installed, and so cannot be missing")


class Failing:
    """An analyser that fails with a part of the text in its error."""

    def analyse(self, text: str) -> Sequence[Hit]:
        raise ValueError(text)


def test_an_error_of_the_analyser_tells_its_kind_and_nothing_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes into logs."""
    from multiprocessing import Pipe  # noqa: PLC0415
    from threading import Thread  # noqa: PLC0415

    from authz_service.deep_scan.analysis import _serve  # noqa: PLC0415

    monkeypatch.setattr(analyser, "ANALYSERS", {})
    monkeypatch.setattr("authz_service.deep_scan.analysis.ANALYSERS", {"failing": Failing})
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # only the main thread may
    ours, theirs = Pipe()
    serving = Thread(target=_serve, args=("failing", theirs))
    serving.start()
    assert ours.recv() is None
    ours.send(SSN)
    assert ours.recv() == "ValueError"
    ours.close()
    serving.join(10)
    assert not serving.is_alive()
