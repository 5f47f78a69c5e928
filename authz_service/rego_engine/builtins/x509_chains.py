"""Verifies that a certificate comes from a root, through others (RFC 5280 section 6), as OPA does.

Revocation is not looked up: that would need the network. Of certificate policies only what is needed is here: a chain
in which a certificate demands a policy must have one that all its certificates name, without mappings; anything more
is refused rather than worked out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from authz_service.rego_engine.builtins.x509_algorithms import is_signed_by
from authz_service.rego_engine.builtins.x509_certificates import Certificate
from authz_service.rego_engine.builtins.x509_constraints import keeps_constraints
from authz_service.rego_engine.builtins.x509_extensions import ALTERNATIVE_NAMES, ANY_USAGE

SERVER: Final = 1  # the extended usage that is asked for where none is
MAX_SIGNATURES: Final = 100  # that are checked for one chain

_MAY_SIGN_CERTIFICATES: Final = 1 << 5  # of the key usage's bits
_VERSION_3: Final = 3
_ANY_POLICY: Final = (2, 5, 29, 32, 0)

Chain = tuple[Certificate, ...]  # leaf first, root last


@dataclass(frozen=True, slots=True)
class Demands:
    """What a chain must be good for. An empty `host` demands none."""

    at: datetime
    host: str = ""
    usages: tuple[int, ...] = ()


def verified(certificates: Sequence[Certificate], demands: Demands) -> Chain | None:
    """Return a chain from the last certificate to the first, by those between, or None where there is none."""
    if len(certificates) < 2:  # noqa: PLR2004  (a root and a leaf)
        return None
    root, *between, leaf = certificates
    if not _may_stand(leaf, (), demands.at) or (demands.host and not _is_for(leaf, demands.host)):
        return None
    search = _Search(root, between, demands)
    for chain in [(leaf,)] if leaf.raw == root.raw else search.chains((leaf,)):
        if _is_good(chain, demands):
            return chain
    return None


class _Search:
    """Looks for chains, at the cost of at most `MAX_SIGNATURES` signatures."""

    def __init__(self, root: Certificate, between: Sequence[Certificate], demands: Demands) -> None:
        self._root = root
        self._between = between
        self._at = demands.at
        self._signatures = 0

    def chains(self, chain: Chain) -> Iterable[Chain]:
        if self._continues(chain, self._root):
            yield (*chain, self._root)
        for candidate in self._between:
            if candidate.says.is_authority and self._continues(chain, candidate):
                yield from self.chains((*chain, candidate))

    def _continues(self, chain: Chain, parent: Certificate) -> bool:
        child = chain[-1]
        if child.raw_issuer != parent.raw_subject or any(_is_same(parent, one) for one in chain):
            return False
        if not _may_sign(parent) or not _may_stand(parent, chain, self._at):
            return False
        self._signatures += 1
        return self._signatures <= MAX_SIGNATURES and is_signed_by(
            parent.key, child.signature_algorithm, child.raw_tbs, child.signature
        )


def _is_same(one: Certificate, other: Certificate) -> bool:
    """Whether two certificates are of one key and one name, so that a chain with both would run in a circle."""
    if one.raw_subject != other.raw_subject or one.raw_key != other.raw_key:
        return False
    return _alternative_names(one) == _alternative_names(other)


def _alternative_names(certificate: Certificate) -> bytes | None:
    return next((one.value for one in certificate.extensions or () if one.id == ALTERNATIVE_NAMES), None)


def _may_sign(parent: Certificate) -> bool:
    says = parent.says
    if says.has_basic_constraints:
        if not says.is_authority:
            return False
    elif parent.version == _VERSION_3:
        return False
    return not says.key_usage or bool(says.key_usage & _MAY_SIGN_CERTIFICATES)


def _may_stand(certificate: Certificate, below: Chain, at: datetime) -> bool:
    """Whether a certificate is in force, wholly understood, and allows as many below it as there are."""
    says = certificate.says
    if says.unhandled or not certificate.not_before <= at <= certificate.not_after:
        return False
    return not says.has_basic_constraints or says.max_path < 0 or len(below) - 1 <= says.max_path


def _is_good(chain: Chain, demands: Demands) -> bool:
    usages = demands.usages or (SERVER,)
    return (ANY_USAGE in usages or _is_for_usage(chain, usages)) and _keeps_policies(chain) and keeps_constraints(chain)


def _is_for_usage(chain: Chain, usages: Iterable[int]) -> bool:
    """Whether one of the usages is allowed by every certificate that restricts them."""
    left = set(usages)
    for certificate in chain:
        says = certificate.says
        if says.usages is None and says.unknown_usages is None:
            continue
        allowed = set(says.usages or ())
        if ANY_USAGE not in allowed:
            left &= allowed
    return bool(left)


def _keeps_policies(chain: Chain) -> bool:
    below_root = chain[:-1]
    if all(certificate.says.require_policy is None for certificate in below_root):
        return True
    common: set[tuple[int, ...]] | None = None
    for certificate in below_root:
        says = certificate.says
        if not says.policies or says.policy_mappings or says.inhibit_any is not None:
            return False
        if _ANY_POLICY not in says.policies:
            common = set(says.policies) if common is None else common & set(says.policies)
    return common is None or bool(common)


def _is_for(leaf: Certificate, host: str) -> bool:
    """Whether a certificate's alternative names have a host, which may be an address (RFC 6125)."""
    names = leaf.says.names
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return ipaddress.ip_address(bare) in (names.addresses or ())
    except ValueError:
        wanted = host.lower().removesuffix(".").split(".")
        return "" not in wanted and any(_matches(pattern.lower(), wanted) for pattern in names.dns or ())


def _matches(pattern: str, wanted: list[str]) -> bool:
    labels = pattern.removesuffix(".").split(".")
    if len(labels) == len(wanted) > 1 and labels[0] == "*":
        return labels[1:] == wanted[1:]
    return labels == wanted
