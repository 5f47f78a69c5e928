"""What docs/operating.md says of metrics and the audit log, held against the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from audit_log.event import SCHEMA, DecisionEvent
from authz_service import telemetry as authz
from ratelimit_service import telemetry as ratelimit

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operating.md").read_text()
Row = tuple[str, str, tuple[str, ...]]  # name, type, labels


def _section(title: str) -> str:
    return re.split(r"^#+ ", PAGE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def _documented(title: str) -> set[Row]:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", _section(title), re.MULTILINE)
    return {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def _registered(registry: CollectorRegistry) -> set[Row]:
    rows: set[Row] = set()
    for metric in set(registry._collector_to_names):
        assert isinstance(metric, MetricWrapperBase)
        kind = str(metric._type)
        name = f"{metric._name}_total" if kind == "counter" else str(metric._name)
        rows.add((name, kind, tuple(metric._labelnames)))
    return rows


@pytest.mark.parametrize(
    ("service", "metrics"), [("authz_service", authz.Metrics), ("ratelimit_service", ratelimit.Metrics)]
)
def test_every_metric_is_told_of_with_its_type_and_labels(
    service: str, metrics: type[authz.Metrics | ratelimit.Metrics]
) -> None:
    registry = CollectorRegistry()
    metrics(registry)
    assert _documented(service) == _registered(registry)


def test_every_field_of_an_audit_event_is_told_of() -> None:
    event = DecisionEvent(
        time=0, decision="allow", decision_id="", request_id="", user=None, agent_id=None, roles=(), issuer=None,
        policy_id="", policy_revision="", policy_loaded=0, code="", reason="", status=200, method="", host="", path="",
        source="", findings=(),
    )  # fmt: skip
    table = re.findall(r"^\| (`[^|]*`) \|", _section("Logs"), re.MULTILINE)
    assert {name for cell in table for name in re.findall(r"`(\w+)`", cell)} == set(json.loads(event.to_json()))
    assert f"`{SCHEMA}`" in PAGE
