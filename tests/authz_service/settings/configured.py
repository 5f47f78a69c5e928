"""Configurations for the tests of each section: one that says everything, one that says as little as can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service import settings
from authz_service.settings import Settings
from service_kit.faults import ConfigurationError

FULL = """\
listen:
  grpc: 127.0.0.1:9001
  http: "[::1]:9002"
  tls:
    certificate: tls/server.crt
    key: tls/server.key
    client_ca: tls/clients.crt
identity:
  anonymous: deny
  issuers:
    - issuer: https://idp.example
      audiences: [agent-gateway, other]
      algorithms: [RS256, ES256]
      jwks_uri: https://idp.example/jwks.json
      claims:
        user: email
        agent: azp
        roles: realm_access.roles
    - issuer: https://file.example
      audiences: [agent-gateway]
      algorithms: [EdDSA]
      jwks_file: jwks.json
policy:
  engine: embedded
  paths: [rego]
  decision: agent_gateway/decision
"""
SMALLEST = """\
listen: {grpc: "0.0.0.0:9001", http: "localhost:0"}
identity: {anonymous: allow}
policy: {paths: [rego], decision: a/b}
"""


def loaded(folder: Path, text: str) -> Settings:
    """Load a configuration of this text."""
    (folder / "authz.yaml").write_text(text)
    return settings.load(folder / "authz.yaml")


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    """The faults of a configuration: lines and texts."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    assert {fault.source for fault in caught.value.faults} == {str(folder / "authz.yaml")}
    return [(fault.line, fault.text) for fault in caught.value.faults]


def fault(folder: Path, written: str, instead: str, text: str = FULL) -> tuple[int, str]:
    """The only fault of a configuration in which something else is written."""
    assert text.count(written) == 1
    found = faults(folder, text.replace(written, instead))
    assert len(found) == 1, found
    return found[0]
