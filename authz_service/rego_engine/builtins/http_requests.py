"""The operand of http.send: which fields there are, what each must be, and the request that they stand for."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Final

from authz_service.rego_engine.builtins.durations import parse_duration_ns
from authz_service.rego_engine.builtins.http_messages import HttpRequest, Tls
from authz_service.rego_engine.builtins.octets import json_octets
from authz_service.rego_engine.builtins.registry import obj
from authz_service.rego_engine.builtins.rego_text import write
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.values import Value, plain, type_name

MAX_BODY_OCTETS: Final = 1_048_576  # of a request
MAX_HEADERS: Final = 100
MAX_HEADER_OCTETS: Final = 65_536  # of all names and values together
MAX_RETRIES: Final = 10
MAX_SECONDS: Final = 2**31 - 1  # that a response may be kept
DEFAULT_TIMEOUT: Final = 5.0  # seconds

_TLS_TEXTS: Final = {
    "tls_ca_cert": "authorities",
    "tls_ca_cert_file": "authorities_file",
    "tls_ca_cert_env_variable": "authorities_variable",
    "tls_client_cert": "certificate",
    "tls_client_cert_file": "certificate_file",
    "tls_client_cert_env_variable": "certificate_variable",
    "tls_client_key": "key",
    "tls_client_key_file": "key_file",
    "tls_client_key_env_variable": "key_variable",
    "tls_server_name": "server_name",
}
_TEXTS: Final = {"method", "url", "raw_body", *_TLS_TEXTS}
_REQUIRED: Final = {"method", "url"}
_FIELDS: Final = {
    *_TEXTS, "body", "enable_redirect", "force_json_decode", "force_yaml_decode", "headers", "tls_use_system_certs",
    "tls_insecure_skip_verify", "timeout", "cache", "force_cache", "force_cache_duration_seconds", "raise_error",
    "caching_mode", "max_retry_attempts", "cache_ignored_headers",
}  # fmt: skip
_NAME: Final = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")  # a token, RFC 9110 section 5.6.2
_NEVER_SENT: Final = {"content-length", "transfer-encoding", "trailer", "host"}  # the framing is the sender's alone
_NANOSECONDS: Final = 1_000_000_000
_LARGEST: Final = 2**63

Fields = Mapping[str, Value]


def fields(value: Value, position: int) -> Fields:
    """Return the fields of an operand that must be a request: none that is unknown, and all that are needed."""
    found = obj(value, position)
    names = {plain(name) if type(plain(name)) is str else name for name in found}
    if names - _FIELDS:
        raise OperandFault(f"operand {position} invalid request parameters(s): {write(names - _FIELDS)}")
    if _REQUIRED - names:
        raise OperandFault(f"operand {position} missing required request parameters(s): {write(_REQUIRED - names)}")
    return found


def request(given: Fields) -> HttpRequest:
    """Return the request that fields stand for."""
    texts = {name: _text(given, name) for name in _TEXTS & given.keys()}
    method = texts["method"].upper()
    if not method or not _NAME.issuperset(method):
        raise BuiltinFault(f"net/http: invalid method {write(method)}")
    headers, host = _headers(given.get("headers", {}))
    tls = Tls(
        use_system_certificates=_switch(given, "tls_use_system_certs"),
        skips_verification=_switch(given, "tls_insecure_skip_verify"),
        **{field: texts[name] for name, field in _TLS_TEXTS.items() if name in texts},
    )
    return HttpRequest(
        method=method,
        url=texts["url"],
        headers=headers,
        host=host,
        body=_body(given, texts.get("raw_body")),
        follows_redirects=_switch(given, "enable_redirect"),
        retries=min(_count(given, "max_retry_attempts"), MAX_RETRIES),
        tls=tls,
    )


def timeout(given: Fields) -> float:
    """Return the seconds that the request may take; zero where it names no bound."""
    if "timeout" not in given:
        return DEFAULT_TIMEOUT
    value = given["timeout"]
    if type(value) is str:
        number = _nanoseconds(value)
    elif type(value) is int and abs(value) < _LARGEST:
        number = value
    elif type_name(value) == "number":
        raise BuiltinFault(f"invalid timeout number value {write(value)}, must be int64")
    else:
        raise OperandFault(f"operand 1 'timeout' must be one of {{string, number}} but got {type_name(value)}")
    return max(number, 0) / _NANOSECONDS


def _nanoseconds(text: str) -> int:
    """Return the nanoseconds of a duration ("1.5s"), or of a number without a unit."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < len(str(_LARGEST)):
        return int(text)
    try:
        return int(parse_duration_ns(text))
    except BuiltinFault as fault:
        raise BuiltinFault(f"invalid timeout value {write(text)}: {fault.text}") from None


def flag(given: Fields, name: str, *, default: bool = False) -> bool:
    """Return a field that must be a boolean."""
    value = given.get(name, default)
    if type(value) is not bool:
        raise BuiltinFault(f"invalid value for {write(name)} field")
    return value


def kept_seconds(given: Fields) -> int | None:
    """Return how long a response is to be kept whatever its headers say, or None where they decide (`force_cache`)."""
    if not flag(given, "force_cache"):
        return None
    if "force_cache_duration_seconds" not in given:
        raise BuiltinFault("'force_cache' set but 'force_cache_duration_seconds' parameter is missing")
    value = given["force_cache_duration_seconds"]
    if type(value) is not int or abs(value) > MAX_SECONDS:
        raise BuiltinFault("'force_cache_duration_seconds' must be a whole number of 32 bits")
    return value or None


def identity(given: Fields) -> dict[str, Value]:
    """Return the fields by which one request is the same as another: all but the headers that it says to ignore."""
    ignored = given.get("cache_ignored_headers")
    found = {**given, "cache_ignored_headers": None}
    if ignored is None or "headers" not in given:
        return found
    if type(ignored) is not list or not all(type(name) is str for name in ignored):
        raise BuiltinFault("cache_ignored_headers must be an array of strings")
    headers = given["headers"]
    if type(headers) is dict:
        found["headers"] = {name: value for name, value in headers.items() if name not in ignored}
    return found


def _text(given: Fields, name: str) -> str:
    value = given[name]
    if type(value) is not str:
        raise BuiltinFault(f"{write(name)} must be a string")
    return value.strip('"')


def _switch(given: Fields, name: str) -> bool:
    """Return a field that must be a boolean, or 1 or 0 for one."""
    value = given.get(name, False)
    if type(value) is bool or (type(value) is int and value in {0, 1}):
        return bool(value)
    raise BuiltinFault(f"{write(name)} must be a boolean")


def _count(given: Fields, name: str) -> int:
    value = given.get(name, 0)
    if type(value) is not int or value < 0:
        raise BuiltinFault(f"invalid value {write(value)} for field {write(name)}")
    return value


def _body(given: Fields, raw: str | None) -> bytes:
    if raw is not None:
        found = octets(raw)
    elif "body" in given:
        found = json_octets(given["body"])
    else:
        return b""
    if len(found) > MAX_BODY_OCTETS:
        raise BuiltinFault(f"the body is longer than {MAX_BODY_OCTETS} octets")
    return found


def _headers(value: Value) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the headers that go out as they are, and the Host header."""
    if type(value) is not dict:
        raise BuiltinFault("invalid type for headers key")
    if len(value) > MAX_HEADERS:
        raise BuiltinFault(f"there are more than {MAX_HEADERS} headers")
    found: list[tuple[str, str]] = []
    host = ""
    size = 0
    for name, text in value.items():
        if type(name) is not str or not name or not _NAME.issuperset(name):
            raise BuiltinFault("net/http: invalid header field name")
        if type(text) is not str:
            raise BuiltinFault(f"invalid type for headers value of {write(name)}")
        if any((mark < " " and mark != "\t") or mark == "\x7f" for mark in text):
            raise BuiltinFault(f"net/http: invalid header field value for {write(name)}")
        size += len(name) + len(text)
        if size > MAX_HEADER_OCTETS:
            raise BuiltinFault(f"the headers are longer than {MAX_HEADER_OCTETS} octets")
        if name.lower() == "host":
            host = text
        elif name.lower() not in _NEVER_SENT:
            found.append((name, text.strip()))
    return tuple(found), host
