"""CPU time and memory of a process with all below it, and of a core, from Linux's /proc.

A service may be several processes: pyvoy's host is a Python with an Envoy below it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """Of one process: its parent, and the clock ticks that it and the children it has buried have run."""

    parent: int
    ticks: int


def read_stat(text: str) -> Stat:
    """Read /proc/PID/stat. A name may hold blanks and brackets: what counts begins after the last bracket."""
    fields = text.rpartition(")")[2].split()
    return Stat(int(fields[1]), sum(map(int, fields[11:15])))


def read_pss(text: str) -> int:
    """Read /proc/PID/smaps_rollup; in bytes."""
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)


def read_busy(text: str, core: int) -> int:
    """Read /proc/stat: clock ticks that somebody used of a core, or that the host took from it (steal)."""
    line = next(line for line in text.splitlines() if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, line.split()[1:9])
    return user + nice + system + irq + softirq + steal


def members(root: int, stats: Mapping[int, Stat]) -> list[int]:
    """Return a process and all below it."""
    found = [root] if root in stats else []
    for pid in found:  # grows while it is gone through
        found += [child for child, stat in stats.items() if stat.parent == pid]
    return found


def tree(root: int) -> list[int]:
    """Return the ids of a process and all below it, itself first."""
    return members(root, _stats())


def cpu_seconds(root: int) -> float:
    """User and system time of a process with all below it."""
    stats = _stats()
    return sum(stats[pid].ticks for pid in members(root, stats)) / _ticks_a_second()


def pss_bytes(root: int) -> int:
    """Proportional set size of a process with all below it: what they share counts once."""
    total = 0
    for pid in tree(root):
        with suppress(OSError):  # it has ended meanwhile
            total += read_pss((PROC / str(pid) / "smaps_rollup").read_text())
    return total


def names(root: int) -> list[str]:
    """Return the programs that a process and all below it run."""
    return [(PROC / str(pid) / "exe").readlink().name for pid in tree(root)]


def busy_seconds(core: int) -> float:
    """CPU time that was used of a core since the machine started."""
    return read_busy((PROC / "stat").read_text(), core) / _ticks_a_second()


def _ticks_a_second() -> int:
    return os.sysconf("SC_CLK_TCK")


def _stats() -> dict[int, Stat]:
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                found[int(folder.name)] = read_stat((folder / "stat").read_text("utf-8", "replace"))
    return found
