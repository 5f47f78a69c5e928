"""Commands as an operator runs them, in this process: words in, exit status and both outputs out."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratelimit_service import commands

COMMAND = [sys.executable, "-m", "ratelimit_service"]
SECONDS = 60  # that a process may take on a slow machine before a test fails


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The output with its columns one space apart."""
        return [" ".join(line.split()) for line in self.out.splitlines()]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(*words: str | Path, environment: Mapping[str, str] | None = None, stderr: io.StringIO | None = None) -> Answer:
    parser = argparse.ArgumentParser()
    commands.add_to(parser)
    out, err = io.StringIO(), stderr or io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = commands.run(parser.parse_args(list(map(str, words))), environment or {})
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
    return Answer(status, out.getvalue(), err.getvalue())


def directory(path: Path, *texts: str) -> Path:
    """A directory with limits: `0.yaml`, `1.yaml` and so on."""
    for number, text in enumerate(texts):
        (path / f"{number}.yaml").write_text(text)
    return path
