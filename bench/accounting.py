"""CPU seconds and memory of processes with all that they started, from Linux's /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
IS_KNOWN = (PROC / "self" / "smaps_rollup").exists()  # Linux; elsewhere nothing can be told


@dataclass(frozen=True, slots=True)
class Stat:
    """Of one process: its parent, and the CPU time in clock ticks of it and of the children that it has buried."""

    parent: int
    ticks: int


def read_stat(text: str) -> Stat:
    """Read a line of /proc/PID/stat. The program's name in it may hold brackets: only the last one ends it."""
    fields = text.rpartition(")")[2].split()
    return Stat(int(fields[1]), sum(map(int, fields[11:15])))


def members(root: int, stats: Mapping[int, Stat]) -> list[int]:
    """Return a process and all below it."""
    found = [root] if root in stats else []
    for pid in found:  # grows while it is gone through
        found += [child for child, stat in stats.items() if stat.parent == pid]
    return found


def tree(root: int) -> list[int]:
    """Return the ids of a process and all below it, itself first."""
    return members(root, _stats())


def names(root: int) -> list[str]:
    """Return the programs that a process and all below it run."""
    return [(PROC / str(pid) / "exe").readlink().name for pid in tree(root)]


def cpu_seconds(root: int) -> float:
    """CPU time of a process with all below it, in seconds."""
    stats = _stats()
    return sum(stats[pid].ticks for pid in members(root, stats)) / os.sysconf("SC_CLK_TCK")


def pss_bytes(root: int) -> int:
    """Proportional set size of a process with all below it: memory that is shared counts once."""
    return sum(_pss(pid) for pid in tree(root))


def read_pss(text: str) -> int:
    """Read /proc/PID/smaps_rollup; in bytes."""
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)


def _pss(pid: int) -> int:
    with suppress(OSError):  # it has ended meanwhile
        return read_pss((PROC / str(pid) / "smaps_rollup").read_text())
    return 0


def _stats() -> dict[int, Stat]:
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                found[int(folder.name)] = read_stat((folder / "stat").read_text("utf-8", "replace"))
    return found


def busy_seconds(core: int | None = None) -> float:
    """CPU time that somebody used of a core since the machine started, or of all together, in seconds."""
    return read_busy((PROC / "stat").read_text(), core) / os.sysconf("SC_CLK_TCK")


def read_busy(text: str, core: int | None = None) -> int:
    """Read /proc/stat; in clock ticks. What the host took away (steal) counts as used: nobody else had it."""
    name = "cpu" if core is None else f"cpu{core}"
    line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
    return user + nice + system + irq + softirq + steal
