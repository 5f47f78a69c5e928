"""Names in certificates (RFC 5280): distinguished names, subject alternative names and name constraints."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from authz_service.rego_engine.builtins import http_urls, x509_der
from authz_service.rego_engine.builtins.x509_der import SEQUENCE, SET, Identifier, Reader, context
from authz_service.rego_engine.errors import BuiltinFault

EMAIL: Final = context(1)
DNS: Final = context(2)
URI: Final = context(6)
IP: Final = context(7)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_ADDRESS_OCTETS: Final = {4, 16}
_NETWORK_OCTETS: Final = {8, 32}
_MAX_LABEL: Final = 63  # octets, RFC 1035 section 2.3.4
_MAX_NAME: Final = 253


@dataclass(frozen=True, slots=True)
class AlternativeNames:
    """What a certificate is also called. None where there is none of a kind."""

    dns: tuple[str, ...] | None = None
    email: tuple[str, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    uris: tuple[http_urls.Url, ...] | None = None

    def __bool__(self) -> bool:
        return any((self.dns, self.email, self.addresses, self.uris))


@dataclass(frozen=True, slots=True)
class Subtrees:
    """Name spaces that a certificate authority is bound to, or barred from. Networks are an address and a mask."""

    dns: tuple[str, ...] | None = None
    email: tuple[str, ...] | None = None
    networks: tuple[tuple[bytes, bytes], ...] | None = None
    uris: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return any((self.dns, self.email, self.networks, self.uris))


NO_NAMES: Final = AlternativeNames()
NO_SUBTREES: Final = Subtrees()

Attribute = tuple[Identifier, str]


def distinguished_name(octets: bytes) -> tuple[Attribute, ...]:
    """Read a name's attributes in their order."""
    found: list[Attribute] = []
    sequence = Reader(octets, "x509: invalid RDNSequence").inside(SEQUENCE)
    while sequence:
        attributes = sequence.inside(SET)
        while attributes:
            pair = attributes.inside(SEQUENCE)
            kind = pair.identifier()
            tag, value, _ = pair.any()
            text = x509_der.text(tag, value)
            if text is None:
                raise BuiltinFault("x509: invalid RDNSequence: invalid attribute value")
            found.append((kind, text))
    return tuple(found)


def alternative_names(octets: bytes) -> AlternativeNames:
    """Read subjectAltName (RFC 5280 section 4.2.1.6); kinds that `AlternativeNames` does not have are passed over."""
    found: dict[int, list[bytes]] = {}
    names = Reader(octets, "x509: invalid subject alternative names").inside(SEQUENCE)
    while names:
        tag, value, _ = names.any()
        found.setdefault(tag, []).append(value)
    return AlternativeNames(
        dns=_texts(found.get(DNS), "x509: SAN dNSName is malformed"),
        email=_texts(found.get(EMAIL), "x509: SAN rfc822Name is malformed"),
        addresses=tuple(map(_address, found[IP])) if IP in found else None,
        uris=tuple(map(_uri, found[URI])) if URI in found else None,
    )


def subtrees(octets: bytes | None) -> tuple[Subtrees, bool]:
    """Read one side of name constraints (RFC 5280 section 4.2.1.10), and whether there is a kind that is not known."""
    found: dict[int, list[bytes]] = {}
    reader = Reader(octets or b"", "x509: invalid NameConstraints extension")
    while reader:
        tag, value, _ = reader.inside(SEQUENCE).any()
        found.setdefault(tag, []).append(value)
    dns = _texts(found.get(DNS), "x509: invalid constraint value")
    email = _texts(found.get(EMAIL), "x509: invalid constraint value")
    uris = _texts(found.get(URI), "x509: invalid constraint value")
    names = [*(dns or ()), *(uris or ()), *(name for name in email or () if "@" not in name)]
    if not all(is_domain(name.removeprefix("."), empty=True) for name in names):
        raise BuiltinFault("x509: failed to parse a name constraint")
    networks = tuple(map(_network, found[IP])) if IP in found else None
    return Subtrees(dns, email, networks, uris), not set(found) <= {DNS, EMAIL, URI, IP}


def is_domain(name: str, *, empty: bool = False) -> bool:
    """Whether a name can be a domain's: labels of 1 to 63 printable ASCII characters."""
    if not name:
        return empty
    return len(name) <= _MAX_NAME and all(
        0 < len(label) <= _MAX_LABEL and all("!" <= character <= "~" for character in label)
        for label in name.split(".")
    )


def _texts(values: list[bytes] | None, what: str) -> tuple[str, ...] | None:
    if values is None:
        return None
    try:
        return tuple(value.decode("ascii") for value in values)
    except UnicodeDecodeError:
        raise BuiltinFault(what) from None


def _address(octets: bytes) -> Address:
    if len(octets) not in _ADDRESS_OCTETS:
        raise BuiltinFault(f"x509: cannot parse IP address of length {len(octets)}")
    return ipaddress.ip_address(octets)


def _network(octets: bytes) -> tuple[bytes, bytes]:
    if len(octets) not in _NETWORK_OCTETS:
        raise BuiltinFault(f"x509: IP constraint contained value of length {len(octets)}")
    half = len(octets) // 2
    mask = int.from_bytes(octets[half:])
    inverse = mask ^ ((1 << 8 * half) - 1)
    if inverse & (inverse + 1):
        raise BuiltinFault("x509: IP constraint contained invalid mask")
    return octets[:half], octets[half:]


def _uri(octets: bytes) -> http_urls.Url:
    try:
        found = http_urls.parse(octets.decode("ascii"))
    except UnicodeDecodeError:
        raise BuiltinFault("x509: SAN uniformResourceIdentifier is malformed") from None
    except ValueError as fault:
        raise BuiltinFault(f"x509: cannot parse URI: {fault}") from None
    if found.host and not is_domain(found.host):
        raise BuiltinFault("x509: cannot parse URI: invalid domain")
    return found
