"""What the figures are of: processor, memory and versions. No names of hosts."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.peers import building


def describe(valkey: str, go: str) -> Mapping[str, str]:
    """Name to value, in the order of the report."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": f"{processor(Path('/proc/cpuinfo').read_text())}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "kernel": f"Linux {'.'.join(platform.release().split('.')[:2])}",
        "Python": platform.python_version(),
        "Valkey": valkey,
        "our gRPC": ", ".join(f"{name} {version(name)}" for name in ("pyvoy", "grpcio") if _is_installed(name)),
        "envoyproxy/ratelimit": f"{building.RATELIMIT.version}, {go}",
        "opa-envoy-plugin": f"{building.OPA_ENVOY_PLUGIN.version}, {go}",
    }


def commit() -> str:
    """Which state of this repository is measured; empty outside of git."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=building.ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()


def processor(cpuinfo: str) -> str:
    """The model's name."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
