"""What an issuer's `introspection` says: where its opaque tokens are asked about, and as whom (RFC 7662)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from authz_service.identity.introspection import AUTHENTICATIONS, Authentication
from authz_service.settings.reading import file_named, require_safe_url
from service_kit.strict_yaml import Section

MAX_CACHE_SECONDS = 3_600  # an answer is believed for as long: a token that was withdrawn passes until then
MAX_NEGATIVE_CACHE_SECONDS = 300
MAX_CLIENT_ID = 256  # characters


@dataclass(frozen=True, slots=True)
class Introspection:
    """Where and as whom. For `bearer` the secret is a token, and there is no client id."""

    endpoint: str
    authentication: Authentication
    client_id: str
    client_secret_file: Path
    cache_seconds: int = 30
    negative_cache_seconds: int = 5


def read_introspection(section: Section, folder: Path) -> Introspection:
    """Read an issuer's `introspection`."""
    with section:
        endpoint = section.text("endpoint")
        _check_endpoint(section, endpoint)
        chosen = section.choice("authentication", AUTHENTICATIONS, default="basic")
        authentication = next(each for each in AUTHENTICATIONS if each == chosen)
        bearer = authentication == "bearer"
        client_id = section.text("client_id", "" if bearer else None)
        if bearer and client_id:
            section.fault("client_id", "is not needed where authentication is bearer")
        if len(client_id) > MAX_CLIENT_ID or not client_id.isascii() or not client_id.isprintable():
            section.fault("client_id", f"must have at most {MAX_CLIENT_ID} printable ASCII characters")
        return Introspection(
            endpoint,
            authentication,
            client_id,
            file_named(section, "client_secret_file", folder),
            section.integer("cache_seconds", minimum=0, maximum=MAX_CACHE_SECONDS, default=30),
            section.integer("negative_cache_seconds", minimum=0, maximum=MAX_NEGATIVE_CACHE_SECONDS, default=5),
        )


def _check_endpoint(section: Section, endpoint: str) -> None:
    if not endpoint:
        return
    require_safe_url(section, "endpoint", endpoint, "answers")
    if "@" in endpoint.partition("?")[0].partition("#")[0].partition("://")[2].partition("/")[0]:
        section.fault("endpoint", "must not hold a name or password: they belong into client_id and client_secret_file")
