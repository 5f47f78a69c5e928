"""Name constraints (RFC 5280 section 4.2.1.10): which names an authority may certify."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, Final

from authz_service.rego_engine.builtins.x509_certificates import Certificate
from authz_service.rego_engine.builtins.x509_names import Address, AlternativeNames, Subtrees, is_domain

MAX_COMPARISONS: Final = 250_000  # of a name with a constraint, for one chain

_Names = Sequence[Any] | None
_Within = Callable[[Any, Any], bool]


def keeps_constraints(chain: Sequence[Certificate]) -> bool:
    """Whether every certificate below one with constraints (`chain` has the leaf first) has names that keep them.

    A chain that needs more than `MAX_COMPARISONS` does not.
    """
    bounds = [(height, one.says.permitted, one.says.excluded) for height, one in enumerate(chain) if _has(one)]
    comparisons = 0
    for height, certificate in enumerate(chain):
        names = certificate.says.names
        for above, permitted, excluded in bounds:
            if above <= height:
                continue
            comparisons += _count(names) * (_size(permitted) + _size(excluded))
            if comparisons > MAX_COMPARISONS or not _keeps(names, permitted, excluded):
                return False
    return True


def _has(certificate: Certificate) -> bool:
    return bool(certificate.says.permitted or certificate.says.excluded)


def _count(names: AlternativeNames) -> int:
    return sum(len(some or ()) for some in (names.dns, names.email, names.addresses, names.uris))


def _size(found: Subtrees) -> int:
    return sum(len(some or ()) for some in (found.dns, found.email, found.networks, found.uris))


def _keeps(names: AlternativeNames, permitted: Subtrees, excluded: Subtrees) -> bool:
    hosts = [_host(uri.host) for uri in names.uris or ()]
    domains = [*(names.dns or ()), *(host for host in hosts if host)]
    if None in hosts or not all(is_domain(name.removeprefix("*.")) for name in domains):
        return False
    return (
        _all_within(names.dns, _is_below, permitted.dns)
        and _all_within(hosts, _is_below, permitted.uris)
        and _all_within(names.email, _is_mailbox_below, permitted.email)
        and _all_within(names.addresses, _is_in_network, permitted.networks)
        and not _any_within(names.dns, _may_be_below, excluded.dns)
        and not _any_within(hosts, _is_below, excluded.uris)
        and not _any_within(names.email, _is_mailbox_below, excluded.email)
        and not _any_within(names.addresses, _is_in_network, excluded.networks)
    )


def _all_within(names: _Names, within: _Within, spaces: _Names) -> bool:
    return spaces is None or all(any(within(name, space) for space in spaces) for name in names or ())


def _any_within(names: _Names, within: _Within, spaces: _Names) -> bool:
    return any(within(name, space) for name in names or () for space in spaces or ())


def _host(authority: str) -> str | None:
    """Return a URI's host, or None where it has none, or an address: neither can be held against a constraint."""
    host = authority.partition(":")[0].lower()
    if not host or host.startswith("["):
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return None


def _is_below(name: str, space: str) -> bool:
    """Whether a name is a domain, or below it; where the space starts with a point, only below."""
    name, space = name.lower(), space.lower()
    if not space or name == space:
        return True
    return name.endswith(space if space.startswith(".") else f".{space}")


def _may_be_below(name: str, space: str) -> bool:
    """Whether a name, which may stand for many (`*.example.org`), has one that is below a domain."""
    if _is_below(name, space):
        return True
    return name.startswith("*.") and name[2:].lower() == space.lower().removeprefix(".").partition(".")[2]


def _is_mailbox_below(mailbox: str, space: str) -> bool:
    local, _, domain = mailbox.rpartition("@")
    if "@" in space:
        wanted, _, at = space.rpartition("@")
        return local == wanted and domain.lower() == at.lower()
    return _is_below(domain, space)


def _is_in_network(address: Address, network: tuple[bytes, bytes]) -> bool:
    start, mask = network
    octets = address.packed
    return len(octets) == len(start) and all(
        one & bits == other & bits for one, other, bits in zip(octets, start, mask, strict=True)
    )
