"""Regopy beside other C++ libraries, in whatever order they are loaded. Each case is a process of its own."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# These patterns and this malformed policy make the libraries hand memory from one to the other.
WORK = """
import tempfile
import re2
from authz_service.policy.regopy_library import Interpreter, LogLevel, RegoError

def patterns():
    for pattern in (b"ghs_[A-Za-z0-9._-]{36,1000}", b"ghs_[A-Za-z0-9._-]{36,999}", b"[a-z]{5,1000}", b"("):
        try:
            re2.compile(pattern).search(b"x" * 100 + b"ghs_" + b"a" * 50)
        except re2.error:
            pass

def interpreter():
    made = Interpreter()
    made.log_level = LogLevel.NONE
    return made

def policies():
    for text in ("package b\\nd := {", "pakage x", 'package b\\nx := "'):
        try:
            interpreter().add_module("b.rego", text)
        except RegoError as error:
            str(error)
    used = interpreter()
    used.add_module("a.rego", 'package a\\nd := concat("-", [input.x, lower(input.x)])')
    with tempfile.TemporaryDirectory() as folder:
        used.save_bundle(folder + "/bundle", used.build(None, ["a/d"]))
        bundle = used.load_bundle(folder + "/bundle")
    for length in (1, 100, 20_000):
        used.set_input_term('{"x": "' + "X" * length + '"}')
        assert used.query_bundle_entrypoint(bundle, "a/d").results[0].expressions[0][-1] == "x"

for work in (patterns, policies, patterns, policies):
    work()
print("done")
"""
LOADS = ["import grpc, aiohttp", "import re2", "import authz_service.policy.regopy_library"]


@pytest.mark.parametrize("order", list(permutations(LOADS)), ids=lambda order: " ".join(line[7:12] for line in order))
def test_no_order_of_loading_makes_a_library_free_what_is_not_its_own(order: tuple[str, ...]) -> None:
    """Otherwise the C library aborts the process."""
    program = "\n".join(order) + WORK
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
