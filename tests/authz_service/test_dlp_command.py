"""`python -m authz_service dlp scan|redact`, in this process and, for what only a process shows, in one of its own."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from authz_service import dlp_command
from authz_service.dlp.detectors import ALL, Detector
from tests.authz_service import commanding

ROOT = Path(__file__).parents[2]
SECONDS = 120
SSN = "219-09" + "-9998"
KEY = "AK" + "IA" + "QW3RTYUIOP7ASDFG"


class Command:
    """Runs one command of `dlp`."""

    def __init__(self, program: commanding.Command) -> None:
        self._program = program

    def __call__(self, *arguments: str | Path, stdin: str = "", tool: str = "scan") -> commanding.Done:
        """Run it."""
        return self._program("dlp", tool, *arguments, stdin=stdin)


@pytest.fixture
def run(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    return Command(commanding.Command(tmp_path_factory.mktemp("in"), monkeypatch, capfd))


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    """A file with an SSN on its second line and a key on its third."""
    file = tmp_path / "letter.txt"
    file.write_text(f"Dear all,\nmý ssn is {SSN}.\n{KEY}\n")
    return file


def test_a_text_without_findings_ends_with_0_and_prints_nothing(run: Command) -> None:
    done = run(stdin="nothing to see\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_findings_are_told_by_place_and_never_by_value_and_end_with_3(run: Command, letter: Path) -> None:
    done = run(letter)
    assert done.returncode == 3
    first, second = done.stdout.splitlines()
    assert first.startswith(f"{letter}:2:11 us_ssn ")
    assert second.startswith(f"{letter}:3:1 aws_access_key ")
    assert 0 < float(first.split()[-1]) <= 1
    assert SSN not in done.stdout
    assert KEY not in done.stdout


def test_what_stands_in_base64_is_told_where_it_is_written(run: Command) -> None:
    """All that redacting takes out."""
    encoded = base64.b64encode(f"the number is {SSN}, and not 5".encode()).decode()
    short = base64.b64encode(SSN.encode()).decode()
    text = f"é {encoded}\n/a/{short} {SSN}\n"
    done = run(stdin=text)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["-:1:19", "-:2:4", "-:2:21"]
    (row,) = map(json.loads, run("--jsonl", stdin=json.dumps({"id": 1, "text": text})).stdout.splitlines())
    told = [text[each["start"] : each["end"]] for each in row["findings"]]
    assert told[1:] == [short.rstrip("="), SSN]
    assert base64.b64decode(told[0]) == f"s {SSN}, ".encode()
    assert run(stdin=run(stdin=text, tool="redact").stdout).returncode == 0


def test_standard_input_is_one_of_the_files(run: Command, letter: Path) -> None:
    done = run(letter, "-", stdin=f"\n {SSN}")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [f"{letter}:2:11", f"{letter}:3:1", "-:2:2"]


def test_json_is_one_document_also_without_findings(run: Command, letter: Path) -> None:
    rows: list[dict[str, Any]] = json.loads(run(letter, "--json").stdout)["findings"]
    assert [(row["line"], row["column"], row["entity"]) for row in rows] == [
        (2, 11, "us_ssn"), (3, 1, "aws_access_key"),
    ]  # fmt: skip
    assert rows[0].keys() == {"file", "line", "column", "entity", "detector", "confidence"}
    assert json.loads(run("--json", stdin="").stdout) == {"findings": []}


def test_a_file_that_cannot_be_read_is_told_of_and_the_others_are_scanned(
    run: Command, letter: Path, tmp_path: Path
) -> None:
    done = run(tmp_path / "absent", tmp_path, letter)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"{tmp_path}/absent: cannot be read: No such file or directory",
        f"{tmp_path}: cannot be read: Is a directory",
    ]
    assert len(done.stdout.splitlines()) == 2


def test_json_lines_are_answered_in_their_order_with_characters(run: Command, tmp_path: Path) -> None:
    text = f"é😀 {SSN} and {KEY}"
    lines = [json.dumps({"id": "a", "text": text}), "", json.dumps({"id": [1], "text": ""})]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    done = run(tmp_path / "texts.jsonl", "--jsonl")
    assert done.returncode == 3
    first, second = map(json.loads, done.stdout.splitlines())
    assert second == {"id": [1], "findings": []}
    assert first["id"] == "a"
    assert [text[found["start"] : found["end"]] for found in first["findings"]] == [SSN, KEY]
    assert first["findings"][0].keys() == {"entity", "detector", "start", "end", "confidence"}


def test_a_broken_line_is_told_of_by_number_the_others_are_answered_and_the_end_is_2(run: Command) -> None:
    done = run("--jsonl", stdin=f'{{"id": 1, "text": "{SSN}"}}\n{{"id": 2, "text": "{SSN}"\n{{"id": 3, "text": ""}}\n')
    assert done.returncode == 2
    assert done.stderr == "-:2: is not JSON\n"
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 3]


def test_what_is_less_sure_than_asked_for_is_left_out(run: Command, letter: Path) -> None:
    assert run(letter, "--minimum-confidence", "0").returncode == 3
    assert run(letter, "--minimum-confidence", "2").returncode == 2
    assert run(letter, "--minimum-confidence", "nan").returncode == 2
    assert "--minimum-confidence" in run(letter, "--minimum-confidence", "much").stderr


def test_redact_writes_texts_without_what_was_found(run: Command, letter: Path) -> None:
    done = run(letter, "-", stdin=KEY, tool="redact")
    assert done.returncode == 0
    assert done.stdout == (
        "Dear all,\nmý ssn is [REDACTED:us_ssn].\n[REDACTED:aws_access_key]\n[REDACTED:aws_access_key]"
    )


def test_redact_changes_files_in_place_keeps_their_mode_and_follows_links(
    run: Command, letter: Path, tmp_path: Path
) -> None:
    letter.chmod(0o640)
    (tmp_path / "link").symlink_to(letter)
    done = run(tmp_path / "link", "--in-place", tool="redact")
    assert (done.returncode, done.stdout) == (0, "")
    assert SSN not in letter.read_text()
    assert stat.S_IMODE(letter.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.txt", "link"]
    assert run(letter).returncode == 0


def test_redact_in_place_needs_files(run: Command, letter: Path, tmp_path: Path) -> None:
    for arguments in ((), ("-",), (letter, "-")):
        done = run("--in-place", *arguments, tool="redact")
        assert (done.returncode, done.stderr) == (2, "--in-place: needs files\n")
    assert SSN in letter.read_text()
    assert run(tmp_path / "absent", "--in-place", tool="redact").returncode == 2


def test_a_reader_that_goes_away_is_no_fault_to_speak_of(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text(f"{SSN}\n" * 50_000)
    for tool in ("scan", "redact"):
        command = f"{sys.executable} -m authz_service dlp {tool} {tmp_path}/long.txt | head -1"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == 1


def test_a_line_of_ten_megabytes_and_bytes_that_are_no_text_are_scanned(run: Command, tmp_path: Path) -> None:
    file = tmp_path / "blob"
    file.write_bytes(b"\xff\x00." * 3_500_000 + f" {SSN} ".encode() + b"\x80" * 10)
    done = run(file)
    assert done.returncode == 3
    assert done.stdout.startswith(f"{file}:1:10500002 us_ssn ")


def test_a_command_is_needed_and_none_asks_for_a_configuration() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "authz_service", "dlp"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "COMMAND" in done.stderr


def test_what_the_gateway_lets_pass_is_told_when_asked_for_and_in_json_lines(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Detector("other", "other", "abc", "abc", lambda *_: 1.0)
    monkeypatch.setattr(dlp_command, "EVERY", (*ALL, other))
    assert run(stdin="abc").returncode == 0
    assert run("--all", stdin="abc").stdout == "-:1:1 other other 1.00\n"
    assert '"other"' in run("--jsonl", stdin='{"id": 1, "text": "abc"}').stdout
    assert run(stdin="abc", tool="redact").stdout == "abc"
    assert run("--all", stdin="abc", tool="redact").stdout == "[REDACTED:other]"


def test_detectors_of_the_users_own_are_used_too_and_their_faults_are_told(run: Command, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("detectors: [{entity: part, pattern: 'P[0-9]{3}', tests: {found: [a P123]}}]\n")
    bad.write_text("detectors: [{entity: part, pattern: '(', tests: {found: [a]}}]\n")
    assert run("--detectors", good, stdin="P123").stdout.startswith("-:1:1 part part ")
    assert run("--detectors", good, stdin="P123", tool="redact").stdout == "[REDACTED:part]"
    for tool in ("scan", "redact"):
        done = run("--detectors", bad, tool=tool)
        assert done.returncode == 2
        assert done.stderr.startswith(f"{bad}:1: ")
    assert json.loads(run("--detectors", bad, "--json").stdout)["faults"]


def test_rules_and_tests_of_detectors_are_commands_beside(run: Command) -> None:
    assert "us_ssn" in run("--markdown", tool="rules").stdout
    assert run(tool="test").returncode == 2


def test_redact_reads_texts_as_applications_do_and_leaves_them_valid(run: Command) -> None:
    number = SSN.replace("-", "")
    done = run(stdin=f'{{"ssn": {number}, "note": "{SSN[:-1]}\\u0038"}}', tool="redact")
    assert json.loads(done.stdout) == {"ssn": "[REDACTED:us_ssn]", "note": "[REDACTED:us_ssn]"}
    form = run("--content-type", "application/x-www-form-urlencoded", stdin=SSN.replace("-", "%2D"), tool="redact")
    assert unquote_plus(form.stdout) == "[REDACTED:us_ssn]"


@pytest.mark.parametrize(
    ("action", "text"),
    [("replace", "a [REDACTED:us_ssn]."), ("mask", f"a ***-**-{SSN[-4:]}."), ("remove", "a .")],
)
def test_redact_puts_in_the_place_of_a_value_what_is_asked_for(run: Command, action: str, text: str) -> None:
    assert run("--action", action, stdin=f"a {SSN}.", tool="redact").stdout == text


def test_a_hash_is_the_same_for_the_same_value_and_another_under_another_key(run: Command, tmp_path: Path) -> None:
    outs = []
    for number in (1, 2):
        file = tmp_path / str(number)
        file.write_text(base64.b64encode(bytes([number]) * 32).decode() + "\n")
        done = run("--action", "hash", "--hash-key-file", file, stdin=f"{SSN} {SSN}", tool="redact")
        assert re.fullmatch(r"(\[us_ssn:[0-9a-f]{16}\]) \1", done.stdout)
        outs.append(done.stdout)
    assert outs[0] != outs[1]


def test_a_hash_needs_a_key_and_nothing_else_does(run: Command, letter: Path, tmp_path: Path) -> None:
    done = run("--action", "hash", letter, tool="redact")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "--action hash: needs --hash-key-file\n")
    done = run("--hash-key-file", letter, letter, tool="redact")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "--hash-key-file: is for --action hash\n")
    for file in (letter, tmp_path / "absent"):
        done = run("--action", "hash", "--hash-key-file", file, letter, "--in-place", tool="redact")
        assert done.returncode == 2
        assert done.stderr.startswith(f"--hash-key-file: cannot be used: {file} ")
        assert "openssl rand -base64 32" in done.stderr
    assert SSN in letter.read_text()
