"""Keys of clouds. All of these are made up, or are their makers' own examples."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.cloud_keys import DETECTORS
from tests.authz_service.dlp.detectors.surroundings import (
    BASE62,
    BASE64,
    BASE64URL,
    HEX,
    around,
    finder,
    near_misses,
    random_text,
    randoms,
)

found = finder(DETECTORS)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"


@pytest.mark.parametrize("prefix", ["AKIA", "ASIA", "ABIA", "ACCA", "A3TX"])
def test_a_key_id_of_aws_is_found(prefix: str) -> None:
    """Alone and between other characters."""
    key = prefix + "IOSFODNN7EXAMPLE"
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


@pytest.mark.parametrize(
    "text",
    [
        "aws_secret_access_key = {}", "AWS_SECRET_ACCESS_KEY={}", '"SecretAccessKey": "{}"', "secretKey: '{}'",
        '{{"awsSecretKey":"{}"}}', "AWS secret {}", "--aws-secret-key {}", "<SecretAccessKey>{}</SecretAccessKey>",
        "export MINIO_SECRET={}", "{} is the secret access key",
    ],
)  # fmt: skip
@given(source=randoms())
def test_a_secret_key_of_aws_is_found_beside_a_word(text: str, source: random.Random) -> None:
    """Forty characters, the first of which may be a sign."""
    for value in (
        SECRET,
        random_text(source, 40, BASE64),
        "+" + random_text(source, 39),
        "//" + random_text(source, 38),
    ):
        assert found(text.format(value)) == [("aws_secret_key", value)]


@pytest.mark.parametrize(
    "text",
    [
        SECRET, f"integrity: {SECRET}", f"aws commit {'0a1b2c3d' * 5}", f"aws_secret_access_key={SECRET}X",
        f"aws_secret_access_key={SECRET[:39]}", f"aws {'A' * 40}", f"aws x{SECRET}", f"aws {SECRET}==",
        f'aws_secret: {{"checksum": "{SECRET}"}}',
    ],
)  # fmt: skip
def test_forty_characters_alone_or_of_another_kind_are_no_secret_key(text: str) -> None:
    """Hashes in hex, longer and shorter runs, repeated letters, base64 with padding, another key's value."""
    assert found(text) == []


@given(randoms(), around())
def test_keys_of_google_are_found_anywhere(source: random.Random, sides: tuple[str, str]) -> None:
    """API keys, client secrets, access tokens."""
    for name, value in (
        ("gcp_api_key", "AI" + "za" + random_text(source, 35, BASE64URL)),
        ("gcp_client_secret", "GOC" + "SPX-" + random_text(source, 28, BASE64URL)),
        ("gcp_access_token", "ya" + "29." + random_text(source, 160, BASE64URL)),
    ):
        assert found(value.join(sides)) == [(name, value)]


@pytest.mark.parametrize(
    "text",
    [
        "AIza" + "X" * 35,
        "AIza" + "SyA1b2" * 5,
        "xAIza" + "SyA1b2" * 6,
        "AIza" + "SyA1b2" * 7,
        "GOCSPX-your-client-secret-goes-here",
        "ya29.short",
    ],
)
def test_what_only_begins_like_googles_is_not(text: str) -> None:
    """A note, too short, a part of something longer."""
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={};EndpointSuffix=core.windows.net",
        "AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={};", '"storageAccountKey": "{}"',
        "AZURE_STORAGE_KEY={}", "key1: {}", "az storage blob list --account-key {}", '{{"primaryMasterKey": "{}"}}',
    ],
)  # fmt: skip
@given(source=randoms())
def test_an_account_key_of_azure_is_found_beside_its_name(text: str, source: random.Random) -> None:
    """Sixty-four bytes in base64."""
    value = random_text(source, 86, BASE64) + "=="
    assert found(text.format(value)) == [("azure_storage_key", value)]


@given(randoms())
def test_eighty_eight_characters_without_such_a_name_are_not(source: random.Random) -> None:
    """The integrity of a package looks the same."""
    value = random_text(source, 86, BASE64) + "=="
    for text in (value, f'"integrity": "sha512-{value}"', f"azure sha512-{value}", f"AccountKey=A{value}"):
        assert found(text) == []


@given(randoms(), around())
def test_other_secrets_of_azure_are_found(source: random.Random, sides: tuple[str, str]) -> None:
    """Shared access keys, client secrets from 37 to 40 characters, signatures written either way."""
    key = random_text(source, 43, BASE64) + "="
    endpoint = "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey="
    assert found(endpoint + key) == [("azure_shared_access_key", key)]
    length = source.randrange(31, 35)
    secret = random_text(source, 3) + "8Q" + "~" + random_text(source, length, BASE64URL + ".~")
    secret = secret[:-1] + "x"
    assert found(secret.join(sides)) == [("azure_client_secret", secret)]
    signature = random_text(source, 43, BASE64) + "="
    for written in (signature, quote(signature, safe="")):
        url = f"https://acme.blob.core.windows.net/c/b?sv=2022-11-02&sr=b&sig={written}&se=2026"
        assert found(url) == [("azure_sas_signature", written)]
        ((_, taken),) = found(f"?sig={written}=1")
        assert taken.startswith(written), "as the name of a parameter too"


@pytest.mark.parametrize(
    "text",
    [
        "?sig=abc",
        "&sig=" + "a" * 43 + "%3D",
        "design=" + "aB3d" * 10 + "aB3=",
        "abc8Q~short",
        "abc8Q~" + "." * 34,
        "x=8Q~1",
    ],
)
def test_what_only_looks_like_a_signature_or_a_secret_of_azure_is_not(text: str) -> None:
    """Too short, of one letter, another parameter's."""
    assert found(text) == []


@pytest.mark.parametrize("kind", "opr")
@given(source=randoms(), sides=around())
def test_tokens_of_digitalocean_are_found_anywhere(kind: str, source: random.Random, sides: tuple[str, str]) -> None:
    """Personal, access and refresh."""
    token = f"do{kind}_v1_" + random_text(source, 64, HEX)
    assert found(token.join(sides)) == [("digitalocean_token", token)]
    assert found(token[:-1].join(sides)) == []


@given(randoms())
def test_nothing_is_found_in_what_is_no_key(source: random.Random) -> None:
    """Hashes, identifiers, lock files, pictures."""
    assert [(text, found(text)) for text in near_misses(source) if found(text)] == []


def test_long_base64_takes_searches_in_proportion_to_its_signs() -> None:
    """No search begins at each of its letters."""
    source = random.Random(1)
    assert found("aws secret " + "".join(source.choices(BASE62, k=50_000))) == []
