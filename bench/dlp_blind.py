"""A second corpus, written by someone who had not read the detectors nor the first one, and used once to judge them.

The first corpus has been looked at whenever a detector was mended, so that it no longer says how the detectors do on
texts that nobody has seen. This one was frozen before it was first scanned. Since detectors have been mended after it
too, its own first figures are the ones that count; docs/dlp-command.md tells them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from bench import dlp_blind_contact as contact
from bench import dlp_blind_keys as keys
from bench import dlp_blind_numbers as numbers
from bench import dlp_blind_secrets as secrets
from bench.dlp_blind_near_ids import MACHINES
from bench.dlp_blind_near_trade import TRADE
from bench.dlp_blind_prose import PROSE
from bench.dlp_blind_records import RECORDS
from bench.dlp_blind_settings import SETTINGS, bare
from bench.dlp_blind_text import mark, unmark
from bench.dlp_blind_vat import eu_vat
from bench.dlp_corpus import Sample

EACH_VALUE, EACH_NEAR_MISS = 400, 500
_PROSE_SHARE, _BARE_SHARE = 0.35, 0.35

Maker = Callable[[random.Random], str]

_RECORDS: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "us_ssn": (numbers.us_ssn, ("social security number", "ssn", "ssn", "employee ssn", "social security no")),
    "us_itin": (numbers.us_itin, ("itin", "taxpayer itin", "individual taxpayer identification number")),
    "payment_card": (numbers.payment_card, ("card number", "credit card", "pan", "cc number", "payment card")),
    "iban": (numbers.iban, ("iban", "bank account", "account number", "payee iban", "creditor account")),
    "ca_sin": (numbers.ca_sin, ("sin", "social insurance number", "employee sin", "sin number")),
    "us_routing_number": (numbers.us_routing_number, (
        "routing number", "aba routing number", "routing transit number", "bank routing",
    )),
    "us_npi": (numbers.us_npi, ("npi", "provider npi", "national provider identifier", "billing provider npi")),
    "eu_vat": (eu_vat, ("vat number", "vat id", "vat", "tax id", "vat registration number")),
    "crypto_wallet": (numbers.crypto_wallet, (
        "wallet address", "wallet", "btc address", "payout address", "deposit address",
    )),
    "uk_nino": (numbers.uk_nino, ("national insurance number", "nino", "ni number", "nino")),
    "us_passport": (numbers.us_passport, ("passport number", "us passport", "passport no", "passport")),
    "uk_passport": (numbers.uk_passport, ("passport number", "uk passport number", "british passport", "passport no")),
    "email_address": (numbers.email_address, ("email", "email address", "contact email", "user", "reply to")),
    "phone_number": (contact.phone_number, ("phone", "phone number", "mobile", "telephone", "contact phone", "fax")),
    "ip_address": (numbers.ip_address, ("ip", "client ip", "remote addr", "source ip", "host")),
    "date_of_birth": (contact.date_of_birth, ("date of birth", "dob", "birth date", "birthday", "patient dob")),
}  # fmt: skip
_MARKED: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "anthropic_key": (keys.anthropic_key, ("anthropic api key", "api key", "claude key")),
    "aws_access_key": (keys.aws_access_key, ("aws access key id", "access key", "key id")),
    "databricks_token": (keys.databricks_token, ("databricks token", "token", "workspace pat")),
    "digitalocean_token": (keys.digitalocean_token, ("digitalocean token", "do token", "access token")),
    "gcp_api_key": (keys.gcp_api_key, ("google api key", "maps key", "client secret")),
    "github_token": (keys.github_token, ("github token", "gh pat", "token")),
    "gitlab_token": (keys.gitlab_token, ("gitlab token", "ci token", "private token")),
    "huggingface_token": (keys.huggingface_token, ("hf token", "hugging face token", "token")),
    "jwt": (keys.jwt, ("access token", "id token", "session", "jwt")),
    "npm_token": (keys.npm_token, ("npm token", "npm auth token", "token")),
    "openai_key": (keys.openai_key, ("openai api key", "api key", "llm key")),
    "pypi_token": (keys.pypi_token, ("pypi token", "twine password", "upload token")),
    "sendgrid_key": (keys.sendgrid_key, ("sendgrid api key", "smtp password", "mail key")),
    "shopify_token": (keys.shopify_token, ("shopify access token", "shop token", "admin token")),
    "slack_token": (keys.slack_token, ("slack bot token", "slack token", "token")),
    "slack_webhook": (keys.slack_webhook, ("slack webhook url", "webhook", "notify url")),
    "stripe_key": (keys.stripe_key, ("stripe secret key", "stripe key", "payment key")),
    "vault_token": (keys.vault_token, ("vault token", "token", "x vault token")),
    "twilio_key": (secrets.twilio_key, ("twilio account sid", "account sid", "twilio key sid")),
}  # fmt: skip
_NAMED: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "aws_secret_key": (keys.aws_secret_key, (
        "aws secret access key", "aws secret key", "secret access key", "aws secret access key",
    )),
    "azure_key": (keys.azure_key, (
        "azure storage connection string", "azure connection", "azure client secret", "connection string",
    )),
    "basic_auth_url": (secrets.basic_auth_url, ("upstream url", "git remote", "proxy", "endpoint")),
    "connection_string": (secrets.connection_string, ("database url", "connection string", "dsn", "broker")),
    "datadog_key": (secrets.datadog_key, (
        "dd api key", "datadog api key", "dd app key", "datadog app key", "datadog key",
    )),
    "generic_secret": (secrets.generic_secret, (
        "password", "db password", "api key", "client secret", "secret key", "auth token", "smtp password",
        "jwt secret", "encryption key", "webhook secret", "passphrase", "admin password",
    )),
}  # fmt: skip
_WHOLE: dict[str, Maker] = {"private_key": secrets.private_key, "gcp_service_account": secrets.gcp_service_account}


def corpus(seed: int, each_value: int = EACH_VALUE, each_near_miss: int = EACH_NEAR_MISS) -> list[Sample]:
    """Make the texts, mixed; the same ones for the same seed."""
    rng = random.Random(seed)
    marked = [
        *((entity, entity, text) for entity, text in _values(rng, each_value)),
        *(("", kind, text) for kind, text in _near_misses(rng, each_near_miss)),
    ]
    rng.shuffle(marked)
    samples = []
    for number, (entity, kind, written) in enumerate(marked):
        text, start, end, others = unmark(written)
        samples.append(Sample(number, text, start, end, entity, kind, others))
    return samples


def _values(rng: random.Random, each: int) -> Iterator[tuple[str, str]]:
    for entity, (make, phrases) in _RECORDS.items():
        for _ in range(each):
            value = mark(make(rng))
            if rng.random() < _PROSE_SHARE:
                yield entity, rng.choice(PROSE[entity]).format(value)
            else:
                yield entity, rng.choice(RECORDS)(rng, rng.choice(phrases), value)
    for entity, (make, phrases) in (*_MARKED.items(), *_NAMED.items()):
        for _ in range(each):
            alone = entity in _MARKED and rng.random() < _BARE_SHARE
            if entity == "twilio_key" and rng.random() < 0.3:
                yield entity, secrets.twilio_auth_token(rng)
            else:
                yield entity, (bare if alone else rng.choice(SETTINGS))(rng, rng.choice(phrases), mark(make(rng)))
    for entity, make in _WHOLE.items():
        for _ in range(each):
            yield entity, mark(make(rng))


def _near_misses(rng: random.Random, each: int) -> Iterator[tuple[str, str]]:
    for kind, make in (*MACHINES.items(), *TRADE.items()):
        for _ in range(each):
            yield kind, make(rng)
