"""Checks tokens: io.jwt.verify_… tell whether a signature is valid, io.jwt.decode_verify holds a token to constraints.

Nothing about a token is kept after the call.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins import tokens
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.octets import utf8
from authz_service.rego_engine.builtins.registry import builtin, obj, string
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.builtins.token_algorithms import ALGORITHMS, Algorithm, code, is_valid
from authz_service.rego_engine.builtins.token_keys import TokenKey, verification_keys
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, compare, entries

_SECOND: Final = 1_000_000_000  # nanoseconds
_HEADER_TEXTS: Final = "alg", "kid", "typ", "cty"
_KNOWN: Final = frozenset({*_HEADER_TEXTS, "crit"})


def _declare_code_check(name: str) -> None:
    algorithm = ALGORITHMS[name]

    @builtin(f"io.jwt.verify_{name.lower()}", pure=False)
    def verify(jwt: Value, secret: Value) -> Value:
        """Whether a token's code was made with a shared secret."""
        text = string(jwt, 1)
        shared = utf8(secret, 2)
        token = tokens.split(text)
        return hmac.compare_digest(token.signature(), code(shared, algorithm, token.signed))


def _declare_signature_check(name: str) -> None:
    algorithm = ALGORITHMS[name]

    @builtin(f"io.jwt.verify_{name.lower()}", pure=False)
    def verify(jwt: Value, certificate: Value) -> Value:
        """Whether a token's signature was made with the private key of one of the public keys given."""
        token = tokens.split(string(jwt, 1))
        keys = verification_keys(string(certificate, 2))
        signature = token.signature()
        header = _Header.read(token.header())
        return _is_signed(keys, header, algorithm, token.signed, signature, strict=False)


for _name, _algorithm in ALGORITHMS.items():
    (_declare_code_check if _algorithm.family == "HS" else _declare_signature_check)(_name)


@builtin("io.jwt.decode_verify", context=True)
def decode_verify(context: Context, jwt: Value, constraints: Value) -> Value:
    """Return whether a token's signature is valid and it meets the constraints, with its header and payload if so."""
    wanted = _Constraints.read(obj(constraints, 2), context.time_ns)
    text = string(jwt, 1)
    while True:
        token = tokens.split(text)
        members = token.header()
        header = _Header.read(members)
        if not header.is_understood or wanted.algorithm not in {"", header.algorithm}:
            return _unverified()
        if not wanted.is_signed(header, token.signed, token.signature()):
            return _unverified()
        text = token.content()
        if not tokens.is_nested(members):
            break
    payload = token.payload()
    return [True, members, payload] if wanted.are_met_by(payload) else _unverified()


def _unverified() -> Value:
    return [False, {}, {}]


def _is_signed(  # noqa: PLR0913  (what a signature depends on)
    keys: Sequence[TokenKey],
    header: _Header,
    algorithm: Algorithm | None,
    signed: bytes,
    signature: bytes,
    *,
    strict: bool,
) -> bool:
    """Whether the key that the header names made a signature, or, where none has that name, any that may have."""
    if algorithm is None:
        return False
    named = [one for one in keys if header.key_id and one.id == header.key_id][:1]
    candidates = named or [one for one in keys if one.algorithm in {"", header.algorithm}]
    return any(is_valid(one.key, algorithm, signed, signature, strict=strict) for one in candidates)


@dataclass(frozen=True, slots=True)
class _Header:
    """What a header says that counts. `is_understood`: it names an algorithm, and nothing critical is unknown."""

    algorithm: str
    key_id: str
    is_understood: bool

    @classmethod
    def read(cls, members: dict[Any, Value]) -> _Header:
        for name in _HEADER_TEXTS:
            if type(members.get(name, "")) is not str:
                raise BuiltinFault(f"{name}: must be a string")
        critical: set[str] = set()
        if "crit" in members:
            listed = members["crit"]
            if type(listed) is not list:
                raise BuiltinFault("crit: must be a list")
            critical = {name for name in listed if type(name) is str}
            if not critical:  # RFC 7515 section 4.1.11
                raise BuiltinFault("crit: must be a nonempty list")
        algorithm = members.get("alg", "")
        unknown = (critical & members.keys()) - _KNOWN
        return cls(algorithm, members.get("kid", ""), bool(algorithm) and not unknown)


@dataclass(frozen=True, slots=True)
class _Constraints:
    """What a token is held to: keys or a secret, and algorithm, issuer and audience where they are not empty."""

    keys: tuple[TokenKey, ...] | None
    secret: bytes
    algorithm: str
    issuer: str
    audience: str
    seconds: numbers.Number

    @classmethod
    def read(cls, members: dict[Any, Value], now_ns: int) -> _Constraints:
        texts = {"alg": "", "aud": "", "iss": "", "secret": ""}
        keys: tuple[TokenKey, ...] | None = None
        time: Value = now_ns
        for name, value in entries(members):
            if type(name) is not str:
                raise BuiltinFault("unknown token validation constraint: its name is no string")
            if name == "time":
                time = value
            elif name != "cert" and name not in texts:
                raise BuiltinFault(f"unknown token validation constraint: {name}")
            elif type(value) is not str:
                raise BuiltinFault(f"{name} constraint: must be a string")
            elif name == "cert":
                keys = verification_keys(value)
            else:
                texts[name] = value
        if keys is not None and texts["secret"]:
            raise BuiltinFault("duplicate key constraints")
        if keys is None and not texts["secret"]:
            raise BuiltinFault("no key constraint")
        secret = octets(texts["secret"])
        return cls(keys, secret, texts["alg"], texts["iss"], texts["aud"], _seconds(time))

    def is_signed(self, header: _Header, signed: bytes, signature: bytes) -> bool:
        """Whether a signature is valid by the algorithm that the header names."""
        keys = self.keys if self.keys is not None else (TokenKey("", "", self.secret),)
        return _is_signed(keys, header, ALGORITHMS.get(header.algorithm), signed, signature, strict=True)

    def are_met_by(self, payload: dict[Any, Value]) -> bool:
        """Whether issuer, audience and times are as they must be (RFC 7519 section 4.1)."""
        if self.issuer and payload.get("iss") != self.issuer:
            return False
        if not self._is_audience(payload.get("aud", [] if self.audience else "")):
            return False
        if "exp" in payload and compare(self.seconds, _time(payload, "exp")) >= 0:
            return False
        return "nbf" not in payload or compare(self.seconds, _time(payload, "nbf")) >= 0

    def _is_audience(self, audience: Value) -> bool:
        """Whether a token is for whom it must be. One that is for somebody is for nobody else, asked for or not."""
        if type(audience) is list:
            return any(type(one) is str and one == self.audience for one in audience)
        return type(audience) is str and audience == self.audience


def _time(payload: dict[Any, Value], name: str) -> Value:
    value = payload[name]
    if type(value) is bool or not isinstance(value, numbers.Number):
        raise BuiltinFault(f"{name} value must be a number")
    return value


def _seconds(time: Value) -> numbers.Number:
    """Return a time in nanoseconds since the epoch as seconds, with the precision that a float has."""
    if type(time) is bool or not isinstance(time, numbers.Number):
        raise BuiltinFault("token time constraint: must be a number")
    try:
        found = float(time)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise BuiltinFault("token time constraint: invalid float64")
    if found < 0:
        raise BuiltinFault("token time constraint: must not be negative")
    return numbers.normalize(found / _SECOND)
