"""Request + identity + findings → the Rego input. Pure.

`attributes`, `version`, `parsed_path`, `parsed_query`, `parsed_body`, `truncated_body` and `source_principal` are named
and shaped as opa-envoy-plugin has them (protojson names, unset fields left out), so that its policies can read this
input. `method`, `path`, `user`, `identity`, `mcp`, `dlp` and `body_contains_file` are ours. `input_keys` tells each.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from authz_service.dlp.request import Scan
from authz_service.errors import RequestRefused
from authz_service.model import Certificate, Finding, HttpRequest, Identity, Peer
from authz_service.policy.bodies.form import FormError, read_form
from authz_service.policy.bodies.reading import Body, BodyTerms
from authz_service.policy.mcp import read_mcp, says_mcp
from authz_service.policy.target import Target

# Those that take time to build, or that refuse what cannot be read; the others are there at any rate.
MEMBERS = frozenset(
    {"attributes", "parsed_path", "parsed_query", "parsed_body", "truncated_body", "mcp", "dlp", "identity"}
)
OF_BODY = frozenset({"parsed_body", "truncated_body", "mcp"})
VERSION: Mapping[str, str] = {"ext_authz": "v3", "encoding": "protojson"}
DEFAULT_TERMS = BodyTerms()


def build_input(  # noqa: PLR0913  (what a policy may look at, and what it does look at)
    request: HttpRequest,
    target: Target,
    identity: Identity | None,
    scan: Scan,
    reads: frozenset[str] | None = None,
    *,
    terms: BodyTerms = DEFAULT_TERMS,
) -> dict[str, Any]:
    """Build the input document; `reads` names the members that are wanted, None all.

    Without an identity it has neither `user` nor `identity`; where bodies are skipped, nothing that is read from them.

    Raises:
        RequestRefused: what is wanted cannot be read; or the request is one of the Model Context Protocol, and its
            headers and body do not agree, whatever is wanted.
    """
    wanted = MEMBERS if reads is None else reads
    document: dict[str, Any] = {
        "version": VERSION,
        "method": request.method,
        "path": target.path,
        "body_contains_file": scan.carries_local_file,
    }
    if "attributes" in wanted:
        document["attributes"] = _attributes(request)
    if "parsed_path" in wanted:
        document["parsed_path"] = target.path.removeprefix("/").split("/")
    if "parsed_query" in wanted:
        document["parsed_query"] = _query(target.query)
    if "dlp" in wanted:
        document["dlp"] = {"findings": [_finding(finding) for finding in scan.findings]}
    if request.source.principal:
        document["source_principal"] = request.source.principal
    if not terms.skip and (wanted & OF_BODY or says_mcp(request.headers)):
        _add_body(document, Body(request, target.path, terms), request, wanted)
    if identity is not None:
        document["user"] = _user(identity)
        if "identity" in wanted:
            document["identity"] = _identity(identity)
    return document


def _add_body(document: dict[str, Any], body: Body, request: HttpRequest, wanted: frozenset[str]) -> None:
    if "mcp" in wanted or says_mcp(request.headers):
        message = read_mcp(request, body)
        if message is not None and "mcp" in wanted:
            document["mcp"] = message
    if "parsed_body" in wanted:
        document["parsed_body"] = body.value
    if "truncated_body" in wanted:
        document["truncated_body"] = body.truncated


def _query(query: str) -> dict[str, list[str]]:
    try:
        return read_form(query)
    except FormError as error:
        raise RequestRefused("query_malformed", "the query is malformed") from error


def _user(identity: Identity) -> dict[str, Any]:
    email = identity.claims.get("email")
    # Always a text: a message that names an undefined value would make its whole rule undefined, and a deny rule that
    # is undefined denies nothing.
    shown = email if isinstance(email, str) else identity.user
    return {"id": identity.user, "email": shown, "roles": list(identity.roles)}


def _identity(identity: Identity) -> dict[str, Any]:
    """Write who calls. What is not known is null, and not absent: for the reason that `_user` gives."""
    return {
        "user": identity.user,
        "agent": identity.agent,
        "tenant": identity.tenant,
        "roles": list(identity.roles),
        "claims": identity.claims,
        "issuer": identity.issuer,
        "binding": identity.binding.value,
        "certificate": _certificate(identity.certificate),
    }


def _certificate(certificate: Certificate | None) -> dict[str, Any] | None:
    if certificate is None:
        return None
    return {
        "sha256": certificate.sha256,
        "subject": certificate.subject,
        "uris": list(certificate.uris),
        "dns_names": list(certificate.dns_names),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "entity": finding.entity,
        "detector": finding.detector,
        "location": finding.location.value,
        "name": finding.name,
        "offset": finding.offset,
        "count": finding.count,
        "confidence": finding.confidence,
        "hash": finding.hash,
        "action": finding.action,
    }


def _attributes(request: HttpRequest) -> dict[str, Any]:
    http: dict[str, Any] = {
        "id": request.id,
        "method": request.method,
        "headers": request.headers,
        "path": request.path,
        "host": request.host,
        "scheme": request.scheme,
        "protocol": request.protocol,
        "size": request.size,
    }
    if request.header_lines:
        lines = [{"key": name, "rawValue": base64.b64encode(raw).decode()} for name, raw in request.header_lines]
        http["headerMap"] = {"headers": lines}
    if request.body_is_raw:
        http["rawBody"] = base64.b64encode(request.body).decode()
    elif request.body:
        http["body"] = request.body.decode("utf-8", "replace")
    attributes: dict[str, Any] = {
        "source": _peer(request.source),
        "destination": _peer(request.destination),
        "request": {"http": {name: value for name, value in http.items() if value}},
        "contextExtensions": request.context_extensions,
        "metadataContext": {"filterMetadata": request.metadata} if request.metadata else {},
        "routeMetadataContext": {"filterMetadata": request.route_metadata} if request.route_metadata else {},
        "tlsSession": {"sni": request.sni} if request.sni else {},
    }
    if request.seconds is not None:
        attributes["request"]["time"] = {"seconds": request.seconds, "nanos": request.nanos}
    return {name: value for name, value in attributes.items() if value}


def _peer(peer: Peer) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "principal": peer.principal,
        "certificate": peer.certificate,
        "service": peer.service,
        "labels": peer.labels,
    }
    shown = {name: value for name, value in parts.items() if value}
    if peer.is_pipe:
        shown["address"] = {"pipe": {"path": peer.address}}
    elif peer.address:
        shown["address"] = {"socketAddress": {"address": peer.address, "portValue": peer.port}}
    return shown
