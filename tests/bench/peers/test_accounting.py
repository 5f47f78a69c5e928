"""CPU time and memory from /proc."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.peers import accounting
from bench.peers.accounting import Stat, members, read_busy, read_pss, read_stat


def test_a_programs_name_does_not_shift_the_fields() -> None:
    """It may hold blanks and brackets."""
    text = "7 (a) S (b) 9) S 3 7 7 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 5"
    assert read_stat(text) == Stat(parent=3, ticks=11 + 22 + 33 + 44)


def test_members_are_a_process_and_all_below_it() -> None:
    """Grandchildren too, and nobody beside them."""
    stats = {1: Stat(0, 0), 2: Stat(1, 0), 3: Stat(2, 0), 4: Stat(1, 0), 5: Stat(3, 0)}
    assert members(2, stats) == [2, 3, 5]
    assert members(9, stats) == []


def test_a_cores_busy_time_is_its_own_line() -> None:
    """Steal counts; idle and waiting do not."""
    text = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 1000 1000 8 16 32 0 0\ncpu10 7 0 0 0 0 0 0 0 0 0\n"
    assert read_busy(text, 0) == 1 + 2 + 4 + 8 + 16 + 32
    assert read_busy(text, 10) == 7


def test_memory_is_read_in_bytes() -> None:
    """From the line of PSS, not of its parts."""
    assert read_pss("Rss: 100 kB\nPss:  12 kB\nPss_Anon: 5 kB\n") == 12 * 1024


def test_a_child_is_counted_with_its_parent() -> None:
    """As an Envoy below a Python is."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        ids = accounting.tree(os.getpid())
        assert ids[0] == os.getpid()
        assert child.pid in ids
        assert accounting.pss_bytes(child.pid) > 0
        assert accounting.cpu_seconds(os.getpid()) >= accounting.cpu_seconds(child.pid)
        assert child.stdin is not None
        child.stdin.write(b"\n")
