"""Bundles made for tests: archives of any files, sound or not, and signatures over them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from authz_service.policy.bundles.keys import SignatureTerms, VerificationKey
from tests.authz_service.minting import SigningKey, key

PLAN = b'{"static":{},"plans":{},"funcs":{}}'
FILES: Mapping[str, bytes] = {
    "plan.json": PLAN,
    "data.json": b'{"teams": {"red": ["alice"]}}',
    ".manifest": b'{"revision": "r1", "roots": ["teams"], "rego_version": 1}',
    "authz/main.rego": b"package authz\n",
}


def archive(files: Mapping[str, bytes], *, form: int = tarfile.USTAR_FORMAT, prefix: str = "/") -> bytes:
    """A `.tar.gz` of some files, as `opa build` packs them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def listing(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """What a signer lists of files whose JSON is written without spaces, keys sorted: then bytes and value are one."""
    return [
        {"name": name, "hash": hashlib.sha256(content).hexdigest(), "algorithm": "SHA-256"}
        for name, content in files.items()
    ]


def signatures(payload: Any, signer: SigningKey | None = None, **headers: Any) -> bytes:
    """A `.signatures.json` over any payload."""
    token = (signer or key()).sign_raw({"alg": (signer or key()).algorithm, "kid": "k1", **headers}, payload)
    return json.dumps({"signatures": [token]}).encode()


def signed(files: Mapping[str, bytes], signer: SigningKey | None = None, **payload: Any) -> dict[str, bytes]:
    """Files with their signature."""
    return {**files, ".signatures.json": signatures({"files": listing(files), **payload}, signer)}


def terms(
    signer: SigningKey | None = None, *, key_id: str = "", scope: str = "", key_scope: str = ""
) -> SignatureTerms:
    """Terms that ask for the signer's signature."""
    one = signer or key()
    return SignatureTerms(
        {"k1": VerificationKey(one.algorithm, one.public_pem().decode(), key_scope)}, key_id=key_id, scope=scope
    )
