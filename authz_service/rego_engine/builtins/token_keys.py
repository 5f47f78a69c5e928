"""The keys that tokens are verified by and signed with: PEM certificate, PEM public key, JWK and JWK set (RFC 7517)."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import load_der_public_key

from authz_service.rego_engine.builtins import pem, rsa_numbers
from authz_service.rego_engine.builtins.json_text import unmarshal
from authz_service.rego_engine.builtins.token_algorithms import ALGORITHMS, Key, PublicKey
from authz_service.rego_engine.builtins.x509_algorithms import is_known_curve
from authz_service.rego_engine.builtins.x509_certificates import certificate
from authz_service.rego_engine.errors import BuiltinFault

MAX_CHARACTERS: Final = 1_048_576  # of a text with keys
MAX_KEYS: Final = 1_000  # of one set
MAX_NUMBER_OCTETS: Final = 2_048  # of one number of a key: RSA of 16,384 bits

_OTHER_ALGORITHMS: Final = frozenset(
    {
        "none",
        "ES256K",
        "Ed25519",
        "Ed448",
        "RSA1_5",
        "RSA-OAEP",
        "RSA-OAEP-256",
        "RSA-OAEP-384",
        "RSA-OAEP-512",
        "A128KW",
        "A192KW",
        "A256KW",
        "dir",
        "ECDH-ES",
        "ECDH-ES+A128KW",
        "ECDH-ES+A192KW",
        "ECDH-ES+A256KW",
        "A128GCMKW",
        "A192GCMKW",
        "A256GCMKW",
        "PBES2-HS256+A128KW",
        "PBES2-HS384+A192KW",
        "PBES2-HS512+A256KW",
        "A128CBC-HS256",
        "A192CBC-HS384",
        "A256CBC-HS512",
        "A128GCM",
        "A192GCM",
        "A256GCM",
    }
)  # fmt: skip  (registered, but of no use to verify a token: such a key is passed over)
_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_SECRET_MEMBERS: Final = '"d"', '"k"'


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key, with the algorithm and the identifier that its set gives it; empty where it gives none."""

    algorithm: str
    id: str
    key: Key


def verification_keys(text: str) -> tuple[TokenKey, ...]:
    """Return the keys of a text; those of algorithms that sign no token are left out.

    Public keys are kept, by their text. A set with secrets in it is read anew each time.
    """
    if len(text) > MAX_CHARACTERS:
        raise BuiltinFault(f"text of the keys is longer than {MAX_CHARACTERS} characters")
    if any(member in text for member in _SECRET_MEMBERS):
        return _verification_keys(text)
    return _kept_keys(text)


def signing_key(document: Any) -> Key:
    """Return the first key of a JWK set, or the key of a single JWK, given as JSON."""
    try:
        keys = _json_web_keys(document)
    except _UnusableKeyError as fault:
        raise BuiltinFault(f"jwk.Parse: {fault}") from None
    if not keys:
        raise BuiltinFault("no keys found in JWK set")
    return keys[0].key


def _verification_keys(text: str) -> tuple[TokenKey, ...]:
    block = next(pem.blocks(text), None)
    if block is not None:
        if block.end < len(text):
            raise BuiltinFault("extra data after a PEM certificate block")
        return (TokenKey("", "", _pem_key(block)),)
    try:
        found = _json_web_keys(unmarshal(text))
    except _UnusableKeyError as fault:
        raise BuiltinFault(f"failed to parse a JWK key (set): {fault}") from None
    except BuiltinFault:
        raise BuiltinFault("failed to parse a JWK key (set): invalid JSON") from None
    return tuple(one for one in found if not one.algorithm or one.algorithm in ALGORITHMS)


_kept_keys = functools.lru_cache(maxsize=100)(_verification_keys)


def _pem_key(block: pem.Block) -> Key:
    if block.label == "CERTIFICATE":
        try:
            return _usable(certificate(block.octets).key)
        except BuiltinFault as fault:
            raise BuiltinFault(f"failed to parse a PEM certificate: {fault.text}") from None
    if block.label == "PUBLIC KEY":
        try:
            key = load_der_public_key(block.octets)
        except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm):
            raise BuiltinFault("failed to parse a PEM public key") from None
        if isinstance(key, ec.EllipticCurvePublicKey) and not is_known_curve(key):
            raise BuiltinFault("failed to parse a PEM public key: x509: unsupported elliptic curve")
        return _usable(key)
    raise BuiltinFault("failed to extract a Key from the PEM certificate")


def _usable(key: object) -> Key:
    return key if isinstance(key, PublicKey) else None


class _UnusableKeyError(ValueError):
    """A JWK is not what it should be. The text says what is wrong, and quotes nothing."""


def _json_web_keys(document: Any) -> list[TokenKey]:
    if type(document) is not dict:
        raise _UnusableKeyError("it is no object")
    members = document.get("keys", [document])
    if type(members) is not list:
        raise _UnusableKeyError('"keys" is no array')
    if len(members) > MAX_KEYS:
        raise _UnusableKeyError(f"there are more than {MAX_KEYS} keys")
    return [_json_web_key(member) for member in members]


def _json_web_key(member: Any) -> TokenKey:
    if type(member) is not dict:
        raise _UnusableKeyError("a key is no object")
    reader = _KINDS.get(_text(member, "kty"))
    if reader is None:
        raise _UnusableKeyError("invalid key type from JSON")
    algorithm = _text(member, "alg")
    if algorithm and algorithm not in ALGORITHMS and algorithm not in _OTHER_ALGORITHMS:
        raise _UnusableKeyError('"alg" is not a known algorithm')
    identifier = _text(member, "kid")
    try:
        return TokenKey(algorithm, identifier, reader(member))
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm) as fault:
        raise (
            fault if isinstance(fault, _UnusableKeyError) else _UnusableKeyError("the key's numbers fit no key")
        ) from None


def _rsa(member: Mapping[str, Any]) -> Key:
    numbers = rsa.RSAPublicNumbers(_number(member, "e"), _number(member, "n"))
    if "d" not in member:
        try:
            return numbers.public_key()
        except ValueError:
            if numbers.n and numbers.e % 2:
                return None  # too small to be trusted, so nothing is verified by it
            raise
    d = _number(member, "d")
    p, q = _number(member, "p"), _number(member, "q")
    if p < 2 or q < 2:  # noqa: PLR2004  (the least prime; what follows needs it)
        raise _UnusableKeyError("the key's numbers fit no key")
    dp = _number(member, "dp") if "dp" in member else rsa.rsa_crt_dmp1(d, p)
    dq = _number(member, "dq") if "dq" in member else rsa.rsa_crt_dmq1(d, q)
    qi = _number(member, "qi") if "qi" in member else rsa.rsa_crt_iqmp(p, q)
    private = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, numbers)
    if not rsa_numbers.fit(private):
        raise _UnusableKeyError("the key's numbers fit no key")
    return private.private_key(unsafe_skip_rsa_key_validation=True)


def _elliptic(member: Mapping[str, Any]) -> Key:
    curve = _CURVES.get(_text(member, "crv"))
    if curve is None:
        raise _UnusableKeyError("the elliptic curve is not known")
    numbers = ec.EllipticCurvePublicNumbers(_number(member, "x"), _number(member, "y"), curve)
    if "d" in member:
        return ec.EllipticCurvePrivateNumbers(_number(member, "d"), numbers).private_key()
    return numbers.public_key()


def _octet_pair(member: Mapping[str, Any]) -> Key:
    curve, public = _text(member, "crv"), _octets(member, "x")
    if curve == "Ed25519":
        if "d" in member:
            return ed25519.Ed25519PrivateKey.from_private_bytes(_octets(member, "d"))
        return ed25519.Ed25519PublicKey.from_public_bytes(public)
    if curve == "X25519":
        if "d" in member:
            return x25519.X25519PrivateKey.from_private_bytes(_octets(member, "d"))
        return x25519.X25519PublicKey.from_public_bytes(public)
    raise _UnusableKeyError("the elliptic curve is not known")


def _shared(member: Mapping[str, Any]) -> Key:
    return _octets(member, "k")


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Key]]] = {
    "RSA": _rsa,
    "EC": _elliptic,
    "OKP": _octet_pair,
    "oct": _shared,
}


def _text(member: Mapping[str, Any], name: str) -> str:
    value = member.get(name, "")
    if type(value) is not str:
        raise _UnusableKeyError(f'"{name}" is no string')
    return value


def _number(member: Mapping[str, Any], name: str) -> int:
    octets = _octets(member, name)
    if len(octets) > MAX_NUMBER_OCTETS:
        raise _UnusableKeyError(f'"{name}" is longer than {MAX_NUMBER_OCTETS} octets')
    return int.from_bytes(octets)


def _octets(member: Mapping[str, Any], name: str) -> bytes:
    """Return what a member's base64 stands for, of either alphabet, with its padding or without."""
    plain = _text(member, name).translate(_TO_STANDARD).rstrip("=")
    try:
        found = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _UnusableKeyError(f'"{name}" is no base64') from None
    if not found:
        raise _UnusableKeyError(f'"{name}" is missing or empty')
    return found


_TO_STANDARD: Final = str.maketrans("-_", "+/")
