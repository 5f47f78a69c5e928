"""Makes signed tokens: io.jwt.encode_sign and io.jwt.encode_sign_raw. Keys are secrets, and are not kept."""

from __future__ import annotations

from typing import Any, Final

from authz_service.rego_engine.builtins.json_text import is_valid, unmarshal
from authz_service.rego_engine.builtins.octets import json_octets, to_base64url, utf8
from authz_service.rego_engine.builtins.registry import builtin, obj, string
from authz_service.rego_engine.builtins.token_algorithms import ALGORITHMS, sign
from authz_service.rego_engine.builtins.token_keys import signing_key
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, to_json, type_name

MAX_OCTETS: Final = 1_048_576  # of each operand's text

_NUMBER: Final = frozenset("0123456789+-.eE")


@builtin("io.jwt.encode_sign", pure=False)
def encode_sign(headers: Value, payload: Value, key: Value) -> Value:
    """Return a token with a header and a payload, signed with a JWK, or the first of a JWK set."""
    operands = [obj(value, position) for position, value in enumerate((headers, payload, key), 1)]
    header_octets, payload_octets, _ = map(json_octets, operands)
    return _token(header_octets, payload_octets, to_json(key))


@builtin("io.jwt.encode_sign_raw", pure=False)
def encode_sign_raw(headers: Value, payload: Value, key: Value) -> Value:
    """Return the same of texts, which are signed as they stand."""
    document = string(key, 3)
    header_octets, payload_octets = utf8(headers, 1), utf8(payload, 2)
    if max(map(len, (header_octets, payload_octets, document))) > MAX_OCTETS:
        raise BuiltinFault(f"an operand is longer than {MAX_OCTETS} octets")
    try:
        found = unmarshal(document)
    except BuiltinFault:
        raise BuiltinFault("jwk.Parse: failed to parse the key: invalid JSON") from None
    return _token(header_octets, payload_octets, found)


def _token(header: bytes, payload: bytes, document: Any) -> str:
    key = signing_key(document)
    members = _members(header.decode("utf-8", "replace"))
    algorithm = _algorithm(members)
    if algorithm not in ALGORITHMS:
        raise BuiltinFault(f"unknown JWS algorithm: {algorithm}")
    kind = members.get("typ")
    if (type(kind) is not str or kind == "JWT") and not _is_json(payload):
        raise BuiltinFault("type is JWT but payload is not JSON")
    signed = f"{to_base64url(header)}.{to_base64url(payload)}"
    return f"{signed}.{to_base64url(sign(key, ALGORITHMS[algorithm], signed.encode()))}"


def _members(text: str) -> dict[Any, Value]:
    try:
        found = unmarshal(text)
    except BuiltinFault:
        if text and _NUMBER.issuperset(text):
            return {}  # the like of a number, which has no members
        detail = "invalid JSON" if text else "cannot parse empty string"
        raise BuiltinFault(f"missing or invalid 'alg' header: cannot parse JSON: {detail}") from None
    return found if type(found) is dict else {}


def _algorithm(members: dict[Any, Value]) -> str:
    if "alg" not in members:
        raise BuiltinFault("missing or invalid 'alg' header: jwsbb: header \"alg\" not found")
    found = members["alg"]
    if type(found) is not str:
        raise BuiltinFault(
            f"missing or invalid 'alg' header: value doesn't contain string; it contains {type_name(found)}"
        )
    return found


def _is_json(data: bytes) -> bool:
    return bool(is_valid(data.decode("utf-8", "replace")))
