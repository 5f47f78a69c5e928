"""What stands where a secret will stand."""

from __future__ import annotations

import random

import pytest

from authz_service.dlp.detectors.placeholders import is_placeholder
from tests.authz_service.dlp.detectors.surroundings import BASE64URL, random_text


@pytest.mark.parametrize(
    "value",
    [
        "${PASSWORD}",
        "$PASSWORD",
        "$(pass show x)",
        "{{ password }}",
        "{0}",
        "<password>",
        "%(password)s",
        "%PASSWORD%",
        "%s",
        "#{secret}",
        "@Microsoft.KeyVault(x)",
        "[REDACTED:jwt]",
        ":password",
        "password",
        "Password",
        "changeme",
        "change-me",
        "your-password",
        "YOUR_API_KEY",
        "my_secret_value",
        "insert-token-here",
        "****",
        "xxxxxxxx",
        "......",
        "••••",
        "",
        "example",
        "redacted",
        "none",
        "null",
        "sk-...",
        "...abc",
        "TODO",
        "12345678",
        "dummy-token",
        "not-a-real-secret",
    ],
)
def test_a_placeholder_is_known(value: str) -> None:
    """Variables, notes, masks, words."""
    assert is_placeholder(value.encode())


@pytest.mark.parametrize(
    "value", ["hunter2", "Tr0ub4dor&3", "$9fK2mQ7z", "p@ss-phrase-of-mine", "correct-horse", "a1b2c3"]
)
def test_a_password_is_none(value: str) -> None:
    """However weak."""
    assert not is_placeholder(value.encode())


def test_next_to_no_random_value_is_taken_for_one() -> None:
    """One in a thousand at most."""
    source = random.Random(5)
    assert sum(is_placeholder(random_text(source, 40, BASE64URL).encode()) for _ in range(5_000)) <= 5
