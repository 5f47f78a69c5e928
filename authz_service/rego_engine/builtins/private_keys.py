"""Private keys as policies see them: crypto.parse_private_keys and crypto.x509.parse_rsa_private_key.

They are secrets: nothing here is kept after the call, and no fault quotes one.
"""

from __future__ import annotations

import contextlib
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import load_der_private_key

from authz_service.rego_engine.builtins import pem, rsa_numbers
from authz_service.rego_engine.builtins.octets import from_base64, to_base64, to_base64url
from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.builtins.x509_algorithms import PublicKey, is_known_curve
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

MAX_CHARACTERS: Final = 65_536  # of a text with keys
MAX_KEY_OCTETS: Final = 5_120  # of one key: RSA of 8,192 bits

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey

_LABELS: Final = {"RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY"}
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@builtin("crypto.parse_private_keys", pure=False)
def parse_private_keys(keys: Value) -> Value:
    """Return the private keys of a text, PEM or base64 of PEM, as objects; blocks with other labels are passed over."""
    text = _bounded(keys)
    return [shown(key) for key in _keys(text)] if text else None


@builtin("crypto.x509.parse_rsa_private_key", pure=False)
def parse_rsa_private_key(pem_key: Value) -> Value:
    """Return the first private key of a text, PEM or base64 of PEM, as a JWK (RFC 7517)."""
    text = _bounded(pem_key)
    if not text:
        raise BuiltinFault("input PEM data was empty")
    if not pem.is_pem(text):
        text = from_base64(text).decode("latin-1")
    found = _keys(text)
    return _jwk(found[0]) if found else None


def of_pair(text: str) -> PrivateKey:
    """Return the first private key of a PEM text, whatever the block's label says about its form."""
    for block in pem.blocks(text):
        if block.label == "PRIVATE KEY" or block.label.endswith(" PRIVATE KEY"):
            found = _key(block.octets)
            if isinstance(found, x25519.X25519PrivateKey):
                raise BuiltinFault("tls: found unknown private key type in PKCS#8 wrapping")
            return found
    raise BuiltinFault("tls: failed to find any PEM data in key input")


def belongs(private: PrivateKey, public: PublicKey) -> bool:
    """Whether a public key is the private one's."""
    return bool(private.public_key() == public)


def shown(key: PrivateKey) -> Value:
    """Return a private key as an object of its numbers, or as base64 where it has none."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        return {
            "D": numbers.d,
            "E": numbers.public_numbers.e,
            "N": numbers.public_numbers.n,
            "Precomputed": {"CRTValues": [], "Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp},
            "Primes": [numbers.p, numbers.q],
        }
    if isinstance(key, ec.EllipticCurvePrivateKey):
        scalar = key.private_numbers()
        return {"Curve": {}, "D": scalar.private_value, "X": scalar.public_numbers.x, "Y": scalar.public_numbers.y}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return to_base64(key.private_bytes_raw() + key.public_key().public_bytes_raw())
    return {}


def _bounded(value: Value) -> str:
    text = string(value, 1)
    if len(text) > MAX_CHARACTERS:
        raise BuiltinFault(f"operand 1 is longer than {MAX_CHARACTERS} characters")
    return text


def _keys(text: str) -> list[PrivateKey]:
    with contextlib.suppress(BuiltinFault):  # else it is PEM already, or nothing
        text = from_base64(text).decode("latin-1")
    return [_key(block.octets) for block in pem.blocks(text) if block.label in _LABELS]


def _key(octets: bytes) -> PrivateKey:
    if len(octets) > MAX_KEY_OCTETS:
        raise BuiltinFault(f"private key is longer than {MAX_KEY_OCTETS} octets")
    try:
        found = load_der_private_key(octets, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm):
        raise BuiltinFault("x509: failed to parse private key") from None
    if not isinstance(found, PrivateKey) or (
        isinstance(found, ec.EllipticCurvePrivateKey) and not is_known_curve(found)
    ):
        raise BuiltinFault("x509: private key has an unknown algorithm")
    if isinstance(found, rsa.RSAPrivateKey) and not rsa_numbers.fit(found.private_numbers()):
        raise BuiltinFault("x509: failed to parse private key: its numbers do not fit")
    return found


def _jwk(key: PrivateKey) -> Value:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        parts = {
            "d": numbers.d,
            "dp": numbers.dmp1,
            "dq": numbers.dmq1,
            "e": numbers.public_numbers.e,
            "n": numbers.public_numbers.n,
            "p": numbers.p,
            "q": numbers.q,
            "qi": numbers.iqmp,
        }
        return {"kty": "RSA"} | {name: _number(value, (value.bit_length() + 7) // 8) for name, value in parts.items()}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if key.curve.name not in _CURVES:
            raise BuiltinFault("jwk: elliptic curve has no name among JSON web keys")
        scalar, size = key.private_numbers(), (key.key_size + 7) // 8
        return {
            "crv": _CURVES[key.curve.name],
            "d": _number(scalar.private_value, size),
            "kty": "EC",
            "x": _number(scalar.public_numbers.x, size),
            "y": _number(scalar.public_numbers.y, size),
        }
    return {
        "crv": "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "X25519",
        "d": to_base64url(key.private_bytes_raw()),
        "kty": "OKP",
        "x": to_base64url(key.public_key().public_bytes_raw()),
    }


def _number(value: int, octets: int) -> str:
    return to_base64url(value.to_bytes(octets))
