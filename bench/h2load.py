"""nghttp2's h2load as a second load generator, where it is installed: HTTP/2 over TLS, closed loop, cheap.

It knows one set of headers only, so that all requests are of one agent.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.percentiles import Percentiles, percentiles

PROGRAM = shutil.which("h2load")
ABSENT = "h2load is not installed (Debian: nghttp2-client): no figures over HTTP/2"
CONNECTIONS = 8
STREAMS = 4  # on each connection at once


@dataclass(frozen=True, slots=True)
class LogFile:
    """What its log says: how many requests ended in which status (-1: none came), and their latencies."""

    statuses: dict[str, int]
    latency: Percentiles


def read_log(text: str) -> LogFile:
    """Read the lines of `--log-file`: start (µs since the epoch), status, time to the end of the answer (µs)."""
    rows = [line.split("\t") for line in text.splitlines()]
    statuses = Counter(row[1] for row in rows)
    return LogFile(dict(statuses), percentiles(int(row[2]) / 1e6 for row in rows))


async def send(url: str, token: str, seconds: int, warm_up: int) -> LogFile:
    """Load an address for so many seconds after the warm-up, which is not counted."""
    assert PROGRAM is not None
    with TemporaryDirectory(prefix="bench-") as folder:
        log = Path(folder) / "log"
        options = [f"-D{seconds}", f"--warm-up-time={warm_up}", f"-c{CONNECTIONS}", f"-m{STREAMS}", "-t1"]
        headers = ["-H", f"authorization: Bearer {token}", "-H", "accept: */*"]
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *options, *headers, f"--log-file={log}", url, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await asyncio.wait_for(process.wait(), seconds + warm_up + 30)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise RuntimeError(f"h2load ended with exit code {process.returncode}")
        return read_log(log.read_text())
