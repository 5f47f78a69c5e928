"""Tokens of places where code, packages and models are kept, known by their prefix."""

from __future__ import annotations

from authz_service.dlp.detectors import context
from authz_service.dlp.detectors.context import Context
from authz_service.dlp.detectors.detector import BASE64URL, LETTERS_AND_DIGITS, Detector
from authz_service.dlp.detectors.entropy import looks_random
from authz_service.dlp.detectors.examples import BASE64URL as BASE64URL_DIGITS
from authz_service.dlp.detectors.examples import made_up
from authz_service.dlp.detectors.prefixes import begins_apart, checked_token, ends_apart, token, token_apart
from authz_service.dlp.detectors.secret_names import is_named
from authz_service.dlp.detectors.token_checksums import base62_crc32

_GITHUB = "GitHub, Behind GitHub's new authentication token formats (2021)"
_GITHUB_SERVER = "GitHub changelog, new format of GitHub App installation tokens (2026)"
_GITLAB = "GitLab, Token overview: token prefixes"
_VAULT = "HashiCorp Vault, Tokens: token prefixes"

_VAULT_WORDS = Context(("vault",))

# Personal, deploy, runner, pipeline trigger, CI job, OAuth application, feed, SCIM, incoming mail, Kubernetes agent,
# feature flags, workspace.
_GITLAB_KINDS = r"gl(?:pat|dt|rtr?|ptt|cbt|oas|ft|soat|imt|agent|ffct|wt)-"


def _gitlab(text: bytes, start: int, end: int) -> float:
    """Judge by what follows the hyphen."""
    prefix = text.index(b"-", start) + 1 - start
    return token(prefix, 20)(text, start, end)


def _legacy_vault(text: bytes, start: int, end: int) -> float:
    """Judge by the word beside it and by whether it looks random."""
    apart = begins_apart(text, start) and ends_apart(text, end)
    return 0.85 if apart and looks_random(text[start + 2 : end]) and is_named(_VAULT_WORDS, text, start, end) else 0.0


def _classic() -> bytes:
    body = made_up("github", 30)
    return b"gh" + b"p_" + body + base62_crc32(body)


def _npm() -> bytes:
    body = made_up("npm", 30)
    return b"npm" + b"_" + body + base62_crc32(body)


DETECTORS = (
    # Personal (ghp), OAuth (gho), user-to-server (ghu), refresh (ghr); 36 characters, the last six a checksum.
    Detector(
        "github_token", "github_token_classic", r"gh[pour]_", r"gh[pour]_[A-Za-z0-9]{36}", checked_token(4, 36),
        tail=LETTERS_AND_DIGITS, longest=259, source=_GITHUB, example=_classic,
    ),
    # Server-to-server: once 36 characters, since 2026 an app id and a JWT of some 520.
    Detector(
        "github_token", "github_token_server", r"ghs_", r"ghs_[A-Za-z0-9._-]{36}", token(4, 36),
        tail=BASE64URL | frozenset(b"."), longest=2_000, source=_GITHUB_SERVER,
        example=lambda: b"gh" + b"s_1234_" + made_up("ghs", 90) + b"." + made_up("ghs body", 300),
    ),
    Detector(
        "github_token", "github_token_fine_grained", r"github_pat_", r"github_pat_[A-Za-z0-9_]{36}", token(11, 36),
        tail=LETTERS_AND_DIGITS | frozenset(b"_"), longest=266, source=_GITHUB,
        example=lambda: b"github" + b"_pat_" + made_up("pat", 22) + b"_" + made_up("pat body", 59),
    ),
    # Twenty characters and more; routable ones have two short parts more, behind dots.
    Detector(
        "gitlab_token", "gitlab_token", _GITLAB_KINDS, _GITLAB_KINDS + r"[A-Za-z0-9_-]{20}", _gitlab,
        tail=BASE64URL | frozenset(b"."), longest=400, source=_GITLAB,
        example=lambda: b"gl" + b"pat-" + made_up("gitlab", 20, BASE64URL_DIGITS),
    ),
    Detector(
        "gitlab_token", "gitlab_runner_registration", r"GR1348941", r"GR1348941[A-Za-z0-9_-]{20}", token_apart(9, 20),
        source=_GITLAB, example=lambda: b"GR134" + b"8941" + made_up("runner", 20, BASE64URL_DIGITS),
    ),
    Detector(
        "npm_token", "npm_token", r"npm_[A-Za-z0-9]{8}", r"npm_[A-Za-z0-9]{36}", checked_token(4, 36),
        source="npm, About access tokens; GitHub, Introducing npm's new access token format (2021)", example=_npm,
    ),
    # A macaroon: its first bytes say version and place (pypi.org, test.pypi.org).
    Detector(
        "pypi_token", "pypi_token", r"pypi-AgE[IN]", r"pypi-AgE[IN][A-Za-z0-9_-]{40}", token(9, 40),
        tail=BASE64URL, longest=1_100, source="PyPI, API tokens; Warehouse, macaroons",
        example=lambda: b"pypi" + b"-AgEIcHlwaS5vcmc" + made_up("pypi", 120, BASE64URL_DIGITS),
    ),
    Detector(
        "huggingface_token", "huggingface_user_token", r"hf_[A-Za-z0-9]{8}", r"hf_[A-Za-z0-9]{34}", token_apart(3, 34),
        tail=LETTERS_AND_DIGITS, longest=64, source="Hugging Face Hub, User access tokens",
        example=lambda: b"hf" + b"_" + made_up("huggingface", 34),
    ),
    Detector(
        "huggingface_token", "huggingface_organization_token", r"api_org_", r"api_org_[A-Za-z0-9]{34}",
        token_apart(8, 34), tail=LETTERS_AND_DIGITS, longest=64, source="Hugging Face Hub, organization API tokens",
        example=lambda: b"api" + b"_org_" + made_up("organization", 34),
    ),
    # Service, batch and recovery tokens, since Vault 1.10.
    Detector(
        "vault_token", "vault_token", r"hv[sbr]\.[A-Za-z0-9_-]{8}", r"hv[sbr]\.[A-Za-z0-9_-]{24}", token_apart(4, 24),
        tail=BASE64URL, longest=400, source=_VAULT,
        example=lambda: b"hv" + b"s." + made_up("vault", 95, BASE64URL_DIGITS),
    ),
    # Those before: a letter, a dot and 24 characters, which could be an attribute's name in a program.
    Detector(
        "vault_token", "vault_legacy_token", r"(?i)vault", r"\b[sbr]\.[A-Za-z0-9]{24}", _legacy_vault,
        before=context.BEFORE, after=context.AFTER, source=_VAULT,
        example=lambda: b"VAULT_" + b"TOKEN=s." + made_up("vault legacy", 24),
    ),
)  # fmt: skip
