"""The `denials` section: what those who are refused are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from authz_service.denials import Denials
from authz_service.settings.reading import require_safe_url
from service_kit.strict_yaml import Section

MAX_MESSAGES = 200
MAX_MESSAGE = 500  # characters
_CODE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class DenialSettings:
    """`resource_metadata` is where clients learn how to get a token (RFC 9728)."""

    denials: Denials = field(default_factory=Denials)
    resource_metadata: str | None = None


def read_denials(root: Section) -> DenialSettings:
    """Read `denials`."""
    if not root.has("denials"):
        return DenialSettings()
    with root.section("denials") as section:
        metadata = section.text("resource_metadata") if section.has("resource_metadata") else None
        if metadata is not None:
            require_safe_url(section, "resource_metadata", metadata, "an authorization server")
            if (
                not (metadata.isascii() and metadata.isprintable())
                or '"' in metadata
                or "\\" in metadata
                or " " in metadata
            ):
                section.fault("resource_metadata", "is not a URL")
        status = section.choice("mcp_status", ("200", "403"), default="200")
        messages = _messages(section) if section.has("messages") else {}
    return DenialSettings(Denials(messages, int(status)), metadata)


def _messages(section: Section) -> Mapping[str, str]:
    with section.section("messages") as messages:
        if len(messages.entries) > MAX_MESSAGES:
            section.fault("messages", f"must have at most {MAX_MESSAGES} items")
        found = {code: messages.text(code) for code in messages.entries}  # the file's own bounds hold
        for code, text in found.items():
            if not _CODE.fullmatch(code):
                messages.fault(code, "is no code: one is of lower-case letters, digits and underscores")
            elif len(text) > MAX_MESSAGE or not text.isprintable():
                messages.fault(code, f"must be one line of at most {MAX_MESSAGE} characters")
    return found
