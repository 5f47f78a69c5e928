"""Certificate signing requests (PKCS #10, RFC 2986) as policies see them."""

from __future__ import annotations

from typing import Final

from authz_service.rego_engine.builtins import x509_algorithms, x509_der, x509_json, x509_names
from authz_service.rego_engine.builtins.octets import to_base64
from authz_service.rego_engine.builtins.x509_der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    Reader,
    context,
)
from authz_service.rego_engine.builtins.x509_extensions import ALTERNATIVE_NAMES, Extension, extension
from authz_service.rego_engine.builtins.x509_names import NO_NAMES
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

_EXTENSION_REQUEST: Final = (1, 2, 840, 113549, 1, 9, 14)
_MALFORMED: Final = "asn1: structure error: not a certificate request"


def shown(octets: bytes) -> dict[str, Value]:
    """Return a request, given as DER, as an object. Its signature is not checked."""
    reader = Reader(octets, _MALFORMED)
    raw = reader.element(SEQUENCE)
    if reader:
        raise BuiltinFault("asn1: syntax error: trailing data")
    whole = Reader(raw, _MALFORMED).inside(SEQUENCE)
    raw_info = whole.element(SEQUENCE)
    algorithm = x509_algorithms.signature_algorithm(whole.inside(SEQUENCE))
    signature = whole.bits()
    info = Reader(raw_info, _MALFORMED).inside(SEQUENCE)
    version = info.integer()
    raw_subject, raw_key = info.element(SEQUENCE), info.element(SEQUENCE)
    key_algorithm, key = x509_algorithms.public_key(raw_key)
    attributes = _attributes(info.optional(context(0, constructed=True)))
    extensions = _extensions(attributes)
    names = [x509_names.alternative_names(one.value) for one in extensions if one.id == ALTERNATIVE_NAMES]
    return {
        "Attributes": [found for found in map(_attribute, attributes) if found] or None,
        "Extensions": x509_json.extensions(extensions or None),
        "ExtraExtensions": None,
        "PublicKey": x509_json.public_key(key),
        "PublicKeyAlgorithm": key_algorithm,
        "Raw": to_base64(raw),
        "RawSubject": to_base64(raw_subject),
        "RawSubjectPublicKeyInfo": to_base64(raw_key),
        "RawTBSCertificateRequest": to_base64(raw_info),
        "Signature": to_base64(signature),
        "SignatureAlgorithm": algorithm.number,
        "Subject": x509_json.name(x509_names.distinguished_name(raw_subject)),
        "Version": version,
        **x509_json.alternative_names(names[0] if names else NO_NAMES),
    }


def _attributes(reader: Reader | None) -> list[bytes]:
    found: list[bytes] = []
    while reader:
        found.append(reader.any()[2])
    return found


def _extensions(attributes: list[bytes]) -> list[Extension]:
    """Return the extensions that are asked for."""
    found: list[Extension] = []
    for octets in attributes:
        attribute = Reader(octets, _MALFORMED).inside(SEQUENCE)
        if attribute.identifier() != _EXTENSION_REQUEST:
            continue
        reader = attribute.inside(SET).inside(SEQUENCE)
        while reader:
            found.append(extension(reader.inside(SEQUENCE)))
    if len({one.id for one in found}) < len(found):
        raise BuiltinFault("x509: certificate request contains duplicate requested extensions")
    return found


def _attribute(octets: bytes) -> Value:
    """Return an attribute whose values are lists of typed values, or None for one of another form (a password, say)."""
    try:
        attribute = Reader(octets, _MALFORMED).inside(SEQUENCE)
        kind, values = attribute.identifier(), attribute.inside(SET)
        lists: list[Value] = []
        while values:
            pairs, listed = values.inside(SEQUENCE), []
            while pairs:
                pair = pairs.inside(SEQUENCE)
                listed.append({"Type": list(pair.identifier()), "Value": _value(pair)})
            lists.append(listed)
    except BuiltinFault:
        return None
    return {"Type": list(kind), "Value": lists}


def _value(reader: Reader) -> Value:
    """Return a value of any simple type; one of another type is null."""
    if reader.next_is(BOOLEAN):
        return reader.boolean()
    if reader.next_is(INTEGER):
        return reader.integer()
    if reader.next_is(OBJECT_IDENTIFIER):
        return list(reader.identifier())
    if reader.next_is(BIT_STRING):
        octets, unused = reader.bit_string()
        return {"BitLength": 8 * len(octets) - unused, "Bytes": to_base64(octets)}
    tag, octets, _ = reader.any()
    return to_base64(octets) if tag == OCTET_STRING else x509_der.text(tag, octets)
