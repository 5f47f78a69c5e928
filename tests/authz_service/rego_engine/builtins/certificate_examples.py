"""Made-up keys and certificates for the tests: an authority, one between, and a leaf."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

START = datetime(2020, 1, 1)  # noqa: DTZ001  (the library takes times without a zone for UTC)
END = datetime(2050, 1, 1)  # noqa: DTZ001
DURING_NS = 1_700_000_000_000_000_000

Extensions = Iterable[tuple[Any, bool]]


@cache
def key(kind: str = "EC", number: int = 0) -> Any:  # noqa: ARG001  (tells keys of a kind apart)
    """Return a private key: RSA, EC (P-256), P-384, P-521, Ed25519 or DSA; the same each time for the same number."""
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "DSA":
        return dsa.generate_private_key(1024)  # noqa: S505  (quickly made; all that is tested is that it is refused)
    curves: dict[str, ec.EllipticCurve] = {"EC": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind])


def name(common: str) -> x509.Name:
    """Return a distinguished name of one attribute."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(
    subject: str | x509.Name,
    issuer: str | x509.Name,
    holder: Any,
    signer: Any,
    extensions: Extensions = (),
    *,
    start: datetime = START,
    end: datetime = END,
    serial: int = 77,
) -> x509.Certificate:
    """Return a certificate."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject) if isinstance(subject, str) else subject)
        .issuer_name(name(issuer) if isinstance(issuer, str) else issuer)
        .public_key(holder.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, digest)


def authority(path: int | None = None) -> tuple[Any, bool]:
    """Return the extension that makes an authority."""
    return x509.BasicConstraints(ca=True, path_length=path), True


def names(*found: Any) -> tuple[Any, bool]:
    """Return the extension of alternative names, each a domain or another name."""
    return x509.SubjectAlternativeName([x509.DNSName(one) if isinstance(one, str) else one for one in found]), False


def chain(
    root: Extensions | None = None,
    between: Extensions | None = None,
    leaf: Extensions | None = None,
    *,
    end: datetime = END,
    start: datetime = START,
) -> list[x509.Certificate]:
    """Return a root, an authority below it and a leaf below that, each with the extensions given or the usual ones."""
    return [
        certificate("Root", "Root", key(number=1), key(number=1), [authority()] if root is None else root),
        certificate("Between", "Root", key(number=2), key(number=1), [authority()] if between is None else between),
        certificate(
            "Leaf",
            "Between",
            key(number=3),
            key(number=2),
            [names("www.example.org")] if leaf is None else leaf,
            start=start,
            end=end,
        ),
    ]


def pem(*certificates: x509.Certificate) -> str:
    """Return certificates as PEM."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def der(one: x509.Certificate) -> bytes:
    """Return a certificate as DER."""
    return one.public_bytes(Encoding.DER)


def public_pem(private: Any) -> str:
    """Return a public key as PEM."""
    found: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found.decode()


def private_pem(private: Any, *, old: bool = False) -> str:
    """Return a private key as PEM: PKCS #8, or the older form of its kind."""
    form = PrivateFormat.TraditionalOpenSSL if old else PrivateFormat.PKCS8
    found: bytes = private.private_bytes(Encoding.PEM, form, NoEncryption())
    return found.decode()
