"""Revocations as an operator reads them, at the terminal and as JSON. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from authz_service.revocation.model import Revocation


def describe(revocation: Revocation) -> str:
    """Say whom a revocation is of, and until when."""
    tokens = f", tokens issued before {_time(revocation.issued_before)}" if revocation.issued_before else ""
    until = f"until {_time(revocation.until)}" if revocation.until else "until it is restored"
    return f"{revocation.subject}{tokens}, {until}"


def tell_author(revocation: Revocation) -> str:
    """Say since when it is there, who made it and why."""
    return f"since {_time(revocation.since)} by {revocation.by}: {revocation.reason}"


def to_plain(revocation: Revocation) -> dict[str, Any]:
    """Turn a revocation into values that JSON has; times are RFC 3339."""
    return {
        "kind": revocation.subject.kind.value,
        "value": revocation.subject.value,
        "issuer": revocation.subject.issuer,
        "issued_before": _time(revocation.issued_before) if revocation.issued_before else None,
        "by": revocation.by,
        "reason": revocation.reason,
        "since": _time(revocation.since),
        "until": _time(revocation.until) if revocation.until else None,
        "change": revocation.change,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
