"""The built-ins about certificates."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import certificates
from authz_service.rego_engine.builtins.certificates import MAX_CHARACTERS
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins import certificate_examples as examples
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

PARSE = "crypto.x509.parse_certificates"
VERIFY = "crypto.x509.parse_and_verify_certificates"
VERIFY_WITH = "crypto.x509.parse_and_verify_certificates_with_options"
REQUEST = "crypto.x509.parse_certificate_request"
PAIR = "crypto.x509.parse_keypair"
CHAIN = examples.chain()
TEXT = examples.pem(*CHAIN)
UNVERIFIED: list[Any] = [False, []]


def in_base64(data: bytes | str) -> str:
    """Return base64."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def verify(text: object, *options: object, now: int = examples.DURING_NS) -> Any:
    """Verify a chain at a time."""
    return TABLE[VERIFY_WITH if options else VERIFY].function(Context(time_ns=now), text, *options)


@pytest.mark.parametrize("text", [TEXT, in_base64(TEXT), in_base64(b"".join(map(examples.der, CHAIN)))])
def test_certificates_are_read_from_each_form(text: str) -> None:
    assert [one["Subject"]["CommonName"] for one in call(PARSE, text)] == ["Root", "Between", "Leaf"]


def test_no_certificates_are_an_empty_array() -> None:
    assert call(PARSE, "") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foobar", "illegal base64 data at input byte 4"),
        (in_base64("badstring"), "x509: malformed certificate"),
        (examples.public_pem(examples.key()), "PEM block type is not the expected CERTIFICATE"),
        ("A" * (MAX_CHARACTERS + 1), f"operand 1 is longer than {MAX_CHARACTERS} characters"),
    ],
)
def test_what_is_no_certificate_is_a_fault(text: str, expected: str) -> None:
    assert expected in fault(PARSE, text).text


def test_a_chain_that_holds_is_told_leaf_first() -> None:
    valid, found = verify(TEXT)
    assert valid is True
    assert [one["Subject"]["CommonName"] for one in found] == ["Leaf", "Between", "Root"]
    assert "URIStrings" in found[0]


@pytest.mark.parametrize("text", [examples.pem(CHAIN[0], CHAIN[2]), examples.pem(CHAIN[0]), "", "no base64"])
def test_a_chain_that_does_not_hold_is_told_too(text: str) -> None:
    assert verify(text) == UNVERIFIED


def test_a_chain_holds_at_the_evaluation_s_time() -> None:
    """No clock is read."""
    assert verify(TEXT, now=0) == UNVERIFIED
    assert verify(TEXT, now=10**30) == UNVERIFIED


@pytest.mark.parametrize(
    ("options", "valid"),
    [
        ({}, True),
        ({"DNSName": "www.example.org"}, True),
        ({"DNSName": "other.example.org"}, False),
        ({"CurrentTime": 0}, False),
        ({"CurrentTime": examples.DURING_NS}, True),
        ({"KeyUsages": ["KeyUsageClientAuth"]}, True),
        ({"KeyUsages": {"KeyUsageAny"}}, True),
        ({"MaxConstraintComparisons": 5}, True),
    ],
)
def test_options_say_what_a_chain_must_be_good_for(options: dict[str, Any], *, valid: bool) -> None:
    found = verify(TEXT, options)
    assert found[0] is valid
    assert all("URIStrings" not in one for one in found[1])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"a": 1}, "invalid key option"),
        ({"DNSName": 1}, "'DNSName' should be a string"),
        ({"CurrentTime": "1"}, "'CurrentTime' should be a number"),
        ({"CurrentTime": 2**64}, "'CurrentTime' should be"),
        ({"KeyUsages": "KeyUsageAny"}, "'KeyUsages' should be an Array or Set"),
        ({"KeyUsages": ["x"]}, "invalid entries for 'KeyUsages' found"),
        ({"MaxConstraintComparisons": "1"}, "'MaxConstraintComparisons' should be a number"),
    ],
)
def test_an_option_that_is_wrong_is_a_fault(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(BuiltinFault, match=expected):
        verify(TEXT, options)
    assert verify("no base64", options) == UNVERIFIED  # as OPA has it: certificates first


def test_a_request_is_read_from_each_form() -> None:
    made = (
        x509.CertificateSigningRequestBuilder().subject_name(examples.name("x")).sign(examples.key(), hashes.SHA256())
    )
    text = made.public_bytes(Encoding.PEM).decode()
    for form in (text, in_base64(text), in_base64(made.public_bytes(Encoding.DER))):
        assert call(REQUEST, form)["Subject"]["CommonName"] == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foobar", "illegal base64 data at input byte 4"),
        (in_base64("badstring"), "asn1: structure error"),
        (in_base64(TEXT), "invalid PEM-encoded certificate signing request"),
        (TEXT, "illegal base64 data at input byte 0"),
    ],
)
def test_what_is_no_request_is_a_fault(text: str, expected: str) -> None:
    assert expected in fault(REQUEST, text).text


@pytest.mark.parametrize("kind", ["RSA", "EC", "Ed25519"])
def test_a_certificate_and_its_key_are_a_pair(kind: str) -> None:
    private = examples.key(kind)
    made = examples.certificate("x", "x", private, private)
    found = call(PAIR, examples.pem(made), examples.private_pem(private))
    assert found["Certificate"] == [in_base64(examples.der(made))]
    assert found["Leaf"]["Subject"]["CommonName"] == "x"
    assert found == call(PAIR, in_base64(examples.pem(made)), in_base64(examples.private_pem(private)))


def test_a_certificate_and_another_s_key_are_no_pair() -> None:
    made = examples.pem(examples.certificate("x", "x", examples.key(), examples.key()))
    for other in (examples.key(number=5), examples.key("RSA"), examples.key("Ed25519")):
        assert "private key does not match public key" in fault(PAIR, made, examples.private_pem(other)).text


@pytest.mark.parametrize("certificate", ["", "x", examples.public_pem(examples.key())])
def test_a_pair_needs_a_certificate(certificate: str) -> None:
    fault(PAIR, certificate, examples.private_pem(examples.key()))


@pytest.mark.parametrize("name", declared(certificates))
@given(st.data())
def test_no_operands_whatever_break_them(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(VALUES)
def test_no_options_whatever_break_the_verification(options: object) -> None:
    try:
        verify(TEXT, options)
    except BuiltinFault:
        return
