"""What all commands share: exit codes, and no traceback whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.ratelimit_service.commands.terminal import COMMAND, SECONDS, directory, run

LIMITS = "domain: d\ndescriptors: [{key: user, rate_limit: {unit: year, requests_per_unit: 2}}]\n"
BROKEN = "domain: d\ndescriptors:\n- key: ''\n- key: a\n  rate_limit: {unit: fortnight}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "--domain", "d", "user=a"),
        ("show",),
        ("reset", "--domain", "d", "user=a"),
        ("simulate", "--log", "-"),
    ],
)
def test_limits_with_a_fault_are_told_with_every_fault_and_exit_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    directory(tmp_path, BROKEN)
    command, *rest = words
    answer = run(command, "--config-dir", tmp_path, *rest)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.splitlines() == [
        f"{tmp_path}/0.yaml:3: descriptors[0].key must not be empty",
        answer.err.splitlines()[1],
    ]
    assert answer.err.splitlines()[1].startswith(f"{tmp_path}/0.yaml:5: descriptors[1].rate_limit.unit must be one of")
    answer = run(command, "--json", "--config-dir", tmp_path, *rest)
    assert (answer.status, answer.err) == (2, "")
    assert [(fault["source"], fault["line"]) for fault in answer.json["faults"]] == [
        (f"{tmp_path}/0.yaml", 3),
        (f"{tmp_path}/0.yaml", 5),
    ]


@pytest.mark.parametrize("command", ["check", "explain", "reset", "simulate"])
def test_a_command_without_what_it_needs_says_so_with_exit_2(command: str) -> None:
    answer = run(command)
    assert (answer.status, answer.out) == (2, "")
    assert "the following arguments are required" in answer.err


@pytest.mark.parametrize("command", ["check", "explain", "show", "reset", "simulate"])
def test_each_command_explains_itself_with_an_example(command: str) -> None:
    answer = run(command, "--help")
    assert answer.status == 0
    assert f"python -m ratelimit_service {command} " in answer.out
    assert "exit codes:" in answer.out


@pytest.mark.parametrize("command", [("show",), ("reset", "--domain", "d", "user=a")])
def test_variables_with_a_fault_are_told_with_exit_2(command: tuple[str, ...]) -> None:
    answer = run(*command, environment={"REDIS_TYPE": "ring"})
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("REDIS_TYPE: must be one of")


@pytest.mark.parametrize("command", [("show",), ("reset", "--domain", "d", "user=a")])
def test_a_store_that_is_away_is_one_line_with_exit_1(command: tuple[str, ...]) -> None:
    answer = run(*command, environment={"REDIS_URL": "/nowhere/valkey.sock", "REDIS_SOCKET_TYPE": "unix"})
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == "the store does not answer: No such file or directory\n"


def test_a_reader_that_has_had_enough_hears_no_complaint(tmp_path: Path) -> None:
    texts = [f"domain: d{number}\n" + LIMITS.partition("\n")[2] for number in range(3)]
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, "check", "--json", "--config-dir", str(directory(tmp_path, *texts))]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=SECONDS)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_interrupt_ends_a_command_without_a_traceback(tmp_path: Path) -> None:
    command = [*COMMAND, "simulate", "--config-dir", str(directory(tmp_path, LIMITS)), "--log", "-", "--format", "csv"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"time,user\n" + b"1,a\n" * 40_000)  # more than a pipe holds: it is being read
        process.stdin.flush()
        process.send_signal(signal.SIGINT)  # while it waits for more
        assert process.wait(SECONDS) == 130
        assert process.stderr.read() == b""


def test_letters_that_a_terminal_cannot_show_are_escaped(tmp_path: Path) -> None:
    directory(tmp_path, LIMITS)
    command = [*COMMAND, "explain", "--config-dir", str(tmp_path), "--domain", "d", "user=é"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"user=\xe9" in done.stdout
