"""A compact JWS (RFC 7515 section 7.1) → header, payload and what was signed, read so that there is one way to read it.

Only base64url without padding in its one canonical form, only UTF-8, only JSON objects without repeated names, without
numbers that JSON lacks and without halves of surrogate pairs: a text that two readers could read differently is
refused. That makes a token's text as good as its meaning: no other text is the same token. Pure.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

MAX_DEPTH = 32  # of nested values in header and payload

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_URL_SAFE = bytes.maketrans(b"-_+/", b"+/??")  # the standard alphabet's own two are no other spelling
_MARK = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_HALF_OF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_PADDING = (b"", None, b"==", b"=")


class JwsError(ValueError):
    """The text is no such JWS. Its message names the fault and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Jws:
    """What a JWS says. Nothing of it is verified."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    signed: bytes
    signature: bytes

    def is_signed_with(self, key: jwt.PyJWK) -> bool:
        """Whether the signature is this key's, with the key's own algorithm (RFC 7515 section 5.2).

        A key that is shorter than its algorithm wants (RFC 7518 section 3) has signed nothing.
        """
        try:
            if key.Algorithm.check_key_length(key.key) is not None:
                return False
            return bool(key.Algorithm.verify(self.signed, key.key, self.signature))
        except (jwt.PyJWTError, ValueError, TypeError):
            return False


def looks_like_jws(text: str) -> bool:
    """Whether a text has the form of a compact JWS with three parts."""
    return _FORM.fullmatch(text) is not None


def read(text: str) -> Jws:
    """Read a compact JWS; its length is for the caller to bound. Raises `JwsError`."""
    if not looks_like_jws(text):
        raise JwsError("is not three parts of base64url")
    header, payload, signature = text.split(".")
    return Jws(
        read_object(decode(header)),
        read_object(decode(payload)),
        text[: len(header) + 1 + len(payload)].encode(),
        decode(signature),
    )


def decode(text: str) -> bytes:
    """Decode base64url without padding (RFC 7515 appendix C), in its canonical form only; raises `JwsError`."""
    padding = _PADDING[len(text) % 4]
    if padding is None or "=" in text:
        raise JwsError("is not base64url")
    translated = text.encode("ascii", "replace").translate(_URL_SAFE) + padding
    try:
        data = binascii.a2b_base64(translated, strict_mode=True)
    except binascii.Error:
        raise JwsError("is not base64url") from None
    if binascii.b2a_base64(data, newline=False) != translated:
        raise JwsError("is not canonical base64url")
    return data


def encode(data: bytes) -> str:
    """Write base64url without padding."""
    return binascii.b2a_base64(data, newline=False).decode().rstrip("=").replace("+", "-").replace("/", "_")


def read_object(data: bytes) -> Mapping[str, Any]:
    """Read a JSON object strictly; raises `JwsError`."""
    try:
        text = data.decode("utf-8")
        deep = text.count("{") + text.count("[") > MAX_DEPTH and _is_deep(text)
        value = None if deep else _read_json(text)
    except (ValueError, RecursionError):
        raise JwsError("is not JSON that can be read in one way") from None
    if deep:
        raise JwsError("is nested too deeply")
    if not isinstance(value, dict):
        raise JwsError("is not a JSON object")
    if _HALF_OF_A_PAIR.search(data) and not _is_unicode(value):
        raise JwsError("is not JSON that can be read in one way")
    return value


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is repeated")
    return members


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large for a double")  # which other readers refuse, or take for its maximum
    return number


_read_json = json.JSONDecoder(
    object_pairs_hook=_no_repeats, parse_constant=_refuse_constant, parse_float=_finite
).decode


def _is_deep(text: str) -> bool:
    """Whether brackets nest deeper than `MAX_DEPTH`. Those in strings do not count: they could balance others."""
    depth, in_string = 0, False
    for mark in _MARK.finditer(text):
        if mark[0] == '"':
            in_string = not in_string
        elif in_string:
            continue
        elif mark[0] in {"{", "["}:
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif mark[0] in {"}", "]"}:
            depth -= 1
    return False


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
