"""An issuer's key set (RFC 7517): which key fits a token, and since when the set is known. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jwt

from authz_service.errors import CredentialRefused

MAX_KEYS = 100
MAX_KEY_SET_BYTES = 512 * 1024

_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}  # RFC 7518 section 3.4


class KeySetError(ValueError):
    """The text is no usable key set. Its message names the fault and no key material."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """Public signing keys, and when they were fetched (seconds, monotonic)."""

    keys: Sequence[Mapping[str, Any]]
    fetched: float
    _picked: dict[tuple[str | None, str], jwt.PyJWK] = field(default_factory=dict, compare=False)

    def pick(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Find the one key that can have signed a token with this key id and algorithm; None where there is none.

        A token without a key id is matched only where exactly one key of the set fits its algorithm.
        """
        picked = self._picked.get((key_id, algorithm))
        if picked is not None:
            return picked
        fitting = [key for key in self.keys if _fits(key, algorithm) and (key_id is None or key.get("kid") == key_id)]
        if len(fitting) != 1:
            return None
        try:
            picked = jwt.PyJWK(dict(fitting[0]), algorithm)
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise CredentialRefused("key_unusable", "the issuer's key for this token cannot be used") from error
        self._picked[key_id, algorithm] = picked  # only of keys that there are: no more than these, by their algorithms
        return picked

    def renewed(self, fetched: KeySet) -> KeySet:
        """The set that was fetched after this one. Unchanged keys keep their prepared form, and begin a new age."""
        return replace(self, fetched=fetched.fetched) if fetched.keys == self.keys else fetched


def parse_key_set(text: bytes, now: float) -> KeySet:
    """Read a JWK set. Symmetric keys, private keys and keys for encryption are left out: they verify nothing here.

    Raises:
        KeySetError: no JSON, no `keys`, too large, or not one signing key in it.
    """
    if len(text) > MAX_KEY_SET_BYTES:
        raise KeySetError(f"key set is larger than {MAX_KEY_SET_BYTES} bytes")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise KeySetError("key set is not JSON") from error
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise KeySetError("key set has no list of keys")
    if len(keys) > MAX_KEYS:
        raise KeySetError(f"key set has more than {MAX_KEYS} keys")
    usable = [key for key in keys if isinstance(key, dict) and _is_for_signatures(key)]
    if not usable:
        raise KeySetError("key set has no public signing key")
    return KeySet(tuple(usable), now)


def _is_for_signatures(key: Mapping[str, Any]) -> bool:
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("kty") in ("RSA", "EC", "OKP")  # no set: this may be a list, which cannot be hashed
        and "d" not in key
        and key.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    return (
        key.get("kty") == _KEY_TYPES.get(algorithm[:2])
        and key.get("alg", algorithm) == algorithm
        and (algorithm not in _CURVES or key.get("crv") == _CURVES[algorithm])
    )
