"""regopy's own machine as an oracle, in a process of its own: some policies end it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from authz_service.rego_engine import values
from authz_service.rego_engine.values import UNDEFINED
from tests.differential.policies import Example

ERROR: Final = "error"
ORACLE_SECONDS = 20.0
ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
from authz_service.policy.sources import PolicySources
from bench.regopy_vm import RegopyVm

for line in sys.stdin:
    job = json.loads(line)
    rules = [f"p/{rule}" for rule in job["rules"]]
    vm = RegopyVm(PolicySources({"p.rego": job["text"]}, job["data"]), rules)
    rows = [[vm.outcome(rule, document) for rule in rules] for document in job["inputs"]]
    print(json.dumps(rows), flush=True)
"""


class OracleCrashedError(Exception):
    """The oracle has ended on this policy; there is nothing to compare with."""


class Oracle:
    """Asks the process, and starts another when it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def answers(self, example: Example, data: Mapping[str, Any], rules: Sequence[str]) -> list[list[Any]]:
        """Ask for every rule on every input."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
            )  # fmt: skip
        job = {"text": example.text, "data": data, "inputs": example.inputs, "rules": rules}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        waiting = threading.Timer(ORACLE_SECONDS, self._process.kill)
        waiting.start()
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        waiting.cancel()
        if not line:
            self._end()
            raise OracleCrashedError
        rows: list[list[Any]] = values.read(line)
        return [[_read(each) for each in row] for row in rows]

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None


def _read(answer: list[Any]) -> Any:
    if answer == ["error"]:
        return ERROR
    return UNDEFINED if not answer else answer[1]
