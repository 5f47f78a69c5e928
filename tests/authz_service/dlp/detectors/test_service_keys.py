"""Keys of services that talk, pay, think, send and sell. All of these are made up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

from authz_service.dlp.detectors.service_keys import DETECTORS
from tests.authz_service.dlp.detectors.surroundings import (
    BASE62,
    BASE64,
    BASE64URL,
    DIGITS,
    HEX,
    SMALL,
    around,
    finder,
    near_misses,
    random_text,
    randoms,
)

found = finder(DETECTORS)
CAPITALS = DIGITS + SMALL.upper()


def keys(source: random.Random) -> list[tuple[str, str]]:
    """One of each kind, by the detector that is to find it."""

    def some(length: int, alphabet: str = BASE62) -> str:
        return random_text(source, length, alphabet)

    numbers = f"{some(12, DIGITS)}-{some(13, DIGITS)}"
    return [
        ("slack_token", f"xox{'b'}-{numbers}-{some(24)}"),
        ("slack_token", f"xox{'p'}-{numbers}-{some(13, DIGITS)}-{some(32, HEX)}"),
        ("slack_token", f"xox{'a'}-2-{numbers}-{some(32, HEX)}"),
        ("slack_token", f"xox{'e'}.xox{'p'}-1-{some(160)}"),
        ("slack_token", f"xox{'e'}-1-{some(146)}"),
        ("slack_token", f"xox{'d'}-{some(60)}%2B{some(40)}%3D"),
        ("slack_app_token", f"xapp{'-'}1-A{some(10, CAPITALS)}-{some(13, DIGITS)}-{some(64, HEX)}"),
        ("slack_incoming_webhook",
         f"hooks.{'slack'}.com/services/T{some(8, CAPITALS)}/B{some(10, CAPITALS)}/{some(24)}"),
        ("slack_workflow_trigger",
         f"hooks.{'slack'}.com/workflows/T{some(8, CAPITALS)}/A{some(10, CAPITALS)}/{some(18, DIGITS)}a/{some(24)}"),
        *(("slack_workflow_trigger",
           f"hooks.{'slack'}.com/triggers/T{some(8, CAPITALS)}/{some(13, DIGITS)}/{some(24)}{more}")
          for more in ("/", "/run")),
        *(("stripe_key", f"{who}_{where}_{some(length)}")
          for who in ("sk", "rk") for where in ("test", "live", "prod") for length in (10, 24, 99)),
        ("stripe_webhook_secret", f"wh{'sec'}_{some(32)}"),
        ("openai_legacy_key", f"sk{'-'}{some(20)}T3Blbk{'FJ'}{some(20)}"),
        *(("openai_key", f"sk-{kind}-{some(side, BASE64URL)}T3Blbk{'FJ'}{some(side, BASE64URL)}")
          for kind in ("proj", "svcacct", "admin") for side in (20, 58, 74)),
        *(("anthropic_key", f"sk{'-'}ant-{kind}-{some(93, BASE64URL)}AA")
          for kind in ("api03", "admin01", "oat01", "ort01")),
        ("sendgrid_key", f"S{'G'}.{some(22, BASE64URL)}.{some(43, BASE64URL)}"),
        ("twilio_key_sid", f"S{'K'}{some(32, HEX)}"),
        ("twilio_account_sid", f"A{'C'}{some(32, HEX)}"),
        *(("shopify_token", f"shp{kind}_{some(32, HEX)}") for kind in ("at", "ca", "pa", "ss")),
        ("databricks_token", f"da{'pi'}{some(32, HEX)}"),
        ("databricks_token", f"da{'pi'}{some(32, HEX)}-2"),
    ]  # fmt: skip


@given(randoms(), around())
def test_each_kind_of_key_is_found_anywhere(source: random.Random, sides: tuple[str, str]) -> None:
    """As a whole, and by the right name."""
    for name, key in keys(source):
        assert found(key.join(sides)) == [(name, key)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("TWILIO_AUTH_TOKEN={}", "twilio_auth_token"),
        ('{{"twilio": {{"authToken": "{}"}}}}', "twilio_auth_token"),
        ("the auth token of twilio: {}", "twilio_auth_token"),
        ("DD_API_KEY={}", "datadog_key"),
        ("DATADOG_API_KEY: '{}'", "datadog_key"),
        ('{{"datadogApiKey": "{}"}}', "datadog_key"),
        ("dd-api-key: {}", "datadog_key"),
    ],
)
@given(source=randoms())
def test_hex_digits_are_a_key_beside_the_services_name(text: str, name: str, source: random.Random) -> None:
    """Alone they could be any hash."""
    value = random_text(source, 32, HEX)
    assert found(text.format(value)) == [(name, value)]
    assert (
        found(value) == found(f"key={value}") == found(text.format(value[:-1])) == found(text.format(value + "z")) == []
    )


@given(randoms())
def test_an_application_key_of_datadog_has_forty_digits(source: random.Random) -> None:
    """As many as a commit of Git, which its name tells apart."""
    value = random_text(source, 40, HEX)
    assert found(f"DD_APP_KEY={value}") == [("datadog_key", value)]
    assert found(f"datadog agent, commit: {value}") == found(f'datadog "sha1": "{value}"') == []


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-your-slack-bot-token-here",
        "xoxb-" + "X" * 30,
        "xapp-1-your-app-level-token-here",
        "xoxb-123",
        "hooks.slack.com/services/T00000000/B00000000/" + "X" * 24,
        "hooks.slack.com/services/T0/B0/x",
        "sk_test_placeholder",
        "sk_live_" + "x" * 24,
        "task_test_" + "a1B2" * 6,
        "risk_live_" + "a1B2" * 6,
        "sk_live_a1B2c3",
        "pk_live_" + "a1B2" * 6,
        "whsec_your_webhook_secret_goes_right_here_please",
        "sk-" + "a1B2" * 12,
        "sk-ant-api03-short",
        "sk-ant-api03-your-anthropic-api-key-goes-here",
        "sk-proj-T3BlbkFJ",
        "SG.short.short",
        "MSG." + "a1B2" * 20,
        "SK" + "g" * 32,
        "AC" + "0" * 32,
        "TASK" + "0123456789abcdef" * 2,
        "MAC0123456789abcdef0123456789abcdef",
        "SK0123456789abcdef0123456789abcdef0",
        "shpat_" + "z" * 32,
        "dapi" + "0123456789abcdef" * 2 + "0",
        "medapi" + "0123456789abcdef" * 2,
        "dapi" + "0123",
    ],
)
def test_what_only_looks_like_a_key_is_not(text: str) -> None:
    """Notes, prefixes inside words, what is too short or too long."""
    assert found(text) == []


@given(randoms())
def test_nothing_is_found_in_what_is_no_key(source: random.Random) -> None:
    """Hashes, identifiers, lock files, pictures."""
    texts = [*near_misses(source), f"sk-{random_text(source, 48)}", f"hash {random_text(source, 44, BASE64)}"]
    assert [(text, found(text)) for text in texts if found(text)] == []
