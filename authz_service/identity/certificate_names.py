"""A client certificate's names → who calls, without any token, by the patterns of the configuration. Pure.

In a pattern `*` stands for one part of a name (between slashes in a URI, dots in a DNS name, commas in a subject), and
`**` for any number of them.
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


@dataclass(frozen=True, slots=True)
class AcceptedName:
    """Whose certificate names a caller: its pattern, and the roles that he has."""

    kind: Kind
    pattern: str
    roles: tuple[str, ...]


class CertificateNames:
    """Names callers by the first pattern that fits."""

    def __init__(self, accepted: Sequence[AcceptedName]) -> None:
        self._accepted = [(_compiled(name), name) for name in accepted]

    def identify(self, certificate: Certificate) -> Identity:
        """Name a caller.

        Raises:
            CredentialRefused: no name of the certificate is accepted.
        """
        names = {"uri": certificate.uris, "dns": certificate.dns_names, "subject": (certificate.subject,)}
        for pattern, accepted in self._accepted:
            for name in names[accepted.kind]:
                if pattern.fullmatch(name) and len(name) <= MAX_NAME and name.isprintable():
                    return Identity(
                        user=name, agent=None, roles=accepted.roles, issuer=ISSUER, claims={}, expires_at=math.inf,
                        binding=Binding.CERTIFICATE, certificate=certificate,
                    )  # fmt: skip
        raise CredentialRefused("certificate_not_accepted", "the client certificate names nobody who may call")


def _compiled(name: AcceptedName) -> re.Pattern[str]:
    one = f"[^{re.escape(_BETWEEN[name.kind])}]+"
    parts = re.split(r"(\*\*|\*)", name.pattern)
    text = "".join({"*": one, "**": ".+"}.get(part, re.escape(part)) for part in parts)
    return re.compile(text, re.IGNORECASE if name.kind == "dns" else 0)
