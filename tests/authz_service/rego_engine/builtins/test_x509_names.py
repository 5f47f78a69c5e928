"""Names in certificates."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import x509_names
from authz_service.rego_engine.builtins.x509_names import is_domain
from authz_service.rego_engine.errors import BuiltinFault


def alternative(*names: x509.GeneralName) -> x509_names.AlternativeNames:
    """Write alternative names and read them."""
    return x509_names.alternative_names(x509.SubjectAlternativeName(names).public_bytes())


def test_a_distinguished_name_keeps_the_order_of_its_attributes() -> None:
    attributes = [(NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Ö"), (NameOID.COMMON_NAME, "x")]
    name = x509.Name([x509.NameAttribute(kind, text) for kind, text in attributes])
    assert x509_names.distinguished_name(name.public_bytes()) == (
        ((2, 5, 4, 6), "DE"),
        ((2, 5, 4, 10), "Ö"),
        ((2, 5, 4, 3), "x"),
    )


def test_alternative_names_come_by_their_kinds() -> None:
    found = alternative(
        x509.DNSName("a.example"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.RFC822Name("q@a.example"),
        x509.UniformResourceIdentifier("spiffe://a.example/b"),
        x509.DNSName("b.example"),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
    )
    assert found.dns == ("a.example", "b.example")
    assert found.email == ("q@a.example",)
    assert found.addresses == (ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1"))
    assert found.uris is not None
    assert [str(uri) for uri in found.uris] == ["spiffe://a.example/b"]


def test_names_of_unknown_kinds_only_are_none() -> None:
    """So that a critical extension with them is not taken for understood."""
    assert not alternative(x509.RegisteredID(x509.ObjectIdentifier("1.2.3")))


@pytest.mark.parametrize(
    "octets",
    ["3003820180", "3003870101", "30088606253a2f2f7a7a", "300482026182", "01", "300986077a3a2f2f206120"],
)
def test_a_malformed_name_is_refused(octets: str) -> None:
    with pytest.raises(BuiltinFault, match="x509"):
        x509_names.alternative_names(bytes.fromhex(octets))


def test_a_constraint_s_network_is_an_address_and_a_mask() -> None:
    tree = bytes.fromhex("300a87080a000000ff000000")
    found, has_unknown = x509_names.subtrees(tree)
    assert found.networks == ((b"\x0a\0\0\0", b"\xff\0\0\0"),)
    assert not has_unknown


def test_a_constraint_of_an_unknown_kind_is_told() -> None:
    assert x509_names.subtrees(bytes.fromhex("300488022a03"))[1]


@pytest.mark.parametrize("tree", ["300a87080a000000ff00ff00", "300387010a", "30068204612e2e62"])
def test_a_malformed_constraint_is_refused(tree: str) -> None:
    """A mask with holes, an address of one octet, an empty label."""
    with pytest.raises(BuiltinFault):
        x509_names.subtrees(bytes.fromhex(tree))


@pytest.mark.parametrize(
    ("name", "valid"),
    [("a.b", True), ("a..b", False), ("a" * 63, True), ("a" * 64, False), ("", False), ("a b", False), ("é", False)],
)
def test_a_domain_is_labels_of_printable_characters(name: str, *, valid: bool) -> None:
    assert is_domain(name) is valid


@given(st.binary(max_size=60))
def test_no_octets_whatever_break_the_reading(data: bytes) -> None:
    for read in (x509_names.distinguished_name, x509_names.alternative_names, x509_names.subtrees):
        try:
            read(data)
        except BuiltinFault:
            continue
