"""What `.devstack/state.json` holds while a stack runs: everything a script needs to use it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = "state.json"


@dataclass(frozen=True, slots=True)
class Agent:
    """A sample agent's token, and what it says."""

    token: str
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServiceAddresses:
    """A service's gRPC address (host:port) and HTTP URL."""

    grpc: str
    http: str


@dataclass(frozen=True, slots=True)
class State:
    """The running stack. `pids` are process ids by part; issuer and upstream live in devstack's own process."""

    gateway_url: str
    ca_file: str
    client_certificate: str
    client_key: str
    agents: dict[str, Agent]
    upstream_url: str
    issuer_url: str
    envoy_admin_url: str
    authz_service: ServiceAddresses
    ratelimit_service: ServiceAddresses
    valkey_url: str
    audit_file: str
    logs_folder: str
    pids: dict[str, int]

    def write(self, folder: Path) -> Path:
        """Write the file whole or not at all; readable by its owner only, since it holds tokens."""
        file, draft = folder / FILE, folder / f"{FILE}.draft"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(file)
        return file


def read(folder: Path) -> State | None:
    """Read the state of the stack that runs from `folder`; None where none does."""
    try:
        values = json.loads((folder / FILE).read_text())
        state = State(
            **{
                **values,
                "agents": {name: Agent(**agent) for name, agent in values["agents"].items()},
                "authz_service": ServiceAddresses(**values["authz_service"]),
                "ratelimit_service": ServiceAddresses(**values["ratelimit_service"]),
            }
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if _is_alive(state.pids["devstack"]) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
