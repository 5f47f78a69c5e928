"""Digests and message authentication codes: crypto.md5 to crypto.hmac.equal. Results are lower-case hexadecimal.

MD5 and SHA-1 are here because policies compare what other systems made; neither stands up to an attacker.
"""

from __future__ import annotations

import hashlib
import hmac

from authz_service.rego_engine.builtins.octets import utf8
from authz_service.rego_engine.builtins.registry import builtin
from authz_service.rego_engine.values import Value


@builtin("crypto.md5")
def md5(x: Value) -> Value:
    """MD5 of a string's octets (RFC 1321)."""
    return hashlib.md5(utf8(x, 1), usedforsecurity=False).hexdigest()


@builtin("crypto.sha1")
def sha1(x: Value) -> Value:
    """SHA-1 of a string's octets (FIPS 180-4)."""
    return hashlib.sha1(utf8(x, 1), usedforsecurity=False).hexdigest()


@builtin("crypto.sha256")
def sha256(x: Value) -> Value:
    """SHA-256 of a string's octets (FIPS 180-4)."""
    return hashlib.sha256(utf8(x, 1)).hexdigest()


@builtin("crypto.hmac.md5")
def hmac_md5(x: Value, key: Value) -> Value:
    """HMAC (RFC 2104) of a string, with MD5."""
    return _code(x, key, "md5")


@builtin("crypto.hmac.sha1")
def hmac_sha1(x: Value, key: Value) -> Value:
    """HMAC (RFC 2104) of a string, with SHA-1."""
    return _code(x, key, "sha1")


@builtin("crypto.hmac.sha256")
def hmac_sha256(x: Value, key: Value) -> Value:
    """HMAC (RFC 2104) of a string, with SHA-256."""
    return _code(x, key, "sha256")


@builtin("crypto.hmac.sha512")
def hmac_sha512(x: Value, key: Value) -> Value:
    """HMAC (RFC 2104) of a string, with SHA-512."""
    return _code(x, key, "sha512")


@builtin("crypto.hmac.equal")
def hmac_equal(mac1: Value, mac2: Value) -> Value:
    """Whether two codes are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(utf8(mac1, 1), utf8(mac2, 2))


def _code(message: Value, key: Value, digest: str) -> str:
    data = utf8(message, 1)
    return hmac.new(utf8(key, 2), data, digest).hexdigest()
