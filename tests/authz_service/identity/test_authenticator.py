"""Requests → who sends them: by token, by token and key, by token and certificate, by certificate alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from authz_service.errors import CredentialRefused, Scheme
from authz_service.identity.authenticator import Authenticated
from authz_service.identity.binding import Requirement
from authz_service.identity.certificate_names import AcceptedName
from authz_service.identity.xfcc import Trust
from authz_service.model import Binding, HttpRequest, Peer
from authz_service.routing import RouteRule
from authz_service.settings.certificates import CertificateSettings
from authz_service.settings.dpop import DpopSettings
from tests.authz_service.certifying import ClientCertificate, certificate
from tests.authz_service.identifying import Told, load, parts_of
from tests.authz_service.key_sources import Source
from tests.authz_service.minting import NOW, issuer, key
from tests.authz_service.proving import prover

SIGNER, HOLDER = key("ES256"), prover()
OWN, OTHER = certificate("spiffe://company.example/agents/a1"), certificate("spiffe://company.example/agents/a2", 2)
PLAIN = SIGNER.token()
BY_KEY = SIGNER.token(cnf={"jkt": HOLDER.jkt})
BY_CERTIFICATE = SIGNER.token(cnf={"x5t#S256": OWN.thumbprint})
BY_BOTH = SIGNER.token(cnf={"jkt": HOLDER.jkt, "x5t#S256": OWN.thumbprint})
DPOP = DpopSettings({"api.example": "https://api.example"}, ("ES256",), 60, 5, None, "memory")
ANY = RouteRule("a/d", anonymous=False)
NAMED = CertificateSettings((AcceptedName("uri", "spiffe://company.example/agents/*", ("agent",)),))


def ask(
    token: str | None = None,
    *,
    scheme: str = "Bearer",
    proof: str | None = None,
    shown: ClientCertificate | None = None,
    forwarded: str | None = None,
    rule: RouteRule = ANY,
    required: Requirement = Requirement.NONE,
    **settings: Any,
) -> Authenticated | None:
    """Who sends a GET for https://api.example/reports."""
    headers = {
        "authorization": None if token is None else f"{scheme} {token}",
        "dpop": proof,
        "x-forwarded-client-cert": forwarded,
    }
    request = HttpRequest(
        "GET", "/reports?page=1", host="api.example",
        headers={name: value for name, value in headers.items() if value is not None},
        source=Peer(certificate=quote(shown.pem, safe="") if shown else ""),
    )  # fmt: skip

    async def run() -> Authenticated | None:
        found = parts_of((issuer(require_binding=required), Source(SIGNER)), told=Told(), **{"dpop": DPOP, **settings})
        await load(found)
        return await found.authenticator.authenticate(request, rule, NOW)

    return asyncio.run(run())


def binding(*arguments: Any, **keywords: Any) -> Binding:
    """What the caller has proven to hold."""
    caller = ask(*arguments, **keywords)
    assert caller is not None
    return caller.identity.binding


def refusal(*arguments: Any, **keywords: Any) -> CredentialRefused:
    """He is refused."""
    with pytest.raises(CredentialRefused) as caught:
        ask(*arguments, **keywords)
    return caught.value


def code(*arguments: Any, **keywords: Any) -> str:
    """He is refused, and why."""
    return refusal(*arguments, **keywords).code


def test_who_brings_nothing_is_nobody() -> None:
    assert ask() is None


def test_a_plain_token_names_its_caller_and_proves_nothing_besides() -> None:
    assert binding(PLAIN) is Binding.NONE
    caller = ask(PLAIN, shown=OWN)
    assert caller is not None
    assert caller.identity.binding is Binding.NONE
    assert caller.identity.certificate is not None
    assert caller.identity.certificate.sha256 == OWN.thumbprint


def test_a_token_that_is_bound_to_a_key_needs_its_proof() -> None:
    assert binding(BY_KEY, scheme="DPoP", proof=HOLDER.proof(BY_KEY)) is Binding.DPOP
    downgraded = refusal(BY_KEY)
    assert (downgraded.code, downgraded.scheme, downgraded.error) == (
        "binding_downgraded", Scheme.DPOP, "invalid_token",
    )  # fmt: skip
    assert code(BY_KEY, scheme="DPoP") == "proof_missing"
    assert code(BY_KEY, proof=HOLDER.proof(BY_KEY)) == "scheme_mixed"
    assert code(BY_KEY, scheme="DPoP", proof=HOLDER.proof(PLAIN)) == "proof_token_wrong"
    assert code(BY_KEY, scheme="DPoP", proof=prover(number=8).proof(BY_KEY)) == "proof_key_wrong"


def test_a_proof_for_a_token_that_is_bound_to_none_proves_nothing() -> None:
    """Any key could have made it."""
    assert code(PLAIN, scheme="DPoP", proof=HOLDER.proof(PLAIN)) == "token_not_bound"
    assert code(BY_CERTIFICATE, scheme="DPoP", proof=HOLDER.proof(BY_CERTIFICATE), shown=OWN) == "token_not_bound"


def test_where_no_proofs_are_accepted_a_bound_token_is_refused_all_the_same() -> None:
    assert code(BY_KEY, scheme="DPoP", proof=HOLDER.proof(BY_KEY), dpop=None) == "scheme_unsupported"
    assert code(BY_KEY, dpop=None) == "binding_downgraded"


def test_a_token_that_is_bound_to_a_certificate_needs_it() -> None:
    assert binding(BY_CERTIFICATE, shown=OWN) is Binding.MTLS
    assert code(BY_CERTIFICATE) == "certificate_missing"
    assert code(BY_CERTIFICATE, shown=OTHER) == "certificate_wrong"


def test_a_token_that_is_bound_twice_needs_both() -> None:
    proof = HOLDER.proof(BY_BOTH)
    assert binding(BY_BOTH, scheme="DPoP", proof=proof, shown=OWN) is Binding.DPOP
    assert code(BY_BOTH, scheme="DPoP", proof=proof) == "certificate_missing"
    assert code(BY_BOTH, scheme="DPoP", proof=proof, shown=OTHER) == "certificate_wrong"
    assert code(BY_BOTH, shown=OWN) == "binding_downgraded"


def test_a_forwarded_certificate_counts_only_where_it_is_trusted() -> None:
    header = f"Hash={OWN.hexdigest}"
    only, last = CertificateSettings(forwarded=Trust.ONLY), CertificateSettings(forwarded=Trust.LAST)
    assert code(BY_CERTIFICATE, forwarded=header) == "certificate_missing"
    assert binding(BY_CERTIFICATE, forwarded=header, certificates=only) is Binding.MTLS
    two = f"Hash={OTHER.hexdigest},{header}"
    assert code(BY_CERTIFICATE, forwarded=two, certificates=only) == "certificate_ambiguous"
    assert binding(BY_CERTIFICATE, forwarded=two, certificates=last) is Binding.MTLS
    assert code(BY_CERTIFICATE, forwarded=f"{header},Hash={OTHER.hexdigest}", certificates=last) == "certificate_wrong"
    assert code(BY_CERTIFICATE, forwarded="Hash=xyz", certificates=last) == "certificate_malformed"


def test_two_certificates_that_differ_are_refused() -> None:
    only = CertificateSettings(forwarded=Trust.ONLY)
    assert code(BY_CERTIFICATE, shown=OWN, forwarded=f"Hash={OTHER.hexdigest}", certificates=only) == (
        "certificate_ambiguous"
    )
    assert binding(BY_CERTIFICATE, shown=OWN, forwarded=f"Hash={OWN.hexdigest}", certificates=only) is Binding.MTLS


# What has to be proven


@pytest.mark.parametrize(
    ("requirement", "passes"),
    [
        (Requirement.NONE, (True, True, True)),
        (Requirement.ANY, (False, True, True)),
        (Requirement.DPOP, (False, True, False)),
        (Requirement.MTLS, (False, False, True)),
    ],
)
@pytest.mark.parametrize("asked_by", ["route", "issuer", "role"])
def test_a_route_an_issuer_or_a_role_may_ask_for_a_binding(
    requirement: Requirement, passes: tuple[bool, bool, bool], asked_by: str
) -> None:
    """For a plain token, one bound to a key, one bound to a certificate."""
    asking: dict[str, dict[str, Any]] = {
        "route": {"rule": replace(ANY, require_binding=requirement)},
        "issuer": {"required": requirement},
        "role": {"role_bindings": {"engineer": requirement}},
    }
    settings = asking[asked_by]
    proof = HOLDER.proof(BY_KEY)
    tried: list[dict[str, Any]] = [
        {"token": PLAIN, "shown": OWN},
        {"token": BY_KEY, "scheme": "DPoP", "proof": proof},
        {"token": BY_CERTIFICATE, "shown": OWN},
    ]
    for given, may_pass in zip(tried, passes, strict=True):
        if may_pass:
            assert ask(**given, **settings) is not None
        else:
            assert code(**given, **settings) == "binding_required"


def test_a_role_asks_only_those_who_have_it() -> None:
    assert binding(PLAIN, role_bindings={"hr_access": Requirement.ANY}) is Binding.NONE


def test_all_who_ask_must_be_satisfied() -> None:
    rule = replace(ANY, require_binding=Requirement.DPOP)
    proof = HOLDER.proof(BY_BOTH)
    assert code(BY_KEY, scheme="DPoP", proof=HOLDER.proof(BY_KEY), rule=rule, required=Requirement.MTLS) == (
        "binding_required"
    )
    assert ask(BY_BOTH, scheme="DPoP", proof=proof, shown=OWN, rule=rule, required=Requirement.MTLS) is not None


def test_who_may_not_pass_uses_up_no_proof() -> None:
    """The demands come before the store of used proofs."""

    async def run() -> None:
        found = parts_of((issuer(), Source(SIGNER)), told=Told(), dpop=DPOP)
        await load(found)
        request = HttpRequest(
            "GET", "/reports", host="api.example",
            headers={"authorization": f"DPoP {BY_KEY}", "dpop": HOLDER.proof(BY_KEY)},
        )  # fmt: skip
        with pytest.raises(CredentialRefused, match="bound to a client certificate"):
            await found.authenticator.authenticate(request, replace(ANY, require_binding=Requirement.MTLS), NOW)
        assert await found.authenticator.authenticate(request, ANY, NOW) is not None

    asyncio.run(run())


# Certificates alone


def test_a_certificate_alone_names_its_caller_where_a_route_allows_it() -> None:
    either, only = replace(ANY, credentials="either"), replace(ANY, credentials="certificate")
    for rule in (either, only):
        caller = ask(shown=OWN, rule=rule, certificates=NAMED)
        assert caller is not None
        assert (caller.identity.user, caller.identity.roles) == ("spiffe://company.example/agents/a1", ("agent",))
        assert (caller.identity.binding, caller.identity.issuer) == (Binding.CERTIFICATE, "certificate")
    assert ask(shown=OWN, certificates=NAMED) is None, "the usual route asks for a token"
    assert code(shown=OWN, rule=either) == "certificate_not_accepted"
    assert ask(rule=only, certificates=NAMED) is None


def test_a_certificate_satisfies_what_asks_for_one_and_not_what_asks_for_a_key() -> None:
    for requirement in (Requirement.ANY, Requirement.MTLS):
        rule = replace(ANY, credentials="either", require_binding=requirement)
        assert ask(shown=OWN, rule=rule, certificates=NAMED) is not None
    rule = replace(ANY, credentials="either", require_binding=Requirement.DPOP)
    assert code(shown=OWN, rule=rule, certificates=NAMED) == "binding_required"


def test_a_token_does_not_do_where_only_certificates_are_accepted() -> None:
    rule = replace(ANY, credentials="certificate")
    assert code(PLAIN, shown=OWN, rule=rule, certificates=NAMED) == "credential_not_accepted"


def test_a_bad_token_is_refused_even_where_the_certificate_would_do() -> None:
    rule = replace(ANY, credentials="either")
    assert code(SIGNER.token(exp=1), shown=OWN, rule=rule, certificates=NAMED) == "token_expired"


def test_a_certificate_that_cannot_be_read_is_refused_whoever_shows_it() -> None:
    broken = replace(OWN, pem=OWN.pem[:200])
    assert code(PLAIN, shown=broken) == "certificate_malformed"


def test_a_certificate_whose_time_is_over_is_refused() -> None:
    """A connection may outlive it."""
    old = certificate("spiffe://company.example/agents/a1", 3, days=-1)
    assert code(PLAIN, shown=old) == "certificate_expired"


# Opaque tokens


class Introspector:
    """Knows one token."""

    def __init__(self, **claims: Any) -> None:
        self.claims = claims

    async def introspect(self, token: str, now: float) -> dict[str, Any]:
        del now
        if token != "opaque-1":
            raise CredentialRefused("token_inactive", "the token is not active")
        return self.claims


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"sub": "alice", "aud": "agent-gateway", "exp": NOW + 60}, "alice"),
        ({"sub": "alice", "aud": "agent-gateway"}, "alice"),
        ({"sub": "alice", "aud": "agent-gateway", "iss": "https://opaque.example"}, "alice"),
        ({"sub": "alice", "aud": "agent-gateway", "iss": "https://evil.example"}, "issuer_unknown"),
        ({"sub": "alice", "aud": "other", "exp": NOW + 60}, "audience_wrong"),
        ({"sub": "alice", "aud": "agent-gateway", "exp": NOW - 60}, "token_expired"),
        ({"aud": "agent-gateway", "exp": NOW + 60}, "claim_missing"),
        ({"sub": "alice", "aud": "agent-gateway", "cnf": {"jkt": HOLDER.jkt}}, "binding_downgraded"),
        ({"sub": "alice", "aud": "agent-gateway", "cnf": {"kid": "1"}}, "binding_unsupported"),
    ],
)
def test_an_opaque_token_is_held_to_the_same_terms(claims: dict[str, Any], outcome: str) -> None:
    opaque = (issuer("https://opaque.example", algorithms=()), Introspector(**claims))
    if outcome == "alice":
        caller = ask("opaque-1", opaque=opaque)
        assert caller is not None
        assert (caller.identity.user, caller.identity.issuer) == (outcome, "https://opaque.example")
    else:
        assert code("opaque-1", opaque=opaque) == outcome
    assert code("opaque-2", opaque=opaque) == "token_inactive"
    assert code("opaque-1") == "token_malformed", "nobody is to be asked"


def test_no_signed_token_is_taken_to_the_introspection_endpoint() -> None:
    opaque = (issuer("https://opaque.example", algorithms=()), Introspector(sub="mallory", aud="agent-gateway"))
    assert code(key("ES256", "k1", 1).token(), opaque=opaque) == "signature_invalid"


@pytest.mark.parametrize("kind", ["refresh_token", "N_A", "mac", 7, ["Bearer"]])
def test_an_opaque_token_of_another_type_is_no_access_token(kind: Any) -> None:
    """As its issuer tells (RFC 7662 section 2.2)."""
    opaque = (
        issuer("https://opaque.example", algorithms=()),
        Introspector(sub="a", aud="agent-gateway", token_type=kind),
    )
    assert code("opaque-1", opaque=opaque) == "token_type_refused"
    for word in ("Bearer", "bearer", "DPoP"):
        told = Introspector(sub="a", aud="agent-gateway", token_type=word)
        assert ask("opaque-1", opaque=(issuer("https://opaque.example", algorithms=()), told)) is not None


def test_names_of_a_forwarded_certificate_come_from_the_certificate_itself() -> None:
    """Envoy writes names into the header as a certificate has them, so that one may look like several."""
    only = CertificateSettings(NAMED.accept, Trust.ONLY)
    rule = replace(ANY, credentials="either")
    claimed = f"Hash={OTHER.hexdigest};URI=spiffe://company.example/agents/a1"
    assert code(forwarded=claimed, rule=rule, certificates=only) == "certificate_not_accepted"
    whole = f'Hash={OWN.hexdigest};Cert="{quote(OWN.pem, safe="")}"'
    caller = ask(forwarded=whole, rule=rule, certificates=only)
    assert caller is not None
    assert caller.identity.user == "spiffe://company.example/agents/a1"
    mixed = f'Hash={OTHER.hexdigest};Cert="{quote(OWN.pem, safe="")}"'
    assert code(forwarded=mixed, rule=rule, certificates=only) == "certificate_ambiguous"
    old = certificate("spiffe://company.example/agents/a1", 3, days=-1)
    expired = f'Hash={old.hexdigest};Cert="{quote(old.pem, safe="")}"'
    assert code(forwarded=expired, rule=rule, certificates=only) == "certificate_expired"
