"""Keys and tokens of well-known services, known by their prefix."""

from __future__ import annotations

from authz_service.dlp.detectors.detector import CAPITALS_AND_DIGITS, LETTERS_AND_DIGITS, Detector, stands_alone


def _is_aws_key_id(text: bytes, start: int, end: int) -> float:
    """Sixteen characters behind the prefix and not one more: a longer run is some other identifier."""
    return stands_alone(text, start, end, CAPITALS_AND_DIGITS)


def _always(text: bytes, start: int, end: int) -> float:
    """Accept: the prefix is enough."""
    del text, start, end
    return 1.0


_AWS_PREFIX = r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)"

DETECTORS = (
    # Key ids: long-term (AKIA), temporary (ASIA), bearer (ABIA), context (ACCA); A3T? are the oldest.
    # AWS writes base32; other digits are accepted too, because a made-up key is still nobody's to send.
    Detector("aws_access_key", "aws_access_key_id", _AWS_PREFIX, _AWS_PREFIX + r"[A-Z0-9]{16}", _is_aws_key_id),
    # Personal (ghp), OAuth (gho), user-to-server (ghu), refresh (ghr); 36 characters, the last six a checksum.
    Detector(
        "github_token", "github_token_classic", r"gh[pour]_", r"gh[pour]_[A-Za-z0-9]{36}", _always,
        tail=LETTERS_AND_DIGITS, longest=259,
    ),
    # Server-to-server: once 36 characters, since 2026 an app id and a JWT of some 520.
    Detector(
        "github_token", "github_token_server", r"ghs_", r"ghs_[A-Za-z0-9._-]{36}", _always,
        tail=LETTERS_AND_DIGITS | frozenset(b"._-"), longest=2_000,
    ),
    Detector(
        "github_token", "github_token_fine_grained", r"github_pat_", r"github_pat_[A-Za-z0-9_]{36}", _always,
        tail=LETTERS_AND_DIGITS | frozenset(b"_"), longest=266,
    ),
)  # fmt: skip
