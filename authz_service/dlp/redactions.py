"""Spans of a text → the text without them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from authz_service.dlp.scan import Span


def redact(text: bytes, spans: Sequence[Span]) -> bytes:
    """Put `[REDACTED:entity]` in the place of each span; `spans` are in order and apart."""
    parts: list[bytes] = []
    position = 0
    for span in spans:
        parts.append(text[position : span.start])
        parts.append(f"[REDACTED:{span.detector.entity}]".encode())
        position = span.end
    parts.append(text[position:])
    return b"".join(parts)
