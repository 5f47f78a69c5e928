"""A request written down as JSON → the request as a proxy would show it, for trying out what would happen to it. Pure.

    {"method": "GET", "path": "/reports?page=2", "host": "api.example",
     "headers": {"authorization": "Bearer …", "x-note": ["a", "b"]},
     "body": "text" or any JSON, "source": {"address": "192.0.2.1", "certificate": "-----BEGIN …"},
     "context_extensions": {"route": "reports"}}

All but `path` may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from authz_service.identity.jws import JwsError, read_object
from authz_service.model import HttpRequest, Peer

MAX_BYTES = 4 * 1024 * 1024
_TEXTS = {"method": "GET", "path": "", "host": "", "scheme": "https", "protocol": "HTTP/1.1"}
_KNOWN = {*_TEXTS, "headers", "body", "source", "context_extensions"}
_SOURCE = {"address", "principal", "certificate"}


class RequestFileError(ValueError):
    """The text describes no request; its message says where."""


def read_request(data: bytes) -> HttpRequest:
    """Read a request; raises `RequestFileError`."""
    if len(data) > MAX_BYTES:
        raise RequestFileError(f"is larger than {MAX_BYTES} bytes")
    try:
        document = read_object(data)
    except JwsError as error:
        raise RequestFileError(str(error)) from None
    _refuse_unknown(document, _KNOWN, "")
    texts = {name: _text(document.get(name, usual), name) for name, usual in _TEXTS.items()}
    if not texts["path"].startswith("/"):
        raise RequestFileError("path is missing, or does not begin with a slash")
    source = _mapping(document.get("source", {}), "source")
    _refuse_unknown(source, _SOURCE, "source.")
    certificate = _text(source.get("certificate", ""), "source.certificate")
    written = _mapping(document.get("headers", {}), "headers")
    headers = {name.lower(): _header(value, name) for name, value in written.items()}
    body = document.get("body", "")
    return HttpRequest(
        method=texts["method"],
        path=texts["path"],
        host=texts["host"],
        scheme=texts["scheme"],
        protocol=texts["protocol"],
        headers=headers,
        body=(body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "replace"),
        source=Peer(
            address=_text(source.get("address", ""), "source.address"),
            principal=_text(source.get("principal", ""), "source.principal"),
            certificate=quote(certificate, safe="") if "-----BEGIN" in certificate else certificate,
        ),
        context_extensions={
            name: _text(value, f"context_extensions.{name}")
            for name, value in _mapping(document.get("context_extensions", {}), "context_extensions").items()
        },
    )


def _refuse_unknown(found: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in found:
        if name not in known:
            raise RequestFileError(f"{where}{name} is not known here; known: {', '.join(sorted(known))}")


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RequestFileError(f"{name} must be an object")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise RequestFileError(f"{name} must be a text")
    return value


def _header(value: Any, name: str) -> str:
    """Join repeated headers by commas, as Envoy does."""
    values = value if isinstance(value, list) else [value]
    return ",".join(_text(each, f"headers.{name}") for each in values)
