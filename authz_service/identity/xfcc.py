"""The `x-forwarded-client-cert` header (Envoy's HTTP header page) → the certificate that a trusted proxy saw. Pure.

Only for where a proxy of ours stands before this one and tells of its client's certificate; a header that a client
could have written itself says nothing.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

from authz_service.errors import CredentialRefused
from authz_service.identity import jws
from authz_service.model import Certificate

MAX_HEADER = 64 * 1024  # characters
MAX_ELEMENTS = 20
MAX_NAMES = 100

# A key, and a value that may stand in quotes, in which a backslash takes the next character as it is.
_PAIR = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;\\]*)', re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
_HASH = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_SEVERAL = frozenset({"uri", "dns"})
_KNOWN = frozenset({"by", "hash", "cert", "chain", "subject", "uri", "dns"})


class Trust(enum.StrEnum):
    """Which element of the header was written by a proxy that is trusted."""

    NONE = "none"
    ONLY = "only"  # Envoy's SANITIZE_SET: it drops what came, so that there is one
    LAST = "last"  # Envoy's APPEND_FORWARD: its own is the last


def read_header(header: str, trust: Trust) -> Certificate | None:
    """Return the certificate that the trusted element tells of; None where no header or no trust is there.

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
    return Certificate(
        sha256=jws.encode(bytes.fromhex(digests[0])),
        subject=next(iter(element.get("subject", [])), ""),
        uris=_names(element, "uri"),
        dns_names=_names(element, "dns"),
    )


def _names(element: Mapping[str, list[str]], kind: str) -> tuple[str, ...]:
    """Return the names of one kind; Envoy writes an empty one where a certificate has none."""
    return tuple(filter(None, element.get(kind, [])))[:MAX_NAMES]


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
        elements[-1].setdefault(key, []).append(_ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value)
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
