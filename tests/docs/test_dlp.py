"""docs/dlp.md and docs/dlp-detectors.md, held against the code that they tell of."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from authz_service import dlp_rules_command
from authz_service.dlp import pattern_check
from authz_service.dlp.detectors import context, custom
from authz_service.dlp.scan import Scanner
from service_kit.faults import ConfigurationError

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "dlp.md").read_text()


def run(*arguments: str) -> int:
    """Run a command below `dlp`."""
    parser = argparse.ArgumentParser()
    dlp_rules_command.add_parsers(parser.add_subparsers())
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed))


def example(folder: Path) -> Path:
    """The example as a file."""
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = folder / "detectors.yaml"
    path.write_text(text)
    return path


def column(title: str) -> list[str]:
    """The first column of a table."""
    table = PAGE.split(f"\n| {title} |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_the_catalogue_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """After a change of a detector it is printed again."""
    assert run("rules", "--markdown") == 0
    assert (DOCS / "dlp-detectors.md").read_text() == capsys.readouterr().out


def test_the_example_passes_its_tests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And finds what it says."""
    path = example(tmp_path)
    assert run("test", str(path)) == 0
    assert run("rules", "--detectors", str(path)) == 0
    assert "our HR handbook" in capsys.readouterr().out
    scanner = Scanner(custom.load([path]))
    text = b"staff_number=E-123455, bld_0123456789abcdefghij"
    assert [span.detector.name for span in scanner.scan(text)] == ["employee_number_de", "build_token"]


def test_every_key_and_every_validator_is_told_of(tmp_path: Path) -> None:
    """The keys are those that a mistaken one is answered with."""
    path = tmp_path / "d.yaml"
    path.write_text("detectors: [{qqqqqq: 1}]")
    with pytest.raises(ConfigurationError) as refusal:
        custom.load([path])
    (known,) = re.findall(r"known here: (.*)", str(refusal.value))
    assert sorted(column("key")) == known.split(", ")
    assert column("validator") == list(custom.VALIDATORS)


def test_the_bounds_are_those_of_the_code() -> None:
    """In the page's own words."""
    for words in (
        f"matches {pattern_check.MAX_WIDTH:,} bytes at most ({custom.MAX_CHECKED} where there is a validator)",
        f"have {custom.MAX_DETECTORS} detectors at most",
        f"{context.BEFORE} bytes before it or {context.AFTER} after",
    ):
        assert words in " ".join(PAGE.split())


@pytest.mark.parametrize("pattern", [".", r"\s", "[^,]", "a*", "a+", "^a", "a$", "ä"])
def test_what_the_page_warns_of_is_refused(pattern: str) -> None:
    """With advice."""
    assert pattern_check.complaints_about(pattern)
    assert not pattern_check.complaints_about(r"\b(?:\xc3\xa4)?[A-Za-z0-9 _-]{1,64}")
