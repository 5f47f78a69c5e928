"""What a caller has to hold beside his token, and whether he has proven it (RFC 9449 section 7, RFC 8705 section 3).

A token that is bound is never taken for a plain one: whoever stole it could use it. Pure.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Iterable

from authz_service.errors import CredentialRefused, Scheme
from authz_service.model import Binding, Certificate, Confirmation


class Requirement(enum.StrEnum):
    """What a route, an issuer or a role asks of its callers."""

    NONE = "none"
    ANY = "any"  # either of the following
    DPOP = "dpop"
    MTLS = "mtls"


_SATISFY = {
    Requirement.NONE: frozenset(Binding),
    Requirement.ANY: frozenset({Binding.DPOP, Binding.MTLS, Binding.CERTIFICATE}),
    Requirement.DPOP: frozenset({Binding.DPOP}),
    Requirement.MTLS: frozenset({Binding.MTLS, Binding.CERTIFICATE}),
}


def check_scheme(confirmation: Confirmation | None, scheme: Scheme) -> None:
    """Check that a token came under the scheme that its binding asks for (RFC 9449 section 7.1).

    Raises:
        CredentialRefused: it is bound to a key and came without a proof, or came with a proof and is bound to none.
    """
    bound = confirmation is not None and confirmation.jkt is not None
    if bound and scheme is Scheme.BEARER:
        raise CredentialRefused(
            "binding_downgraded", "the token is bound to a key and needs a DPoP proof", scheme=Scheme.DPOP
        )
    if scheme is Scheme.DPOP and not bound:
        raise CredentialRefused("token_not_bound", "the token is not bound to a key", scheme=Scheme.DPOP)


def check_certificate(confirmation: Confirmation | None, certificate: Certificate | None) -> bool:
    """Check a token's binding to a certificate; return whether it has one.

    Raises:
        CredentialRefused: the connection has no certificate, or another one.
    """
    if confirmation is None or confirmation.x5t_s256 is None:
        return False
    if certificate is None:
        raise CredentialRefused("certificate_missing", "the token is bound to a client certificate, and none was shown")
    if not hmac.compare_digest(certificate.sha256.encode(), confirmation.x5t_s256.encode()):
        raise CredentialRefused("certificate_wrong", "the token is bound to another client certificate")
    return True


def check_requirements(proven: Iterable[Binding], requirements: Iterable[Requirement]) -> None:
    """Check that what was proven is enough for everyone who asks.

    Raises:
        CredentialRefused: it is not.
    """
    held = frozenset(proven)
    for requirement in requirements:
        if requirement is not Requirement.NONE and not held & _SATISFY[requirement]:
            asked = "a client certificate" if requirement is Requirement.MTLS else "a key"
            raise CredentialRefused(
                "binding_required", f"this needs a token that is bound to {asked}",
                scheme=Scheme.BEARER if requirement is Requirement.MTLS else Scheme.DPOP,
            )  # fmt: skip
