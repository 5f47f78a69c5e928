"""The signature algorithms of JSON web tokens (RFC 7518 section 3, RFC 8037): making and checking signatures."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from authz_service.rego_engine.errors import BuiltinFault

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | x25519.X25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey
Key = PublicKey | PrivateKey | bytes | None  # bytes are a shared secret; None is a key that nothing here can use


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signature algorithm: the family that its keys belong to, and the digest that is signed."""

    family: str
    digest: hashes.HashAlgorithm | None = None


ALGORITHMS: Final[dict[str, Algorithm]] = {
    **{
        f"{family}{digest.digest_size * 8}": Algorithm(family, digest)
        for family in ("HS", "RS", "PS", "ES")
        for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
    },
    "EdDSA": Algorithm("EdDSA"),
}


def code(secret: bytes, algorithm: Algorithm, signed: bytes) -> bytes:
    """Return the code that authenticates some octets (HS256 and its like)."""
    digest = algorithm.digest
    return hmac.digest(secret, signed, digest.name if digest else hashlib.sha256().name)


def is_valid(key: Key, algorithm: Algorithm, signed: bytes, signature: bytes, *, strict: bool) -> bool:
    """Whether a signature over some octets was made with a key.

    `strict` takes RSA-PSS's salt as long as the digest, and both halves of an elliptic curve's signature as long as the
    curve demands, and lets a private key stand for its public one.
    """
    if strict and isinstance(key, PrivateKey):
        key = key.public_key()
    family, digest = algorithm.family, algorithm.digest
    try:
        if digest is None:
            if not isinstance(key, ed25519.Ed25519PublicKey):
                return False
            key.verify(signature, signed)
        elif family == "HS":
            return isinstance(key, bytes) and bool(key) and hmac.compare_digest(code(key, algorithm, signed), signature)
        elif family == "ES":
            if not isinstance(key, ec.EllipticCurvePublicKey) or (strict and len(signature) != 2 * _octets(key)):
                return False
            key.verify(_pair(signature), signed, ec.ECDSA(digest))
        elif not isinstance(key, rsa.RSAPublicKey):
            return False
        elif family == "PS":
            salt = digest.digest_size if strict else padding.PSS.AUTO
            key.verify(signature, signed, padding.PSS(padding.MGF1(digest), salt), digest)
        else:
            key.verify(signature, signed, padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def sign(key: Key, algorithm: Algorithm, signed: bytes) -> bytes:
    """Return a signature over some octets; a key of another family is a fault."""
    family, digest = algorithm.family, algorithm.digest
    try:
        if digest is None and isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(signed)
        if digest and family == "HS" and isinstance(key, bytes) and key:
            return code(key, algorithm, signed)
        if digest and family == "RS" and isinstance(key, rsa.RSAPrivateKey):
            return key.sign(signed, padding.PKCS1v15(), digest)
        if digest and family == "PS" and isinstance(key, rsa.RSAPrivateKey):
            return key.sign(signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        if digest and family == "ES" and isinstance(key, ec.EllipticCurvePrivateKey):
            size = _octets(key)
            r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(digest)))
            return r.to_bytes(size) + s.to_bytes(size)
    except (ValueError, UnsupportedAlgorithm):
        raise BuiltinFault("the key cannot sign by this algorithm") from None
    raise BuiltinFault("invalid key type for the algorithm")


def _octets(key: ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) -> int:
    return (key.curve.key_size + 7) // 8


def _pair(signature: bytes) -> bytes:
    """Return an elliptic curve's signature as DER, from its two numbers one after the other (RFC 7518 section 3.4)."""
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
