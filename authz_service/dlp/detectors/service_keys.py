"""Keys and tokens of services that talk, pay, think, send and sell, known by their prefix."""

from __future__ import annotations

from authz_service.dlp.detectors import context
from authz_service.dlp.detectors.context import Context
from authz_service.dlp.detectors.detector import (
    BASE64URL,
    HEX_DIGITS,
    LETTERS_AND_DIGITS,
    Detector,
    stands_alone,
)
from authz_service.dlp.detectors.entropy import reads_as_words
from authz_service.dlp.detectors.examples import BASE64URL as BASE64URL_DIGITS
from authz_service.dlp.detectors.examples import HEX, made_up
from authz_service.dlp.detectors.prefixes import KNOWN, PROVED, Judge, token, token_apart, token_between
from authz_service.dlp.detectors.secret_names import is_named

_SLACK = "Slack, Token types"
_TWILIO = "Twilio, API keys and Account SID"
_OPENAI = "OpenAI, API keys: project, service account and admin keys"
_WEBHOOK = r"hooks\.slack(?:-gov)?\.com/"
_STRIPE = r"(?:sk|rk)_(?:test|live|prod)_"
_ANTHROPIC = r"sk-ant-(?:api|admin|oat|ort|sid)[0-9]{2}-"
_SHOPIFY = r"shp(?:at|ca|pa|ss|ua)_"
_TWILIO_WORDS = Context(("twilio",))
_DATADOG_WORDS = Context(("datadog", "dd api key", "dd app key", "dd application key", "dd client token", "ddog"))
_DATADOG_HINT = r"(?i)datadog|dd[ _.-]{0,3}(?:api|app|client)|ddog"
_NAMES_A_HASH = Context((
    "sha", "sha1", "sha256", "md5", "hash", "commit", "digest", "etag", "checksum", "fingerprint", "revision", "rev",
    "trace id", "span id", "request id", "build", "git",
))  # fmt: skip
_MARKER = r"T3BlbkFJ"  # "OpenAI" in base64


def _webhook(text: bytes, start: int, end: int) -> float:
    """Judge by the path behind host, kind and two ids, in which the secret is: documentation writes the letter X there.

    A slash or a word may stand behind the secret.
    """
    return 0.0 if all(map(reads_as_words, filter(None, text[start:end].split(b"/")[4:]))) else KNOWN


def _openai(text: bytes, start: int, end: int) -> float:
    """Accept: nothing else has the marker in its middle."""
    del text, start, end
    return PROVED


def _hex_beside(words: Context) -> Judge:
    """Judge hex digits by a word near them, unless what stands right before them says that they are a hash."""

    def judge(text: bytes, start: int, end: int) -> float:
        if not stands_alone(text, start, end, BASE64URL) or reads_as_words(text[start:end]):
            return 0.0
        key = context.key_before(text, start)
        if key is not None and _NAMES_A_HASH.within(key):
            return 0.0
        return 0.85 if is_named(words, text, start, end) else 0.0

    return judge


DETECTORS = (
    # Bot, user, refresh, configuration, legacy workspace and session tokens; numbers joined by hyphens, then a secret.
    # `xoxd` is the cookie, percent-encoded base64.
    Detector(
        "slack_token", "slack_token", r"xox[abcdeoprs][.-]",
        r"xox[abcdeoprs](?:\.xox[bp])?-[A-Za-z0-9%+/-]{20}", token(5, 20),
        tail=LETTERS_AND_DIGITS | frozenset(b"%+/-"), longest=500, source=_SLACK,
        example=lambda: b"xox" + b"b-123456789012-1234567890123-" + made_up("slack", 24),
    ),
    Detector(
        "slack_token", "slack_app_token", r"xapp-[0-9]-", r"xapp-[0-9]-[A-Za-z0-9-]{20}", token(7, 20),
        tail=LETTERS_AND_DIGITS | frozenset(b"-"), longest=300, source=_SLACK,
        example=lambda: b"xapp" + b"-1-A0123456789-1234567890123-" + made_up("slack app", 64, HEX),
    ),
    Detector(
        "slack_webhook", "slack_incoming_webhook", _WEBHOOK,
        _WEBHOOK + r"services/[A-Za-z0-9]{8,14}/[A-Za-z0-9]{8,14}/[A-Za-z0-9]{18,24}", _webhook,
        tail=LETTERS_AND_DIGITS, longest=128, source="Slack, Sending messages using incoming webhooks",
        example=lambda: b"hooks." + b"slack.com/services/T01234567/B0123456789/" + made_up("webhook", 24),
    ),
    Detector(
        "slack_webhook", "slack_workflow_trigger", _WEBHOOK,
        _WEBHOOK + r"(?:workflows|triggers)/[A-Za-z0-9]{8,14}/[A-Za-z0-9]{8,24}/[A-Za-z0-9/]{18,32}", _webhook,
        tail=LETTERS_AND_DIGITS | frozenset(b"/"), longest=160, source="Slack, Workflows that start with a webhook",
        example=lambda: b"hooks." + b"slack.com/triggers/T01234567/1234567890123/" + made_up("trigger", 32, HEX),
    ),
    # Secret and restricted keys. Ten characters at least, ninety-nine at most.
    Detector(
        "stripe_key", "stripe_key", _STRIPE, _STRIPE + r"[A-Za-z0-9]{10,24}", token_apart(8, 24),
        tail=LETTERS_AND_DIGITS, longest=256, source="Stripe, API keys",
        example=lambda: b"sk" + b"_live_" + made_up("stripe", 24),
    ),
    Detector(
        "stripe_key", "stripe_webhook_secret", r"whsec_", r"whsec_[A-Za-z0-9+/]{24,32}={0,2}", token_apart(6, 32),
        tail=LETTERS_AND_DIGITS | frozenset(b"+/="), longest=128, source="Stripe, Webhook signatures",
        example=lambda: b"wh" + b"sec_" + made_up("whsec", 32),
    ),
    Detector(
        "openai_key", "openai_legacy_key", _MARKER, rf"sk-[A-Za-z0-9]{{20}}{_MARKER}[A-Za-z0-9]{{20}}", _openai,
        tail=BASE64URL, longest=64, source=_OPENAI,
        example=lambda: b"sk" + b"-" + made_up("openai", 20) + b"T3Blbk" + b"FJ" + made_up("openai end", 20),
    ),
    Detector(
        "openai_key", "openai_key", _MARKER,
        rf"sk-(?:proj|svcacct|service|admin|None)-[A-Za-z0-9_-]{{20,100}}{_MARKER}[A-Za-z0-9_-]{{20}}", _openai,
        tail=BASE64URL, longest=300, source=_OPENAI,
        example=lambda: b"sk" + b"-proj-" + made_up("openai", 74, BASE64URL_DIGITS) + b"T3Blbk" + b"FJ"
        + made_up("openai end", 74, BASE64URL_DIGITS),
    ),
    # API and admin keys; access and refresh tokens of OAuth (`oat`, `ort`); session keys. 93 characters, then AA.
    Detector(
        "anthropic_key", "anthropic_key", r"sk-ant-", _ANTHROPIC + r"[A-Za-z0-9_-]{24}", token(15, 22),
        tail=BASE64URL, longest=200, source="Anthropic, API keys; Claude Code, Authentication",
        example=lambda: b"sk" + b"-ant-api03-" + made_up("anthropic", 93, BASE64URL_DIGITS) + b"AA",
    ),
    Detector(
        "sendgrid_key", "sendgrid_key", r"SG\.[A-Za-z0-9_-]{22}\.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
        token_apart(3, 22), tail=BASE64URL, longest=128, source="Twilio SendGrid, API keys",
        example=lambda: b"S" + b"G." + made_up("sendgrid", 22, BASE64URL_DIGITS) + b"."
        + made_up("sendgrid end", 43, BASE64URL_DIGITS),
    ),
    # The account's name is no secret of itself; with any of its keys it is half of one.
    Detector(
        "twilio_key", "twilio_key_sid", r"SK[0-9a-f]{32}", r"SK[0-9a-f]{32}", token_between(2, 32),
        source=_TWILIO, example=lambda: b"S" + b"K" + made_up("twilio", 32, HEX),
    ),
    Detector(
        "twilio_key", "twilio_account_sid", r"AC[0-9a-f]{32}", r"AC[0-9a-f]{32}", token_between(2, 32),
        source=_TWILIO, example=lambda: b"A" + b"C" + made_up("twilio account", 32, HEX),
    ),
    Detector(
        "twilio_key", "twilio_auth_token", r"(?i)twilio", r"\b[0-9a-f]{32}", _hex_beside(_TWILIO_WORDS),
        before=context.BEFORE, after=context.AFTER, source=_TWILIO,
        example=lambda: b"TWILIO_" + b"AUTH_TOKEN=" + made_up("twilio auth", 32, HEX),
    ),
    # Access (at), custom app (ca), private app (pa), app user (ua) tokens; shared secret (ss).
    Detector(
        "shopify_token", "shopify_token", _SHOPIFY, _SHOPIFY + r"[0-9a-fA-F]{32}", token_apart(6, 32),
        tail=HEX_DIGITS, longest=64, source="Shopify, API access tokens: token prefixes",
        example=lambda: b"shp" + b"at_" + made_up("shopify", 32, HEX),
    ),
    Detector(
        "databricks_token", "databricks_token", r"dapi[0-9a-f]{32}", r"dapi[0-9a-f]{32}(?:-[0-9])?",
        token_between(4, 32), source="Databricks, Personal access tokens",
        example=lambda: b"da" + b"pi" + made_up("databricks", 32, HEX),
    ),
    # API keys have 32 hex digits, application keys 40: without a word beside them they could be any hash.
    Detector(
        "datadog_key", "datadog_key", _DATADOG_HINT, r"\b[0-9a-f]{32}(?:[0-9a-f]{8})?", _hex_beside(_DATADOG_WORDS),
        before=context.BEFORE, after=context.AFTER, source="Datadog, API and application keys",
        example=lambda: b"DD_API" + b"_KEY=" + made_up("datadog", 32, HEX),
    ),
)  # fmt: skip
