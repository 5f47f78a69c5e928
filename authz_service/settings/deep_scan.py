"""The `dlp.deep_scan` section: which bodies are looked at again, by what, and what is done about findings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from authz_service.deep_scan.analyser import ANALYSERS
from authz_service.deep_scan.rules import Rule
from authz_service.revocation.model import Kind
from authz_service.settings.keys import read_keys
from authz_service.settings.reading import file_named, require_safe_url
from service_kit.strict_yaml import Section

MAX_RULES = 100
MAX_ENDPOINTS = 100
MAX_SAMPLE_BYTES = 1024 * 1024
MAX_KEEP_SECONDS = 7 * 86_400
_REVOKES = {"token": Kind.TOKEN_ID, "agent": Kind.AGENT, "user": Kind.USER}


@dataclass(frozen=True, slots=True)
class DeepScanSettings:
    """See `deep_scan`. Without `endpoints` bodies of all of them are looked at.

    `sample_bytes` of a body are kept, for `keep_seconds`; there are at most `entries` bodies at a time.
    """

    keys: tuple[bytes, ...]
    analyser: str = "detectors"
    directions: frozenset[str] = frozenset({"request", "response"})
    endpoints: frozenset[str] = frozenset()
    sample_bytes: int = 256 * 1024
    entries: int = 500
    keep_seconds: int = 3_600
    deadline_seconds: int = 30
    minimum_score: float = 0.5
    rules: tuple[Rule, ...] = ()
    webhook_url: str | None = None
    webhook_secret_file: Path | None = None


def read_deep_scan(section: Section, folder: Path) -> DeepScanSettings:
    """Read `dlp.deep_scan`."""
    with section:
        directions = section.choice("directions", ("both", "request", "response"), default="both")
        endpoints = section.texts("endpoints")
        for endpoint in endpoints:
            if endpoint and not (endpoint.startswith("/") and "/" not in endpoint[1:] and endpoint == endpoint.lower()):
                section.fault("endpoints", f"must hold first segments of paths such as /reports, but has {endpoint!r}")
        if len(endpoints) > MAX_ENDPOINTS:
            section.fault("endpoints", f"must have at most {MAX_ENDPOINTS} items")
        url, secret = _webhook(section, folder)
        return DeepScanSettings(
            read_keys(section, "key_files", section.texts("key_files", required=True), folder),
            section.choice("analyser", list(ANALYSERS), default="detectors"),
            frozenset({"request", "response"} if directions == "both" else {directions}),
            frozenset(endpoints),
            section.integer("sample_bytes", minimum=1_024, maximum=MAX_SAMPLE_BYTES, default=256 * 1024),
            section.integer("entries", minimum=1, maximum=100_000, default=500),
            section.integer("keep_seconds", minimum=60, maximum=MAX_KEEP_SECONDS, default=3_600),
            section.integer("deadline_seconds", minimum=1, maximum=600, default=30),
            _percent(section, "minimum_percent", 50),
            _rules(section, has_webhook=url is not None),
            url,
            secret,
        )


def _webhook(section: Section, folder: Path) -> tuple[str | None, Path | None]:
    if not section.has("webhook"):
        return None, None
    with section.section("webhook") as webhook:
        url = webhook.text("url")
        if url:
            require_safe_url(webhook, "url", url, "findings", "read the {}")
        if "@" in url.partition("://")[2].partition("/")[0]:
            webhook.fault("url", "must hold no name or password")
        return url, file_named(webhook, "secret_file", folder)


def _rules(section: Section, *, has_webhook: bool) -> tuple[Rule, ...]:
    items = section.sections("on_finding")
    if len(items) > MAX_RULES:
        section.fault("on_finding", f"must have at most {MAX_RULES} items")
    return tuple(_rule(item, has_webhook=has_webhook) for item in items[:MAX_RULES])


def _rule(item: Section, *, has_webhook: bool) -> Rule:
    with item:
        revoke = item.choice("revoke", [*_REVOKES, "nobody"], default="nobody")
        seconds = item.integer("for_seconds", minimum=1, maximum=365 * 86_400, default=0) or None
        if seconds and revoke == "nobody":
            item.fault("for_seconds", "is for a revocation, and there is none")
        webhook = item.flag("webhook")
        if webhook and not has_webhook:
            item.fault("webhook", "is set, and deep_scan has no webhook")
        return Rule(
            frozenset(item.texts("entities")),
            _percent(item, "minimum_percent", 0),
            _REVOKES.get(revoke),
            seconds,
            webhook,
        )


def _percent(section: Section, key: str, default: int) -> float:
    return section.integer(key, minimum=0, maximum=100, default=default) / 100
