"""A request → who sends it: by token, by token and proof of a key, or by a client certificate alone.

    credentials        what the request brings
    token_verifier     whom its token names
    dpop, certificates what the caller has proven to hold
    binding            whether that is what his token, his issuer, his roles and the route ask for

Each step refuses on its own; none trusts a header that a client could set.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from authz_service.errors import CredentialRefused, Scheme
from authz_service.identity import binding
from authz_service.identity.binding import Requirement
from authz_service.identity.certificate_names import CertificateNames
from authz_service.identity.certificates import Certificates
from authz_service.identity.credentials import Credential, read_credential
from authz_service.identity.dpop import Proofs, Request
from authz_service.identity.token_verifier import TokenVerifier
from authz_service.identity.xfcc import Trust, read_header
from authz_service.model import Binding, Certificate, HttpRequest, Identity
from authz_service.routing import RouteRule, host_name


@dataclass(frozen=True, slots=True)
class Demands:
    """What has to be proven beside a token: by issuer, and by role."""

    issuers: Mapping[str, Requirement]
    roles: Mapping[str, Requirement]


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who sends a request, and the nonce for the next DPoP proof, where one is to be sent back."""

    identity: Identity
    nonce: str | None = None


class Authenticator:
    """Names callers. Wall-clock time comes with each call, in epoch seconds."""

    def __init__(
        self,
        tokens: TokenVerifier,
        *,
        proofs: Proofs | None,
        forwarded: Trust,
        names: CertificateNames,
        demands: Demands,
    ) -> None:
        """`proofs`: None where DPoP is not accepted.

        `forwarded`: which element of x-forwarded-client-cert is believed.
        """
        self._tokens = tokens
        self._proofs = proofs
        self._forwarded = forwarded
        self._names = names
        self._demands = demands
        self._certificates = Certificates()

    async def authenticate(self, request: HttpRequest, rule: RouteRule, now: float) -> Authenticated | None:
        """Name the caller, or return None where the request brings nothing that could.

        Raises:
            CredentialRefused: what it brings does not hold, or is not what the route asks for.
            Outage: something that is needed to tell is not at hand.
        """
        path, _, query = request.path.partition("?")
        credential = read_credential(request.headers, query)
        certificate = self._certificate(request, now)
        if credential is None:
            if certificate is None or rule.credentials == "token":
                return None
            identity = self._names.identify(certificate)
            self._check_demands(identity, {Binding.CERTIFICATE}, rule)
            return Authenticated(identity)
        if rule.credentials == "certificate":
            raise CredentialRefused("credential_not_accepted", "a client certificate is needed here, and no token")
        if credential.scheme is Scheme.DPOP and self._proofs is None:
            raise CredentialRefused("scheme_unsupported", "only the Bearer scheme is accepted", error=None)
        identity = await self._tokens.verify(credential.token, now)
        if certificate is None and identity.confirmation is None and credential.scheme is Scheme.BEARER:
            self._check_demands(identity, (), rule)
            return Authenticated(identity)
        proven = self._check_binding(identity, credential, certificate, rule)
        nonce = None
        if identity.confirmation is not None and identity.confirmation.jkt is not None:
            named = Request(request.method, host_name(request.host), path)
            nonce = await self._prove(credential, identity.confirmation.jkt, named, now)
        held = proven[-1] if proven else Binding.NONE
        return Authenticated(replace(identity, binding=held, certificate=certificate), nonce)

    def _check_binding(
        self, identity: Identity, credential: Credential, certificate: Certificate | None, rule: RouteRule
    ) -> list[Binding]:
        """Check all of a token's binding but the proof, which comes last: it counts as used only if all else holds."""
        confirmation = identity.confirmation
        binding.check_scheme(confirmation, credential.scheme)
        held = [Binding.MTLS] if binding.check_certificate(confirmation, certificate) else []
        if confirmation is not None and confirmation.jkt is not None:
            held.append(Binding.DPOP)
        self._check_demands(identity, held, rule)
        return held

    async def _prove(self, credential: Credential, jkt: str, request: Request, now: float) -> str | None:
        """Verify the proof that comes with a token; return the nonce to send back, if there is one."""
        if self._proofs is None or credential.proof is None:
            raise CredentialRefused("binding_unsupported", "the token is bound to a key, and no proofs are accepted")
        return (await self._proofs.verify(credential.proof, credential.token, jkt, request, now)).nonce

    def _certificate(self, request: HttpRequest, now: float) -> Certificate | None:
        """Return the client's certificate, as our proxy or one before it that is trusted has seen it."""
        forwarded = self._forwarded_certificate(request, now)
        if not request.source.certificate:
            return forwarded
        certificate = self._certificates.read(request.source.certificate, now)
        if forwarded is not None and forwarded.sha256 != certificate.sha256:
            raise CredentialRefused("certificate_ambiguous", "two client certificates were told of, and they differ")
        return certificate

    def _forwarded_certificate(self, request: HttpRequest, now: float) -> Certificate | None:
        """Return what a proxy that is trusted tells of its client's certificate; names only where it hands it over."""
        if self._forwarded is Trust.NONE:
            return None
        told = read_header(request.headers.get("x-forwarded-client-cert", ""), self._forwarded)
        if told is None:
            return None
        if not told.certificate:
            return Certificate(told.sha256, subject="")
        certificate = self._certificates.read(told.certificate, now)
        if certificate.sha256 != told.sha256:
            raise CredentialRefused("certificate_ambiguous", "two client certificates were told of, and they differ")
        return certificate

    def _check_demands(self, identity: Identity, proven: Collection[Binding], rule: RouteRule) -> None:
        demands = self._demands
        if rule.require_binding is Requirement.NONE and not demands.roles and not demands.issuers:
            return
        asked = [rule.require_binding, demands.issuers.get(identity.issuer, Requirement.NONE)]
        asked += [demands.roles[role] for role in identity.roles if role in demands.roles]
        binding.check_requirements(proven, asked)
