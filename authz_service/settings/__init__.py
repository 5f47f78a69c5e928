"""The configuration file, parsed strictly into frozen settings; every fault at once, with file and line.

Relative paths in the file are relative to the file's own folder. Each section has a module of its own name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from authz_service.settings.identity import IdentitySettings, read_identity
from authz_service.settings.listening import read_listening
from authz_service.settings.policy import Policy, read_policy
from service_kit import strict_yaml
from service_kit.faults import Faults
from service_kit.listening import Listening


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the service is told."""

    listen: Listening
    identity: IdentitySettings
    policy: Policy


def load(path: Path) -> Settings:
    """Read the configuration file, or raise `ConfigurationError` with every fault."""
    faults = Faults()
    folder = path.absolute().parent
    with strict_yaml.read(path, faults) as root:
        settings = Settings(
            read_listening(root, folder), read_identity(root, folder, faults), read_policy(root, folder)
        )
    faults.raise_if_any()
    return settings
