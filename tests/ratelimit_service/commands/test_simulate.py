from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ratelimit_service.commands import progress, replay
from tests.ratelimit_service.commands.terminal import COMMAND, SECONDS, Terminal, directory, run

LIMITS = """\
domain: d
descriptors:
  - key: user
    rate_limit: {unit: minute, requests_per_unit: 2}
    descriptors:
      - key: endpoint
        value: /reports
        shadow_mode: true
        rate_limit: {unit: hour, requests_per_unit: 1}
"""
OTHER = "domain: e\ndescriptors: []\n"


@pytest.fixture
def limits(tmp_path: Path) -> Path:
    (tmp_path / "limits").mkdir()
    return directory(tmp_path / "limits", LIMITS)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Alice comes every ten seconds for two minutes, and bob once."""
    file = tmp_path / "log.csv"
    lines = [f"{1_763_870_400 + second},alice,/reports" for second in range(0, 120, 10)]
    file.write_text("\n".join(["time,user,endpoint", *lines, "1763870519.5,bob,/x"]) + "\n")
    return file


def test_a_log_of_csv_is_replayed_by_its_own_time(limits: Path, log: Path) -> None:
    answer = run("simulate", "--config-dir", limits, "--log", log)
    assert (answer.status, answer.err) == (1, "")
    assert answer.lines == [
        "13 requests in 2 min, from 2025-11-23T04:00:00.000Z to 2025-11-23T04:01:59.500Z",
        "8 would be limited (61.5 %)",
        "",
        "by rule",
        "over asked rule limit",
        f"8 of 13 61.5 % d: user 2 per minute, fixed_window {limits}/0.yaml:3",
        "",
        "most often over",
        "times longest stretch from descriptor",
        "8 30 s 2025-11-23T04:00:20.000Z d: user=alice",
        "longest stretch over: 30 s from 2025-11-23T04:00:20.000Z, d: user=alice",
    ]


def test_descriptors_group_columns_and_shadow_rules_stand_apart(limits: Path, log: Path) -> None:
    answer = run("simulate", "--config-dir", limits, "--log", log, "--descriptor", "user,endpoint")
    assert answer.status == 0
    assert answer.lines[1:3] == ["0 would be limited (0.0 %)", "1 meet no limit"]
    assert answer.lines[6] == (f"11 of 12 91.7 % d: user,endpoint=/reports 1 per hour, fixed_window {limits}/0.yaml:6")


def test_json_lines_are_replayed_from_standard_input(limits: Path) -> None:
    lines = [{"start": f"2025-11-23T04:00:0{second}.000Z", "jwt": {"sub": "alice"}} for second in range(5)]
    command = [*COMMAND, "simulate", "--config-dir", str(limits), "--log", "-", "--time", "start", "--json"]
    done = subprocess.run(
        [*command, "--descriptor", "user=jwt.sub"],
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert (told["requests"], told["limited"], told["first_time"]) == (5, 3, "2025-11-23T04:00:00.000Z")
    assert told["binding"]["descriptors"][0]["entries"] == [["user", "alice"]]


def test_a_log_that_can_hardly_be_read_is_a_fault_of_the_log(limits: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("time,user\n1,a\n" + "x,a\n" * 12)
    answer = run("simulate", "--config-dir", limits, "--log", file)
    assert answer.status == 2
    told = answer.err.splitlines()
    assert told[0] == "line 3 its time is neither seconds since 1970 nor RFC 3339"
    assert told[10:] == ["and 2 more lines that cannot be read", "--log: 12 of 13 lines cannot be read"]
    file.write_text("time,user\n1,a\n2,a\nx,a\nx,a\n")
    assert run("simulate", "--config-dir", limits, "--log", file).status == 0


def test_lines_out_of_order_are_told(limits: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("time,user\n5,a\n3,a\n")
    answer = run("simulate", "--config-dir", limits, "--log", file)
    assert answer.status == 0
    assert answer.err == "1 line out of order, by up to 2 s: taken to come at the latest time before\n"


@pytest.mark.parametrize(
    ("words", "text", "error"),
    [
        ((), "", "--log: {log} holds no request"),
        ((), "time,user\n", "--log: {log} holds no request"),
        ((), "user\na\n", "--log: there is no column 'time'; there are: 'user' (--time names that with the time)"),
        (("--domain", "x"), "time,user\n1,a\n", "--domain: there is no domain 'x'; there are: 'd'"),
        (
            ("--descriptor", "a="),
            "time,user\n1,a\n",
            "--descriptor: 'a=' is not FIELD, KEY=FIELD or KEY:=TEXT, separated by commas",
        ),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_one_line(
    limits: Path, tmp_path: Path, words: tuple[str, ...], text: str, error: str
) -> None:
    file = tmp_path / "log.csv"
    file.write_text(text)
    answer = run("simulate", "--config-dir", limits, "--log", file, *words)
    assert (answer.status, answer.out, answer.err) == (2, "", error.format(log=file) + "\n")


def test_a_log_that_cannot_be_opened_is_refused(limits: Path, tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        answer = run("simulate", "--config-dir", limits, "--log", path)
        assert (answer.status, answer.out, answer.err) == (2, "", f"--log: {path} cannot be read: {why}\n")


def test_a_domain_is_asked_for_where_there_are_several(tmp_path: Path, log: Path) -> None:
    (tmp_path / "several").mkdir()
    limits = directory(tmp_path / "several", LIMITS, OTHER)
    answer = run("simulate", "--config-dir", limits, "--log", log)
    assert (answer.status, answer.err) == (
        2,
        "--domain: is needed: there are limits of several domains, and the log has no 'domain'\n",
    )
    assert run("simulate", "--config-dir", limits, "--log", log, "--domain", "d").status == 1


def test_a_terminal_sees_how_far_it_is(limits: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(replay, "PAUSE", 4)
    terminal = Terminal()
    run("simulate", "--config-dir", limits, "--log", log, stderr=terminal)
    assert "4 lines, " in terminal.getvalue()
    assert " %, 0 s left" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
