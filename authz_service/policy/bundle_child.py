"""A bundle → compiled code, in a process of its own: `python -m authz_service.policy.bundle_child FOLDER`.

As `compile_child`, for a plan that `opa build -t plan` has made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from authz_service.policy import artifacts
from authz_service.policy.bundles.bundle import read_bundle_path
from authz_service.rego_engine.compiled import PROBING, CompileOptions, translate
from authz_service.rego_engine.plan_reader import OpaDialect, read_plan
from service_kit.faults import ConfigurationError, Faults


def main(folder: Path) -> None:
    """Do the job (see `compiling.Job`)."""
    job = json.loads((folder / "job.json").read_text("utf-8"))
    faults = []
    try:
        artifacts.write(folder / "compiled", _compile(job))
    except ConfigurationError as error:
        faults = [(fault.source, fault.line, fault.text) for fault in error.faults]
    (folder / "faults.json").write_text(json.dumps(faults), "utf-8")


def _compile(job: dict[str, Any]) -> artifacts.Artifact:
    source = job["bundle"]
    bundle = read_bundle_path(Path(source), job["verification"])
    faults = Faults()
    plan = read_plan(bundle.plan, OpaDialect(), {}, source, faults)
    faults.raise_if_any()
    for rule in job["rules"]:
        if rule not in plan.entrypoints:
            known = ", ".join(sorted(plan.entrypoints)) or "none"
            faults.add(source, 0, f"was not built for the rule {rule} (-e {rule}); its entrypoints: {known}")
    faults.raise_if_any()
    options = PROBING if job["probes"] else CompileOptions(frozenset(job["without"]))
    return artifacts.Artifact(translate(plan, bundle.data, options, source=source), bundle.data, bundle.revision)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
