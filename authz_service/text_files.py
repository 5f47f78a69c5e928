"""Files that commands read and change: failures are told apart from those of standard output, and name no content."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


class UnreadableError(Exception):
    """A file cannot be read; the text says why. What goes wrong with standard output is no fault of a file's."""


class UnwritableError(Exception):
    """A file cannot be replaced; the text says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """An open file, whose failures are its own."""

    file: BinaryIO

    def read(self, size: int) -> bytes:
        """Read so many bytes, fewer at the end."""
        with _told_as(UnreadableError):
            return self.file.read(size)

    def readline(self, limit: int) -> bytes:
        """Read one line with its end, or the first so many bytes of a longer one."""
        with _told_as(UnreadableError):
            return self.file.readline(limit)


@contextmanager
def _told_as(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # the latter of a name with a zero byte in it
        what = "read" if kind is UnreadableError else "replaced"
        raise kind(f"cannot be {what}: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """Open a file; `-` is standard input."""
    with _told_as(UnreadableError):
        file: BinaryIO = open(0, "rb", closefd=False) if name == "-" else Path(name).open("rb")  # noqa: SIM115
    with file:
        yield Source(file)


@contextmanager
def target(name: str, *, in_place: bool) -> Iterator[Callable[[bytes], object]]:
    """Where changed text goes: standard output, or the file, replaced as a whole at the end.

    A file that is cut short stays as it was.
    """
    if not in_place:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    with _told_as(UnwritableError):
        path = Path(name).resolve()
        number, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(number, "wb") as file:
                yield file.write
            shutil.copymode(path, new)
            Path(new).replace(path)
        except BaseException:
            Path(new).unlink(missing_ok=True)
            raise


def total_size(names: list[str]) -> int:
    """The size of all files in bytes, 0 where it is not known: a pipe among them, say."""
    sizes = []
    for name in names:
        try:
            sizes.append(os.stat(name).st_size)  # noqa: PTH116  (a name may be one that no path can be made of)
        except (OSError, ValueError):
            return 0
    return sum(sizes)
