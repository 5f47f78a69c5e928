"""The `identity` section: whose tokens are trusted, and on what terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from authz_service.identity.binding import Requirement
from authz_service.identity.claims import ClaimNames
from authz_service.settings.certificates import CertificateSettings, read_certificates
from authz_service.settings.dpop import DpopSettings, read_dpop
from authz_service.settings.introspection import Introspection, read_introspection
from authz_service.settings.reading import file_named, require_safe_url
from service_kit.faults import Faults
from service_kit.strict_yaml import Section

# Asymmetric only: with a shared secret every service that can verify a token could also make one.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
MAX_AGE_SECONDS = 366 * 24 * 3600
MAX_ROLES = 200
MAX_USABLE_SECONDS = 30 * 86_400
_SOURCES = ("jwks_uri", "jwks_file", "introspection")


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """When an issuer's keys are fetched again, and for how long those at hand verify tokens while that fails."""

    refresh_seconds: int = 300
    usable_seconds: int = 86_400


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of tokens that is trusted, and on what terms (see `identity.tokens.TokenTerms`).

    One of `jwks_uri`, `jwks_file` and `introspection` is set. With the last its tokens are opaque, there are no
    `algorithms`, and there may be no `audiences`, where the issuer itself looks at whom a token is meant for.

    `source` and `line` are where the file names the keys, for messages about them.
    """

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    claims: ClaimNames
    jwks_uri: str | None
    jwks_file: Path | None
    source: str
    line: int
    keys: KeyTimes = KeyTimes()
    introspection: Introspection | None = None
    required_claims: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    access_tokens_only: bool = False
    require_binding: Requirement = Requirement.NONE


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Who may call. `anonymous`: whether a request without any credential is judged at all.

    `role_bindings`: what callers with a role have to prove besides. `cached_tokens`: how many verified tokens are kept,
    of about 2 KB each, `cached_seconds`: how long.
    """

    anonymous: Literal["deny", "allow"]
    issuers: tuple[Issuer, ...]
    dpop: DpopSettings | None = None
    certificates: CertificateSettings = field(default_factory=CertificateSettings)
    role_bindings: Mapping[str, Requirement] = field(default_factory=dict)
    cached_tokens: int = 10_000
    cached_seconds: int = 300


def read_identity(root: Section, folder: Path, faults: Faults) -> IdentitySettings:
    """Read `identity`."""
    with root.section("identity") as identity:
        anonymous = identity.choice("anonymous", ("deny", "allow"), default="deny")
        issuers = tuple(_issuer(section, folder) for section in identity.sections("issuers"))
        if not issuers and anonymous == "deny":
            identity.fault("issuers", "must have at least one item, or nobody can call (anonymous is deny)")
        dpop = read_dpop(identity.section("dpop"), folder) if identity.has("dpop") else None
        certificates = CertificateSettings()
        if identity.has("certificates"):
            certificates = read_certificates(identity.section("certificates"))
        roles: dict[str, Requirement] = {}
        if identity.has("require_binding_for_roles"):
            with identity.section("require_binding_for_roles") as section:
                roles = {name: read_requirement(section, name) for name in list(section.entries)[:MAX_ROLES]}
        with identity.section("token_cache", required=False) as cache:
            tokens = cache.integer("tokens", minimum=0, maximum=1_000_000, default=10_000)
            seconds = cache.integer("seconds", minimum=1, maximum=3_600, default=300)
    names = [issuer.issuer for issuer in issuers]
    for issuer in issuers:
        if issuer.issuer and names.count(issuer.issuer) > 1:
            faults.add(issuer.source, issuer.line, f"issuer {issuer.issuer!r} is configured more than once")
    for issuer in [issuer for issuer in issuers if issuer.introspection is not None][1:]:
        faults.add(
            issuer.source,
            issuer.line,
            "only one issuer may have introspection: an opaque token does not tell its issuer",
        )
    return IdentitySettings(
        "allow" if anonymous == "allow" else "deny", issuers, dpop, certificates, roles, tokens, seconds
    )


def read_requirement(section: Section, key: str = "require_binding") -> Requirement:
    """Read what callers have to prove."""
    return Requirement(section.choice(key, [each.value for each in Requirement], default=Requirement.NONE.value))


def _issuer(section: Section, folder: Path) -> Issuer:
    with section:
        issuer = section.text("issuer")
        asked = section.has("introspection")
        introspection = read_introspection(section.section("introspection"), folder) if asked else None
        audiences = section.texts("audiences", required=not asked)
        algorithms = section.texts("algorithms", required=not asked)
        for name in algorithms:
            if name not in ALGORITHMS:
                why = "is symmetric or none, which is never accepted" if name[:2] in {"HS", "no"} else "is not known"
                section.fault("algorithms", f"has {name!r}, which {why}; known: {', '.join(ALGORITHMS)}")
        with section.section("claims", required=False) as names:
            claims = ClaimNames(
                names.text("user", "sub"),
                names.text("agent", "agent_id"),
                names.text("roles", "roles"),
                names.text("tenant") if names.has("tenant") else "",
            )
        uri = section.text("jwks_uri") if section.has("jwks_uri") else None
        file = file_named(section, "jwks_file", folder) if section.has("jwks_file") else None
        _check_source(section)
        if uri:
            require_safe_url(section, "jwks_uri", uri, "keys")
        line = section.line_of("introspection" if asked else "jwks_uri" if uri else "jwks_file")
        return Issuer(
            issuer, audiences, algorithms, claims, uri, file, section.source, line,
            keys=_key_times(section),
            introspection=introspection,
            required_claims=section.texts("required_claims"),
            max_age_seconds=section.integer("max_age_seconds", minimum=1, maximum=MAX_AGE_SECONDS, default=0) or None,
            access_tokens_only=section.choice("token_type", ("any", "at+jwt"), default="any") == "at+jwt",
            require_binding=read_requirement(section),
        )  # fmt: skip


def _check_source(section: Section) -> None:
    """Check that there is one way to verify the issuer's tokens, and nothing that belongs to another."""
    if sum(map(section.has, _SOURCES)) != 1:
        text = f"{section.path} needs one of {', '.join(_SOURCES[:-1])} and {_SOURCES[-1]}"
        section.faults.add(section.source, section.line, text)
    elif section.has("introspection"):
        for key in filter(section.has, ("algorithms", "keys", "token_type")):
            section.fault(key, "means nothing where tokens are asked about by introspection")


def _key_times(section: Section) -> KeyTimes:
    usual = KeyTimes()
    with section.section("keys", required=False) as keys:
        refresh = keys.integer("refresh_seconds", minimum=10, maximum=86_400, default=usual.refresh_seconds)
        usable = keys.integer("usable_seconds", minimum=60, maximum=MAX_USABLE_SECONDS, default=usual.usable_seconds)
        if usable < 2 * refresh:
            keys.fault(
                "usable_seconds", "must be at least twice refresh_seconds, or keys end while new ones are fetched"
            )
    return KeyTimes(refresh, usable)
