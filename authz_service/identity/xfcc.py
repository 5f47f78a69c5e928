"""The `x-forwarded-client-cert` header (Envoy's HTTP header page) → the certificate that a trusted proxy saw. Pure.

Only for where a proxy of ours stands before this one and tells of its client's certificate; a header that a client
could have written itself says nothing.

Of an element count its hash and its PEM certificate alone. Names are read from the certificate: in the header Envoy
writes them as the client's certificate has them, neither quoted nor escaped in full, so that a name may look like more.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from authz_service.errors import CredentialRefused
from authz_service.identity import jws

MAX_HEADER = 64 * 1024  # characters
MAX_ELEMENTS = 20

# A key, and a value that may stand in quotes, in which a backslash hides a quote.
_PAIR = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;\\]*)', re.ASCII)
_HASH = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_SEVERAL = frozenset({"by", "uri", "dns"})
_KNOWN = frozenset({"by", "hash", "cert", "chain", "subject", "uri", "dns"})


class Trust(enum.StrEnum):
    """Which element of the header was written by a proxy that is trusted."""

    NONE = "none"
    ONLY = "only"  # Envoy's SANITIZE_SET: it drops what came, so that there is one
    LAST = "last"  # Envoy's APPEND_FORWARD: its own is the last


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a proxy tells of its client's certificate: its SHA-256, base64url, and, URL-encoded, its PEM form or ""."""

    sha256: str
    certificate: str


def read_header(header: str, trust: Trust) -> Forwarded | None:
    """Return what the trusted element tells; None where no header or no trust is there.

    Raises:
        CredentialRefused: the header cannot be read, or has several elements where there must be one.
    """
    if trust is Trust.NONE or not header:
        return None
    if len(header) > MAX_HEADER:
        raise _malformed()
    elements = _elements(header)
    if trust is Trust.ONLY and len(elements) > 1:
        raise CredentialRefused("certificate_ambiguous", "more than one client certificate was forwarded")
    element = elements[-1]
    digests = element.get("hash", [])
    if len(digests) != 1 or not _HASH.fullmatch(digests[0]):
        raise _malformed()
    return Forwarded(jws.encode(bytes.fromhex(digests[0])), next(iter(element.get("cert", [])), ""))


def _elements(header: str) -> list[dict[str, list[str]]]:
    """Split a header at commas into elements, and those at semicolons into pairs; quotes hide both."""
    elements: list[dict[str, list[str]]] = [{}]
    at = 0
    while True:
        pair = _PAIR.match(header, at)
        if pair is None:
            raise _malformed()
        key, value = pair[1].lower(), pair[2]
        if key not in _KNOWN or (key in elements[-1] and key not in _SEVERAL):
            raise _malformed()
        elements[-1].setdefault(key, []).append(value[1:-1] if value.startswith('"') else value)
        at = pair.end()
        if at == len(header):
            return elements
        if header[at] == ",":
            if len(elements) >= MAX_ELEMENTS:
                raise _malformed()
            elements.append({})
        elif header[at] != ";":
            raise _malformed()
        at += 1


def _malformed() -> CredentialRefused:
    return CredentialRefused("certificate_malformed", "the forwarded client certificate cannot be read")
