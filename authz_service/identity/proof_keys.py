"""The public key that a DPoP proof brings (RFC 9449 section 4.2) → a key to verify with, and its thumbprint (RFC 7638).

Public members of the three asymmetric kinds only. Bounded: a key of a million bits would be as good as a load test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jwt

from authz_service.identity import jws
from authz_service.identity.jws import JwsError

MAX_KEYS = 10_000  # prepared ones that are kept, of about 2 KB each
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096
MAX_EXPONENT_BYTES = 4

# What each kind is made of, in the order of its thumbprint, and the algorithms that it may sign with.
_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ALGORITHMS = {
    "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "ES512": ("EC", "P-521"), "EdDSA": ("OKP", "Ed25519"),
    **{f"{family}{size}": ("RSA", None) for family in ("RS", "PS") for size in (256, 384, 512)},
}  # fmt: skip


class ProofKeyError(ValueError):
    """The key is none to verify a proof with. Its message names the fault and quotes nothing."""


def thumbprint(key: Mapping[str, Any], algorithm: str) -> str:
    """Check a key's form, and return its SHA-256 thumbprint, base64url.

    Raises:
        ProofKeyError: it is private, symmetric, of an unknown kind, too small or too large, or not for this algorithm.
    """
    kind = key.get("kty")
    members = _MEMBERS.get(kind) if isinstance(kind, str) else None
    wanted = _ALGORITHMS.get(algorithm)
    if members is None or wanted is None:
        raise ProofKeyError("the key is of a kind that is not accepted")
    if not _PRIVATE.isdisjoint(key):
        raise ProofKeyError("the key is not a public key")
    values = {name: key.get(name) for name in members}
    if not all(isinstance(value, str) for value in values.values()):
        raise ProofKeyError("the key lacks a member")
    if kind != wanted[0] or (wanted[1] is not None and values["crv"] != wanted[1]):
        raise ProofKeyError("the key does not fit the algorithm")
    if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        raise ProofKeyError("the key does not fit the algorithm")
    if kind == "RSA":
        _check_size(values["n"], values["e"])
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=True)
    return jws.encode(hashlib.sha256(text.encode()).digest())


def _check_size(modulus: Any, exponent: Any) -> None:
    try:
        bits = int.from_bytes(jws.decode(modulus)).bit_length()
        small = len(jws.decode(exponent)) <= MAX_EXPONENT_BYTES
    except JwsError:
        raise ProofKeyError("the key is not well-formed") from None
    if not (MIN_RSA_BITS <= bits <= MAX_RSA_BITS and small):
        raise ProofKeyError(
            f"an RSA key must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, and an exponent of at most"
            f" {MAX_EXPONENT_BYTES} bytes"
        )


class ProofKeys:
    """Keys made ready, kept by thumbprint: an agent proves with the same one again and again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], jwt.PyJWK] = {}

    def __len__(self) -> int:
        return len(self._known)

    def prepare(self, key: Mapping[str, Any], name: str, algorithm: str) -> jwt.PyJWK:
        """Make a key ready whose thumbprint, `name`, `thumbprint` gave for this algorithm; raises `ProofKeyError`."""
        place = (name, algorithm)
        known = self._known.get(place)
        if known is None:
            members = {member: key[member] for member in _MEMBERS[key["kty"]]}
            try:
                known = jwt.PyJWK(members, algorithm)
            except (jwt.PyJWTError, ValueError, TypeError):
                raise ProofKeyError("the key is not well-formed") from None
            if len(self._known) >= MAX_KEYS:
                del self._known[next(iter(self._known))]
            self._known[place] = known
        return known
