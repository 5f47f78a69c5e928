"""A configuration on disk with a key of ours, and the commands run on it in this process."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from authz_service import __main__ as program
from tests.authz_service.minting import ISSUER, key, key_set

SIGNER = key("ES256")
POLICY = """package a

import rego.v1

default decision := {"allowed": false, "code": "not_here", "reason": "not for you"}

decision := {"allowed": true, "headers": {"x-who": input.identity.user}} if input.path == "/open"
"""


@dataclass(frozen=True)
class Workplace:
    """A folder with a configuration in it."""

    folder: Path

    @property
    def config(self) -> str:
        """The configuration's file."""
        return str(self.folder / "authz.yaml")

    def write(self, **changes: Any) -> None:
        """Write the configuration; `changes` replace whole sections."""
        issuer = {
            "issuer": ISSUER, "audiences": ["agent-gateway"], "algorithms": ["ES256"], "jwks_file": "jwks.json",
        }  # fmt: skip
        config = {
            "listen": {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"},
            "identity": {"issuers": [issuer]},
            "policy": {"paths": ["policy"], "decision": "a/decision"},
            **changes,
        }
        Path(self.config).write_text(json.dumps(config, indent=1))


def workplace(folder: Path) -> Workplace:
    """A folder with everything in it."""
    (folder / "jwks.json").write_bytes(key_set(SIGNER))
    (folder / "policy").mkdir()
    (folder / "policy" / "a.rego").write_text(POLICY)
    found = Workplace(folder)
    found.write()
    return found


def token(**claims: Any) -> str:
    """A token that holds now, but for what is changed."""
    now = int(time.time())
    return SIGNER.token(**{"iat": now, "exp": now + 600, **claims})


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the program; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["authz_service", *arguments])
    try:
        return program.main()
    except SystemExit as end:
        return int(end.code or 0)


@dataclass(frozen=True)
class Done:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """Runs the program in this process, its standard input and output being files."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._stdin = folder / "stdin"
        self._patch = patch
        self._captured = captured

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Done:
        """Run one command."""
        self._stdin.write_text(stdin)
        kept, opened = os.dup(0), os.open(self._stdin, os.O_RDONLY)
        os.dup2(opened, 0)
        try:
            code = run(self._patch, *map(str, arguments))
        finally:
            os.dup2(kept, 0)
            os.close(kept)
            os.close(opened)
        return Done(code, *self._captured.readouterr())
