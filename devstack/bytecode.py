"""Where the programs that are started here keep their bytecode."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from pathlib import Path


def keep_bytecode(environment: MutableMapping[str, str]) -> None:
    """Let this process and all that it starts keep bytecode: in the environment's folder, if none is wanted elsewhere.

    Whoever sets PYTHONDONTWRITEBYTECODE, as many containers do, wants none beside the source. Without any, a program
    compiles all that it imports each time that it starts: half of its start, and some MB that it never gives back.
    """
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(Path(sys.prefix) / "bytecode")
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
