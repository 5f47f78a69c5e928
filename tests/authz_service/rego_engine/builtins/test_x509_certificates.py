"""Certificates from DER."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.x509_certificates import MAX_CERTIFICATES, certificate, certificates
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins import certificate_examples as examples

CHAIN = examples.chain()
LEAF = examples.der(CHAIN[2])


def test_a_certificate_is_read_as_another_library_reads_it() -> None:
    theirs = CHAIN[2]
    ours = certificate(LEAF)
    assert ours.serial == theirs.serial_number
    assert ours.raw_tbs == theirs.tbs_certificate_bytes
    assert ours.signature == theirs.signature
    assert ours.raw_issuer == theirs.issuer.public_bytes()
    assert ours.raw_subject == theirs.subject.public_bytes()
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert ours.version == 3
    assert ours.says.names.dns == ("www.example.org",)


def test_certificates_stand_one_after_another() -> None:
    found = certificates(b"".join(map(examples.der, CHAIN)))
    assert [one.raw for one in found] == list(map(examples.der, CHAIN))
    assert certificates(b"") == ()


def test_there_is_a_bound_to_how_many() -> None:
    certificates(LEAF * MAX_CERTIFICATES)
    with pytest.raises(BuiltinFault, match=f"more than {MAX_CERTIFICATES}"):
        certificates(LEAF * (MAX_CERTIFICATES + 1))


def test_nothing_may_stand_after_a_single_one() -> None:
    with pytest.raises(BuiltinFault, match="trailing data"):
        certificate(LEAF + b"\0")


def test_a_negative_serial_number_is_refused() -> None:
    at = LEAF.index(bytes.fromhex("02014d"))  # the serial number 77
    with pytest.raises(BuiltinFault, match="negative serial number"):
        certificate(LEAF[: at + 2] + b"\xff" + LEAF[at + 3 :])


def test_a_repeated_extension_is_refused() -> None:
    twice = [(x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.{number}"), b"x"), False) for number in (3, 4)]
    raw = examples.der(examples.certificate("a", "a", examples.key(), examples.key(), twice))
    with pytest.raises(BuiltinFault, match="duplicate extensions"):
        certificate(raw.replace(bytes.fromhex("06022a04"), bytes.fromhex("06022a03")))


@given(st.integers(0, len(LEAF) - 1), st.integers(0, 255))
def test_no_octet_whatever_breaks_the_reading(position: int, octet: int) -> None:
    try:
        certificate(LEAF[:position] + bytes((octet,)) + LEAF[position + 1 :])
    except BuiltinFault:
        return


@given(st.integers(0, len(LEAF) - 1))
def test_a_certificate_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(BuiltinFault):
        certificate(LEAF[:length])
