"""Which names stand before secrets."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.context import Context
from authz_service.dlp.detectors.secret_names import (
    HINT,
    is_named,
    names_a_secret,
    names_more_than_an_id,
    since_redaction,
)


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "token",
        "password",
        "api_key",
        "apiKey",
        "API-KEY",
        "x-api-key",
        "clientSecret",
        "DB_PASSWORD",
        "dbPass",
        "access_token",
        "refreshToken",
        "accesstoken",
        "auth",
        "Authorization",
        "private key",
        "the api key of the shop",
        "APIToken",
        "signing.key",
        "credentials",
        "sessionKey",
        "ssh_key",
        "API_KEY_2",
        "my pwd",
        "appkeys_api_keys",
    ],
)
def test_a_name_of_a_secret_is_known_however_its_words_are_joined(name: str) -> None:
    """And a cheap search finds something of it."""
    assert names_a_secret(name.encode())
    assert re2.search(f"(?i){HINT}", name) is not None


@pytest.mark.parametrize(
    "name",
    [
        "", "key", "id", "author", "passport", "compass", "keyboard", "tokenizer", "secretary", "monkey", "public_key",
        "token_type", "api_key_id", "password_hash", "secretName", "next_page_token", "nextPageToken", "cursor_token",
        "token url", "secretArn", "auth_method", "passwordResetRequestedAt", "sha of the token", "apikey_prefix",
        "api, or then the key", "foreign_key", "primary key", "primaryKey",
    ],
)  # fmt: skip
def test_a_name_that_takes_it_back_or_only_sounds_alike_is_not(name: str) -> None:
    """What is beside a secret is not one."""
    assert not names_a_secret(name.encode())


WORDS = st.sampled_from(
    ["api", "key", "keys", "secret", "Token", "PASS", "auth", "x", "1", "access", "Pwd", "creds", "hmac"]
)


@given(st.lists(st.tuples(WORDS, st.sampled_from(["", "_", "-", " ", ".", "  ", "12", "____"]))))
def test_the_cheap_search_misses_no_name(parts: list[tuple[str, str]]) -> None:
    """It may find more."""
    name = "".join(word + joint for word, joint in parts)
    assert not names_a_secret(name.encode()) or re2.search(f"(?i){HINT}", name) is not None


def test_a_services_word_around_a_secrets_key_names_its_value() -> None:
    """And around another key it does not."""
    words = Context(("acme",))
    for text, named in (
        (b'{"acme": {"authToken": "V"}}', True),
        (b"ACME_TOKEN=V", True),
        (b'{"acme": {"id": "V"}}', False),
        (b'{"authToken": "V"}', False),
        (b'[REDACTED:acme], "authToken": "V"', False),
    ):
        start = text.index(b"V")
        assert is_named(words, text, start, start + 1) is named


def test_the_window_begins_behind_a_redaction() -> None:
    assert since_redaction(b"a [REDACTED:us_ssn] b=", 22) == b" b="
    assert since_redaction(b"x" * 100, 100) == b"x" * 64


def test_words_far_before_a_name_take_nothing_back() -> None:
    """A sentence that ends with a name says nothing of it, other than the words that belong to it."""
    assert names_a_secret(b"crm-sync calling the upstream with encryption_key")
    assert not names_a_secret(b"next page token")


@pytest.mark.parametrize(
    ("name", "expected"),
    [(b"client_secret", True), (b"X-Api-Key", True), (b"rootPassword", True), (b"access_token", False),
     (b"session_key", False), (b"password_hash", False), (b"", False)],
)  # fmt: skip
def test_only_a_name_that_no_id_has_says_so(name: bytes, *, expected: bool) -> None:
    """Tokens and keys of sessions may be ids."""
    assert names_more_than_an_id(name) is expected
