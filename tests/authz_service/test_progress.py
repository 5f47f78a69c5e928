"""The bar on standard error."""

from __future__ import annotations

import io
import sys
import time

import pytest

from authz_service.progress import Progress


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still; its only entry is the time."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_terminal_sees_how_much_is_done_and_in_the_end_nothing(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress(4_000_000) as bar:
        bar.add(1_000_000)
        assert terminal.getvalue() == ""  # what is done at once needs no bar
        clock[0] = 2.0
        bar.add(1_000_000)
        assert " 50%  2.0 MB" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_without_a_total_only_the_amount_is_told(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress(0) as bar:
        clock[0] = 2.0
        bar.add(3_000_000)
    assert "3.0 MB" in terminal.getvalue()
    assert "%" not in terminal.getvalue()


def test_a_file_sees_nothing(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file := io.StringIO())
    with Progress(10) as bar:
        clock[0] = 2.0
        bar.add(10)
    assert file.getvalue() == ""
