"""Name constraints."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from cryptography import x509

from authz_service.rego_engine.builtins import x509_constraints
from authz_service.rego_engine.builtins.x509_certificates import certificate
from authz_service.rego_engine.builtins.x509_constraints import keeps_constraints
from tests.authz_service.rego_engine.builtins import certificate_examples as examples

URI = x509.UniformResourceIdentifier
EMAIL = x509.RFC822Name


def network(text: str) -> x509.IPAddress:
    """Return a network as a name."""
    return x509.IPAddress(ipaddress.ip_network(text))


def address(text: str) -> x509.IPAddress:
    """Return an address as a name."""
    return x509.IPAddress(ipaddress.ip_address(text))


def keeps(name: Any, permitted: list[Any] | None, excluded: list[Any] | None = None) -> bool:
    """Whether a leaf of a name keeps the constraints of the authority above it."""
    constraints = (x509.NameConstraints(permitted, excluded), True)
    made = examples.chain(between=[examples.authority(), constraints], leaf=[examples.names(name)])
    return keeps_constraints([certificate(examples.der(one)) for one in reversed(made)])


@pytest.mark.parametrize(
    ("name", "space", "inside"),
    [
        ("a.example", x509.DNSName("example"), True),
        ("a.EXAMPLE", x509.DNSName("example"), True),
        ("example", x509.DNSName("example"), True),
        ("anexample", x509.DNSName("example"), False),
        ("example", x509.DNSName(".example"), False),
        ("a.example", x509.DNSName(".example"), True),
        ("a.example", x509.DNSName(""), True),
        ("*.example", x509.DNSName("example"), True),
        (address("10.1.1.1"), network("10.0.0.0/8"), True),
        (address("11.1.1.1"), network("10.0.0.0/8"), False),
        (address("::1"), network("10.0.0.0/8"), False),
        (EMAIL("q@a.example"), EMAIL("a.example"), True),
        (EMAIL("q@A.example"), EMAIL("q@a.EXAMPLE"), True),
        (EMAIL("r@a.example"), EMAIL("q@a.example"), False),
        (URI("https://b.a.example:80/x"), URI(".a.example"), True),
        (URI("https://a.example/x"), URI(".a.example"), False),
    ],
)
def test_a_name_is_inside_what_is_permitted_or_not(name: Any, space: Any, *, inside: bool) -> None:
    assert keeps(name, [space]) is inside
    assert keeps(name, None, [space]) is not inside


def test_names_of_other_kinds_are_free() -> None:
    assert keeps("other.example", [network("10.0.0.0/8")])


def test_a_wildcard_is_excluded_with_one_of_its_names() -> None:
    assert not keeps("*.example", None, [x509.DNSName("a.example")])


@pytest.mark.parametrize("uri", ["urn:a", "https://10.0.0.1/", "https://[::1]/"])
def test_a_uri_without_a_domain_cannot_be_held_against_constraints(uri: str) -> None:
    assert not keeps(URI(uri), None, [URI("a.example")])


def test_there_is_a_bound_to_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keeps("a.example", [x509.DNSName("example")])
    monkeypatch.setattr(x509_constraints, "MAX_COMPARISONS", 0)
    assert not keeps("a.example", [x509.DNSName("example")])
