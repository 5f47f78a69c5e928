"""A case's policies → a plan, or why there is none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from authz_service.rego_engine import regopy_dialect
from authz_service.rego_engine.front_end_checks import Sources
from authz_service.rego_engine.negations import ambiguous
from authz_service.rego_engine.plan import Plan
from authz_service.rego_engine.plan_checks import reassigned
from authz_service.rego_engine.plan_reader import OpaDialect, read_plan
from authz_service.rego_engine.regopy_dialect import RegopyDialect
from conformance.cases import RULE, Case
from service_kit.faults import Faults

OPA_SECONDS = 60.0


class RefusedError(Exception):
    """A front end does not take the policies; the text says why."""


@dataclass(frozen=True, slots=True)
class Opa:
    """`opa build -t plan`."""

    program: str
    name = "opa"

    def plan(self, case: Case) -> Plan:
        """Build a bundle and read the plan in it."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number, text in enumerate([*case.modules, case.module]):
                (folder / f"{number}.rego").write_text(text, "utf-8")
            files = [str(file) for file in sorted(folder.glob("*.rego"), key=lambda file: int(file.stem))]
            old = ["--v0-compatible"] if case.version == "v0" else []
            command = [self.program, "build", "-t", "plan", *old, "-e", RULE, "-o", str(folder / "b.tar.gz"), *files]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=OPA_SECONDS)  # noqa: S603
            if done.returncode:
                text = (done.stderr or done.stdout).replace(f"{folder}/", "")
                raise RefusedError(f"opa build: {_first_line(text)}")
            with tarfile.open(folder / "b.tar.gz") as bundle:
                found = bundle.extractfile("/plan.json")
                return _read(found.read() if found else b"", OpaDialect())


class Regopy:
    """regopy, in a process of its own."""

    name = "regopy"

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def plan(self, case: Case) -> Plan:
        """Compile, check and read the plan."""
        answer = self._ask({"modules": [*case.modules, case.module], "rule": RULE})
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        texts = {f"{number}.rego": text for number, text in enumerate([*case.modules, case.module])}
        read = Sources(texts)
        plan = _read(answer["plan"], RegopyDialect(read.negating_bodies()))
        fault = next(
            chain(regopy_dialect.misplaced(plan), reassigned(plan), ambiguous(plan, read.negated_comparisons())), None
        )
        if fault is not None:
            raise RefusedError(str(fault))
        return plan

    def _ask(self, job: dict[str, object]) -> dict[str, str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "conformance.regopy_worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        sent, answers = self._process.stdin, self._process.stdout
        if sent is None or answers is None:
            raise AssertionError("both are pipes")
        sent.write(json.dumps(job) + "\n")
        sent.flush()
        line = answers.readline()
        if not line:
            self._process.wait()
            return {"refused": "the compiler crashes on it"}
        answer: dict[str, str] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()


def _read(text: str | bytes, dialect: OpaDialect | RegopyDialect) -> Plan:
    faults = Faults()
    plan = read_plan(text, dialect, {}, "plan", faults)
    if faults.found:
        raise RefusedError(str(faults.found[0]))
    return plan


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    shown = next((line for line in lines if "error" in line and "occurred" not in line), lines[0] if lines else "")
    return re.sub(r"^\d+\.rego:\d+: ", "", shown)
