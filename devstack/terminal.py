"""What is told on the terminal. That nobody reads any more never stands in the way of the end."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


class OutputClosedError(Exception):
    """Nobody reads any more: the pipe is closed (`make run | head -1`), or the terminal is gone."""


def say(text: str) -> None:
    """Print to standard output, or raise `OutputClosedError`."""
    _print(text, sys.stdout)


def warn(text: str) -> None:
    """Print to standard error, if somebody reads it."""
    with suppress(OutputClosedError):
        _print(text, sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        # What waits in the buffer goes nowhere, instead of failing once more when Python ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        raise OutputClosedError from error
