"""A hundred thousand inputs for each target, guided by the branches that they reach: `make fuzz`."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.test_ratelimit_fuzz import INPUTS, RULES, request

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None,
        reason="no atheris (it has wheels for Linux on x86-64 only); get it with `.venv/bin/uv pip install atheris`",
    ),
]


@pytest.mark.parametrize("target", ["configuration", "request"])
def test_no_input_that_reaches_a_new_branch_breaks_anything(target: str, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "good").write_bytes(RULES if target == "configuration" else request())
    program = Path(__file__).parent / "guided.py"
    options = [f"-runs={INPUTS}", "-max_total_time=280", "-rss_limit_mb=2048", "-verbosity=1", str(tmp_path / "corpus")]
    done = subprocess.run(
        [sys.executable, str(program), target, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-5_000:]
    runs = re.search(r"#(\d+)\s+DONE.*", done.stderr)
    assert runs is not None, done.stderr[-2_000:]
    print(f"{target}: {runs[0]}")  # noqa: T201
    assert int(runs[1]) >= INPUTS, "the time was up before the runs were done"
