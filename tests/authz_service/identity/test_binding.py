"""What a caller has to hold beside his token: a bound one is never taken for a plain one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused, Scheme
from authz_service.identity.binding import Requirement, check_certificate, check_requirements, check_scheme
from authz_service.model import Binding, Certificate, Confirmation

KEY, THUMBPRINT, OTHER = "k" * 43, "t" * 43, "u" * 43
PLAIN = (None, Confirmation())
TO_KEY = Confirmation(jkt=KEY)
TO_CERTIFICATE = Confirmation(x5t_s256=THUMBPRINT)
TO_BOTH = Confirmation(KEY, THUMBPRINT)


def certificate(sha256: str) -> Certificate:
    """A certificate of which nothing but its thumbprint matters."""
    return Certificate(sha256, "CN=a", ("spiffe://a",))


@pytest.mark.parametrize("confirmation", [TO_KEY, TO_BOTH])
def test_a_token_that_is_bound_to_a_key_needs_a_proof(confirmation: Confirmation) -> None:
    """As a bearer token it could be used by a thief (RFC 9449 section 7.1)."""
    with pytest.raises(CredentialRefused) as caught:
        check_scheme(confirmation, Scheme.BEARER)
    told = caught.value
    assert (told.code, told.error, told.scheme, told.status) == (
        "binding_downgraded",
        "invalid_token",
        Scheme.DPOP,
        401,
    )
    check_scheme(confirmation, Scheme.DPOP)


@pytest.mark.parametrize("confirmation", [*PLAIN, TO_CERTIFICATE])
def test_a_token_that_is_bound_to_no_key_needs_none(confirmation: Confirmation | None) -> None:
    """With a proof it would look as if it were bound, to any key that the caller has just made."""
    with pytest.raises(CredentialRefused) as caught:
        check_scheme(confirmation, Scheme.DPOP)
    assert (caught.value.code, caught.value.scheme) == ("token_not_bound", Scheme.DPOP)
    check_scheme(confirmation, Scheme.BEARER)


@pytest.mark.parametrize("confirmation", [TO_CERTIFICATE, TO_BOTH])
def test_a_token_that_is_bound_to_a_certificate_needs_just_that_one(confirmation: Confirmation) -> None:
    """RFC 8705 section 3."""
    assert check_certificate(confirmation, certificate(THUMBPRINT)) is True
    for shown, code in (
        (None, "certificate_missing"),
        (certificate(OTHER), "certificate_wrong"),
        (certificate(""), "certificate_wrong"),
    ):
        with pytest.raises(CredentialRefused) as caught:
            check_certificate(confirmation, shown)
        assert (caught.value.code, caught.value.error, caught.value.status) == (code, "invalid_token", 401)


@pytest.mark.parametrize("confirmation", [*PLAIN, TO_KEY])
@pytest.mark.parametrize("shown", [None, certificate(THUMBPRINT)])
def test_a_token_that_is_bound_to_no_certificate_asks_for_none(
    confirmation: Confirmation | None, shown: Certificate | None
) -> None:
    """A certificate that is shown all the same proves nothing about the token."""
    assert check_certificate(confirmation, shown) is False


@given(st.text(max_size=50), st.text(max_size=50))
def test_thumbprints_are_equal_or_refused(bound: str, shown: str) -> None:
    """In any script: nothing else comes of it."""
    try:
        assert check_certificate(Confirmation(x5t_s256=bound), certificate(shown)) is True
    except CredentialRefused:
        assert bound != shown
    else:
        assert bound == shown


HELD = list(Binding)
ENOUGH = {
    Requirement.NONE: {Binding.NONE, Binding.DPOP, Binding.MTLS, Binding.CERTIFICATE},
    Requirement.ANY: {Binding.DPOP, Binding.MTLS, Binding.CERTIFICATE},
    Requirement.DPOP: {Binding.DPOP},
    Requirement.MTLS: {Binding.MTLS, Binding.CERTIFICATE},
}


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("requirement", list(Requirement))
def test_a_requirement_is_met_by_what_it_names(held: Binding, requirement: Requirement) -> None:
    """A certificate alone counts as one that is bound."""
    if held in ENOUGH[requirement]:
        check_requirements([held], [requirement])
        return
    with pytest.raises(CredentialRefused) as caught:
        check_requirements([held], [requirement])
    told = caught.value
    assert told.code == "binding_required"
    assert told.scheme == (Scheme.BEARER if requirement is Requirement.MTLS else Scheme.DPOP)
    assert ("a client certificate" in told.text) == (requirement is Requirement.MTLS)


def test_who_has_proven_nothing_meets_no_requirement_but_none() -> None:
    """Nor does an empty list of requirements ask for anything."""
    check_requirements([], [])
    check_requirements([], [Requirement.NONE, Requirement.NONE])
    for requirement in set(Requirement) - {Requirement.NONE}:
        with pytest.raises(CredentialRefused):
            check_requirements([], [requirement])


@given(st.lists(st.sampled_from(HELD)), st.lists(st.sampled_from(list(Requirement))))
def test_everyone_who_asks_has_to_be_content(held: list[Binding], asked: list[Requirement]) -> None:
    """Route, issuer and role: the strictest of them rules, in whatever order they come."""
    enough = all(requirement is Requirement.NONE or ENOUGH[requirement] & set(held) for requirement in asked)
    try:
        check_requirements(iter(held), iter(asked))
    except CredentialRefused:
        assert not enough
    else:
        assert enough
