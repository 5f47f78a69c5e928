"""Keys and tokens of well-known services. All of these are made up, or are their makers' own examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.credentials import DETECTORS
from authz_service.dlp.scan import Scanner

SCANNER = Scanner(DETECTORS)
LETTERS = "a1B2" * 300


def found(text: str) -> list[tuple[str, str]]:
    """Detector and text of what is found."""
    data = text.encode()
    return [(span.detector.name, data[span.start : span.end].decode()) for span in SCANNER.scan(data)]


@pytest.mark.parametrize(
    "key",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "ABIAIOSFODNN7EXAMPLE",
        "ACCAIOSFODNN7EXAMPLE",
        "A3TXIOSFODNN7EXAMPLE",
    ],
)
def test_a_key_id_of_aws_is_found(key: str) -> None:
    """Alone and between other characters."""
    for text in (key, f"id={key}&", f"a{key}z", f"\n{key}\n", f'"{key}"', f"_{key}-"):
        assert found(text) == [("aws_access_key_id", key)]


@pytest.mark.parametrize(
    "text",
    ["AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLEX", "XAKIAIOSFODNN7EXAMPLE", "0AKIAIOSFODNN7EXAMPLE",
     "akiaiosfodnn7example", "AKIA-IOSFODNN7EXAMPLE",
     "AGPAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPl", ""],
)  # fmt: skip
def test_what_is_longer_shorter_or_of_another_kind_is_not(text: str) -> None:
    """A longer run is some other identifier."""
    assert found(text) == []


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


def test_a_key_inside_a_refused_candidate_is_found() -> None:
    """The search goes on one character further."""
    assert found("AKIA0-AKIAIOSFODNN7EXAMPLE") == [("aws_access_key_id", "AKIAIOSFODNN7EXAMPLE")]


@given(
    st.text(alphabet=st.characters(exclude_categories=["Lu", "Nd", "Cs"]), max_size=10),
    st.from_regex(r"\A(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\Z"),
)
def test_every_key_id_is_found_whatever_stands_around_it(around: str, key: str) -> None:
    """Short of more capitals and digits."""
    assert ("aws_access_key_id", key) in found(around + key + around)
