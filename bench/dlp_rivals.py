"""The rivals as processes: which are installed, and what they answer.

Each process gets no variable of ours but PATH and HOME.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.dlp_accuracy import Finding

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".bench" / "rivals" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Rival:
    """A scanner: the module that serves it, and the one that tells whether it is there."""

    name: str
    module: str
    needs: str


RIVALS = (
    Rival("presidio-analyzer", "bench.rivals.presidio", "presidio_analyzer"),
    Rival("detect-secrets", "bench.rivals.detect_secrets_rival", "detect_secrets"),
    Rival("cpex-pii-filter", "bench.rivals.cpex_pii", "cpex_pii_filter"),
    Rival("cpex-secrets-detection", "bench.rivals.cpex_secrets", "cpex_secrets_detection"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rival said of each text, how many seconds of CPU time each took, and which of our entities it knows."""

    version: str
    note: str
    entities: frozenset[str]
    findings: Sequence[Sequence[Finding]]
    seconds: Sequence[float]


def installed() -> list[Rival]:
    """Those that are there; says of the others how to get them."""
    found = [rival for rival in RIVALS if _is_there(rival)]
    if missing := [rival.name for rival in RIVALS if rival not in found]:
        print(f"Not installed: {', '.join(missing)}. `make bench-dlp-rivals` gets them.\n")
    return found


def _is_there(rival: Rival) -> bool:
    if not PYTHON.exists():
        return False
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({rival.needs!r}) is None)"
    return subprocess.run([str(PYTHON), "-c", look], check=False).returncode == 0  # noqa: S603


def ask(rival: Rival, texts: Sequence[str]) -> Answer:
    """Have a rival scan texts, one after the other."""
    with _process(rival) as process:
        head = _line(process)
        findings, seconds = [], []
        for text in texts:
            assert process.stdin
            process.stdin.write(json.dumps({"text": text}) + "\n")
            process.stdin.flush()
            said = _line(process)
            findings.append([Finding(*found) for found in said["findings"]])
            seconds.append(said["seconds"])
    return Answer(head["version"], head["note"], frozenset(head["entities"]), findings, seconds)


@contextmanager
def _process(rival: Rival) -> Iterator[subprocess.Popen[str]]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [str(PYTHON), "-W", "ignore", "-m", rival.module]
    with subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    while line := process.stdout.readline():
        if line.startswith("{"):  # some print what they think of their environment
            said: dict[str, Any] = json.loads(line)
            return said
    raise RuntimeError(f"{process.args!r} ended without an answer")
