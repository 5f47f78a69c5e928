"""The `identity.dpop` section: on what terms DPoP proofs are accepted (RFC 9449)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from authz_service.identity import target_uri
from authz_service.identity.nonces import MIN_SECRET_BYTES
from authz_service.routing import host_name
from authz_service.settings.reading import file_named
from service_kit.strict_yaml import Section

ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
DEFAULT_ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")
MAX_ORIGINS = 1_000
MAX_SECRET_BYTES = 4 * 1024


@dataclass(frozen=True, slots=True)
class DpopSettings:
    """See `identity.dpop.ProofTerms`. `nonce_secret`: every proof must carry a nonce made with it."""

    origins: Mapping[str, str]
    algorithms: tuple[str, ...]
    max_age_seconds: int
    skew_seconds: int
    nonce_secret: bytes | None
    replay: Literal["valkey", "memory"]


def read_dpop(section: Section, folder: Path) -> DpopSettings:
    """Read `identity.dpop`."""
    with section:
        origins = _origins(section)
        algorithms = section.texts("algorithms", required=section.has("algorithms")) or DEFAULT_ALGORITHMS
        for name in algorithms:
            if name not in ALGORITHMS:
                section.fault("algorithms", f"has {name!r}, which is not one of {', '.join(ALGORITHMS)}")
        max_age = section.integer("max_age_seconds", minimum=5, maximum=600, default=60)
        skew = section.integer("skew_seconds", minimum=0, maximum=60, default=5)
        secret = _secret(section, folder) if section.has("nonce_secret_file") else None
        replay = section.choice("replay", ("valkey", "memory"), default="valkey")
    return DpopSettings(origins, algorithms, max_age, skew, secret, "memory" if replay == "memory" else "valkey")


def _origins(section: Section) -> Mapping[str, str]:
    found: dict[str, str] = {}
    texts = section.texts("origins", required=True)
    if len(texts) > MAX_ORIGINS:
        section.fault("origins", f"must have at most {MAX_ORIGINS} items")
    for text in texts[:MAX_ORIGINS]:
        uri = target_uri.normalise(text)
        if uri is None or urlsplit(uri).path != "/" or "?" in text or "#" in text:
            section.fault("origins", f"must hold origins such as https://api.example, but has {text!r}")
            continue
        host = host_name(uri.split("/")[2])  # as it is looked up for a request
        if host in found:
            section.fault("origins", f"has two origins with the host {host!r}")
        found[host] = uri.removesuffix("/")
    return found


def _secret(section: Section, folder: Path) -> bytes | None:
    path = file_named(section, "nonce_secret_file", folder)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            secret = file.read(MAX_SECRET_BYTES + 1).strip()
    except OSError as error:
        section.fault("nonce_secret_file", f"cannot be read: {error.strerror}")
        return None
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        section.fault(
            "nonce_secret_file",
            f"must hold {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes, as of `openssl rand -base64 48`",
        )
        return None
    return secret
