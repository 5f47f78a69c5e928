"""Keys of clouds: known by their prefix where they have one, else by their form and the words beside them."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from authz_service.dlp.detectors import context
from authz_service.dlp.detectors.context import Context
from authz_service.dlp.detectors.detector import (
    BASE64URL,
    CAPITALS_AND_DIGITS,
    HEX_DIGITS,
    Detector,
    stands_alone,
)
from authz_service.dlp.detectors.entropy import bits_per_character
from authz_service.dlp.detectors.examples import BASE62, BASE64, CAPITALS, HEX, made_up
from authz_service.dlp.detectors.examples import BASE64URL as BASE64URL_DIGITS
from authz_service.dlp.detectors.prefixes import KNOWN, Judge, begins_apart, ends_apart, token, token_apart
from authz_service.dlp.detectors.secret_names import is_named

_AWS = "AWS, IAM identifiers: unique ID prefixes; Managing access keys"
_GOOGLE = "Google Cloud, API keys; OAuth 2.0 client secrets and access tokens"
_AWS_PREFIX = r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)"
_JOINS = BASE64URL | frozenset(b"+/")  # before base64: it began earlier
_GOES_ON = _JOINS | frozenset(b"=")
_RANDOM = 4.0  # bits a character: forty random base64 characters have 4.6 on average, hex has at most 4
_SOME = 3.0  # bits a character: more than a note of few letters has

# 40 characters of which the first three may be signs; no search begins inside a run of letters and digits.
_FORTY = "|".join(rf"[+/]{{{signs}}}\b[A-Za-z0-9][A-Za-z0-9+/]{{{39 - signs}}}" for signs in range(4))
_AWS_WORDS = Context(("aws", "amazon", "access key", "secret key", "minio"))
_AWS_HINT = r"(?i:(?:secret|access)[ _.-]{0,3}key|amazon|minio|(?:^|[^a-z0-9])aws)|A(?i:ws)"
_STORAGE_WORDS = Context((
    "azure", "account key", "storage key", "storage account", "cosmos", "cosmosdb", "documentdb", "primary key",
    "secondary key", "master key", "key1", "key2", "azurewebjobsstorage", "storageaccountkey",
))  # fmt: skip
_STORAGE_HINT = (
    r"(?i:azure|cosmos|documentdb|(?:account|storage|primary|secondary|master)[ _.-]{0,3}key|storage[ _.-]{0,3}account|"
    r"key[12])"
)
_BUS_WORDS = Context((
    "shared access key", "service bus", "event hub", "event hubs", "iot hub", "primary key", "secondary key", "azure",
))  # fmt: skip
_BUS_HINT = r"(?i:azure|(?:access|primary|secondary)[ _.-]{0,3}key|service[ _.-]{0,3}bus|(?:event|iot)[ _.-]{0,3}hub)"
_SIGNATURE = r"[A-Za-z0-9%+/]{43,90}(?:=|%3[Dd])"
_SIGNATURE_LENGTH = 43  # characters of base64 of an HMAC-SHA256, without its padding
_SIGNATURE_NAMES = (b"?sig=", b"&sig=", b";sig=", b" sig=")


def _is_aws_key_id(text: bytes, start: int, end: int) -> float:
    """Sixteen characters behind the prefix and not one more: a longer run is some other identifier."""
    return KNOWN if stands_alone(text, start, end, CAPITALS_AND_DIGITS) else 0.0


def _is_aws_secret(text: bytes, start: int, end: int) -> float:
    """Forty characters by themselves, random beyond what hex can be, beside a word that says what they are."""
    if (start > 0 and text[start - 1] in _JOINS) or (end < len(text) and text[end] in _GOES_ON):
        return 0.0
    value = text[start:end]
    if HEX_DIGITS.issuperset(value) or bits_per_character(value) < _RANDOM:
        return 0.0
    return 0.85 if is_named(_AWS_WORDS, text, start, end) else 0.0


def _is_google_key(text: bytes, start: int, end: int) -> float:
    """Thirty-five characters behind the prefix; a note has few different ones."""
    if not (begins_apart(text, start) and ends_apart(text, end)):
        return 0.0
    return KNOWN if bits_per_character(text[start:end]) >= _SOME else 0.0


def _is_azure_secret(text: bytes, start: int, end: int) -> float:
    """Accept what the marker stands in, by itself and of more than a few characters."""
    apart = begins_apart(text, start) and ends_apart(text, end)
    return KNOWN if apart and bits_per_character(text[start:end]) >= _SOME else 0.0


def _padded_key(words: Context, names: tuple[bytes, ...]) -> Judge:
    """Judge base64 with its padding by the name that it is set to, or by words near it."""

    def judge(text: bytes, start: int, end: int) -> float:
        if (start > 0 and text[start - 1] in _JOINS) or text[end : end + 1] == b"=":
            return 0.0
        if bits_per_character(text[start:end]) < _RANDOM:
            return 0.0
        if text[max(0, start - context.BEFORE) : start].lower().endswith(names):
            return 1.0
        return 0.85 if is_named(words, text, start, end) else 0.0

    return judge


def _is_signature(text: bytes, start: int, end: int) -> float:
    """The base64 of an HMAC-SHA256 in the parameter `sig`, percent-encoded or not, and whatever `=` comes behind it."""
    if not text[max(0, start - 5) : start].lower().endswith(_SIGNATURE_NAMES):
        return 0.0
    value = unquote_to_bytes(text[start:end]).rstrip(b"=")
    return KNOWN if len(value) == _SIGNATURE_LENGTH and bits_per_character(value) >= _SOME else 0.0


DETECTORS = (
    # Key ids: long-term (AKIA), temporary (ASIA), bearer (ABIA), context (ACCA); A3T? are the oldest.
    # AWS writes base32; other digits are accepted too, because a made-up key is still nobody's to send.
    Detector(
        "aws_access_key", "aws_access_key_id", _AWS_PREFIX, _AWS_PREFIX + r"[A-Z0-9]{16}", _is_aws_key_id,
        source=_AWS, example=lambda: b"AK" + b"IA" + made_up("aws", 16, CAPITALS),
    ),
    Detector(
        "aws_secret_key", "aws_secret_key", _AWS_HINT, _FORTY, _is_aws_secret,
        before=context.BEFORE, after=context.AFTER, source=_AWS,
        example=lambda: b"aws_secret_" + b"access_key=" + made_up("aws secret", 40, BASE64),
    ),
    Detector(
        "gcp_api_key", "gcp_api_key", r"AIza", r"AIza[A-Za-z0-9_-]{35}", _is_google_key,
        source=_GOOGLE, example=lambda: b"AI" + b"za" + made_up("google", 35, BASE64URL_DIGITS),
    ),
    Detector(
        "gcp_api_key", "gcp_client_secret", r"GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}", token(7, 28),
        source=_GOOGLE, example=lambda: b"GOC" + b"SPX-" + made_up("google client", 28, BASE64URL_DIGITS),
    ),
    Detector(
        "gcp_api_key", "gcp_access_token", r"ya29\.", r"ya29\.[A-Za-z0-9_.-]{24}", token_apart(5, 24),
        tail=BASE64URL | frozenset(b"."), longest=2_048, source=_GOOGLE,
        example=lambda: b"ya" + b"29." + made_up("google access", 160, BASE64URL_DIGITS),
    ),
    Detector(
        "azure_key", "azure_storage_key", _STORAGE_HINT, r"[A-Za-z0-9+/]{86}==",
        _padded_key(_STORAGE_WORDS, (b"accountkey=", b"accountkey = ")),
        before=context.BEFORE, after=context.AFTER, source="Microsoft, Manage storage account access keys",
        example=lambda: b"Account" + b"Key=" + made_up("storage", 86, BASE64) + b"==",
    ),
    # Service Bus, Event Hubs, IoT Hub.
    Detector(
        "azure_key", "azure_shared_access_key", _BUS_HINT, r"[A-Za-z0-9+/]{43}=",
        _padded_key(_BUS_WORDS, (b"sharedaccesskey=", b"sharedaccesskey = ")),
        before=context.BEFORE, after=context.AFTER, source="Microsoft, Service Bus access control with SAS",
        example=lambda: b"Shared" + b"AccessKey=" + made_up("bus", 43, BASE64) + b"=",
    ),
    Detector(
        "azure_key", "azure_client_secret", r"[0-9]Q~[A-Za-z0-9_~.-]{8}",
        r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", _is_azure_secret,
        source="Microsoft Entra ID, Application client secrets",
        example=lambda: made_up("entra front", 12)[:3] + b"8" + b"Q~" + made_up("entra", 34, BASE64URL_DIGITS),
    ),
    Detector(
        "azure_key", "azure_sas_signature", r"(?i)[?&; ]sig=[a-z0-9%+/]{20}", _SIGNATURE, _is_signature,
        before=5, source="Microsoft, Create a service SAS: signature",
        example=lambda: b"?sv=2022-11-02&" + b"sig=" + made_up("sas", 43, BASE62) + b"%3D",
    ),
    # Personal access, OAuth access and refresh tokens.
    Detector(
        "digitalocean_token", "digitalocean_token", r"do[opr]_v1_", r"do[opr]_v1_[0-9a-f]{64}", token(7, 64),
        tail=HEX_DIGITS, longest=128, source="DigitalOcean, Personal access tokens: token prefixes",
        example=lambda: b"do" + b"p_v1_" + made_up("digitalocean", 64, HEX),
    ),
)  # fmt: skip
