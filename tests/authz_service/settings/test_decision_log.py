"""Where decisions are logged, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.settings.decision_log import DecisionLogSettings
from tests.authz_service.settings.configured import SMALLEST, faults, loaded


def test_no_decisions_are_logged_unless_it_is_said(folder: Path) -> None:
    assert loaded(folder, SMALLEST).decision_log is None


def test_decisions_go_to_one_place_or_to_several(folder: Path) -> None:
    (folder / "token").touch()
    text = SMALLEST + (
        "decision_log:\n  console: true\n  file: decisions.jsonl\n  service: https://logs.example/opa\n"
        "  token_file: token\n  labels: {app: gateway, region: 'eu-1'}\n"
    )
    assert loaded(folder, text).decision_log == DecisionLogSettings(
        True,
        folder / "decisions.jsonl",
        "https://logs.example/opa",
        folder / "token",
        {"app": "gateway", "region": "eu-1"},
    )
    text = SMALLEST + "decision_log: {console: true}\n"
    assert loaded(folder, text).decision_log == DecisionLogSettings(True, None, None, None)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("{console: false}", "decision_log needs one of console, file and service"),
        ("{labels: {a: b}}", "decision_log needs one of console, file and service"),
        ("{file: absent/d}", "decision_log.file is in a folder that is not there: {folder}/absent"),
        (
            "{service: 'http://logs.example'}",
            "decision_log.service must be https: over plain http anyone on the way could read the decisions",
        ),
        (
            "{service: 'https://logs.example?key=s3cret'}",
            "decision_log.service must have no query, fragment or password: put a token into a file",
        ),
        (
            "{service: 'https://u:s3cret@logs.example'}",
            "decision_log.service must have no query, fragment or password: put a token into a file",
        ),
        ("{console: true, token_file: jwks.json}", "decision_log.token_file is for a service, and there is none"),
        (
            "{console: true, labels: {a: " + "x" * 200 + "}}",
            "decision_log.labels must be at most 16, of at most 128 characters each",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_fault(folder: Path, given: str, text: str) -> None:
    assert faults(folder, f"{SMALLEST}decision_log: {given}\n") == [(4, text.format(folder=folder))]


def test_a_log_of_an_opa_servers_decisions_is_a_fault(folder: Path) -> None:
    """Its mask rules would not be asked here."""
    text = SMALLEST[: SMALLEST.index("policy:")] + (
        "policy: {engine: opa, decision: a/b, opa: {url: 'unix:///o'}}\ndecision_log: {console: true}\n"
    )
    assert faults(folder, text) == [
        (4, "decision_log is for policy.engine: embedded: the OPA server has a decision log of its own")
    ]
