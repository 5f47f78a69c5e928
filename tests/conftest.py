"""How many examples hypothesis tries, how many processes test at once, and where bytecode is kept.

Few examples in `make check`, many in `make fuzz`, unless a test says how many.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile(
    "thorough",
    max_examples=2_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

if sys.dont_write_bytecode:
    # The tests start some hundred programs. Without bytecode each would compile all that it imports, which is half of
    # its start; so there is some, but in the environment's folder: who sets this variable wants none beside the source.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(sys.prefix) / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


@pytest.hookimpl(wrapper=True, optionalhook=True)  # pytest-xdist's: `-n auto`
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than cores, as tests of whole programs wait for most of their time."""
    return (yield) + 1
