"""The numbers of RSA private keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers

from authz_service.rego_engine.builtins.rsa_numbers import fit
from tests.authz_service.rego_engine.builtins.certificate_examples import key

MEMBERS = ("p", "q", "d", "dmp1", "dmq1", "iqmp", "e", "n")


def changed(member: str, value: int) -> RSAPrivateNumbers:
    """Return the numbers of a key, one of them another."""
    real = key("RSA").private_numbers()
    found = {name: getattr(real, name) for name in MEMBERS[:6]}
    found |= {"e": real.public_numbers.e, "n": real.public_numbers.n, member: value}
    public = RSAPublicNumbers(found.pop("e"), found.pop("n"))
    return RSAPrivateNumbers(**found, public_numbers=public)


def test_the_numbers_of_a_key_fit() -> None:
    assert fit(key("RSA").private_numbers())


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("value", [0, 1, 2, 3, 12_345])
def test_a_number_of_another_key_does_not_fit(member: str, value: int) -> None:
    assert not fit(changed(member, value))
