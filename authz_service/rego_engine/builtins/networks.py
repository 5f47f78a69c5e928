"""Built-in functions on IP networks: net.cidr_* and net.lookup_ip_addr. Nothing here touches the network.

Networks are written as RFC 4632 section 3.1 and RFC 4291 section 2.3 have it; bits beyond the prefix are dropped. An
IPv4-mapped IPv6 network (RFC 4291 section 2.5.5.2) is the IPv4 network that it maps.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, NamedTuple

from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, entries, key, members

Network = IPv4Network | IPv6Network

MAX_ADDRESSES: Final = 65_536  # of one network that is expanded: a /16
MAX_MATCHES: Final = 100_000  # pairs that net.cidr_contains_matches returns
_LONGEST: Final = 64  # characters of an address with its prefix: 45 and 4, and some leading zeros
_CACHED: Final = 4_096  # networks
_IPV4_BITS: Final = 32
_MAPPED: Final = 0xFFFF << _IPV4_BITS  # ::ffff:0:0
_MAPPED_PREFIX: Final = 96  # bits
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


@lru_cache(maxsize=_CACHED)
def _parse_network(text: str) -> Network | None:
    name, slash, prefix = text.partition("/")
    if not slash or not (prefix.isascii() and prefix.isdigit()):
        return None
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    bits = int(prefix)
    if bits > address.max_prefixlen or (type(address) is IPv6Address and address.scope_id):
        return None
    if type(address) is IPv6Address and address.ipv4_mapped and bits >= _MAPPED_PREFIX:
        address, bits = address.ipv4_mapped, bits - _MAPPED_PREFIX
    if type(address) is IPv4Address:
        return IPv4Network((int(address), bits), strict=False)
    return IPv6Network((int(address), bits), strict=False)


@lru_cache(maxsize=_CACHED)
def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if type(address) is IPv6Address:
        return None if address.scope_id else address.ipv4_mapped or address
    return address


def _network(text: str) -> Network:
    found = _parse_network(text) if len(text) <= _LONGEST else None
    if found is None:
        raise BuiltinFault(f"invalid CIDR address: {text}")
    return found


def _address(text: str) -> IPv4Address | IPv6Address | None:
    return _parse_address(text) if len(text) <= _LONGEST else None


def _either(text: str) -> Network:
    """Read a network, or an address as the network that holds it alone."""
    address = _address(text)
    if address is not None:
        return IPv4Network(address) if type(address) is IPv4Address else IPv6Network(address)
    found = _parse_network(text) if len(text) <= _LONGEST else None
    if found is None:
        raise BuiltinFault(f"not a valid textual representation of an IP address or CIDR: {text}")
    return found


def _holds(outer: Network, inner: Network) -> bool:
    if outer.version != inner.version or outer.prefixlen > inner.prefixlen:
        return False
    shift = outer.max_prefixlen - outer.prefixlen
    return int(outer.network_address) >> shift == int(inner.network_address) >> shift


@builtin("net.cidr_contains", "net.cidr_overlap")
def cidr_contains(cidr: Value, cidr_or_ip: Value) -> Value:
    """Whether a network holds an address, or all of another network."""
    return _holds(_network(string(cidr, 1)), _either(string(cidr_or_ip, 2)))


@builtin("net.cidr_intersects")
def cidr_intersects(left: Value, right: Value) -> Value:
    """Whether two networks have an address in common: one then holds the other."""
    one, two = _network(string(left, 1)), _network(string(right, 2))
    return _holds(one, two) or _holds(two, one)


@builtin("net.cidr_is_valid")
def cidr_is_valid(cidr: Value) -> Value:
    """Whether it is a string that names a network, with its prefix."""
    return type(cidr) is str and len(cidr) <= _LONGEST and _parse_network(cidr) is not None


@builtin("net.cidr_expand")
def cidr_expand(cidr: Value) -> Value:
    """Return the set of a network's addresses, at most `MAX_ADDRESSES`."""
    found = _network(string(cidr, 1))
    if found.num_addresses > MAX_ADDRESSES:
        raise BuiltinFault(f"network has more than {MAX_ADDRESSES} addresses")
    return set(map(str, found))


def _indexed(operand: Value, position: int) -> list[tuple[str, Value]]:
    """Return the texts in an operand of net.cidr_contains_matches, each with what the result calls it.

    A text calls itself; the others are called by their index, key or, in a set, by the whole member.
    """
    if type(operand) is str:
        return [(operand, operand)]
    if type(operand) is list:
        named = [(item, index) for index, item in enumerate(operand)]
    elif type(operand) is set:
        named = [(item, item) for item in members(operand)]
    elif type(operand) is dict:
        named = [(item, name) for name, item in entries(operand)]
    else:
        return []
    found = []
    for item, name in named:
        text = item[0] if type(item) is list and item else item
        if type(text) is list or (type(item) is not str and type(item) is not list):
            raise BuiltinFault(f"operand {position}: element must be string or non-empty array")
        found.append((string(text, 1), name))
    return found


@builtin("net.cidr_contains_matches")
def cidr_contains_matches(cidrs: Value, cidrs_or_ips: Value) -> Value:
    """Return the set of pairs [i, j] where network i of the first operand holds entry j of the second."""
    outer, inner = _indexed(cidrs, 1), _indexed(cidrs_or_ips, 2)
    if not outer or not inner:
        return set()
    by_start: dict[tuple[int, int, int], list[Value]] = {}
    for text, name in outer:
        network = _network(text)
        by_start.setdefault((network.version, network.prefixlen, int(network.network_address)), []).append(name)
    lengths = {(version, length) for version, length, _ in by_start}
    found = set()
    for text, name in inner:
        network = _either(text)
        first, bits = int(network.network_address), network.max_prefixlen
        for version, length in lengths:
            if version != network.version or length > network.prefixlen:
                continue
            start = first >> (bits - length) << (bits - length)
            for holder in by_start.get((version, length, start), ()):
                found.add(key([holder, name]))
        if len(found) > MAX_MATCHES:
            raise BuiltinFault(f"more than {MAX_MATCHES} matches")
    return found


class _Span(NamedTuple):
    """A run of addresses as IPv6 has them, IPv4 mapped. `text` is what it was written as, empty once it is merged."""

    last: int
    first: int
    text: str


def _span(operand: Value) -> _Span:
    if type(operand) is not str:
        raise BuiltinFault("element must be string")
    address = _address(operand)
    if type(address) is IPv6Address:
        raise BuiltinFault("IPv6 invalid: needs prefix length")
    if type(address) is IPv4Address:
        # A bare address stands for its classful network (RFC 791 section 3.2), and is still shown as it is.
        bits = 8 if int(address) < 0x80 << 24 else 16 if int(address) < 0xC0 << 24 else 24
        network: Network = IPv4Network((int(address), bits), strict=False)
        text = f"{address}/{bits}"
    else:
        network = _network(operand)
        text = str(network)
    offset = _MAPPED if network.version == 4 else 0  # noqa: PLR2004  (the protocol's version)
    return _Span(int(network.broadcast_address) + offset, int(network.network_address) + offset, text)


def _summary(span: _Span) -> list[str]:
    """Write a merged run as the fewest networks."""
    if span.text:
        return [span.text]
    if span.first >= _MAPPED and span.last < _MAPPED + (1 << _IPV4_BITS):
        first, last = IPv4Address(span.first - _MAPPED), IPv4Address(span.last - _MAPPED)
        return list(map(str, ipaddress.summarize_address_range(first, last)))
    return list(map(str, ipaddress.summarize_address_range(IPv6Address(span.first), IPv6Address(span.last))))


@builtin("net.cidr_merge")
def cidr_merge(networks: Value) -> Value:
    """Return the set of the fewest networks that hold the same addresses as those in an array or set."""
    if type(networks) is set:
        networks = members(networks)
    if type(networks) is not list:
        raise BuiltinFault("operand must be an array")
    merged: list[_Span] = []
    for span in sorted(map(_span, networks), reverse=True):
        following = merged[-1] if merged else None
        # 0.0.0.0 follows no address, though its mapped form does.
        if following and (span.last >= following.first - (following.first != _MAPPED)):
            merged[-1] = _Span(following.last, min(span.first, following.first), "")
        else:
            merged.append(span)
    return {text for span in merged for text in _summary(span)}


@builtin("net.lookup_ip_addr")
def lookup_ip_addr(name: Value) -> Value:
    """Return the set of a name's addresses, where that takes no network: an address's, and localhost's (RFC 6761)."""
    text = string(name, 1)
    address = _address(text)
    if address is not None:
        return {str(address)}
    if text == "localhost":
        return set(_LOOPBACK)
    raise BuiltinFault("policies do not reach the network, so no name is looked up")
