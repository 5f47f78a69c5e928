from __future__ import annotations

import io

from ratelimit_service.commands.progress import Progress, remaining
from tests.ratelimit_service.commands.terminal import Terminal


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_is_told_of_what_takes_longer_than_a_second_and_keeps_nothing_of_it() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, clock)
    for now in (10.5, 10.999, 11.0, 11.1, 11.25):
        clock.now = now
        progress.show(lambda elapsed: f"{elapsed:.2f}")
    assert stream.getvalue() == "\r\x1b[K1.00\r\x1b[K1.25"
    progress.end()
    assert stream.getvalue().endswith("1.25\r\x1b[K")


def test_what_is_done_at_once_is_not_told() -> None:
    stream = Terminal()
    progress = Progress(stream, Clock())
    progress.show(lambda _: "x")
    progress.end()
    assert stream.getvalue() == ""


def test_what_is_no_terminal_is_told_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    clock.now = 100.0
    progress.show(lambda _: "x")
    progress.end()
    assert stream.getvalue() == ""


def test_what_remains_follows_from_the_pace() -> None:
    assert remaining(10.0, 25, 100) == "25 %, 30 s left"
    assert remaining(10.0, 25, 0) == ""  # how much there is, is not known
    assert remaining(10.0, 0, 100) == ""
