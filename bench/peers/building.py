"""Builds the peers and the load generator with go, into a folder that is kept from run to run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".bench" / "bin"
LOAD_SOURCES = ROOT / "bench" / "load"
BUILD_SECONDS = 900.0  # with nothing downloaded before


class CannotBuildError(Exception):
    """A program that is needed cannot be built; the text tells why."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A program of a Go module, at one version."""

    name: str
    module: str
    package: str  # below the module
    version: str

    @property
    def file(self) -> Path:
        """Where it is kept: another version is another file."""
        return KEPT / self.version / self.name


# Of opa-envoy-plugin nothing newer is served to `go get`: later tags are no versions of a Go module.
OPA_ENVOY_PLUGIN = Pinned(
    "opa-envoy-plugin", "github.com/open-policy-agent/opa-envoy-plugin", "cmd/opa-envoy-plugin", "v1.15.2-envoy"
)
RATELIMIT = Pinned(
    "ratelimit", "github.com/envoyproxy/ratelimit", "src/service_cmd", "v1.4.1-0.20260122083618-3fb702589d36"
)


def peer(pinned: Pinned, progress: Callable[[str], None]) -> Path:
    """Return the program's file, built where it is not there yet."""
    if pinned.file.exists():
        return pinned.file
    progress(f"building {pinned.module} {pinned.version} (once; minutes)")
    with TemporaryDirectory(prefix="bench-") as name:
        # A module of ours that needs theirs. `go install module@version` would also ask whether the module is
        # deprecated, which not every mirror can tell of opa-envoy-plugin.
        folder = Path(name)
        (folder / "tools.go").write_text(
            f'//go:build tools\n\npackage tools\n\nimport _ "{pinned.module}/{pinned.package}"\n'
        )
        _go(folder, "mod", "init", "peer")
        _go(folder, "mod", "edit", "-require", f"{pinned.module}@{pinned.version}")
        _build(folder, f"{pinned.module}/{pinned.package}", pinned.file)
    return pinned.file


def load_generator() -> Path:
    """Return the load generator's file, built from its sources as they are now."""
    target = KEPT / "load"
    _build(LOAD_SOURCES, ".", target, "-mod=readonly")
    return target


def go_version() -> str:
    """Return which go builds them, such as go1.26.8."""
    return _go(ROOT, "env", "GOVERSION").strip()


def _build(folder: Path, package: str, target: Path, mode: str = "-mod=mod") -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")  # a build that is cut short leaves no target
    try:
        _go(folder, "build", mode, "-buildvcs=false", "-o", str(unfinished), package)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _go(folder: Path, *arguments: str) -> str:
    program = shutil.which("go")
    if program is None:
        raise CannotBuildError("go is not on PATH: the peers and the load generator are built with it (1.26 or newer)")
    try:
        done = subprocess.run(  # noqa: S603
            [program, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise CannotBuildError(f"go {' '.join(arguments)} took more than {BUILD_SECONDS:.0f} seconds") from error
    if done.returncode:
        raise CannotBuildError(f"go {' '.join(arguments)} failed:\n{done.stderr.strip()[-2_000:]}")
    return done.stdout
