"""Tokens of places where code, packages and models are kept. All of these are made up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

from authz_service.dlp.detectors.developer_tokens import DETECTORS
from authz_service.dlp.detectors.token_checksums import base62_crc32
from tests.authz_service.dlp.detectors.surroundings import (
    BASE64URL,
    HEX,
    around,
    finder,
    near_misses,
    random_text,
    randoms,
)

found = finder(DETECTORS)
LETTERS = "a1B2" * 300


@pytest.mark.parametrize("prefix", ["ghp_", "gho_", "ghu_", "ghr_"])
def test_a_classic_token_of_github_is_found(prefix: str) -> None:
    """From 36 characters on."""
    token = prefix + LETTERS[:36]
    assert found(f"token: {token};") == [("github_token_classic", token)]
    assert found(prefix + LETTERS[:35]) == []
    assert found(prefix + LETTERS[:255]) == [("github_token_classic", prefix + LETTERS[:255])]


def test_a_server_token_of_github_is_found_in_its_old_and_new_form() -> None:
    """The new one holds a JWT."""
    old, new = f"ghs_{LETTERS[:36]}", f"ghs_1234_{LETTERS[:100]}.{LETTERS[:300]}.{LETTERS[:80]}-_"
    assert found(old) == [("github_token_server", old)]
    assert found(new) == [("github_token_server", new)]


def test_a_fine_grained_token_of_github_is_found() -> None:
    """It has an underscore inside."""
    token = f"github_pat_{LETTERS[:22]}_{LETTERS[:59]}"
    assert found(f"Bearer {token}") == [("github_token_fine_grained", token)]
    assert found("github_pat_" + LETTERS[:35]) == []


@pytest.mark.parametrize("prefix", ["ghp_", "npm_"])
@given(source=randoms())
def test_a_checksum_makes_sure_and_its_lack_refuses_nothing(prefix: str, source: random.Random) -> None:
    """Most published samples have none that holds."""
    body = random_text(source, 30)
    for checksum, sureness in ((base62_crc32(body.encode()).decode(), 1.0), ("a1B2c3", 0.95)):
        text = (prefix + body + checksum).encode()
        detector = next(each for each in DETECTORS if each.example is not None and each.example().startswith(text[:4]))
        assert detector.accepts(text, 0, len(text)) == sureness


def tokens(source: random.Random) -> list[tuple[str, str]]:
    """One of each kind, by the detector that is to find it."""
    gitlab = [
        f"{prefix}-" + random_text(source, length, BASE64URL)
        for prefix, length in (("glpat", 20), ("gldt", 20), ("glrt", 20), ("glrtr", 27), ("glptt", 40), ("gloas", 64),
                               ("glft", 20), ("glsoat", 20), ("glimt", 25), ("glagent", 50), ("glffct", 20))
    ]  # fmt: skip
    gitlab += [
        "glcbt-" + random_text(source, 2, HEX) + "_" + random_text(source, 20, BASE64URL),
        "glpat-" + random_text(source, 27, BASE64URL) + ".01." + random_text(source, 9),
    ]
    return [
        *(("gitlab_token", token) for token in gitlab),
        ("gitlab_runner_registration", "GR134" + "8941" + random_text(source, 20, BASE64URL)),
        ("npm_token", "npm" + "_" + random_text(source, 36)),
        ("pypi_token", "pypi" + "-AgEIcHlwaS5vcmc" + random_text(source, 140, BASE64URL)),
        ("pypi_token", "pypi" + "-AgENdGVzdC5weXBpLm9yZw" + random_text(source, 140, BASE64URL)),
        ("huggingface_user_token", "hf" + "_" + random_text(source, 34)),
        ("huggingface_organization_token", "api" + "_org_" + random_text(source, 34)),
        ("vault_token", "hv" + "s." + random_text(source, 24, BASE64URL)),
        ("vault_token", "hv" + "b." + random_text(source, 140, BASE64URL)),
        ("vault_token", "hv" + "r." + random_text(source, 90, BASE64URL)),
        *(
            (name, token)
            for kind in "pour"
            for name, token in [("github_token_classic", f"gh{kind}_" + random_text(source, 36))]
        ),
    ]


@given(randoms(), around())
def test_each_kind_of_token_is_found_anywhere(source: random.Random, sides: tuple[str, str]) -> None:
    """As a whole, and by the right name."""
    for name, token in tokens(source):
        assert found(token.join(sides)) == [(name, token)]


@given(randoms())
def test_an_old_token_of_vault_is_found_beside_its_name(source: random.Random) -> None:
    """It could be an attribute's name elsewhere."""
    token = "s." + random_text(source, 24)
    for text in ("VAULT_TOKEN={}", "X-Vault-Token: {}", '{{"vault": "{}"}}', "vault login {}"):
        assert found(text.format(token)) == [("vault_legacy_token", token)]
    for text in (token, f"token={token}", f"vault {token}x", f"vault x{token}", "vault s.getTokenFromVaultServer2"):
        assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "glpat-your-personal-access-token",
        "glpat-" + "x" * 20,
        "github_pat_" + "your_token_here_" * 4,
        "gl-pat-" + "a1B2" * 5,
        "npm_config_registry_and_other_names_of_npm",
        "mynpm_" + "a1B2" * 8,
        "hf_" + "model_name_of_huggingface_with_words",
        "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",
        "shf_" + "a1B2" * 9,
        "pypi-AgEx",
        "hvs.short",
        "xhvs." + "a1B2" * 6,
        "ghs_" + "a_name_of_a_function_in_some_program_of_c",
        "GR1348941",
        "api_org_" + "organization" * 3,
        "gh_" + "a1B2" * 9,
    ],
)
def test_what_only_looks_like_a_token_is_not(text: str) -> None:
    """Notes, names, prefixes inside words, what is too short."""
    assert found(text) == []


@given(randoms())
def test_nothing_is_found_in_what_is_no_token(source: random.Random) -> None:
    """Hashes, identifiers, lock files, pictures."""
    assert [(text, found(text)) for text in near_misses(source) if found(text)] == []


def test_one_letter_again_and_again_is_a_note_in_the_place_of_a_token() -> None:
    """As in `ghp_xxxx…` of a manual."""
    assert found("gh" + "p_" + "x" * 36) == []
