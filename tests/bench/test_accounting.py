"""What /proc says of processes: parents, CPU time, memory, of a process with all below it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench import accounting
from bench.accounting import Stat, members, read_busy, read_pss, read_stat

STAT = "4711 (a (bad) name) S 17 4711 4711 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 8 0 999 1000 50 18446744073709551615"


def test_a_name_with_brackets_and_blanks_does_not_shift_the_fields() -> None:
    assert read_stat(STAT) == Stat(parent=17, ticks=127)


def test_a_tree_is_a_process_and_all_below_it() -> None:
    stats = {1: Stat(0, 0), 10: Stat(1, 0), 11: Stat(10, 0), 12: Stat(11, 0), 20: Stat(1, 0)}
    assert sorted(members(10, stats)) == [10, 11, 12]


def test_a_process_that_has_ended_has_no_tree() -> None:
    assert members(10, {1: Stat(0, 0)}) == []


def test_pss_is_told_in_kib_and_its_parts_are_not_taken_for_it() -> None:
    assert read_pss("55 ---p [rollup]\nRss:   900 kB\nPss:   300 kB\nPss_Anon:  200 kB\n") == 300 * 1024


def test_busy_is_all_time_but_that_of_idling_and_waiting() -> None:
    assert read_busy("cpu  1 2 4 1000 2000 8 16 32 0 0\ncpu0 1 2 4 1000 2000 8 16 32 0 0\n") == 63


def test_a_cores_busy_time_is_its_own_line() -> None:
    text = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 1000 1000 8 16 32 0 0\ncpu10 7 0 0 0 0 0 0 0 0 0\n"
    assert read_busy(text, 0) == 1 + 2 + 4 + 8 + 16 + 32
    assert read_busy(text, 10) == 7


@pytest.mark.skipif(not accounting.IS_KNOWN, reason="needs Linux's /proc")
def test_a_child_counts_with_its_parent() -> None:
    own = accounting.pss_bytes(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            assert accounting.pss_bytes(child.pid) > 0
            assert accounting.pss_bytes(os.getpid()) > own
            assert accounting.tree(os.getpid())[0] == os.getpid()
            assert child.pid in accounting.tree(os.getpid())
        finally:
            child.kill()
    assert accounting.pss_bytes(child.pid) == 0
    assert accounting.cpu_seconds(os.getpid()) > 0
