"""Certificate signing requests as policies see them."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AttributeOID
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.x509_requests import shown
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins import certificate_examples as examples


def request(*extensions: Any, password: bytes | None = None) -> bytes:
    """Return a request as DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(examples.name("x"))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if password is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, password)
    return builder.sign(examples.key(), hashes.SHA256()).public_bytes(Encoding.DER)


REQUEST = request(examples.names("a.example"), (x509.BasicConstraints(ca=False, path_length=None), True))


def test_a_request_tells_who_asks_and_for_what() -> None:
    found = shown(REQUEST)
    assert found["Subject"]["CommonName"] == "x"
    assert found["DNSNames"] == ["a.example"]
    assert [one["Id"] for one in found["Extensions"]] == [[2, 5, 29, 17], [2, 5, 29, 19]]
    assert found["Version"] == 0
    assert found["PublicKeyAlgorithm"] == 3
    assert found["SignatureAlgorithm"] == 10


def test_attributes_are_lists_of_typed_values() -> None:
    """The second value of a critical extension is the mark that it is critical."""
    assert shown(REQUEST)["Attributes"] == [
        {
            "Type": [1, 2, 840, 113549, 1, 9, 14],
            "Value": [
                [
                    {"Type": [2, 5, 29, 17], "Value": "MAuCCWEuZXhhbXBsZQ=="},
                    {"Type": [2, 5, 29, 19], "Value": True},
                ]
            ],
        }
    ]


def test_an_attribute_of_another_form_is_left_out() -> None:
    found = shown(request(password=b"secret"))
    assert found["Attributes"] is None
    assert found["Extensions"] is None
    assert found["DNSNames"] is None


@pytest.mark.parametrize("data", [b"", b"badstring", REQUEST[:-1]])
def test_what_is_no_request_is_a_structure_error(data: bytes) -> None:
    with pytest.raises(BuiltinFault, match="asn1: structure error"):
        shown(data)


def test_nothing_may_stand_after_it() -> None:
    with pytest.raises(BuiltinFault, match="trailing data"):
        shown(REQUEST + b"\0")


@given(st.integers(0, len(REQUEST) - 1), st.integers(0, 255))
def test_no_octet_whatever_breaks_the_reading(position: int, octet: int) -> None:
    try:
        shown(REQUEST[:position] + bytes((octet,)) + REQUEST[position + 1 :])
    except BuiltinFault:
        return
