"""A bundle → compiled code, in a process of its own: `python -m authz_service.policy.bundle_child FOLDER`.

As `compile_child`, for a plan that `opa build -t plan` has made.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from authz_service.policy import artifacts
from authz_service.policy.bundles.bundle import Bundle, read_bundle_path
from authz_service.policy.child_process import answer
from authz_service.rego_engine.compiled import PROBING, CompileOptions, translate
from authz_service.rego_engine.plan_reader import OpaDialect, read_plan
from service_kit.faults import Faults


def main(folder: Path) -> None:
    """Do the job."""
    answer(folder, lambda job: artifacts.write(folder / "compiled", _compile(job)))


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
    for rule in job["optional"]:
        if rule not in plan.entrypoints and _has(bundle, rule):  # passed over, it would not do what it was written for
            faults.add(source, 0, f"has the rule {rule}, and was not built for it (-e {rule})")
    faults.raise_if_any()
    options = PROBING if job["probes"] else CompileOptions(frozenset(job["without"]))
    return artifacts.Artifact(translate(plan, bundle.data, options, source=source), bundle.data, bundle.revision)


def _has(bundle: Bundle, rule: str) -> bool:
    """Whether a bundle has a rule in its sources, or a value in its place in the data."""
    *packages, name = rule.split("/")
    package = re.compile(rb"^\s*package\s+" + r"\.".join(packages).encode() + rb"\s*(#|$)", re.MULTILINE)
    head = re.compile(rb"^\s*(default\s+)?" + name.encode() + rb"\b", re.MULTILINE)
    sources = [text for file, text in bundle.files.items() if file.endswith(".rego")]
    data: Any = bundle.data
    for part in (*packages, name):
        data = data.get(part) if isinstance(data, dict) else None
    return data is not None or any(package.search(text) and head.search(text) for text in sources)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
