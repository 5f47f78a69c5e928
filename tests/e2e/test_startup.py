"""What the services say when they are configured wrongly: every fault with file and line, and exit code 1."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from devstack import ports
from tests.e2e.stack import REPOSITORY
from tests.wire.processes import Keys, authz_config, ratelimit_service

pytestmark = pytest.mark.e2e


def _start(module: str, *arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Start a service that is to refuse its configuration; return its exit code and what it said beside its logs."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, [line for line in done.stderr.splitlines() if not line.startswith("{")]


class TestAuthzService:
    def test_every_fault_of_the_file_is_told_at_once_with_its_line(self, tmp_path: Path) -> None:
        config = tmp_path / "authz.yaml"
        config.write_text(
            "listen: {grpc: nowhere, http: 127.0.0.1:0}\n"
            "identity:\n"
            "  anonymus: deny\n"
            "  issuers:\n"
            "    - issuer: https://idp.example\n"
            "      audiences: agent-gateway\n"
            "      jwks_uri: http://idp.example/jwks\n"
            "      algorithms: [HS256]\n"
            "policy:\n"
            "  paths: [nothing/]\n"
            "  decision: agent_gateway/decision\n"
            "  decision: agent_gateway/decision\n"
        )
        code, said = _start("authz_service", "--config", str(config))
        assert code == 1
        assert [int(line.removeprefix(f"{config}:").partition(":")[0]) for line in said] == [1, 3, 6, 7, 8, 10, 12]
        assert "did you mean 'anonymous'?" in said[1]
        assert "repeated key 'decision'" in said[-1]

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        code, said = _start("authz_service", "--config", str(tmp_path / "none.yaml"))
        assert (code, said) == (1, [f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory"])

    def test_keys_that_cannot_be_reached_and_a_broken_policy_are_told_together(self, tmp_path: Path) -> None:
        policies = tmp_path / "rego"
        policies.mkdir()
        (policies / "a.rego").write_text("package agent_gateway\n\ndecision := true if nosuch(1)\n")
        nobody = f"http://127.0.0.1:{ports.free().issuer}/jwks"
        issuer = {"issuer": "https://x", "audiences": ["a"], "algorithms": ["ES256"], "jwks_uri": nobody}
        changes = {
            "identity": {"issuers": [issuer]},
            "policy": {"paths": [str(policies)], "decision": "agent_gateway/decision"},
        }
        config = authz_config(tmp_path, Keys(tmp_path), **changes)
        line = next(number for number, text in enumerate(config.read_text().splitlines(), 1) if nobody in text)
        code, said = _start("authz_service", "--config", str(config))
        assert code == 1
        assert f"{config}:{line}: {nobody} cannot be reached: Connection refused" in said
        assert f"{policies / 'a.rego'}:3: calls nosuch, which is no function that is known here" in said

    def test_every_malformed_rego_file_is_named_with_its_row(self, tmp_path: Path) -> None:
        policies = tmp_path / "rego"
        policies.mkdir()
        (policies / "a.rego").write_text("package a\n\n\nx := {\n")
        (policies / "b.rego").write_text("package b\n\ny := [\n")
        config = authz_config(
            tmp_path, Keys(tmp_path), policy={"paths": [str(policies)], "decision": "agent_gateway/decision"}
        )
        code, said = _start("authz_service", "--config", str(config))
        assert code == 1
        assert any(line.startswith(f"{policies / 'a.rego'}:4: ") for line in said)
        assert any(line.startswith(f"{policies / 'b.rego'}:3: ") for line in said)

    def test_an_address_in_use_is_told(self, tmp_path: Path) -> None:

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            config = authz_config(tmp_path, Keys(tmp_path), listen={"grpc": address, "http": "127.0.0.1:0"})
            code, said = _start("authz_service", "--config", str(config))
        assert code == 1
        assert len(said) == 1
        assert address in said[0]


class TestRatelimitService:
    def test_every_wrong_variable_is_told_at_once(self, tmp_path: Path) -> None:
        code, said = _start("ratelimit_service", PORT="eighty", GRPC_PORT="99999", FAILURE_MODE="maybe")
        assert code == 1
        assert {line.partition(":")[0] for line in said} >= {"PORT", "GRPC_PORT", "FAILURE_MODE"}
        assert tmp_path.exists()

    def test_every_fault_of_every_file_is_told_at_once_with_its_line(self, tmp_path: Path) -> None:
        folder = tmp_path / "config"
        folder.mkdir()
        (folder / "a.yaml").write_text(
            "domain: a\ndescriptors:\n  - key: user\n    rate_limit: {unit: fortnight, requests_per_unit: 1}\n"
        )
        (folder / "b.yaml").write_text(
            "domain: b\ndescriptors:\n  - key: user\n    rate_limits: {unit: day, requests_per_unit: 1}\n"
        )
        code, said = _start("ratelimit_service", RUNTIME_ROOT=str(tmp_path), PORT="0", GRPC_PORT="0", DEBUG_PORT="0")
        assert code == 1
        assert any(line.startswith(f"{folder / 'a.yaml'}:4: ") and "fortnight" in line for line in said)
        assert any(line.startswith(f"{folder / 'b.yaml'}:4: ") and "rate_limits" in line for line in said)

    def test_a_folder_that_is_missing_is_named_and_waited_for(self, tmp_path: Path) -> None:
        root = tmp_path / "none"
        with ratelimit_service(tmp_path, RUNTIME_ROOT=str(root)) as running:
            assert f"{root / 'config'} holds no file with limits; waiting for one" in running.log.read_text()
            assert httpx.get(f"http://{running.http}/readyz").status_code == 503

    def test_help_tells_every_variable_with_its_default(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "ratelimit_service", "--help"],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        for name in ("REDIS_URL", "RUNTIME_ROOT", "GRPC_PORT", "FAILURE_MODE"):
            assert name in done.stdout
