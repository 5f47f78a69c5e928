"""That revocations are heeded, and what holds while the list may be out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.settings.revocation import RevocationSettings
from tests.authz_service.settings.configured import SMALLEST, faults, loaded

STORED = f"{SMALLEST}valkey: {{url: h}}\n"


def test_without_the_section_nobody_is_revoked(folder: Path) -> None:
    """A store alone is for others."""
    assert loaded(folder, STORED).revocation is None


def test_by_default_half_a_minute_without_the_store_is_bearable_and_then_nobody_passes(folder: Path) -> None:
    """The section may be empty: that it is there says enough."""
    assert loaded(folder, f"{STORED}revocation: {{}}\n").revocation == RevocationSettings(30.0, refuse_when_stale=True)


def test_both_are_the_operators_choice(folder: Path) -> None:
    """How long, and what then."""
    text = f"{STORED}revocation: {{max_age_seconds: 600, when_stale: continue}}\n"
    assert loaded(folder, text).revocation == RevocationSettings(600.0, refuse_when_stale=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{SMALLEST}revocation: {{}}\n", "revocation needs the section valkey"),
        (f"{STORED}revocation: {{max_age_seconds: 1}}\n", "revocation.max_age_seconds must be from 2 to 86400"),
        (f"{STORED}revocation: {{max_age_seconds: 86401}}\n", "revocation.max_age_seconds must be from 2 to 86400"),
        (f"{STORED}revocation: {{when_stale: allow}}\n", "revocation.when_stale must be one of refuse, continue"),
        (f"{STORED}revocation: {{max_age: 3}}\n", "unknown key 'max_age' in revocation"),
    ],
)
def test_what_cannot_be_is_a_fault(folder: Path, text: str, told: str) -> None:
    """An age below the time that a change takes, a list without a place, another word."""
    ((line, found),) = faults(folder, text)
    assert line == text.count("\n")
    assert found.startswith(told)
