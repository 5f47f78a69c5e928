"""Algorithms of certificates: the numbers that OPA's users know them by, their public keys, their signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from authz_service.rego_engine.builtins.x509_der import BIT_STRING, INTEGER, NULL, SEQUENCE, Identifier, Reader, context
from authz_service.rego_engine.errors import BuiltinFault

RSA: Final = 1
DSA: Final = 2
ECDSA: Final = 3
ED25519: Final = 4

PublicKey = rsa.RSAPublicKey | dsa.DSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_KEYS: Final[dict[Identifier, int]] = {
    (1, 2, 840, 113549, 1, 1, 1): RSA,
    (1, 2, 840, 10040, 4, 1): DSA,
    (1, 2, 840, 10045, 2, 1): ECDSA,
    (1, 3, 101, 112): ED25519,
}
_CURVES: Final = ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """A signature's algorithm. Without a digest that may be relied on, no signature is valid by it."""

    number: int = 0
    key: int = 0
    digest: hashes.HashAlgorithm | None = None
    pss: bool = False


UNKNOWN: Final = SignatureAlgorithm()
_PSS: Final = (1, 2, 840, 113549, 1, 1, 10)
_MGF1: Final = (1, 2, 840, 113549, 1, 1, 8)
_ED25519: Final = (1, 3, 101, 112)
_SIGNATURES: Final[dict[Identifier, SignatureAlgorithm]] = {
    (1, 2, 840, 113549, 1, 1, 4): SignatureAlgorithm(2, RSA),  # MD5
    (1, 2, 840, 113549, 1, 1, 5): SignatureAlgorithm(3, RSA),  # SHA-1
    (1, 3, 14, 3, 2, 29): SignatureAlgorithm(3, RSA),
    (1, 2, 840, 113549, 1, 1, 11): SignatureAlgorithm(4, RSA, hashes.SHA256()),
    (1, 2, 840, 113549, 1, 1, 12): SignatureAlgorithm(5, RSA, hashes.SHA384()),
    (1, 2, 840, 113549, 1, 1, 13): SignatureAlgorithm(6, RSA, hashes.SHA512()),
    (1, 2, 840, 10040, 4, 3): SignatureAlgorithm(7, DSA),
    (2, 16, 840, 1, 101, 3, 4, 3, 2): SignatureAlgorithm(8, DSA),
    (1, 2, 840, 10045, 4, 1): SignatureAlgorithm(9, ECDSA),  # SHA-1
    (1, 2, 840, 10045, 4, 3, 2): SignatureAlgorithm(10, ECDSA, hashes.SHA256()),
    (1, 2, 840, 10045, 4, 3, 3): SignatureAlgorithm(11, ECDSA, hashes.SHA384()),
    (1, 2, 840, 10045, 4, 3, 4): SignatureAlgorithm(12, ECDSA, hashes.SHA512()),
    _ED25519: SignatureAlgorithm(16, ED25519),
}
_PSS_SIGNATURES: Final[dict[tuple[Identifier, int], SignatureAlgorithm]] = {
    ((2, 16, 840, 1, 101, 3, 4, 2, 1), 32): SignatureAlgorithm(13, RSA, hashes.SHA256(), pss=True),
    ((2, 16, 840, 1, 101, 3, 4, 2, 2), 48): SignatureAlgorithm(14, RSA, hashes.SHA384(), pss=True),
    ((2, 16, 840, 1, 101, 3, 4, 2, 3), 64): SignatureAlgorithm(15, RSA, hashes.SHA512(), pss=True),
}  # by digest and length of the salt in octets


def signature_algorithm(reader: Reader) -> SignatureAlgorithm:
    """Read what stands inside an AlgorithmIdentifier of a signature."""
    kind, parameters = reader.identifier(), reader.rest
    if kind == _PSS:
        try:
            return _pss(Reader(parameters, ""))
        except BuiltinFault:
            return UNKNOWN
    if kind == _ED25519 and parameters:  # RFC 8410 section 3
        return UNKNOWN
    return _SIGNATURES.get(kind, UNKNOWN)


def public_key(info: bytes) -> tuple[int, PublicKey | None]:
    """Return a SubjectPublicKeyInfo's algorithm and key; one of an algorithm that is not known has none."""
    reader = Reader(info, "x509: malformed spki").inside(SEQUENCE)
    algorithm = reader.inside(SEQUENCE)
    number = _KEYS.get(algorithm.identifier(), 0)
    parameters = algorithm.rest
    reader.read(BIT_STRING)
    if not number:
        return 0, None
    if number == RSA and parameters != bytes((NULL, 0)):  # RFC 3279 section 2.3.1
        raise BuiltinFault("x509: RSA key missing NULL parameters")
    try:
        found = load_der_public_key(info)
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm):
        raise BuiltinFault("x509: invalid public key") from None
    if isinstance(found, ec.EllipticCurvePublicKey) and not is_known_curve(found):
        raise BuiltinFault("x509: unsupported elliptic curve")
    if not isinstance(found, PublicKey):
        raise BuiltinFault("x509: unknown public key algorithm")
    return number, found


def is_known_curve(key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> bool:
    """Whether a key is on one of NIST's curves, the only ones that are taken."""
    return isinstance(key.curve, _CURVES)


def is_signed_by(key: PublicKey | None, algorithm: SignatureAlgorithm, signed: bytes, signature: bytes) -> bool:
    """Whether a signature over some octets was made with a key, by an algorithm that may be relied on."""
    digest = algorithm.digest
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm.key == RSA and digest:
            scheme = padding.PSS(padding.MGF1(digest), digest.digest_size) if algorithm.pss else padding.PKCS1v15()
            key.verify(signature, signed, scheme, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm.key == ECDSA and digest:
            key.verify(signature, signed, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm.key == ED25519:
            key.verify(signature, signed)
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _pss(reader: Reader) -> SignatureAlgorithm:
    """Read RSASSA-PSS-params (RFC 4055 section 3.1): only one digest throughout, with a salt as long, is known."""
    parameters = reader.inside(SEQUENCE)
    digest_field = parameters.optional(context(0, constructed=True))
    mask_field = parameters.optional(context(1, constructed=True))
    salt = parameters.optional(context(2, constructed=True))
    trailer = parameters.optional(context(3, constructed=True))
    if digest_field is None or mask_field is None or salt is None or (trailer and trailer.integer(INTEGER) != 1):
        return UNKNOWN
    digest = digest_field.inside(SEQUENCE)
    mask = mask_field.inside(SEQUENCE)
    kind = digest.identifier()
    if mask.identifier() != _MGF1:
        return UNKNOWN
    mask_digest = mask.inside(SEQUENCE)
    nothing = {b"", bytes((NULL, 0))}
    if mask_digest.identifier() != kind or mask_digest.rest not in nothing or digest.rest not in nothing:
        return UNKNOWN
    return _PSS_SIGNATURES.get((kind, salt.integer()), UNKNOWN)
