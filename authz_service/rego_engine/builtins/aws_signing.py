"""The built-in function providers.aws.sign_req: AWS Signature Version 4 in the header Authorization.

What is signed and how is AWS's: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from authz_service.rego_engine.builtins import http_urls
from authz_service.rego_engine.builtins.http_requests import fields
from authz_service.rego_engine.builtins.octets import json_octets
from authz_service.rego_engine.builtins.registry import builtin, number, obj, wrong
from authz_service.rego_engine.builtins.rego_text import write
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.numbers import is_whole
from authz_service.rego_engine.values import Value, plain

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_REQUIRED: Final = {"aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"}
_HASHED_SERVICES: Final = {"s3", "glacier"}  # they take the payload's hash in a header
_UNSIGNED_HEADERS: Final = {"authorization", "user-agent", "x-amzn-trace-id"}  # proxies change them on the way
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_TIME: Final = 2**63  # nanoseconds, as 64 bits hold them


@builtin("providers.aws.sign_req", pure=False)
def sign_req(request: Value, aws_config: Value, time_ns: Value) -> Value:
    """Return a request of http.send with the headers that sign it, valid from a time in nanoseconds since the epoch."""
    obj(request, 1)
    account = _Account.read(obj(aws_config, 1))
    at = _time(time_ns)
    given = fields(request, 1)
    headers = given.get("headers", {})
    if type(headers) is not dict:
        raise wrong(headers, 0, "object")
    not_texts = {name for name in ("method", "url") if type(given[name]) is not str}
    if not_texts:
        raise OperandFault(f"operand 1 invalid values for required request parameters(s): {write(not_texts)}")
    try:
        url = http_urls.parse(given["url"])
    except ValueError as fault:
        raise BuiltinFault(f"parse URL: {fault}") from None
    texts = {_text(plain(name)): _text(value) for name, value in headers.items()}
    added = account.signature_headers(given["method"], url, texts, _body(given), at)
    return {**given, "headers": {**texts, **added}}


@dataclass(frozen=True, slots=True)
class _Account:
    """Who signs, and for which service."""

    access_key: str
    secret_key: str
    session_token: str
    region: str
    service: str
    signs_payload: bool

    @classmethod
    def read(cls, config: Mapping[str, Value]) -> _Account:
        missing = _REQUIRED - config.keys()
        if missing:
            raise OperandFault(f"operand 2 missing required AWS config parameters(s): {write(missing)}")
        invalid = {name for name in _REQUIRED if type(config[name]) is not str}
        if invalid:
            raise OperandFault(f"operand 2 invalid values for required AWS config parameters(s): {write(invalid)}")
        leaves_payload = config.get("disable_payload_signing", False)
        if type(leaves_payload) is not bool:
            raise OperandFault("operand 2 invalid value for 'disable_payload_signing' in AWS config")
        return cls(
            access_key=config["aws_access_key"],
            secret_key=config["aws_secret_access_key"],
            session_token=_text(config.get("aws_session_token")),
            region=config["aws_region"],
            service=config["aws_service"],
            signs_payload=not leaves_payload,
        )

    def signature_headers(
        self, method: str, url: http_urls.Url, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> dict[str, str]:
        """Return the headers that sign a request, with its other headers."""
        payload = hashlib.sha256(body).hexdigest() if self.signs_payload else "UNSIGNED-PAYLOAD"
        moment = f"{at:%Y%m%dT%H%M%SZ}"
        added = {"host": url.host, "x-amz-date": moment}
        if self.service in _HASHED_SERVICES:
            added["x-amz-content-sha256"] = payload
        if self.session_token:
            added["x-amz-security-token"] = self.session_token
        signed = added | {
            name.lower(): value for name, value in headers.items() if name.lower() not in _UNSIGNED_HEADERS
        }
        names = sorted(signed)
        canonical = "\n".join(
            (
                method,
                url.escaped_path,
                url.raw_query,
                *(f"{name}:{signed[name]}" for name in names),
                "",
                ";".join(names),
                payload,
            )
        )
        parts = moment[:8], self.region, self.service, "aws4_request"
        scope = "/".join(parts)
        to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(octets(canonical)).hexdigest()}"
        key = octets(f"AWS4{self.secret_key}")
        for part in parts:
            key = hmac.digest(key, octets(part), "sha256")
        signature = hmac.digest(key, octets(to_sign), "sha256").hex()
        credential = f"Credential={self.access_key}/{scope}"
        signing = f"{_ALGORITHM} {credential},SignedHeaders={';'.join(names)},Signature={signature}"
        return {"Authorization": signing, **added}


def _time(value: Value) -> datetime:
    found = number(value, 1)
    if not is_whole(found) or not 0 <= found < _LARGEST_TIME:  # nothing is signed for a time before the epoch
        raise OperandFault("operand 3 could not convert time_ns value into a unix timestamp")
    return _EPOCH + timedelta(microseconds=int(found) // 1_000)


def _text(value: Value) -> str:
    return value if type(value) is str else ""


def _body(given: Mapping[str, Value]) -> bytes:
    if "raw_body" in given:
        return octets(_text(given["raw_body"]))
    return json_octets(given["body"]) if "body" in given else b""
