"""Are these files what somebody signed whose key is known here? Bundle signatures as OPA makes them. Pure.

`.signatures.json` at the bundle's root holds one JWS (RFC 7515), whose payload has a scope and lists every other file
of the bundle with its digest. As with OPA, the key decides which algorithm counts, and the payload's times do not: a
bundle ends when its signer replaces it. Other than with OPA, a digest by MD5 or SHA-1 vouches for nothing, and neither
does a signature that lists a file twice. A value that OPA's YAML reader takes for another than ours does, such as
`yes`, has another digest, and is refused.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from authz_service.policy.bundles import json_reading
from authz_service.policy.bundles.digests import ALGORITHMS, file_digest
from authz_service.policy.bundles.files import shown
from authz_service.policy.bundles.json_reading import JsonError
from authz_service.policy.bundles.keys import SignatureTerms, VerificationKey
from service_kit.faults import Fault

SIGNATURES: Final = ".signatures.json"
MAX_SIGNATURES_BYTES: Final = 4 * 1024 * 1024
_JWS: Final = jwt.PyJWS(options={"enforce_minimum_key_length": True})
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_REFUSED_HEADERS: Final = ("jwk", "jku", "x5u", "x5c", "crit", "b64")  # keys or extensions of its own (RFC 8725, 3.10)


class _SignatureError(Exception):
    """The signature as a whole does not hold."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """One file as the signature lists it."""

    digest: bytes
    algorithm: str


def signature_faults(files: Mapping[str, bytes], terms: SignatureTerms, source: str) -> list[Fault]:
    """Say why these files are not what the terms ask for; an empty list says that they are.

    Where it is not empty, nothing of the files can be relied on.
    """
    place = f"{source}/{SIGNATURES}"
    if SIGNATURES not in files:
        return [Fault(source, 0, f"is not signed: it has no {SIGNATURES} (`opa build --signing-key`)")]
    try:
        token = _token(files[SIGNATURES])
        payload = _payload(token, terms)
        signed = _listing(payload.get("files"))
    except _SignatureError as error:
        return [Fault(place, 0, str(error))]
    except JsonError as error:
        return [Fault(place, error.line, error.text)]
    contents = {name: content for name, content in files.items() if name != SIGNATURES}
    missing = [
        Fault(place, 0, f"lists the file {shown(name)}, which is not there") for name in signed.keys() - contents
    ]
    return [*missing, *_changes(contents, signed, source)]


def _token(content: bytes) -> str:
    if len(content) > MAX_SIGNATURES_BYTES:
        raise _SignatureError(f"is larger than {MAX_SIGNATURES_BYTES} bytes")
    document = json_reading.read(content)
    signatures = document.get("signatures") if isinstance(document, dict) else None
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], str):
        raise _SignatureError("must have a list of exactly one signature")
    if document.get("plugin", "") not in ("", "_default"):  # no set: this may be a list, which cannot be hashed
        raise _SignatureError("is made by a plugin of OPA, which is not known here")
    return signatures[0]


def _payload(token: str, terms: SignatureTerms) -> Mapping[str, Any]:
    """Verify the token, and return what it signs."""
    try:
        unverified = _JWS.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise _SignatureError("is no signed token") from error
    header = unverified["header"]
    if any(name in header for name in _REFUSED_HEADERS):
        raise _SignatureError("brings keys or extensions of its own")
    key_id, key = _key(header, unverified["payload"], terms)
    if header.get("alg") != key.algorithm:
        raise _SignatureError(
            f"is signed with {shown(str(header.get('alg')))}, but the key {key_id!r} is for {key.algorithm}"
        )
    try:
        content = _JWS.decode(token, key.material, algorithms=[key.algorithm])
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _SignatureError(f"does not hold: it is not made with the key {key_id!r}, or changed since") from error
    payload = _object(content)
    scope = terms.scope or key.scope
    signed_scope = payload.get("scope", "")
    if signed_scope != scope:
        raise _SignatureError(f"is for the scope {shown(str(signed_scope))}, not for {scope!r}")
    return payload


def _key(header: Mapping[str, Any], payload: bytes, terms: SignatureTerms) -> tuple[str, VerificationKey]:
    """Find the key: by the id that is configured, that of the token, or as the only one. None of it is verified yet."""
    key_id = terms.key_id or header.get("kid") or _object(payload).get("keyid")
    if not key_id and len(terms.keys) == 1:
        return next(iter(terms.keys.items()))
    if not isinstance(key_id, str) or key_id not in terms.keys:
        raise _SignatureError(f"is made with the key {shown(str(key_id or ''))}, which is not known here")
    return key_id, terms.keys[key_id]


def _object(content: bytes) -> Mapping[str, Any]:
    value = json_reading.read(content)
    if not isinstance(value, dict):
        raise _SignatureError("signs something that is no object")
    return value


def _listing(listed: Any) -> Mapping[str, _Signed]:
    if not isinstance(listed, list):
        raise _SignatureError("signs no list of files")
    signed: dict[str, _Signed] = {}
    for file in listed:
        members = file if isinstance(file, dict) else {}
        name, digest, algorithm = (members.get(member) for member in ("name", "hash", "algorithm"))
        if not isinstance(name, str) or not isinstance(digest, str) or not _HEX.fullmatch(digest):
            raise _SignatureError("lists a file without a name or a digest")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise _SignatureError(
                f"lists the file {shown(name)} with a digest that is not one of {', '.join(ALGORITHMS)}"
            )
        if name in signed:
            raise _SignatureError(f"lists the file {shown(name)} twice")
        signed[name] = _Signed(bytes.fromhex(digest), algorithm)
    return signed


def _changes(files: Mapping[str, bytes], signed: Mapping[str, _Signed], source: str) -> Iterator[Fault]:
    for name, content in files.items():
        place = f"{source}/{name}"
        if name not in signed:
            yield Fault(place, 0, f"is not signed: {SIGNATURES} does not list it")
            continue
        try:
            digest = file_digest(name, content, signed[name].algorithm)
        except JsonError as error:
            yield Fault(place, error.line, error.text)
            continue
        if not hmac.compare_digest(digest, signed[name].digest):
            yield Fault(place, 0, "is not the file that was signed: its digest is another")
