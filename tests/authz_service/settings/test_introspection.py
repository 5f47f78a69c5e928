"""Where opaque tokens are asked about, and as whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.settings.introspection import Introspection
from tests.authz_service.settings.configured import FULL, fault, faults, loaded

SIGNED = "      algorithms: [RS256, ES256]\n      jwks_uri: https://idp.example/jwks.json\n"
SECTION = "{endpoint: https://idp.example/introspect, client_id: gateway, client_secret_file: secret}"

NAMED = "client_id: gateway,"


@pytest.fixture(autouse=True)
def _secret(folder: Path) -> None:
    (folder / "secret").touch()


def opaque(section: str = SECTION, more: str = "") -> str:
    """A configuration whose first issuer has opaque tokens."""
    return FULL.replace(SIGNED, f"      introspection: {section}\n{more}")


def test_an_issuer_of_opaque_tokens_needs_no_keys_and_no_algorithms(folder: Path) -> None:
    issuer = loaded(folder, opaque()).identity.issuers[0]
    endpoint = "https://idp.example/introspect"
    assert issuer.introspection == Introspection(endpoint, "basic", "gateway", folder / "secret", 30, 5)
    assert (issuer.algorithms, issuer.jwks_uri, issuer.jwks_file, issuer.line) == ((), None, None, 13)


def test_all_that_can_be_said_is_read(folder: Path) -> None:
    section = SECTION[:-1] + ", authentication: post, cache_seconds: 0, negative_cache_seconds: 300}"
    issuer = loaded(folder, opaque(section)).identity.issuers[0]
    assert issuer.introspection is not None
    found = issuer.introspection
    assert (found.authentication, found.cache_seconds, found.negative_cache_seconds) == ("post", 0, 300)


def test_with_a_token_of_our_own_there_is_no_client_id(folder: Path) -> None:
    section = "{endpoint: https://idp.example/i, client_secret_file: secret, authentication: bearer}"
    issuer = loaded(folder, opaque(section)).identity.issuers[0]
    assert issuer.introspection == Introspection("https://idp.example/i", "bearer", "", folder / "secret")
    found = faults(folder, opaque(section[:-1] + ", client_id: gateway}"))
    assert [text.partition("introspection.")[2] for _, text in found] == [
        "client_id is not needed where authentication is bearer"
    ]


def test_audiences_may_be_left_to_the_issuer(folder: Path) -> None:
    """It may tell of a token only to whom it is meant for."""
    audiences = "      audiences: [agent-gateway, other]\n"
    assert loaded(folder, opaque().replace(audiences, "")).identity.issuers[0].audiences == ()
    assert loaded(folder, opaque()).identity.issuers[0].audiences == ("agent-gateway", "other")


@pytest.mark.parametrize(
    ("written", "instead", "expected"),
    [
        ("https://idp.example/introspect", "http://idp.example/introspect", "endpoint must be https: over plain http"),
        ("https://idp.example/introspect", "idp.example", "endpoint must be an https URL"),
        ("https://idp.example/introspect", "https://a:b@idp.example/", "endpoint must not hold a name or password"),
        ("endpoint: https://idp.example/introspect, ", "", "endpoint is missing"),
        ("client_id: gateway, ", "", "client_id is missing"),
        ("client_id: gateway", "client_id: " + "x" * 257, "client_id must have at most 256 printable ASCII characters"),
        ("client_id: gateway", 'client_id: "a\\nb"', "client_id must have at most 256 printable ASCII characters"),
        ("client_id: gateway", "client_id: gäteway", "client_id must have at most 256 printable ASCII characters"),
        ("client_secret_file: secret", "client_secret_file: none", "client_secret_file names no file"),
        (
            "client_id: gateway,",
            "client_id: gateway, authentication: mtls,",
            "authentication must be one of basic, post",
        ),
        (
            "client_id: gateway,",
            "client_id: gateway, cache_seconds: 3601,",
            "cache_seconds must be from 0 to 3600, but is 3601",
        ),
        (
            "client_id: gateway,",
            "client_id: gateway, negative_cache_seconds: 301,",
            "negative_cache_seconds must be from 0 to 300",
        ),
        (
            "client_id: gateway,",
            "client_id: gateway, timeout: 3,",
            "unknown key 'timeout' in identity.issuers[0].introspection",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(folder: Path, written: str, instead: str, expected: str) -> None:
    line, text = fault(folder, written, instead, opaque())
    assert line == 13
    assert expected in text


@pytest.mark.parametrize(
    ("more", "key"),
    [("      algorithms: [RS256]\n", "algorithms"), ("      keys: {refresh_seconds: 60}\n", "keys")],
)
def test_what_belongs_to_signed_tokens_means_nothing_here(folder: Path, more: str, key: str) -> None:
    """Who wrote it expects something of it."""
    expected = f"identity.issuers[0].{key} means nothing where tokens are asked about by introspection"
    assert faults(folder, opaque(more=more)) == [(14, expected)]


def test_signed_and_opaque_tokens_are_two_issuers(folder: Path) -> None:
    found = faults(folder, FULL.replace(SIGNED, f"{SIGNED}      introspection: {SECTION}\n"))
    assert found == [(11, "identity.issuers[0] needs one of jwks_uri, jwks_file and introspection")]


def test_only_one_issuer_may_have_opaque_tokens(folder: Path) -> None:
    """Such a token does not tell whom to ask."""
    text = opaque().replace(
        "      algorithms: [EdDSA]\n      jwks_file: jwks.json\n", f"      introspection: {SECTION}\n"
    )
    assert faults(folder, text) == [
        (20, "only one issuer may have introspection: an opaque token does not tell its issuer")
    ]
