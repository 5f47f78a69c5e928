"""Values that look random beside words that say secret. All of these are made up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.keywords import DETECTORS
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
WRITINGS = [
    "api_key={}",
    "API_KEY: {}",
    '"apiKey": "{}"',
    "'secret' => '{}'",
    'clientSecret = "{}"',
    "--api-key {}",
    "--token={}",
    "password: {}",
    "DB_PASSWORD={}",
    "x-api-key: {}",
    "Authorization: Bearer {}",
    "Authorization: Basic {}",
    "passwd={}",
    "authorization: token {}",
    '\\"access_token\\":\\"{}\\"',
    "<password>{}</password>",
    "pwd := `{}`",
    "auth_token: [{}]",
    "my password is {}",
    "the secret was: {}",
    "private key: {}",
    '{{"name": "API_TOKEN", "value": "{}"}}',
    "credentials: '{}'",
    "Bearer {}",
    "encryption-key: {}",
    "signing.key={}",
    "dbPass={}",
    "refreshToken: {},",
    '["--password", "{}"]',
    "passphrase={}",
    "| client_secret | {} |",
    "my token: {}. Can you check it?",
]


def value_of(source: random.Random) -> str:
    """Of each alphabet that machines use, in lengths from 20 to 128; 98 of 100 are asked for below that."""
    alphabet = source.choice([HEX, BASE62, BASE64URL, BASE64])
    value = random_text(source, source.randrange(24, 128), alphabet)
    return "a1" + value[2:-2] + "9Z"


@pytest.mark.parametrize("writing", WRITINGS)
@given(source=randoms())
def test_a_random_value_beside_a_name_is_found_and_nothing_with_it(writing: str, source: random.Random) -> None:
    """In each way of writing a name before it."""
    value = value_of(source)
    assert found(writing.format(value)) == [("generic_secret", value)]


@given(st.sampled_from(WRITINGS), randoms(), around())
def test_it_is_found_anywhere(writing: str, source: random.Random, sides: tuple[str, str]) -> None:
    """Whatever stands before the name and behind the value."""
    value = value_of(source)
    assert ("generic_secret", value) in found(f"{sides[0]} {writing.format(value)}{sides[1]}")


@pytest.mark.parametrize("alphabet", [HEX, BASE62, BASE64URL, BASE64])
def test_ninety_eight_of_a_hundred_of_sixteen_characters_are_found(alphabet: str) -> None:
    """The shortest that are judged."""
    source = random.Random(16)
    ends = alphabet[:16]  # a sign at its end could be a sentence's
    values = [source.choice(ends) + "".join(source.choices(alphabet, k=14)) + source.choice(ends) for _ in range(1_000)]
    assert sum(found(f"token: {value}") == [("generic_secret", value)] for value in values) >= 980


@pytest.mark.parametrize(
    "value",
    [
        "gh" + "p_" + "a1B2" * 9,
        "AI" + "za" + "SyA1b2C3" * 4 + "d4E",
        "eyJhbGciOiJIUzI1NiJ9.e30." + "a1B2" * 9,
        "SG." + "a1" * 11 + "." + "b2C" * 14 + "d",
    ],
)
def test_what_has_a_detector_of_its_own_is_left_to_it(value: str) -> None:
    """It says more."""
    assert found(f"token={value}") == found(f'"api_key": "{value}"') == []


def test_a_value_that_begins_with_a_sign_or_ends_with_padding_goes_whole() -> None:
    """Passwords begin with anything."""
    for value in ("$9fK2!mQ7z@Xc4#Lw", "+/aB3dE5fG7hI9jK1l", "aB3dE5fG7hI9jK1lMn==", "a1B2c3D4" * 60):
        assert found(f"password={value}") == [("generic_secret", value)]


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "password: correct-horse-battery-staple",
        "token: ${SERVICE_TOKEN_OF_THE_STAGE}",
        "secret: <your-secret-goes-in-here>",
        "api_key: YOUR_API_KEY_GOES_HERE_1",
        "password = getPasswordFromVault2(x)",
        "token = process.env.SERVICE_TOKEN_2",
        "api_key = os.environ.get(name)",
        "secret=****************************",
        "token_type: 9fK2mQ7zXc4LwPq8RtYu",
        "api_key_id: 9fK2mQ7zXc4LwPq8RtYu",
        "password_hash: 9fK2mQ7zXc4LwPq8RtYu",
        "secretName: 9fK2mQ7zXc4LwPq8RtYu",
        "nextPageToken: 9fK2mQ7zXc4LwPq8RtYu",
        "public key: 9fK2mQ7zXc4LwPq8RtYu",
        "token: 550e8400-e29b-41d4-a716-446655440000",
        "auth: /var/run/secrets/kubernetes.io/serviceaccount/token",
        "token_url: https://h.example/oauth2/v1/token/9fK2mQ7zXc4LwPq8RtYu",
        "id: 9fK2mQ7zXc4LwPq8RtYu",
        "key: 9fK2mQ7zXc4LwPq8RtYu",
        "commit of the token: 0a1b2c3d0a1b2c3d0a1b2c3d",
        "secret_sha256: 9fK2mQ7zXc4LwPq8RtYu",
        "tokens: 128000128000128000128000",
        "token expires at: 2024-05-06T10-11-12Z",
        "author: 9fK2mQ7zXc4LwPq8RtYu",
        "passport: 9fK2mQ7zXc4LwPq8RtYu",
        "the token 9fK2mQ7zXc4LwPq8RtYu",
        "tokenizer: 9fK2mQ7zXc4LwPq8RtYu",
        "secretary: 9fK2mQ7zXc4LwPq8RtYu",
        '"token": "x", "etag": "9fK2mQ7zXc4LwPq8RtYu"',
        "[REDACTED:generic_secret] 9fK2mQ7zXc4LwPq8RtYu",
        "[REDACTED:generic_secret]: 9fK2mQ7zXc4LwPq8RtYu",
        '"value": "9fK2mQ7zXc4LwPq8RtYu"',
        "token: " + "aB3dE5fG7hI9jK",
        "authentication=AuthenticationTokenProviderFactory",
        "auth_provider: oauth2-proxy-v7.4.0-alpine3",
        "",
        "secret:",
    ],
)
def test_words_references_and_other_keys_values_are_not(text: str) -> None:
    """What a person named, what stands for a secret, what its name takes back."""
    assert found(text) == []


@given(randoms())
def test_nothing_is_found_in_what_is_no_secret(source: random.Random) -> None:
    assert [(text, found(text)) for text in near_misses(source) if found(text)] == []


def test_few_of_two_thousand_near_misses_are_found() -> None:
    """One in a hundred at most, beside the names that tell of it."""
    source = random.Random(2_000)
    names = (
        "sha256",
        "commit",
        "etag",
        "id",
        "request_id",
        "digest",
        "token_id",
        "key",
        "checksum",
        "session",
        "trace",
    )
    wrong = 0
    for _ in range(2_000):
        text = (
            f"{source.choice(names)}{source.choice(['=', ': '])}{random_text(source, source.choice([32, 40, 64]), HEX)}"
        )
        wrong += bool(found(text))
    assert wrong <= 20


@pytest.mark.parametrize(
    "writing",
    [
        'let jwt_secret: &str = "{}";',
        "const apiKey: string = '{}';",
        'private val clientSecret: String = "{}"',
        'const webhookSecret string = "{}"',
        'DB_PASSWORD = os.getenv("DB_PASSWORD", "{}")',
        "config.set('smtp_password', '{}')",
        '{{\n      "name": "JWT_SECRET",\n      "value": "{}"\n    }}',
        "ENV ADMIN_PASSWORD {}\nRUN make",
        "gh secret set ENCRYPTION_KEY --body '{}'",
        "| `CLIENT_SECRET` | `{}` |",
        "crm-sync calling upstream with encryptionKey={} attempt=2",
    ],
)
@pytest.mark.parametrize("value", ["JZuMBaZjX2nHPYoQ", "f642ad96b41e0f358e43e11f4ec2c4c7"])
def test_a_secret_is_found_behind_a_type_a_default_or_an_instruction(writing: str, value: str) -> None:
    """As languages with types, calls with a default, Dockerfiles, command lines and tables write one."""
    assert found(writing.format(value)) == [("generic_secret", value)]


@pytest.mark.parametrize("name", ["client_secret", "DB_PASSWORD", "apiKey", "passphrase"])
def test_a_uuid_is_a_secret_where_it_is_called_one(name: str) -> None:
    """Some services give UUIDs out as secrets."""
    value = "a919f276-ae27-4fbd-9a31-82b202778252"
    assert found(f'{{"{name}": "{value}"}}') == [("generic_secret", value)]


@pytest.mark.parametrize("name", ["token", "request_token", "session_key", "secret_id", "password_policy", "id"])
def test_a_uuid_is_only_an_id_behind_any_other_name(name: str) -> None:
    """Requests and sessions are numbered so too."""
    assert found(f'{{"{name}": "a919f276-ae27-4fbd-9a31-82b202778252"}}') == []


def test_the_host_of_a_url_is_no_secret_behind_a_user_that_sounds_like_one() -> None:
    """The password in it has detectors of its own."""
    assert found("sftp://x-token-auth:CS75Jk62sAcYS70Fq@localhost:22/in") == []
