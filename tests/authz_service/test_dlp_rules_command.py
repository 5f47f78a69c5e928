"""`python -m authz_service dlp rules|test`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from authz_service import dlp_rules_command
from authz_service.dlp.detectors import EVERY

GOOD = """\
detectors:
  - entity: part
    pattern: 'P[0-9]{3}'
    source: stores
    tests: {found: [a P123], not_found: [P12]}
"""
FAILING = """\
detectors:
  - entity: other
    pattern: 'Q[0-9]{3}'
    tests:
      found:
        - a Q123
        - confidential Q12
"""
BROKEN = "detectors: [{entity: third, pattern: '(', tests: {found: [x]}}]\n"


def run(*arguments: str | Path) -> int:
    """Run a command below `dlp`."""
    parser = argparse.ArgumentParser()
    dlp_rules_command.add_parsers(parser.add_subparsers())
    parsed = parser.parse_args([str(argument) for argument in arguments])
    return int(parsed.run(parsed))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file whose tests pass."""
    return _written(tmp_path, "good.yaml", GOOD)


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A file with a test that fails."""
    return _written(tmp_path, "failing.yaml", FAILING)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file with a fault."""
    return _written(tmp_path, "broken.yaml", BROKEN)


def _written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_rules_prints_every_detector(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the user too."""
    assert run("rules", "--detectors", good) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["entity", "detector", "confidence", "checked", "by", "source"]
    assert {line.split()[1] for line in lines[1:]} == {"part", *(detector.name for detector in EVERY)}
    (part,) = [line.split() for line in lines if line.startswith("part ")]
    assert part == ["part", "part", "1.00", "form,", "neighbours", "stores"]


def test_rules_answers_in_json_and_in_markdown(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the same in them."""
    assert run("rules", "--json", "--detectors", good) == 0
    told = json.loads(capsys.readouterr().out)["detectors"]
    assert {
        "entity": "part",
        "detector": "part",
        "confidence": 1.0,
        "checks": ["form", "neighbours"],
        "source": "stores",
    } in told
    assert len(told) == len(EVERY) + 1
    assert run("rules", "--markdown", "--detectors", good) == 0
    assert "| `part` | `part` | 1.00 | form, neighbours | stores |\n" in capsys.readouterr().out


def test_rules_refuses_detectors_that_cannot_be_used(
    failing: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with its place."""
    assert run("rules", "--detectors", failing, "--detectors", broken) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"{broken}:1: detectors[0].pattern is refused by RE2: missing ): (\n"
        f"{failing}:7: detectors[0].tests.found[1] fails: the pattern matches nowhere in it\n"
    )


def test_tests_that_pass_are_counted(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And that is all."""
    assert run("test", good) == 0
    assert capsys.readouterr() == ("2 of 2 tests pass, of 1 detectors\n", "")
    assert run("test", "--json", good) == 0
    assert json.loads(capsys.readouterr().out) == {"tests": 2, "failures": [], "faults": []}


def test_a_test_that_fails_is_told_with_file_and_line(
    good: Path, failing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And without its text."""
    text = "detectors[0].tests.found[1] fails: the pattern matches nowhere in it"
    assert run("test", good, failing) == 1
    assert capsys.readouterr() == (f"FAIL {failing}:7: {text}\n3 of 4 tests pass, of 2 detectors\n", "")
    assert run("test", "--json", good, failing) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {"tests": 4, "failures": [{"source": str(failing), "line": 7, "text": text}], "faults": []}


def test_a_file_with_a_fault_does_not_keep_the_others_from_being_tried(
    failing: Path, broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own fault is told behind."""
    assert run("test", broken, failing) == 2
    printed = capsys.readouterr()
    assert printed.out.endswith("1 of 2 tests pass, of 1 detectors\n")
    assert printed.err == f"{broken}:1: detectors[0].pattern is refused by RE2: missing ): (\n"
    assert run("test", "--json", broken, failing) == 2
    told = json.loads(capsys.readouterr().out)
    assert (len(told["failures"]), [fault["line"] for fault in told["faults"]]) == (1, [1])


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not an answer."""
    assert run("test", tmp_path / "absent.yaml") == 2
    assert "absent.yaml: cannot be read" in capsys.readouterr().err
