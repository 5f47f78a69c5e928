"""What a certificate's extensions say (RFC 5280 section 4.2). A critical one that is not known is told, not refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from authz_service.rego_engine.builtins import x509_names
from authz_service.rego_engine.builtins.x509_der import (
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    Identifier,
    Reader,
    context,
)
from authz_service.rego_engine.builtins.x509_names import NO_NAMES, NO_SUBTREES, AlternativeNames, Subtrees
from authz_service.rego_engine.errors import BuiltinFault

ALTERNATIVE_NAMES: Final = (2, 5, 29, 17)
ANY_USAGE: Final = 0  # of EXTENDED_USAGES
EXTENDED_USAGES: Final[dict[Identifier, int]] = {
    (2, 5, 29, 37, 0): ANY_USAGE,
    **{(1, 3, 6, 1, 5, 5, 7, 3, number): number for number in range(1, 10)},
    (1, 3, 6, 1, 4, 1, 311, 10, 3, 3): 10,
    (2, 16, 840, 1, 113730, 4, 1): 11,
    (1, 3, 6, 1, 4, 1, 311, 2, 1, 22): 12,
    (1, 3, 6, 1, 4, 1, 311, 61, 1, 1): 13,
}

_KEY_USAGES: Final = 9  # bits that have a meaning
_MAX_PATH: Final = 2**63 - 1
_URI: Final = context(6)
_OCSP: Final = (1, 3, 6, 1, 5, 5, 7, 48, 1)
_ISSUERS: Final = (1, 3, 6, 1, 5, 5, 7, 48, 2)


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension as it stands in a certificate."""

    id: Identifier
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Meaning:
    """What all extensions of a certificate say together. None stands for what none of them says."""

    has_basic_constraints: bool = False
    is_authority: bool = False
    max_path: int = 0  # certificates between this one and the leaf; -1 where basic constraints give no bound
    key_usage: int = 0
    usages: tuple[int, ...] | None = None
    unknown_usages: tuple[Identifier, ...] | None = None
    subject_key: bytes | None = None
    authority_key: bytes | None = None
    ocsp_servers: tuple[str, ...] | None = None
    issuer_urls: tuple[str, ...] | None = None
    names: AlternativeNames = NO_NAMES
    permitted: Subtrees = NO_SUBTREES
    excluded: Subtrees = NO_SUBTREES
    constraints_critical: bool = False
    revocation_lists: tuple[str, ...] | None = None
    policies: tuple[Identifier, ...] | None = None
    policy_mappings: tuple[tuple[Identifier, Identifier], ...] | None = None
    require_policy: int | None = None
    inhibit_mapping: int | None = None
    inhibit_any: int | None = None
    unhandled: tuple[Identifier, ...] | None = None


def extension(reader: Reader) -> Extension:
    """Read what stands inside an Extension."""
    kind = reader.identifier()
    critical = reader.boolean() if reader.next_is(BOOLEAN) else False
    return Extension(kind, critical, reader.read(OCTET_STRING))


def meaning(extensions: Iterable[Extension]) -> Meaning:
    """Read what extensions say; a known one that is malformed is a fault."""
    found: dict[str, Any] = {}
    unhandled: list[Identifier] = []
    for one in extensions:
        read = _READERS.get(one.id)
        said = read(one) if read else None
        is_handled = said is not None and not said.pop("unhandled", False)
        if one.critical and not is_handled:
            unhandled.append(one.id)
        found.update(said or {})
    return Meaning(**found, unhandled=tuple(unhandled) or None)


def _key_usage(one: Extension) -> dict[str, Any]:
    octets, _ = Reader(one.value, "x509: invalid key usage").bit_string()
    bits = (octets + bytes(2))[:2]
    first_to_last = f"{int.from_bytes(bits):016b}"[:_KEY_USAGES]
    return {"key_usage": int(first_to_last[::-1], 2)}


def _basic_constraints(one: Extension) -> dict[str, Any]:
    reader = Reader(one.value, "x509: invalid basic constraints").inside(SEQUENCE)
    is_authority = reader.boolean() if reader.next_is(BOOLEAN) else False
    max_path = reader.integer() if reader.next_is(INTEGER) else -1
    if max_path < -1 or max_path > _MAX_PATH:
        raise reader.fault()
    return {"has_basic_constraints": True, "is_authority": is_authority, "max_path": max_path}


def _alternative_names(one: Extension) -> dict[str, Any]:
    names = x509_names.alternative_names(one.value)
    return {"names": names, "unhandled": not names}


def _name_constraints(one: Extension) -> dict[str, Any]:
    reader = Reader(one.value, "x509: invalid NameConstraints extension").inside(SEQUENCE)
    permitted = reader.optional(context(0, constructed=True))
    excluded = reader.optional(context(1, constructed=True))
    if reader or not (permitted or excluded):
        raise reader.fault()
    inside, inside_unknown = x509_names.subtrees(permitted.rest if permitted else None)
    outside, outside_unknown = x509_names.subtrees(excluded.rest if excluded else None)
    return {
        "permitted": inside,
        "excluded": outside,
        "constraints_critical": one.critical,
        "unhandled": inside_unknown or outside_unknown,
    }


def _revocation_lists(one: Extension) -> dict[str, Any]:
    reader = Reader(one.value, "x509: invalid CRL distribution points").inside(SEQUENCE)
    found: list[str] = []
    while reader:
        name = reader.inside(SEQUENCE).optional(context(0, constructed=True))
        if name is None:
            continue
        full = name.inside(context(0, constructed=True))
        while full.next_is(_URI):
            found.append(_text(full.read(_URI)))
    return {"revocation_lists": tuple(found) or None}


def _authority_key(one: Extension) -> dict[str, Any]:
    _refuse_critical(one, "authority key identifier")
    reader = Reader(one.value, "x509: invalid authority key identifier").inside(SEQUENCE)
    return {"authority_key": reader.read(context(0)) if reader.next_is(context(0)) else None}


def _subject_key(one: Extension) -> dict[str, Any]:
    _refuse_critical(one, "subject key identifier")
    return {"subject_key": Reader(one.value, "x509: invalid subject key identifier").read(OCTET_STRING)}


def _policy_constraints(one: Extension) -> dict[str, Any]:
    reader = Reader(one.value, "x509: invalid policy constraints extension").inside(SEQUENCE)
    return {
        "require_policy": reader.integer(context(0)) if reader.next_is(context(0)) else None,
        "inhibit_mapping": reader.integer(context(1)) if reader.next_is(context(1)) else None,
    }


def _usages(one: Extension) -> dict[str, Any]:
    reader = Reader(one.value, "x509: invalid extended key usages").inside(SEQUENCE)
    found: list[Identifier] = []
    while reader:
        found.append(reader.identifier())
    return {
        "usages": tuple(EXTENDED_USAGES[usage] for usage in found if usage in EXTENDED_USAGES) or None,
        "unknown_usages": tuple(usage for usage in found if usage not in EXTENDED_USAGES) or None,
    }


def _policies(one: Extension) -> dict[str, Any]:
    reader = Reader(one.value, "x509: invalid certificate policies").inside(SEQUENCE)
    found: list[Identifier] = []
    while reader:
        found.append(reader.inside(SEQUENCE).identifier())
    if len(set(found)) < len(found):
        raise reader.fault()
    return {"policies": tuple(found)}


def _policy_mappings(one: Extension) -> dict[str, Any]:
    reader = Reader(one.value, "x509: invalid policy mappings extension").inside(SEQUENCE)
    found: list[tuple[Identifier, Identifier]] = []
    while reader:
        pair = reader.inside(SEQUENCE)
        found.append((pair.identifier(), pair.identifier()))
    return {"policy_mappings": tuple(found) or None}


def _inhibit_any(one: Extension) -> dict[str, Any]:
    return {"inhibit_any": Reader(one.value, "x509: invalid inhibit any policy extension").integer()}


def _authority_access(one: Extension) -> dict[str, Any]:
    _refuse_critical(one, "authority info access")
    reader = Reader(one.value, "x509: invalid authority info access").inside(SEQUENCE)
    found: dict[Identifier, list[str]] = {}
    while reader:
        access = reader.inside(SEQUENCE)
        method = access.identifier()
        if access.next_is(_URI):
            found.setdefault(method, []).append(_text(access.read(_URI)))
    return {
        "ocsp_servers": tuple(found.get(_OCSP, ())) or None,
        "issuer_urls": tuple(found.get(_ISSUERS, ())) or None,
    }


def _refuse_critical(one: Extension, name: str) -> None:
    if one.critical:  # RFC 5280 says that it must not be
        raise BuiltinFault(f"x509: {name} incorrectly marked critical")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


_READERS: Final[dict[Identifier, Callable[[Extension], dict[str, Any]]]] = {
    (2, 5, 29, 14): _subject_key,
    (2, 5, 29, 15): _key_usage,
    ALTERNATIVE_NAMES: _alternative_names,
    (2, 5, 29, 19): _basic_constraints,
    (2, 5, 29, 30): _name_constraints,
    (2, 5, 29, 31): _revocation_lists,
    (2, 5, 29, 32): _policies,
    (2, 5, 29, 33): _policy_mappings,
    (2, 5, 29, 35): _authority_key,
    (2, 5, 29, 36): _policy_constraints,
    (2, 5, 29, 37): _usages,
    (2, 5, 29, 54): _inhibit_any,
    (1, 3, 6, 1, 5, 5, 7, 1, 1): _authority_access,
}
