"""Compiles policies in a process of its own, and loads what comes out beside the event loop."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from authz_service.policy import artifacts
from authz_service.policy.sources import read_sources
from authz_service.rego_engine.compiled import CompiledPolicy
from authz_service.rego_engine.compiler_hints import crash_suspects
from service_kit import lifetime
from service_kit.faults import ConfigurationError, Fault

COMPILE_SECONDS = 60.0
CHILD = "authz_service.policy.compile_child"
BUNDLE_CHILD = "authz_service.policy.bundle_child"


@dataclass(frozen=True, slots=True)
class Job:
    """What to compile: `.rego` and data files below `paths`, or an OPA bundle at `bundle`.

    `rules` are what is to be asked for, as `package/path/rule`; none means every `test_` rule. `optional` may be asked
    for too, and are undefined where no policy has them. `run_tests`: a test that
    fails is a fault. `without` names passes to leave out; `probes` compiles for coverage and explanations.
    """

    paths: tuple[str, ...] = ()
    bundle: str = ""
    rules: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    verification: dict[str, Any] = field(default_factory=dict)
    with_tests: bool = False
    run_tests: bool = False
    probes: bool = False
    without: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What faults without a place of their own name."""
        return self.bundle or self.paths[0]


async def compile_policy(job: Job) -> tuple[CompiledPolicy, str]:
    """Compile and load; return the policy and its revision.

    Raises:
        ConfigurationError: with every fault; also when the compiler crashes or takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="agent-gateway-policy-") as name:
        folder = Path(name)
        await run_child(BUNDLE_CHILD if job.bundle else CHILD, job, folder)
        return await lifetime.beside(artifacts.load, folder / "compiled")


def _crash_faults(job: Job) -> list[Fault]:
    """Return the places that may have made the compiler crash, or else that it has."""
    faults = [Fault(job.source, 0, "the Rego compiler crashed on these policies")]
    if job.bundle:
        return faults
    try:
        modules = read_sources([Path(path) for path in job.paths], with_tests=job.with_tests or not job.rules).modules
    except ConfigurationError:
        return faults
    return [fault for name, text in modules.items() for fault in crash_suspects(name, text)] or faults


async def run_child(module: str, job: Job, folder: Path) -> None:
    """Run a module on a job in a folder, until it has ended; whatever ends this ends it."""
    (folder / "job.json").write_text(json.dumps(asdict(job)), "utf-8")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(folder), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(COMPILE_SECONDS):
            await child.wait()
    except TimeoutError as error:
        text = f"the policies take longer than {COMPILE_SECONDS:g} s to compile"
        raise ConfigurationError([Fault(job.source, 0, text)]) from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise ConfigurationError(await asyncio.to_thread(_crash_faults, job))
    faults = [Fault(*fault) for fault in json.loads((folder / "faults.json").read_text("utf-8"))]
    if faults:
        raise ConfigurationError(faults)
