"""Programs that are started for tests, benches and `make run` do not compile everything anew each time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import os, sys
from devstack.bytecode import keep_bytecode
keep_bytecode(os.environ)
print(sys.dont_write_bytecode, sys.pycache_prefix, os.environ.get("PYTHONDONTWRITEBYTECODE"),
      os.environ.get("PYTHONPYCACHEPREFIX"), sep="|")
"""


@pytest.mark.parametrize(
    ("unwanted", "told"),
    [
        (True, f"False|{Path(sys.prefix) / 'bytecode'}|None|{Path(sys.prefix) / 'bytecode'}"),
        (False, "False|None|None|None"),
    ],
)
def test_bytecode_is_kept_in_the_environment_where_none_is_wanted_beside_the_source(
    unwanted: bool,  # noqa: FBT001  (a case)
    told: str,
) -> None:
    names = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"}
    environment = {name: value for name, value in os.environ.items() if name not in names}
    if unwanted:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    answer = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == told
