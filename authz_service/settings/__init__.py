"""The configuration file, parsed strictly into frozen settings; every fault at once, with file and line.

Relative paths in the file are relative to the file's own folder. Each section has a module of its own name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from authz_service.dlp.actions import Action
from authz_service.routing import RouteRule
from authz_service.settings.decision_log import DecisionLogSettings, read_decision_log
from authz_service.settings.denials import DenialSettings, read_denials
from authz_service.settings.dlp import DlpSettings, read_dlp
from authz_service.settings.identity import IdentitySettings, read_identity
from authz_service.settings.listening import read_listening
from authz_service.settings.policy import Policy, read_policy
from authz_service.settings.revocation import RevocationSettings, read_revocation
from authz_service.settings.routes import read_routes
from authz_service.settings.valkey import ValkeySettings, read_valkey
from service_kit import strict_yaml
from service_kit.faults import Faults
from service_kit.listening import Listening
from service_kit.strict_yaml import Section


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the service is told. The last of `routes` is for whatever no other is for."""

    listen: Listening
    identity: IdentitySettings
    policy: Policy
    routes: tuple[RouteRule, ...]
    denials: DenialSettings
    valkey: ValkeySettings | None = None
    revocation: RevocationSettings | None = None
    decision_log: DecisionLogSettings | None = None
    dlp: DlpSettings = field(default_factory=DlpSettings)


def load(path: Path) -> Settings:
    """Read the configuration file, or raise `ConfigurationError` with every fault."""
    faults = Faults()
    folder = path.absolute().parent
    with strict_yaml.read(path, faults) as root:
        identity, policy = read_identity(root, folder, faults), read_policy(root, folder)
        default = RouteRule(policy.decision, anonymous=identity.anonymous == "allow")
        settings = Settings(
            listen=read_listening(root, folder),
            identity=identity,
            policy=policy,
            routes=(*read_routes(root, default), default),
            denials=read_denials(root),
            valkey=read_valkey(root, folder),
            revocation=read_revocation(root),
            decision_log=read_decision_log(root, folder, remote=policy.opa is not None),
            dlp=read_dlp(root, folder),
        )
        _check_deep_scan(settings, root, faults)
        _check_hashes(settings, root, faults)
        if settings.identity.dpop and settings.identity.dpop.replay == "valkey" and settings.valkey is None:
            text = "identity.dpop.replay is valkey, which needs a section valkey; for a single process: memory"
            faults.add(root.source, root.line_of("identity"), text)
        if settings.identity.dpop and settings.identity.dpop.replay == "memory" and settings.listen.workers > 1:
            text = "identity.dpop.replay is memory, which is of one process, and listen.workers starts more: use valkey"
            faults.add(root.source, root.line_of("identity"), text)
    faults.raise_if_any()
    return settings


def _check_hashes(settings: Settings, root: Section, faults: Faults) -> None:
    """A key that each worker makes up gives the same value another hash in each."""
    hashes = any(rule.action is Action.HASH for rule in settings.dlp.actions)
    if hashes and settings.dlp.hash_key is None and settings.listen.workers > 1:
        text = "dlp.actions has hash, and listen.workers starts processes that need one key for it: name hash_key_file"
        faults.add(root.source, root.line_of("dlp"), text)


def _check_deep_scan(settings: Settings, root: Section, faults: Faults) -> None:
    found = settings.dlp.deep_scan
    if found is not None and settings.valkey is None:
        faults.add(root.source, root.line_of("dlp"), "dlp.deep_scan needs the section valkey, where bodies wait")
    if found is not None and settings.revocation is None and any(rule.revoke for rule in found.rules):
        text = "dlp.deep_scan.on_finding revokes, which needs the section revocation: nobody heeds it else"
        faults.add(root.source, root.line_of("dlp"), text)
