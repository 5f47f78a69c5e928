"""What docs/dlp-command.md shows, done."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from authz_service import dlp_command
from authz_service.dlp import json_lines, long_texts
from authz_service.terminal import FAULT, OK

REPOSITORY = Path(__file__).parent.parent.parent
PAGE = (REPOSITORY / "docs" / "dlp-command.md").read_text()
EXAMPLES = re.findall(r"```console\n\$ ([^\n]*)\n(.*?)```", PAGE, re.DOTALL)


def _without_confidence(text: str) -> str:
    return re.sub(r"\b[01]\.\d+\b", "SURE", text)  # may change without the page being wrong


@pytest.mark.parametrize(("command", "output"), EXAMPLES)
def test_an_example_prints_what_the_page_shows(command: str, output: str) -> None:
    done = subprocess.run(
        ["sh", "-c", command.replace("python -m", f"{sys.executable} -m")],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert _without_confidence(done.stdout) == _without_confidence(output)


def test_there_are_examples_of_each_command() -> None:
    commands = {command.partition(" dlp ")[2] for command, _ in EXAMPLES}
    assert commands >= {"scan", "scan --json", "scan --jsonl", "redact"}


def test_exit_codes_and_bounds_are_the_ones_of_the_code() -> None:
    codes = re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
    assert list(map(int, codes)) == [OK, dlp_command.FOUND, FAULT]
    assert f"windows of {long_texts.WINDOW >> 20} MiB" in PAGE
    assert f"shorter than {long_texts.MARGIN >> 10} KiB" in PAGE
    assert f"longer than {json_lines.MAX_LINE >> 20} MiB" in PAGE
