"""What the parts say of themselves → metrics, health and log, each in its words."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from authz_service.policy.engine import Engine
from authz_service.telemetry import Metrics
from service_kit.faults import ConfigurationError
from service_kit.health import Health

KEYS, POLICY = "keys", "policy"  # parts of the process's health

log = logging.getLogger("authz_service")


class Reporting:
    """Hears what changes while the service runs."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._metrics = metrics
        self._health = health

    def policy_in_use(self, engine: Engine) -> None:
        """Another policy decides from now on."""
        self._metrics.policy_loaded(engine.revision, engine.loaded)
        loaded = datetime.fromtimestamp(engine.loaded, UTC).isoformat(timespec="seconds")
        self._health.note("policy_revision", engine.revision)
        self._health.note("policy_loaded", loaded)
        self._health.note("policy_reload", "ok")
        self._health.set(POLICY, None)
        log.info("policy in use", extra={"fields": {"revision": engine.revision, "loaded": loaded}})

    def policy_away(self, problem: str | None) -> None:
        """Whoever evaluates the policies elsewhere is not asked any more, and why; None when he is again."""
        self._health.set(POLICY, problem)

    def policy_refused(self, error: ConfigurationError) -> None:
        """A new policy could not be used, and the old one stays."""
        self._metrics.policy_refused()
        self._health.note("policy_reload", f"refused: {error.faults[0]}")

    def keys_looked_after(self, problem: str | None, last_fetches: str) -> None:
        """The issuers' keys were looked after: whose cannot be used, and how the last fetches went."""
        self._health.set(KEYS, problem)
        self._health.note("keys_refresh", last_fetches)
