"""What the compiling processes share: a job in a folder, and its faults beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service_kit.faults import ConfigurationError


def answer(folder: Path, work: Callable[[dict[str, Any]], None]) -> None:
    """Read FOLDER/job.json (see `compiling.Job`), do the work, and write its faults to FOLDER/faults.json."""
    job = json.loads((folder / "job.json").read_text("utf-8"))
    faults = []
    try:
        work(job)
    except ConfigurationError as error:
        faults = [(fault.source, fault.line, fault.text) for fault in error.faults]
    (folder / "faults.json").write_text(json.dumps(faults), "utf-8")
