"""The parts of DLP as they are configured."""

from __future__ import annotations

from dataclasses import replace

from authz_service.dlp.actions import Action, Rule
from authz_service.dlp.detectors import ALL
from authz_service.dlp.terms import open_terms
from authz_service.settings.dlp import DlpSettings
from tests.authz_service.dlp.inspecting import KEY, SSN, TOKEN_KEY

SURE = next(detector for detector in ALL if detector.entity == "us_ssn")
MAIL = replace(
    SURE, entity="email_address", name="mail", hint="@", pattern=r"[a-z]{1,9}@[a-z]{1,9}", accepts=lambda *_: 0.6
)
CATALOGUE = (*ALL, MAIL)


def found(settings: DlpSettings, text: str = f"{SSN} {KEY} a@b", *, hidden: bool = False) -> list[str]:
    terms = open_terms(settings, CATALOGUE)
    scanner = terms.hidden if hidden else terms.scanner
    return [span.detector.entity for span in scanner.scan(text.encode())]


def test_all_that_is_known_is_looked_for() -> None:
    """What may stand in a log is not hidden there."""
    assert found(DlpSettings()) == ["us_ssn", "aws_access_key", "email_address"]
    assert found(DlpSettings(), hidden=True) == ["us_ssn", "aws_access_key"]


def test_what_some_rule_changes_is_hidden_from_logs() -> None:
    settings = DlpSettings(actions=(Rule(Action.MASK, frozenset({"email_address"})), Rule(Action.ALLOW)))
    assert found(settings, hidden=True) == ["us_ssn", "aws_access_key", "email_address"]


def test_what_is_disabled_is_not_looked_for() -> None:
    """By the name of a detector, or of an entity."""
    assert found(DlpSettings(disabled=frozenset({"us_ssn", "mail"}))) == ["aws_access_key"]
    nothing = DlpSettings(disabled=frozenset(detector.entity for detector in CATALOGUE))
    assert found(nothing) == []
    assert found(nothing, hidden=True) == []


def test_what_a_detector_is_not_sure_enough_of_is_no_finding() -> None:
    assert found(DlpSettings(minimum_confidence=0.7)) == ["us_ssn", "aws_access_key"]
    assert found(DlpSettings(minimum_confidence=0.6)) == ["us_ssn", "aws_access_key", "email_address"]


def test_tokens_are_looked_for_where_there_is_a_key() -> None:
    text = "agt1_" + "aB0_" * 10
    assert found(DlpSettings(token_keys=(TOKEN_KEY,)), text) == ["gateway_token"]
    assert found(DlpSettings(), text) == []


def test_hashes_are_the_same_in_two_processes_only_under_a_configured_key() -> None:
    def hashed(settings: DlpSettings) -> str:
        return open_terms(settings).treatments._redactions.hash(b"x")

    assert hashed(DlpSettings(hash_key=b"k" * 32)) == hashed(DlpSettings(hash_key=b"k" * 32))
    assert hashed(DlpSettings()) != hashed(DlpSettings())
