"""Certificates as policies see them."""

from __future__ import annotations

import base64
import ipaddress
from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from authz_service.rego_engine.builtins import x509_json
from authz_service.rego_engine.builtins.x509_certificates import certificate
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins import certificate_examples as examples


def shown(*extensions: Any, **more: Any) -> dict[str, Any]:
    """Return a certificate with some extensions, as it is shown."""
    made = examples.certificate("x", "y", examples.key(), examples.key(), extensions, **more)
    return x509_json.with_uri_texts(certificate(examples.der(made)))


def test_what_is_not_there_is_null_or_nothing() -> None:
    found = shown()
    nulls = {name for name, value in found.items() if value is None}
    assert nulls == {
        "AuthorityKeyId", "CRLDistributionPoints", "DNSNames", "EmailAddresses", "ExcludedDNSDomains",
        "ExcludedEmailAddresses", "ExcludedIPRanges", "ExcludedURIDomains", "ExtKeyUsage", "Extensions",
        "ExtraExtensions", "IPAddresses", "IssuingCertificateURL", "OCSPServer", "PermittedDNSDomains",
        "PermittedEmailAddresses", "PermittedIPRanges", "PermittedURIDomains", "Policies", "PolicyIdentifiers",
        "PolicyMappings", "SubjectKeyId", "URIStrings", "URIs", "UnhandledCriticalExtensions", "UnknownExtKeyUsage",
    }  # fmt: skip
    assert found["MaxPathLen"] == 0
    assert found["MaxPathLenZero"] is False
    assert found["BasicConstraintsValid"] is False


def test_an_authority_s_path_bound_of_zero_is_told_from_none() -> None:
    assert shown(examples.authority(0))["MaxPathLenZero"] is True
    assert shown(examples.authority())["MaxPathLen"] == -1


def test_times_are_rfc_3339() -> None:
    found = shown(start=datetime(1950, 1, 2, 3, 4, 5), end=datetime(9999, 12, 31, 23, 59, 59))  # noqa: DTZ001
    assert found["NotBefore"] == "1950-01-02T03:04:05Z"
    assert found["NotAfter"] == "9999-12-31T23:59:59Z"


def test_names_of_all_kinds_are_listed() -> None:
    found = shown(
        examples.names(
            "a.example",
            x509.RFC822Name("q@a.example"),
            x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
            x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
            x509.UniformResourceIdentifier("spiffe://a.example/b%2fc?d"),
        )
    )
    assert found["DNSNames"] == ["a.example"]
    assert found["EmailAddresses"] == ["q@a.example"]
    assert found["IPAddresses"] == ["192.0.2.1", "2001:db8::1"]
    assert found["URIStrings"] == ["spiffe://a.example/b%2fc?d"]
    assert found["URIs"] == [
        {
            "ForceQuery": False,
            "Fragment": "",
            "Host": "a.example",
            "OmitHost": False,
            "Opaque": "",
            "Path": "/b/c",
            "RawFragment": "",
            "RawPath": "/b%2fc",
            "RawQuery": "d",
            "Scheme": "spiffe",
            "User": None,
        }
    ]


def test_constraints_are_listed() -> None:
    trees = [x509.DNSName("a.example"), x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))]
    found = shown((x509.NameConstraints(trees, None), True))
    assert found["PermittedDNSDomains"] == ["a.example"]
    assert found["PermittedIPRanges"] == [{"IP": "10.0.0.0", "Mask": "/wAAAA=="}]
    assert found["PermittedDNSDomainsCritical"] is True
    assert found["ExcludedDNSDomains"] is None


def test_policies_that_are_large_numbers_are_texts_only() -> None:
    policies = [x509.PolicyInformation(x509.ObjectIdentifier(text), None) for text in ("2.999.5000000000", "1.2.3")]
    found = shown((x509.CertificatePolicies(policies), False))
    assert found["Policies"] == ["2.999.5000000000", "1.2.3"]
    assert found["PolicyIdentifiers"] == [[1, 2, 3]]


def test_an_extension_is_shown_as_it_stands() -> None:
    found = shown((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"x"), True))
    assert found["Extensions"] == [{"Critical": True, "Id": [1, 2, 3], "Value": "eA=="}]
    assert found["UnhandledCriticalExtensions"] == [[1, 2, 3]]


def test_a_distinguished_name_is_in_parts_and_in_a_list() -> None:
    attributes = [(NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Ö"), (NameOID.ORGANIZATION_NAME, "P")]
    subject = x509.Name(
        [x509.NameAttribute(kind, text) for kind, text in (*attributes, (NameOID.EMAIL_ADDRESS, "q@a.example"))]
    )
    made = examples.certificate(subject, "y", examples.key(), examples.key())
    found = x509_json.shown(certificate(examples.der(made)))["Subject"]
    assert found["Country"] == ["DE"]
    assert found["Organization"] == ["Ö", "P"]
    assert found["CommonName"] == ""
    assert found["Locality"] is None
    assert found["Names"][-1] == {"Type": [1, 2, 840, 113549, 1, 9, 1], "Value": "q@a.example"}


def test_a_key_whose_number_nobody_could_write_is_a_fault() -> None:
    vast = rsa.RSAPublicNumbers(65537, (1 << 16_383) + 1).public_key()
    with pytest.raises(BuiltinFault, match="number is larger"):
        x509_json.public_key(vast)


@pytest.mark.parametrize(("kind", "algorithm", "signature"), [("RSA", 1, 4), ("EC", 3, 10), ("Ed25519", 4, 16)])
def test_keys_are_their_numbers(kind: str, algorithm: int, signature: int) -> None:
    private = examples.key(kind)
    found = x509_json.shown(certificate(examples.der(examples.certificate("x", "x", private, private))))
    assert (found["PublicKeyAlgorithm"], found["SignatureAlgorithm"]) == (algorithm, signature)
    if kind == "Ed25519":
        assert base64.b64decode(found["PublicKey"]) == private.public_key().public_bytes_raw()
    else:
        numbers = private.public_key().public_numbers()
        expected = {"E": numbers.e, "N": numbers.n} if kind == "RSA" else {"Curve": {}, "X": numbers.x, "Y": numbers.y}
        assert found["PublicKey"] == expected
