"""Every metric of the service, by name. Labels are bounded: codes, entities and issuers never come from a client."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from authz_service.exchange.events import Record
from authz_service.model import DecidedBy, Decision, Finding, Outcome

_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)  # seconds


class Metrics:
    """The service's counters, on a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decisions = Counter(
            "authz_decisions",
            "Decisions by outcome (allow, deny, error) and code.",
            ["outcome", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "authz_check_seconds", "Time of one check inside the service.", buckets=_BUCKETS, registry=registry
        )
        self._findings = Counter(
            "authz_findings", "Sensitive values found in requests.", ["entity", "location"], registry=registry
        )
        self._bodies = Counter(
            "authz_bodies", "Directions of exchanges that were written down.", ["direction", "code"], registry=registry
        )
        self._body_findings = Counter(
            "authz_body_findings",
            "Sensitive values found where bodies pass.",
            ["direction", "entity", "location"],
            registry=registry,
        )
        self._exchanges = Counter(
            "authz_exchanges", "Exchanges whose bodies were looked at, by how they ended.", ["code"], registry=registry
        )
        self._exchange_series: dict[str, Counter] = {}
        self._exchanges_open = Gauge(
            "authz_exchanges_open",
            "Exchanges that are open: of each, a call for as long as it lasts.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._tokens = Counter(
            "authz_tokens",
            "Tokens by whether they had been verified a moment ago: known, new.",
            ["result"],
            registry=registry,
        )
        # `labels` takes longer than what it finds: both are asked for at each check, and their labels are few.
        self._token_series = {result: self._tokens.labels(result) for result in ("known", "new")}
        self._decision_series: dict[tuple[Outcome, str], Counter] = {}
        self._refreshes = Counter(
            "authz_key_refreshes", "Fetches of an issuer's keys.", ["issuer", "result"], registry=registry
        )
        self._introspections = Counter(
            "authz_introspections", "Questions about opaque tokens.", ["result"], registry=registry
        )
        self._reloads = Counter("authz_policy_loads", "Policies loaded or refused.", ["result"], registry=registry)
        self._policy = Gauge(
            "authz_policy_info",
            "1 for the policy in use.",
            ["revision"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._revision: str | None = None
        self._loaded = Gauge(
            "authz_policy_loaded_timestamp_seconds",
            "When the policy in use was loaded; of several workers, by the last to do so.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._revocations = Gauge(
            "authz_revocations",
            "Revocations in force in the process that knows most.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._revocations_age = Gauge(
            "authz_revocations_age_seconds",
            "Since when the list of revocations has not been known to be up to date, at worst.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._revocation_changes = Counter(
            "authz_revocation_changes",
            "Changes of the list that came into force, in each process: revoke, restore.",
            ["action"],
            registry=registry,
        )
        self._audit_waiting = Gauge(
            "authz_audit_waiting",
            "Audit events that wait to be written.",
            registry=registry,
            multiprocess_mode="livesum",
        )

        self._results = Counter(
            "authz_policy_results",
            "Results of rules that allow theirs to be kept: kept, new.",
            ["result"],
            registry=registry,
        )
        self._logged = Counter(
            "authz_decision_log_events",
            "Events of the decision log by what became of them.",
            ["result"],
            registry=registry,
        )
        self._deep_scan = Counter(
            "authz_deep_scan_bodies",
            "Bodies that are to be looked at again, by what became of them.",
            ["result"],
            registry=registry,
        )
        self._log_waiting = Gauge(
            "authz_decision_log_waiting",
            "Events of the decision log that wait to be shaped.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def body_told(self, record: Record) -> None:
        """Count what became of one direction of an exchange, and what was found in it."""
        self._bodies.labels(record.direction.value, record.code).inc()
        for note in record.findings:
            self._body_findings.labels(record.direction.value, note.entity, note.location).inc()

    def exchange_ended(self, code: str) -> None:
        """Count one exchange: `over`, or how it was cut off, or `too_many`, which never began."""
        series = self._exchange_series.get(code)
        if series is None:
            series = self._exchange_series[code] = self._exchanges.labels(code)
        series.inc()

    def exchanges_open(self, count: int) -> None:
        """Note how many exchanges this process has open."""
        self._exchanges_open.set(count)

    def decided(self, decision: Decision, findings: tuple[Finding, ...], seconds: float) -> None:
        """Count one decision. A policy's codes are its own, and without bound: only ours are told apart."""
        code = decision.code if decision.by is DecidedBy.GATEWAY else "policy"
        series = self._decision_series.get((decision.outcome, code))
        if series is None:
            series = self._decision_series[decision.outcome, code] = self._decisions.labels(
                decision.outcome.value, code
            )
        series.inc()
        self._seconds.observe(seconds)
        for finding in findings:
            self._findings.labels(finding.entity, finding.location.value).inc()

    def token_looked_up(self, result: str) -> None:
        """Record a token: `known`, which had been verified a moment ago, or `new`."""
        self._token_series[result].inc()

    def keys_refreshed(self, issuer: str, result: str) -> None:
        """Count one fetch of keys; `result` is `ok` or `failed`."""
        self._refreshes.labels(issuer, result).inc()

    def introspected(self, result: str) -> None:
        """Count one question about an opaque token; `result` is `active`, `inactive` or `failed`."""
        self._introspections.labels(result).inc()

    def policy_loaded(self, revision: str, loaded: float) -> None:
        """Note the policy that came into use; `loaded` is when, in seconds since the epoch."""
        self._reloads.labels("ok").inc()
        if self._revision not in {None, revision}:
            self._policy.labels(self._revision).set(0)  # with several workers, a series that is dropped stays as it was
            self._policy.remove(self._revision)
        self._revision = revision
        self._policy.labels(revision).set(1)
        self._loaded.set(loaded)

    def policy_refused(self) -> None:
        """Count a policy that could not be used."""
        self._reloads.labels("refused").inc()

    def revocations_are(self, entries: int, age: float) -> None:
        """Note how many revocations are in force, and how old the list is, in seconds."""
        self._revocations.set(entries)
        self._revocations_age.set(age)

    def revocation_changed(self, action: str) -> None:
        """Count a change that came into force; `action` is `revoke` or `restore`."""
        self._revocation_changes.labels(action).inc()

    def cache_looked_up(self, result: str) -> None:
        """Count one decision of a rule whose results may be kept; `result` is `kept` or `new`."""
        self._results.labels(result).inc()

    def audit_waits(self, events: int) -> None:
        """Note how many audit events wait to be written."""
        self._audit_waiting.set(events)

    def decisions_logged(self, result: str, events: int) -> None:
        """Count events of the decision log; `result` is `written`, or why they were not. From any thread."""
        self._logged.labels(result).inc(events)

    def deep_scanned(self, result: str, bodies: int) -> None:
        """Count bodies for the deep scan; `result` is `queued`, or why they were not: `full`, `failed`, `expired`."""
        self._deep_scan.labels(result).inc(bodies)

    def decision_log_waits(self, events: int) -> None:
        """Note how many events of the decision log wait to be shaped."""
        self._log_waiting.set(events)
