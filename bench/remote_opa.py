"""A real OPA server with the policies that ship, to be asked in place of the embedded engine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 20.0
NEEDED = "opa is not on PATH: go install github.com/open-policy-agent/opa@latest"


def is_there() -> bool:
    """Whether opa can be started."""
    return shutil.which("opa") is not None


@contextlib.contextmanager
def serving(policies: Path) -> Iterator[str]:
    """Start opa on a unix socket; yield its URL."""
    with tempfile.TemporaryDirectory(prefix="agent-gateway-opa-") as folder:
        path = f"{folder}/opa.sock"
        command = ["opa", "run", "--server", "--disable-telemetry", "--log-level=error", "--addr", f"unix://{path}"]
        process = subprocess.Popen(  # noqa: S603  (a program of this machine, with arguments of ours)
            [*command, "--ignore", "*_test.rego", str(policies)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _listens(path):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("opa does not start")
                time.sleep(0.05)
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait()


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0
