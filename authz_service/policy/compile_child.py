"""Policies → compiled code, in a process of its own: `python -m authz_service.policy.compile_child FOLDER`.

It reads FOLDER/job.json and writes FOLDER/faults.json, and FOLDER/compiled where there are none. A policy that makes
the Rego library abort ends this process and not the service; and whatever compiling takes, no call waits for it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from authz_service.policy import artifacts, policy_tests
from authz_service.policy.child_process import answer
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import read_sources
from authz_service.rego_engine.compiled import PROBING, CompileOptions, translate
from service_kit.faults import Faults


def main(folder: Path) -> None:
    """Do the job."""
    answer(folder, lambda job: artifacts.write(folder / "compiled", _compile(job)))


def _compile(job: dict[str, Any]) -> artifacts.Artifact:
    paths = [Path(path) for path in job["paths"]]
    sources = read_sources(paths, with_tests=job["with_tests"])
    rules = job["rules"] or [found.rule for found in policy_tests.find(sources)]
    options = PROBING if job["probes"] else CompileOptions(frozenset(job["without"]))
    code = translate(compile_sources(sources, rules, job["optional"]), sources.data, options, source=str(paths[0]))
    faults = Faults()
    for outcome in policy_tests.run_sources(paths) if job["run_tests"] else ():
        if not outcome.passed:
            faults.add(outcome.file, outcome.row, f"the test {outcome.rule} {outcome.text}")
    faults.raise_if_any()
    return artifacts.Artifact(code, sources.data, sources.revision)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
