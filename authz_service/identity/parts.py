"""The identity settings → the authenticator, its issuers' keys, and the challenges that fit them.

The only place that knows which part comes from which setting; what does I/O is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from authz_service.challenges import Challenges
from authz_service.identity.authenticator import Authenticator, Demands
from authz_service.identity.certificate_names import CertificateNames
from authz_service.identity.dpop import Proofs, ProofTerms
from authz_service.identity.freshness import Freshness
from authz_service.identity.key_rings import KeyRing, Result
from authz_service.identity.key_source import KeySource
from authz_service.identity.nonces import Nonces
from authz_service.identity.replay import ReplayStore
from authz_service.identity.token_verifier import Introspector, Known, TokenVerifier, TrustedIssuer, terms_of
from authz_service.identity.verified import VerifiedTokens
from authz_service.settings.identity import IdentitySettings, Issuer


@dataclass(frozen=True, slots=True)
class Sources:
    """What is behind the settings: each issuer's keys or its introspection endpoint, by name, and the replay store."""

    keys: Mapping[str, KeySource]
    introspectors: Mapping[str, Introspector]
    replays: ReplayStore | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """Who hears of what: each fetch of keys and how it ended, each token and whether it was known."""

    refreshed: Callable[[str, Result], None]
    looked_up: Callable[[Known], None]


@dataclass(frozen=True, slots=True)
class IdentityParts:
    """See the module. `rings` are to be loaded and kept fresh by whoever runs the service."""

    authenticator: Authenticator
    tokens: TokenVerifier
    rings: Mapping[str, KeyRing]
    challenges: Challenges


def build(
    settings: IdentitySettings,
    sources: Sources,
    heard: Heard,
    *,
    monotonic: Callable[[], float],
    resource_metadata: str | None = None,
) -> IdentityParts:
    """Put the parts together. `monotonic` gives seconds for ages."""
    rings = {
        issuer.issuer: KeyRing(
            issuer.issuer,
            sources.keys[issuer.issuer],
            Freshness.of(issuer.keys),
            monotonic=monotonic,
            refreshed=heard.refreshed,
        )
        for issuer in settings.issuers
        if issuer.issuer in sources.keys
    }

    def trusted(issuer: Issuer) -> TrustedIssuer:
        return TrustedIssuer(
            issuer, terms_of(issuer), rings.get(issuer.issuer), sources.introspectors.get(issuer.issuer)
        )

    tokens = TokenVerifier(
        [trusted(issuer) for issuer in settings.issuers],
        VerifiedTokens(settings.cached_tokens, settings.cached_seconds),
        monotonic=monotonic,
        looked_up=heard.looked_up,
    )
    authenticator = Authenticator(
        tokens,
        proofs=_proofs(settings, sources.replays),
        forwarded=settings.certificates.forwarded,
        names=CertificateNames(settings.certificates.accept),
        demands=Demands(
            {issuer.issuer: issuer.require_binding for issuer in settings.issuers if issuer.require_binding != "none"},
            settings.role_bindings,
        ),
    )
    algorithms = settings.dpop.algorithms if settings.dpop else ()
    challenges = Challenges(proof_algorithms=algorithms, resource_metadata=resource_metadata)
    return IdentityParts(authenticator, tokens, rings, challenges)


def _proofs(settings: IdentitySettings, replays: ReplayStore | None) -> Proofs | None:
    if settings.dpop is None or replays is None:
        return None
    terms = ProofTerms(
        settings.dpop.algorithms, settings.dpop.origins, settings.dpop.max_age_seconds, settings.dpop.skew_seconds
    )
    secret = settings.dpop.nonce_secret
    return Proofs(terms, Nonces(secret) if secret is not None else None, replays)
