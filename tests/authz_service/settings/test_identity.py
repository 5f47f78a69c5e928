"""Whose tokens are trusted, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.settings.identity import ALGORITHMS, KeyTimes
from tests.authz_service.settings.configured import FULL, SMALLEST, fault, faults, loaded


def test_an_issuer_knows_where_the_file_names_its_keys(folder: Path) -> None:
    """For the message when they cannot be fetched."""
    by_uri, by_file = loaded(folder, FULL).identity.issuers
    assert (by_uri.source, by_uri.line, by_file.line) == (str(folder / "authz.yaml"), 14, 22)


@pytest.mark.parametrize(
    "uri",
    ["http://idp.example/jwks.json", "http://127.0.0.1.evil.example/", "http://localhost@evil.example/", "http://10.0.0.1/",
     "HTTP://idp.example/", "http://localhost.evil.example/"],
)  # fmt: skip
def test_keys_are_not_fetched_over_plain_http_from_elsewhere(folder: Path, uri: str) -> None:
    """Anyone on the way could put in his own."""
    line, text = fault(folder, "https://idp.example/jwks.json", uri)
    assert line == 14
    assert text.startswith("identity.issuers[0].jwks_uri must be https: ")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:8080/jwks", "http://localhost/jwks", "http://[::1]:80/jwks"])
def test_keys_may_come_over_plain_http_from_this_machine(folder: Path, uri: str) -> None:
    """As in development."""
    assert loaded(folder, FULL.replace("https://idp.example/jwks.json", f'"{uri}"')).identity.issuers[0].jwks_uri == uri


@pytest.mark.parametrize(
    "uri", ["ftp://idp.example/", "idp.example/jwks", "file:///jwks.json", "https://", "https:///x", "/jwks"]
)
def test_an_address_of_keys_that_is_no_https_url_is_a_fault(folder: Path, uri: str) -> None:
    """Another scheme is never tried."""
    assert fault(folder, "https://idp.example/jwks.json", uri)[1] == "identity.issuers[0].jwks_uri must be an https URL"


@pytest.mark.parametrize("uri", ["https://[::1/", "https://idp.example:port/", "https://idp.example:99999/"])
def test_an_address_of_keys_that_cannot_be_read_is_a_fault(folder: Path, uri: str) -> None:
    """Not an exception."""
    assert fault(folder, "https://idp.example/jwks.json", f'"{uri}"')[1].endswith("jwks_uri is not a URL")


def test_keys_come_from_one_place(folder: Path) -> None:
    """Neither from none nor from two."""
    needs_one = "identity.issuers[0] needs one of jwks_uri, jwks_file and introspection"
    uri = "      jwks_uri: https://idp.example/jwks.json\n"
    assert fault(folder, uri, "") == (11, needs_one)
    assert fault(folder, uri, f"{uri}      jwks_file: jwks.json\n") == (11, needs_one)


@pytest.mark.parametrize("name", ["HS256", "HS384", "HS512", "none"])
def test_symmetric_algorithms_and_none_are_refused(folder: Path, name: str) -> None:
    """Who can verify with a shared secret can also sign."""
    line, text = fault(folder, "[RS256, ES256]", f"[RS256, {name}]")
    assert line == 13
    assert text.startswith(f"identity.issuers[0].algorithms has {name!r}, which is symmetric or none")


@pytest.mark.parametrize("name", ["rs256", "ES256K", "RSA", "None", "*", "RS256 "])
def test_unknown_algorithms_are_refused(folder: Path, name: str) -> None:
    """With those that are known."""
    text = fault(folder, "[RS256, ES256]", f'["{name}"]')[1]
    assert f"has {name!r}, which is not known" in text
    assert all(known in text for known in ALGORITHMS)


def test_every_algorithm_that_is_accepted_is_asymmetric() -> None:
    """RFC 7518's table, less HS and none."""
    assert all(name[:2] in {"RS", "PS", "ES", "Ed"} for name in ALGORITHMS)


@pytest.mark.parametrize(
    ("written", "key"), [("[agent-gateway, other]", "audiences"), ("[RS256, ES256]", "algorithms")]
)
def test_an_issuer_without_audiences_or_algorithms_is_a_fault(folder: Path, written: str, key: str) -> None:
    """An empty list would accept nobody, or, read wrongly, everybody."""
    assert fault(folder, written, "[]")[1] == f"identity.issuers[0].{key} must have at least one item"


def test_an_issuer_may_be_configured_once(folder: Path) -> None:
    """Of two the last would silently win; both places are told."""
    found = faults(folder, FULL.replace("https://file.example", "https://idp.example"))
    assert found == [
        (14, "issuer 'https://idp.example' is configured more than once"),
        (22, "issuer 'https://idp.example' is configured more than once"),
    ]


def test_nobody_could_call_without_issuers(folder: Path) -> None:
    """Unless anybody may."""
    text = SMALLEST.replace("{anonymous: allow}", "{issuers: []}")
    assert faults(folder, text) == [
        (2, "identity.issuers must have at least one item, or nobody can call (anonymous is deny)")
    ]


def test_keys_are_renewed_and_kept_as_long_as_is_usual_or_as_is_written(folder: Path) -> None:
    uri = "      jwks_uri: https://idp.example/jwks.json\n"
    text = FULL.replace(uri, f"{uri}      keys: {{refresh_seconds: 60, usable_seconds: 3600}}\n")
    written, usual = loaded(folder, text).identity.issuers
    assert written.keys == KeyTimes(60, 3600)
    assert usual.keys == KeyTimes(300, 86_400)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("{refresh_seconds: 9}", "keys.refresh_seconds must be from 10 to 86400, but is 9"),
        ("{refresh_seconds: 86401}", "keys.refresh_seconds must be from 10 to 86400, but is 86401"),
        ("{usable_seconds: 2592001}", "keys.usable_seconds must be from 60 to 2592000, but is 2592001"),
        ("{usable_seconds: 599}", "keys.usable_seconds must be at least twice refresh_seconds, or keys end while new"),
        ("{refresh: 60}", "unknown key 'refresh' in identity.issuers[0].keys"),
    ],
)
def test_times_of_keys_have_bounds(folder: Path, keys: str, expected: str) -> None:
    uri = "      jwks_uri: https://idp.example/jwks.json\n"
    found = faults(folder, FULL.replace(uri, f"{uri}      keys: {keys}\n"))
    assert any(expected in text for _, text in found), found
