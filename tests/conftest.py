"""How many examples hypothesis tries, how many processes test at once, and where bytecode is kept.

Few examples in `make check`, many in `make fuzz`, unless a test says how many.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from devstack.bytecode import keep_bytecode

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile(
    "thorough",
    max_examples=2_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

keep_bytecode(os.environ)  # the tests start some hundred programs


@pytest.hookimpl(wrapper=True, optionalhook=True)  # pytest-xdist's: `-n auto`
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than cores, as tests of whole programs wait for most of their time."""
    return (yield) + 1
