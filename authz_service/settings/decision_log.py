"""The `decision_log` section: whether decisions are logged in OPA's format, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from authz_service.settings.reading import file_named, require_safe_url
from service_kit.strict_yaml import Section

MAX_LABELS = 16
MAX_LABEL = 128  # characters of a label's name and of its value


@dataclass(frozen=True, slots=True)
class DecisionLogSettings:
    """Where decisions go: standard error, a file, a service, or several of them. `labels` stand in each event."""

    console: bool
    file: Path | None
    service: str | None
    token_file: Path | None
    labels: Mapping[str, str] = field(default_factory=dict)


def read_decision_log(root: Section, folder: Path, *, remote: bool) -> DecisionLogSettings | None:
    """Read `decision_log`; None where there is none. `remote`: an OPA server decides."""
    if not root.has("decision_log"):
        return None
    with root.section("decision_log") as section:
        console = section.flag("console")
        file = folder / section.text("file") if section.has("file") else None
        if file is not None and not file.parent.is_dir():
            section.fault("file", f"is in a folder that is not there: {file.parent}")
        service = section.text("service") if section.has("service") else None
        if service:
            require_safe_url(section, "service", service, "decisions", "read the {}")
            if any(mark in service for mark in "?#@"):
                section.fault("service", "must have no query, fragment or password: put a token into a file")
        token = file_named(section, "token_file", folder) if section.has("token_file") else None
        if token is not None and service is None:
            section.fault("token_file", "is for a service, and there is none")
        if not (console or file or service):
            section.faults.add(section.source, section.line, "decision_log needs one of console, file and service")
        if remote:
            # Its mask rules are there, and would not be asked here: what they hide would be shown.
            text = "decision_log is for policy.engine: embedded: the OPA server has a decision log of its own"
            section.faults.add(section.source, section.line, text)
        return DecisionLogSettings(console, file, service, token, _labels(section))


def _labels(section: Section) -> dict[str, str]:
    if not section.has("labels"):
        return {}
    with section.section("labels") as found:
        labels = {name: found.text(name) for name in found.entries}
    if len(labels) > MAX_LABELS or any(len(text) > MAX_LABEL for pair in labels.items() for text in pair):
        section.fault("labels", f"must be at most {MAX_LABELS}, of at most {MAX_LABEL} characters each")
    return labels
