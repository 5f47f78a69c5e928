"""A client certificate's names → who calls, without any token, by the patterns of the configuration. Pure.

In a pattern `*` stands for one part of a name or a piece of one (between slashes in a URI, dots in a DNS name, commas
in a subject), and `**` for any number of them, at least one character. A subject's escaped comma is no comma.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from authz_service.errors import CredentialRefused
from authz_service.identity.claims import MAX_NAME
from authz_service.model import Binding, Certificate, Identity

ISSUER = "certificate"
"""What stands in place of an issuer for callers without a token."""

Kind = Literal["uri", "dns", "subject"]
_BETWEEN = {"uri": "/", "dns": ".", "subject": ","}
_ANY = frozenset({"*", "**"})
_WILDCARDS = re.compile(r"(\*\*|\*)")
_ESCAPED_OR_NOT = re.compile(r"\\.|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AcceptedName:
    """Whose certificate names a caller: its pattern, and the roles that he has."""

    kind: Kind
    pattern: str
    roles: tuple[str, ...]


class CertificateNames:
    """Names callers by the first pattern that fits."""

    def __init__(self, accepted: Sequence[AcceptedName]) -> None:
        self._accepted = [(_pattern(name), name) for name in accepted]

    def identify(self, certificate: Certificate) -> Identity:
        """Name a caller.

        Raises:
            CredentialRefused: no name of the certificate is accepted.
        """
        names = {"uri": certificate.uris, "dns": certificate.dns_names, "subject": (certificate.subject,)}
        for pattern, accepted in self._accepted:
            for name in names[accepted.kind]:
                if len(name) <= MAX_NAME and name.isprintable() and _fits(pattern, name, accepted.kind):
                    return Identity(
                        # Names of hosts are the same in any case: one caller has one name.
                        user=name.lower() if accepted.kind == "dns" else name,
                        agent=None,
                        roles=accepted.roles,
                        issuer=ISSUER,
                        claims={},
                        expires_at=math.inf,
                        binding=Binding.CERTIFICATE,
                        certificate=certificate,
                    )
        raise CredentialRefused("certificate_not_accepted", "the client certificate names nobody who may call")


def _pattern(name: AcceptedName) -> list[str]:
    """Split a pattern into what has to come one after the other."""
    parts = _WILDCARDS.split(name.pattern)
    return [unit for part in parts for unit in ([part] if part in _ANY else _units(part, name.kind))]


def _units(text: str, kind: Kind) -> list[str]:
    """Split a name into characters; one that a backslash takes as it is (RFC 4514 section 2.4) is one with it."""
    if kind == "subject":
        return _ESCAPED_OR_NOT.findall(text)
    return list(text.lower() if kind == "dns" else text)


def _fits(pattern: Sequence[str], name: str, kind: Kind) -> bool:
    """Whether a whole name fits, in time that is bounded by the product of both lengths."""
    if kind == "dns" and not name.isascii():
        return False  # what lower case makes of it could be somebody else's name
    units = _units(name, kind)
    reached = {0}  # how many units may be behind us
    for wanted in pattern:
        if wanted == "**":
            reached = set(range(min(reached) + 1, len(units) + 1))
        elif wanted == "*":
            further: set[int] = set()
            for at, unit in enumerate(units):
                if unit != _BETWEEN[kind] and (at in reached or at in further):
                    further.add(at + 1)
            reached = further
        else:
            reached = {at + 1 for at in reached if at < len(units) and units[at] == wanted}
        if not reached:
            return False
    return len(units) in reached
