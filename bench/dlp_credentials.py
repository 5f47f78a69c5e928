"""Keys, tokens and passwords, made up after what their vendors write of the form; all of them nobody's.

Prefixes are put together here, so that no file of this repository holds anything that looks like a secret.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping

from bench import dlp_checksums as checks
from bench.dlp_personal import CAPITALS, HEX, Value
from bench.dlp_random import digits, some

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_WORD = CAPITALS + _LOWER + _DIGITS
_URL = _WORD + "-_"
_BASE64 = _WORD + "+/"
_KEY_WORDS = ("key", "token", "api_key", "secret", "credential", "authorization")
_MARKER = "T3Blbk" + "FJ"
HOSTS = ("db.example.com", "10-2-3-4.db.example.net", "localhost", "cache", "mongo0.example.org")
_NAMES = ("app", "svc_report", "admin", "reader", "etl-job")


def _password(rng: random.Random) -> str:
    """A password that a program made: at least one of each kind of character."""
    text = rng.choice(CAPITALS) + rng.choice(_DIGITS) + some(rng, _WORD, rng.randrange(12, 24)) + rng.choice(_LOWER)
    return "".join(rng.sample(text, len(text)))


def _token(prefix: str, alphabet: str, *counts: int) -> Callable[[random.Random], Value]:
    return lambda rng: Value(prefix + some(rng, alphabet, rng.choice(counts)), _KEY_WORDS)


def _aws_access_key(rng: random.Random) -> Value:
    prefix = rng.choice(["AK" + "IA", "AS" + "IA", "AK" + "IA"])
    words = ("aws_access_key_id", "AccessKeyId", "access key", "key")
    return Value(prefix + some(rng, CAPITALS + "234567", 16), words)


def _aws_secret_key(rng: random.Random) -> Value:
    words = ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "aws secret key", "secretAccessKey")
    return Value(some(rng, _BASE64, 40), words, needs_words=True)


def _azure_key(rng: random.Random) -> Value:
    if rng.random() < 0.5:
        key = base64.b64encode(rng.randbytes(64)).decode()
        return Value(
            key, ("AccountKey", "azure_storage_key", "AZURE_STORAGE_KEY", "storage account key"), needs_words=True
        )
    text = some(rng, _WORD, 3) + rng.choice(_DIGITS) + "Q~" + some(rng, _WORD + "_.~-", rng.randrange(31, 35))
    return Value(text[:-1] + rng.choice(_WORD), ("AZURE_CLIENT_SECRET", "client_secret", "azure client secret"))


def _gcp_service_account(rng: random.Random) -> Value:
    account = {
        "type": "service_account",
        "project_id": f"proj-{digits(rng, 5)}",
        "private_key_id": some(rng, HEX, 40),
        "private_key": _pem(rng, "PRIVATE KEY", 1_190),
    }
    return Value(json.dumps(account), ())


def _github_token(rng: random.Random) -> Value:
    match rng.randrange(5):
        case 0 | 1:
            random_part = some(rng, _WORD, 30)
            prefix = "gh" + rng.choice("pour") + "_"
            return Value(prefix + random_part + checks.crc32_base62(random_part), _KEY_WORDS)
        case 2:
            return Value("github_" + "pat_" + some(rng, _WORD, 22) + "_" + some(rng, _WORD, 59), _KEY_WORDS)
        case 3:
            return Value("gh" + "s_" + some(rng, _WORD, 36), _KEY_WORDS)
        case _:
            return Value("gh" + "s_" + digits(rng, 7) + "_" + _signed(rng, 256), _KEY_WORDS)


def _gitlab_token(rng: random.Random) -> Value:
    prefix = rng.choice(["glpat-", "glpat-", "gldt-", "glrt-", "glcbt-"])
    if prefix == "glcbt-":
        return Value(prefix + some(rng, HEX, 2) + "_" + some(rng, _URL, 20), _KEY_WORDS)
    return Value(prefix + some(rng, _URL, 19) + rng.choice(_WORD), _KEY_WORDS)


def _slack_token(rng: random.Random) -> Value:
    match rng.randrange(4):
        case 0 | 1:
            return Value(f"xo{'xb'}-{digits(rng, 12)}-{digits(rng, 13)}-{some(rng, _WORD, 24)}", _KEY_WORDS)
        case 2:
            numbers = "-".join(digits(rng, 12) for _ in range(3))
            return Value(f"xo{'xp'}-{numbers}-{some(rng, HEX, 32)}", _KEY_WORDS)
        case _:
            return Value(
                f"xa{'pp'}-1-A{some(rng, CAPITALS + _DIGITS, 10)}-{digits(rng, 13)}-{some(rng, HEX, 64)}", _KEY_WORDS
            )


def _slack_webhook(rng: random.Random) -> Value:
    capitals = CAPITALS + _DIGITS
    path = f"T{some(rng, capitals, 10)}/B{some(rng, capitals, 10)}/{some(rng, _WORD, 24)}"
    return Value(f"https://hooks.slack.{'com'}/services/{path}", ("webhook", "url", "slack", "hook"))


def _stripe_key(rng: random.Random) -> Value:
    return Value(
        f"{rng.choice('sr')}k_{rng.choice(['live', 'live', 'test'])}_{some(rng, _WORD, rng.choice([24, 99]))}",
        _KEY_WORDS,
    )


def _openai_key(rng: random.Random) -> Value:
    if rng.random() < 0.3:
        return Value(f"sk-{some(rng, _WORD, 20)}{_MARKER}{some(rng, _WORD, 20)}", _KEY_WORDS)
    count = rng.choice([58, 74])
    kind = rng.choice(["proj", "proj", "svcacct", "admin"])
    return Value(
        f"sk-{kind}-{some(rng, _URL, count)}{_MARKER}{some(rng, _URL, count - 1)}{rng.choice(_WORD)}", _KEY_WORDS
    )


def _anthropic_key(rng: random.Random) -> Value:
    kind = rng.choice(["api03", "api03", "admin01", "oat01", "ort01"])
    return Value(f"sk-{'ant'}-{kind}-{some(rng, _URL, 93)}AA", _KEY_WORDS)


def _npm_token(rng: random.Random) -> Value:
    random_part = some(rng, _WORD, 30)
    return Value("np" + "m_" + random_part + checks.crc32_base62(random_part), _KEY_WORDS)


def _pypi_token(rng: random.Random) -> Value:
    return Value("pypi-AgEI" + "cHlwaS5vcmc" + some(rng, _URL, rng.choice([90, 150])) + rng.choice(_WORD), _KEY_WORDS)


def _sendgrid_key(rng: random.Random) -> Value:
    return Value("S" + "G." + some(rng, _URL, 22) + "." + some(rng, _URL, 42) + rng.choice(_WORD), _KEY_WORDS)


def _twilio_key(rng: random.Random) -> Value:
    if rng.random() < 0.5:
        return Value("S" + "K" + some(rng, HEX, 32), ("twilio_api_key", "api_key", "sid", "key"))
    words = ("TWILIO_AUTH_TOKEN", "twilio auth token", "twilio_auth_token")
    return Value(some(rng, HEX, 32), words, needs_words=True)


def _databricks_token(rng: random.Random) -> Value:
    return Value("da" + "pi" + some(rng, HEX, 32) + rng.choice(["", "-2", "-3"]), _KEY_WORDS)


def _datadog_key(rng: random.Random) -> Value:
    words = ("DD_API_KEY", "datadog_api_key", "datadog api key", "DD_APP_KEY", "datadog_app_key")
    return Value(some(rng, HEX, rng.choice([32, 40])), words, needs_words=True)


def _signed(rng: random.Random, signature: int) -> str:
    header = {"alg": rng.choice(["RS256", "ES256", "HS256", "EdDSA"]), "typ": "JWT"}
    if rng.random() < 0.5:
        header["kid"] = some(rng, HEX, 16)
    claims = {
        "sub": some(rng, _LOWER, 8),
        "iss": "https://idp.example",
        "exp": rng.randrange(1_700_000_000, 1_900_000_000),
    }
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)] + [rng.randbytes(signature)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _jwt(rng: random.Random) -> Value:
    return Value(
        _signed(rng, rng.choice([32, 64, 256])), ("token", "authorization: Bearer", "id_token", "access_token")
    )


def _pem(rng: random.Random, kind: str, size: int) -> str:
    body = base64.b64encode(rng.randbytes(size)).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def _private_key(rng: random.Random) -> Value:
    kind = rng.choice(["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED ", "DSA "]) + "PRIVATE " + "KEY"
    return Value(_pem(rng, kind, rng.choice([120, 600, 1_190])).rstrip(), ())


def _connection_string(rng: random.Random) -> Value:
    host, name, word = rng.choice(HOSTS), rng.choice(_NAMES), _password(rng)
    words = ("DATABASE_URL", "dsn", "connection_string", "url", "broker")
    match rng.randrange(6):
        case 0:
            return Value(f"postgres{rng.choice(['', 'ql'])}://{name}:{word}@{host}:5432/app?sslmode=require", words)
        case 1:
            return Value(f"mysql://{name}:{word}@{host}/shop", words)
        case 2:
            return Value(f"mongodb+srv://{name}:{word}@{host}/?retryWrites=true", words)
        case 3:
            return Value(f"redis{rng.choice(['', 's'])}://:{word}@{host}:6379/0", words)
        case 4:
            return Value(f"amqp://{name}:{word}@{host}:5672/vhost", words)
        case _:
            return Value(f"Server=tcp:{host},1433;Database=app;User Id={name};Password={word};Encrypt=true", words)


def _basic_auth_url(rng: random.Random) -> Value:
    scheme, place = rng.choice(["https", "https", "http", "ftp"]), rng.choice(["", "/repo.git", "/v1/items"])
    return Value(
        f"{scheme}://{rng.choice(_NAMES)}:{_password(rng)}@{rng.choice(HOSTS)}{place}", ("url", "remote", "proxy")
    )


def _generic_secret(rng: random.Random) -> Value:
    words = ("password", "api_key", "client_secret", "secret", "auth_token", "passwd", "SECRET_KEY", "apikey")
    text = rng.choice(
        [_password(rng), some(rng, _URL, 31) + rng.choice(_WORD), some(rng, HEX, 40), some(rng, _BASE64, 43) + "="]
    )
    return Value(text, words, needs_words=True)


CREDENTIALS: Mapping[str, tuple[Callable[[random.Random], Value], bool]] = {
    "aws_access_key": (_aws_access_key, True),
    "aws_secret_key": (_aws_secret_key, False),
    "gcp_api_key": (_token("AI" + "za", _URL, 35), True),
    "gcp_service_account": (_gcp_service_account, True),
    "azure_key": (_azure_key, False),
    "github_token": (_github_token, True),
    "gitlab_token": (_gitlab_token, True),
    "slack_token": (_slack_token, True),
    "slack_webhook": (_slack_webhook, True),
    "stripe_key": (_stripe_key, True),
    "openai_key": (_openai_key, True),
    "anthropic_key": (_anthropic_key, True),
    "huggingface_token": (_token("h" + "f_", CAPITALS + _LOWER, 34), True),
    "npm_token": (_npm_token, True),
    "pypi_token": (_pypi_token, True),
    "sendgrid_key": (_sendgrid_key, True),
    "twilio_key": (_twilio_key, False),
    "digitalocean_token": (_token("do" + "p_v1_", HEX, 64), True),
    "vault_token": (_token("hv" + "s.", _URL, 90, 95), True),
    "shopify_token": (_token("shp" + "at_", HEX, 32), True),
    "databricks_token": (_databricks_token, True),
    "datadog_key": (_datadog_key, False),
    "jwt": (_jwt, True),
    "private_key": (_private_key, True),
    "connection_string": (_connection_string, False),
    "basic_auth_url": (_basic_auth_url, False),
    "generic_secret": (_generic_secret, False),
}
