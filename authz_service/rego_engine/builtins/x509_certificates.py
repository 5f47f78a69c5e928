"""Certificates (RFC 5280): DER to a frozen value with all that a policy is shown and that a chain is verified by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from authz_service.rego_engine.builtins import x509_algorithms, x509_names
from authz_service.rego_engine.builtins.x509_algorithms import PublicKey, SignatureAlgorithm
from authz_service.rego_engine.builtins.x509_der import SEQUENCE, Reader, context
from authz_service.rego_engine.builtins.x509_extensions import Extension, Meaning, extension, meaning
from authz_service.rego_engine.builtins.x509_names import Attribute
from authz_service.rego_engine.errors import BuiltinFault

MAX_CERTIFICATES: Final = 100  # in one text

_VERSION_3: Final = 3


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate; `extensions` is None where there are none."""

    raw: bytes
    raw_tbs: bytes
    raw_key: bytes
    raw_subject: bytes
    raw_issuer: bytes
    signature: bytes
    signature_algorithm: SignatureAlgorithm
    key_algorithm: int
    key: PublicKey | None
    version: int
    serial: int
    issuer: tuple[Attribute, ...]
    subject: tuple[Attribute, ...]
    not_before: datetime
    not_after: datetime
    extensions: tuple[Extension, ...] | None
    says: Meaning


def certificates(octets: bytes) -> tuple[Certificate, ...]:
    """Read certificates that stand one after another, at most `MAX_CERTIFICATES`."""
    found: list[Certificate] = []
    reader = Reader(octets, "x509: malformed certificate")
    while reader:
        if len(found) == MAX_CERTIFICATES:
            raise BuiltinFault(f"x509: there are more than {MAX_CERTIFICATES} certificates")
        found.append(_certificate(reader.element(SEQUENCE)))
    return tuple(found)


def certificate(octets: bytes) -> Certificate:
    """Read one certificate and nothing after it."""
    reader = Reader(octets, "x509: malformed certificate")
    raw = reader.element(SEQUENCE)
    if reader:
        raise BuiltinFault("x509: trailing data")
    return _certificate(raw)


def _certificate(raw: bytes) -> Certificate:
    whole = Reader(raw, "x509: malformed certificate").inside(SEQUENCE)
    raw_tbs = whole.element(SEQUENCE)
    tbs = Reader(raw_tbs, "x509: malformed tbs certificate").inside(SEQUENCE)
    version_field = tbs.optional(context(0, constructed=True))
    version = version_field.integer() + 1 if version_field else 1
    if not 1 <= version <= _VERSION_3:
        raise BuiltinFault("x509: invalid version")
    serial = tbs.integer()
    if serial < 0:
        raise BuiltinFault("x509: negative serial number")
    algorithm = tbs.read(SEQUENCE)
    if whole.read(SEQUENCE) != algorithm:
        raise BuiltinFault("x509: inner and outer signature algorithm identifiers don't match")
    raw_issuer = tbs.element(SEQUENCE)
    validity = tbs.inside(SEQUENCE, "x509: malformed validity")
    not_before, not_after = validity.time(), validity.time()
    raw_subject = tbs.element(SEQUENCE)
    raw_key = tbs.element(SEQUENCE)
    key_algorithm, key = x509_algorithms.public_key(raw_key)
    extensions = _extensions(tbs) if version > 1 else None
    return Certificate(
        raw=raw,
        raw_tbs=raw_tbs,
        raw_key=raw_key,
        raw_subject=raw_subject,
        raw_issuer=raw_issuer,
        signature=whole.bits(),
        signature_algorithm=x509_algorithms.signature_algorithm(Reader(algorithm, "x509: malformed OID")),
        key_algorithm=key_algorithm,
        key=key,
        version=version,
        serial=serial,
        issuer=x509_names.distinguished_name(raw_issuer),
        subject=x509_names.distinguished_name(raw_subject),
        not_before=not_before,
        not_after=not_after,
        extensions=extensions if version == _VERSION_3 else None,
        says=meaning((extensions if version == _VERSION_3 else None) or ()),
    )


def _extensions(tbs: Reader) -> tuple[Extension, ...] | None:
    tbs.optional(context(1))  # the issuer's and the subject's unique identifiers, which nothing uses
    tbs.optional(context(2))
    field = tbs.optional(context(3, constructed=True))
    if field is None:
        return None
    reader = field.inside(SEQUENCE, "x509: malformed extension")
    found: list[Extension] = []
    while reader:
        found.append(extension(reader.inside(SEQUENCE)))
    if len({one.id for one in found}) < len(found):
        raise BuiltinFault("x509: certificate contains duplicate extensions")
    return tuple(found) or None
