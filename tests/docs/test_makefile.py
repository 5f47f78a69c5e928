"""What the first `make` does with a Python that will not do, and with a start that was cut short."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
OF_MAKE = {"PYTHON", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the bootstrap needs of a checkout, without an environment."""
    folder = tmp_path / "checkout"
    shutil.copytree(REPOSITORY / "lock", folder / "lock")
    for name in ("Makefile", "pyproject.toml", "hatch_build.py"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


def _setup(checkout: Path, python: str) -> subprocess.CompletedProcess[str]:
    # What the make that runs these tests was told is not meant for this one.
    environment = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    command = ["make", f"PYTHON={python}", "setup"]
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def _program(file: Path, text: str) -> str:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def test_a_python_that_is_not_there_is_named_and_leaves_no_environment(checkout: Path) -> None:
    done = _setup(checkout, "/nonexistent")
    said = done.stderr.splitlines()
    assert done.returncode != 0
    assert said[0] == "Agent Gateway needs Python 3.11 or newer; /nonexistent is not found, or is no Python"
    assert len([line for line in said if not line.startswith("make: ")]) == 1
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_named_with_its_version_and_leaves_no_environment(checkout: Path) -> None:
    old = _program(checkout / "python3.10", 'case "$2" in *print*) echo 3.10.13 ;; *) exit 1 ;; esac')
    done = _setup(checkout, old)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert done.returncode != 0
    assert said == [f"Agent Gateway needs Python 3.11 or newer; {old} is 3.10.13"]
    assert not (checkout / ".venv").exists()


def test_an_environment_that_was_cut_short_is_made_anew(checkout: Path) -> None:
    bin_folder = checkout / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "python").symlink_to(sys.executable)  # without pip, without uv
    asked = checkout / "asked"
    python = _program(checkout / "python", f'[ "$1" = -c ] && exec {sys.executable} "$@"; echo "$@" >> {asked}; exit 1')
    done = _setup(checkout, python)
    assert asked.read_text() == "-m venv --clear .venv\n"
    assert done.returncode != 0
    assert "cannot make virtual environments" in done.stderr
    assert not (checkout / ".venv").exists()  # nor does one that fails now leave anything


def test_an_environment_that_pip_could_not_fill_is_removed(checkout: Path) -> None:
    fills = "mkdir -p .venv/bin && printf '#!/bin/sh\\nexit 1\\n' > .venv/bin/python && chmod +x .venv/bin/python"
    python = _program(checkout / "python", f'[ "$1" = -c ] && exec {sys.executable} "$@"; {fills}')
    done = _setup(checkout, python)
    assert done.returncode != 0
    assert "Setting up .venv" in done.stdout
    assert not (checkout / ".venv").exists()
