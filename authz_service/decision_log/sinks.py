"""Where the lines of the decision log go on this machine: standard error, or a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from authz_service.decision_log.shaping import Fate


class ConsoleSink:
    """Writes each event as OPA's console logger does, beside the service's own log lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, lines: Sequence[bytes]) -> Fate:
        """Write the lines, each with what tells it from others."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        head = f'{{"level":"info","msg":"Decision Log","time":"{now}","type":"openpolicyagent.org/decision_logs",'
        self._stream.write("".join(f"{head}{line[1:].decode()}\n" for line in lines))
        self._stream.flush()
        return Fate.WRITTEN


class FileSink:
    """Appends each event as one line to a file, which may be moved away (logrotate): then it is made anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, lines: Sequence[bytes]) -> Fate:
        """Append the lines, opening the file for as long as that takes, so that a moved one is never held."""
        data = b"".join(line + b"\n" for line in lines)
        # Readable by the service's user alone. Appended by one call, so that several workers may share the file.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(descriptor, data)
            while written < len(data):
                written += os.write(descriptor, data[written:])
        finally:
            os.close(descriptor)
        return Fate.WRITTEN
