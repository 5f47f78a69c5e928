"""Runs policies' tests in a process of its own: `python -m authz_service.policy.test_child FOLDER`.

It reads FOLDER/job.json and writes FOLDER/faults.json, and FOLDER/outcomes.json where the policies can be compiled.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from authz_service.policy import policy_tests
from authz_service.policy.child_process import answer
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import read_sources
from authz_service.rego_engine.compiled import PROBING, compile_plan


def main(folder: Path) -> None:
    """Do the job."""

    def work(job: dict[str, Any]) -> None:
        (folder / "outcomes.json").write_text(json.dumps(_run(job)), "utf-8")

    answer(folder, work)


def _run(job: dict[str, Any]) -> dict[str, Any]:
    sources = read_sources([Path(path) for path in job["paths"]], with_tests=True)
    tests = policy_tests.find(sources)
    if not tests:
        return {"outcomes": [], "coverage": []}
    plan = compile_sources(sources, [test.rule for test in tests])
    options = PROBING if job["probes"] else None
    policy = compile_plan(plan, sources.data, options)
    outcomes, reached = policy_tests.run(policy, tests)
    covered = policy_tests.coverage(policy, reached) if job["probes"] else []
    return {"outcomes": [asdict(each) for each in outcomes], "coverage": [asdict(each) for each in covered]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
