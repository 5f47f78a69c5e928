"""What extensions say."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.x509_extensions import Extension, Meaning, meaning
from authz_service.rego_engine.errors import BuiltinFault

KNOWN = [(2, 5, 29, number) for number in (14, 15, 17, 19, 30, 31, 32, 33, 35, 36, 37, 54)] + [
    (1, 3, 6, 1, 5, 5, 7, 1, 1)
]


def said(*extensions: Any, critical: bool = False) -> Meaning:
    """Write extensions and read them."""
    return meaning(
        Extension(tuple(map(int, one.oid.dotted_string.split("."))), critical, one.public_bytes()) for one in extensions
    )


def test_nothing_is_said_where_there_are_no_extensions() -> None:
    assert meaning(()) == Meaning()


@pytest.mark.parametrize(
    ("extension", "field", "expected"),
    [
        (x509.BasicConstraints(ca=True, path_length=3), "max_path", 3),
        (x509.BasicConstraints(ca=True, path_length=None), "max_path", -1),
        (x509.BasicConstraints(ca=True, path_length=None), "is_authority", True),
        (x509.BasicConstraints(ca=False, path_length=None), "is_authority", False),
        (x509.KeyUsage(*[True, False, True, False, False, True, True, False, False]), "key_usage", 0b001100101),
        (x509.KeyUsage(*[False, False, False, False, True, False, False, False, True]), "key_usage", 0b100010000),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.SERVER_AUTH]), "usages", (9, 1)),
        (x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.2.3")]), "unknown_usages", ((1, 2, 3),)),
        (x509.SubjectKeyIdentifier(b"abc"), "subject_key", b"abc"),
        (x509.AuthorityKeyIdentifier(b"abc", None, None), "authority_key", b"abc"),
        (x509.PolicyConstraints(0, 2), "require_policy", 0),
        (x509.PolicyConstraints(0, 2), "inhibit_mapping", 2),
        (x509.InhibitAnyPolicy(5), "inhibit_any", 5),
        (
            x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]),
            "policies",
            ((1, 2, 3),),
        ),
        (
            x509.CRLDistributionPoints(
                [x509.DistributionPoint([x509.UniformResourceIdentifier("http://c.example/")], None, None, None)]
            ),
            "revocation_lists",
            ("http://c.example/",),
        ),
        (
            x509.AuthorityInformationAccess(
                [
                    x509.AccessDescription(
                        AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://o.example")
                    )
                ]
            ),
            "ocsp_servers",
            ("http://o.example",),
        ),
    ],
)
def test_an_extension_is_read(extension: Any, field: str, expected: Any) -> None:
    assert getattr(said(extension), field) == expected


def test_a_critical_extension_that_is_not_known_is_told() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"x")
    assert said(unknown, critical=True).unhandled == ((1, 2, 3),)
    assert said(unknown).unhandled is None


def test_a_critical_extension_whose_names_are_all_of_unknown_kinds_is_told() -> None:
    names = x509.SubjectAlternativeName([x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))])
    assert said(names, critical=True).unhandled == ((2, 5, 29, 17),)


@pytest.mark.parametrize("extension", [x509.SubjectKeyIdentifier(b"a"), x509.AuthorityKeyIdentifier(b"a", None, None)])
def test_a_key_identifier_must_not_be_critical(extension: Any) -> None:
    with pytest.raises(BuiltinFault, match="incorrectly marked critical"):
        said(extension, critical=True)


@pytest.mark.parametrize("number", KNOWN)
def test_a_known_extension_that_is_malformed_is_refused(number: tuple[int, ...]) -> None:
    with pytest.raises(BuiltinFault, match="x509"):
        meaning([Extension(number, critical=False, value=b"\xff")])


@given(st.sampled_from(KNOWN), st.binary(max_size=60))
def test_no_octets_whatever_break_the_reading(number: tuple[int, ...], value: bytes) -> None:
    try:
        meaning([Extension(number, critical=False, value=value)])
    except BuiltinFault:
        return
