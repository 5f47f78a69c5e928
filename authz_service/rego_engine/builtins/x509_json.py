"""Certificates, requests and keys as policies see them: objects with the names and forms that OPA gives them.

Octets are base64, object identifiers arrays of numbers, times RFC 3339; null stands for what is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from authz_service.rego_engine.builtins import http_urls
from authz_service.rego_engine.builtins.octets import to_base64
from authz_service.rego_engine.builtins.x509_algorithms import PublicKey
from authz_service.rego_engine.builtins.x509_certificates import Certificate
from authz_service.rego_engine.builtins.x509_der import Identifier
from authz_service.rego_engine.builtins.x509_extensions import Extension
from authz_service.rego_engine.builtins.x509_names import AlternativeNames, Attribute, Subtrees
from authz_service.rego_engine.numbers import bounded
from authz_service.rego_engine.values import Value

_NAME_LISTS: Final = {
    6: "Country",
    7: "Locality",
    8: "Province",
    9: "StreetAddress",
    10: "Organization",
    11: "OrganizationalUnit",
    17: "PostalCode",
}
_NAME_TEXTS: Final = {3: "CommonName", 5: "SerialNumber"}
_ATTRIBUTES: Final = (2, 5, 4)


def shown(certificate: Certificate) -> dict[str, Value]:
    """Return a certificate as an object."""
    says = certificate.says
    return {
        "AuthorityKeyId": _octets(says.authority_key),
        "BasicConstraintsValid": says.has_basic_constraints,
        "CRLDistributionPoints": _list(says.revocation_lists),
        "ExtKeyUsage": _list(says.usages),
        "Extensions": extensions(certificate.extensions),
        "ExtraExtensions": None,
        "InhibitAnyPolicy": says.inhibit_any or 0,
        "InhibitAnyPolicyZero": says.inhibit_any == 0,
        "InhibitPolicyMapping": says.inhibit_mapping or 0,
        "InhibitPolicyMappingZero": says.inhibit_mapping == 0,
        "IsCA": says.is_authority,
        "Issuer": name(certificate.issuer),
        "IssuingCertificateURL": _list(says.issuer_urls),
        "KeyUsage": says.key_usage,
        "MaxPathLen": says.max_path,
        "MaxPathLenZero": says.has_basic_constraints and says.max_path == 0,
        "NotAfter": f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0"),
        "NotBefore": f"{certificate.not_before:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0"),
        "OCSPServer": _list(says.ocsp_servers),
        "PermittedDNSDomainsCritical": says.constraints_critical,
        "Policies": None if says.policies is None else [dotted(one) for one in says.policies] or None,
        "PolicyIdentifiers": None
        if says.policies is None
        else [list(one) for one in says.policies if max(one) < 1 << 31],
        "PolicyMappings": says.policy_mappings
        and [
            {"IssuerDomainPolicy": dotted(issuer), "SubjectDomainPolicy": dotted(subject)}
            for issuer, subject in says.policy_mappings
        ],
        "PublicKey": public_key(certificate.key),
        "PublicKeyAlgorithm": certificate.key_algorithm,
        "Raw": to_base64(certificate.raw),
        "RawIssuer": to_base64(certificate.raw_issuer),
        "RawSubject": to_base64(certificate.raw_subject),
        "RawSubjectPublicKeyInfo": to_base64(certificate.raw_key),
        "RawTBSCertificate": to_base64(certificate.raw_tbs),
        "RequireExplicitPolicy": says.require_policy or 0,
        "RequireExplicitPolicyZero": says.require_policy == 0,
        "SerialNumber": certificate.serial,
        "Signature": to_base64(certificate.signature),
        "SignatureAlgorithm": certificate.signature_algorithm.number,
        "Subject": name(certificate.subject),
        "SubjectKeyId": _octets(says.subject_key),
        "UnhandledCriticalExtensions": _identifiers(says.unhandled),
        "UnknownExtKeyUsage": _identifiers(says.unknown_usages),
        "Version": certificate.version,
        **alternative_names(says.names),
        **_subtrees("Permitted", says.permitted),
        **_subtrees("Excluded", says.excluded),
    }


def with_uri_texts(certificate: Certificate) -> dict[str, Value]:
    """Return a certificate as an object that has its URIs as texts too."""
    uris = certificate.says.names.uris
    return {**shown(certificate), "URIStrings": None if uris is None else [str(uri) for uri in uris]}


def name(attributes: Iterable[Attribute]) -> dict[str, Value]:
    """Return a distinguished name as an object."""
    found: dict[str, Value] = dict.fromkeys(_NAME_LISTS.values())
    found |= dict.fromkeys(_NAME_TEXTS.values(), "")
    names = []
    for kind, text in attributes:
        names.append({"Type": list(kind), "Value": text})
        if kind[:-1] != _ATTRIBUTES:
            continue
        if kind[-1] in _NAME_TEXTS:
            found[_NAME_TEXTS[kind[-1]]] = text
        elif kind[-1] in _NAME_LISTS:
            listed = _NAME_LISTS[kind[-1]]
            found[listed] = [*(found[listed] or ()), text]
    return {**found, "ExtraNames": None, "Names": names or None}


def alternative_names(names: AlternativeNames) -> dict[str, Value]:
    """Return the members that stand for what a certificate is also called."""
    return {
        "DNSNames": _list(names.dns),
        "EmailAddresses": _list(names.email),
        "IPAddresses": None if names.addresses is None else [_address(one.packed) for one in names.addresses],
        "URIs": None if names.uris is None else [_url(one) for one in names.uris],
    }


def extensions(found: Iterable[Extension] | None) -> list[Value] | None:
    """Return extensions as objects."""
    if found is None:
        return None
    return [{"Critical": one.critical, "Id": list(one.id), "Value": to_base64(one.value)} for one in found]


def public_key(key: PublicKey | None) -> Value:
    """Return a public key as an object, or as base64 where it has no parts; RSA's has a number's bound."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"E": numbers.e, "N": bounded(numbers.n)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {"Curve": {}, "X": point.x, "Y": point.y}
    if isinstance(key, ed25519.Ed25519PublicKey):
        return to_base64(key.public_bytes_raw())
    if isinstance(key, dsa.DSAPublicKey):
        found = key.public_numbers()
        group = found.parameter_numbers
        return {"G": group.g, "P": group.p, "Q": group.q, "Y": found.y}
    return None


def dotted(found: Identifier) -> str:
    """Return an object identifier as text."""
    return ".".join(map(str, found))


def _subtrees(side: str, found: Subtrees) -> Mapping[str, Value]:
    networks = found.networks
    return {
        f"{side}DNSDomains": _list(found.dns),
        f"{side}EmailAddresses": _list(found.email),
        f"{side}IPRanges": None
        if networks is None
        else [{"IP": _address(address), "Mask": to_base64(mask)} for address, mask in networks],
        f"{side}URIDomains": _list(found.uris),
    }


def _url(found: http_urls.Url) -> Value:
    return {
        "ForceQuery": found.forces_query,
        "Fragment": found.fragment,
        "Host": found.host,
        "OmitHost": found.omits_host,
        "Opaque": found.opaque,
        "Path": found.path,
        "RawFragment": found.raw_fragment,
        "RawPath": found.raw_path,
        "RawQuery": found.raw_query,
        "Scheme": found.scheme,
        "User": None if found.user is None else {},
    }


def _address(octets: bytes) -> str:
    mapped = ip_address(octets)
    if isinstance(mapped, IPv6Address) and mapped.ipv4_mapped:
        return str(mapped.ipv4_mapped)
    return str(mapped)


def _octets(found: bytes | None) -> str | None:
    return None if found is None else to_base64(found)


def _list(found: tuple[Value, ...] | None) -> list[Value] | None:
    return None if found is None else list(found)


def _identifiers(found: tuple[Identifier, ...] | None) -> list[Value] | None:
    return None if found is None else [list(one) for one in found]
