"""Whose signature a bundle must bear: the keys as they are configured, checked before any bundle is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from jwt.algorithms import get_default_algorithms

from service_kit.faults import Faults

SECRET_ALGORITHMS: Final = ("HS256", "HS384", "HS512")
PUBLIC_ALGORITHMS: Final = (
    "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
)  # fmt: skip
MAX_KEY_BYTES: Final = 64 * 1024
_PEM: Final = "-----BEGIN "
_KEY_MEMBERS: Final = frozenset({"key", "algorithm", "scope"})
_TERMS_MEMBERS: Final = frozenset({"keys", "key_id", "scope"})


def key_problem(algorithm: str, material: str) -> str | None:
    """Say why a key cannot verify signatures by this algorithm; None where it can."""
    if algorithm not in SECRET_ALGORITHMS + PUBLIC_ALGORITHMS:
        return f"has an algorithm that is not one of {', '.join(PUBLIC_ALGORITHMS + SECRET_ALGORITHMS)}"
    if len(material) > MAX_KEY_BYTES:
        return f"is longer than {MAX_KEY_BYTES} characters"
    if algorithm in PUBLIC_ALGORITHMS and "PRIVATE KEY-----" in material:
        return "is a private key: give its public half, and keep the private one where bundles are signed"
    if algorithm in PUBLIC_ALGORITHMS and _PEM not in material:
        return "is no public key in PEM"
    # A public key is no secret: taken for one, it would let everybody sign who knows it.
    if algorithm in SECRET_ALGORITHMS and _PEM in material:
        return f"is a key in PEM, which {algorithm} would take for a secret"
    method = get_default_algorithms()[algorithm]
    try:
        is_short = method.check_key_length(method.prepare_key(material.encode())) is not None
    except (jwt.PyJWTError, ValueError, TypeError):
        return f"is no key that {algorithm} can verify with"
    return f"is too short for {algorithm}" if is_short else None


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key in PEM, or a secret, with the one algorithm that it is for. An empty scope is none."""

    algorithm: str
    material: str = field(repr=False)
    scope: str = ""

    def __post_init__(self) -> None:
        problem = key_problem(self.algorithm, self.material)
        if problem:
            raise ValueError(f"the key {problem}")


@dataclass(frozen=True, slots=True)
class SignatureTerms:
    """Which signatures count: the keys by their ids, the id of the only one that counts if any, and the scope.

    A key's scope counts where these terms have none. A signature's scope must be the very same, none included.
    """

    keys: Mapping[str, VerificationKey]
    key_id: str = ""
    scope: str = ""

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("terms without a key would verify nothing")
        if self.key_id and self.key_id not in self.keys:
            raise ValueError("the key id names none of the keys")


def read_terms(document: Mapping[str, Any], source: str, faults: Faults) -> SignatureTerms | None:
    """Read `{"keys": {ID: {"key", "algorithm", "scope"}}, "key_id", "scope"}`. An empty document asks for no signature.

    The lesser members may be left out. With a fault there are no terms either: look at `faults` before going on.
    """
    before = len(faults.found)
    keys = document.get("keys", {})
    if not isinstance(keys, dict) or (document and not keys):
        faults.add(source, 0, "the verification of bundles has no keys")
        keys = {}
    _refuse_unknown(document, _TERMS_MEMBERS, "the verification of bundles", source, faults)
    read = {str(key_id): _key(str(key_id), key, source, faults) for key_id, key in keys.items()}
    found = {key_id: key for key_id, key in read.items() if key is not None}
    key_id, scope = document.get("key_id", ""), document.get("scope", "")
    if not isinstance(key_id, str) or not isinstance(scope, str):
        faults.add(source, 0, "the verification of bundles has a key id or scope that is not text")
    elif key_id and key_id not in keys:
        faults.add(source, 0, f"the verification of bundles names the key {key_id!r}, which is not among its keys")
    elif document and len(faults.found) == before:
        return SignatureTerms(found, key_id, scope)
    return None


def _key(key_id: str, key: Any, source: str, faults: Faults) -> VerificationKey | None:
    who = f"the verification key {key_id!r}"
    members = key if isinstance(key, dict) else {}
    material, algorithm, scope = members.get("key", ""), members.get("algorithm", "RS256"), members.get("scope", "")
    if not isinstance(key, dict) or not all(isinstance(text, str) for text in (material, algorithm, scope)):
        faults.add(source, 0, f"{who} is not an object of texts")
        return None
    _refuse_unknown(members, _KEY_MEMBERS, who, source, faults)
    problem = key_problem(algorithm, material)
    if problem:
        faults.add(source, 0, f"{who} {problem}")
        return None
    return VerificationKey(algorithm, material, scope)


def _refuse_unknown(document: Mapping[str, Any], known: frozenset[str], who: str, source: str, faults: Faults) -> None:
    for name in sorted(map(str, document.keys() - known)):
        faults.add(source, 0, f"{who} has the unknown member {name!r}; known here: {', '.join(sorted(known))}")
