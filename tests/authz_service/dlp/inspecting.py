"""Requests taken through DLP: what is found in them, and what they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote_to_bytes

from hypothesis import strategies as st

from authz_service.dlp.actions import NO_OVERRIDES, Overrides, Rule
from authz_service.dlp.headers import FIXED_HEADERS
from authz_service.dlp.request import Applied, Scan, apply, scan_request
from authz_service.dlp.terms import Terms, open_terms
from authz_service.dlp.tokens import Caller
from authz_service.model import Finding, HttpRequest
from authz_service.policy.target import Target
from authz_service.settings.dlp import DlpSettings

SSN, KEY = "123-45-6789", "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
HIDDEN = "[REDACTED:us_ssn]"
ALICE = Caller("https://idp.example", "alice")
USUAL = open_terms(DlpSettings())
OWN = FIXED_HEADERS | {"authorization"}
HASH_KEY, TOKEN_KEY = b"h" * 32, b"t" * 32


def terms(*rules: Rule, replacement: str = "[REDACTED:{entity}]") -> Terms:
    """Terms with these rules, and with keys."""
    settings = DlpSettings(actions=rules, replacement=replacement, hash_key=HASH_KEY, token_keys=(TOKEN_KEY,))
    return open_terms(settings)


def scanned(
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    by: Terms = USUAL,
    caller: Caller | None = ALICE,
) -> Scan:
    """Search a request; `authorization` is the gateway's own."""
    request = HttpRequest("GET", path, "api.example", headers=headers or {}, body=body)
    return scan_request(request, Target("/", "", "/"), by, caller, OWN, body=True)


def treated(
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    by: Terms = USUAL,
    overrides: Overrides = NO_OVERRIDES,
) -> Applied:
    """Search a request, and do with what is found what there is to do."""
    return apply(scanned(path, headers, body, by=by), overrides)


def places(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """Entity, location and name of each finding."""
    return [(finding.entity, finding.location.value, finding.name) for finding in findings]


def decoded(text: str) -> bytes:
    """How an application reads a name or a value."""
    return unquote_to_bytes(text.replace("+", " "))


PIECES = st.sampled_from(
    [SSN, KEY, GITHUB, "123%2D45-6789", "123+45%206789", "%41KIAIOSFODNN7EXAMPLE", "ghp_" + "7aB" * 85, "a", "q", "=",
     "+", "%", "%2", "%zz", "%26", "%3d", "%2C", "%00", "%ff", "é", "%C3%A9", ";", "#", "?", "1", "-",
     quote(HIDDEN, safe=""), HIDDEN, "AKIA", "123-45-"]
)  # fmt: skip
PARTS = st.lists(PIECES, max_size=5).map("".join)
QUERIES = st.lists(st.tuples(PARTS, PARTS).map("=".join) | PARTS, max_size=6).map("&".join)
