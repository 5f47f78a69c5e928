"""Request + identity + findings → the Rego input. Pure.

`attributes`, `version`, `parsed_path`, `parsed_query` and `source_principal` are named and shaped as opa-envoy-plugin
has them (protojson names, unset fields left out), so that its policies can read this input. `method`, `path`, `user`,
`identity`, `dlp` and `body_contains_file` are ours.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from authz_service.dlp.request import Scan
from authz_service.model import Finding, HttpRequest, Identity, Peer
from authz_service.policy.target import Target

MAX_BODY_BYTES = 64 * 1024  # a larger body is left out of the document: reading it would hold up every other call
# Those that take time to build; the others are there at any rate.
MEMBERS = frozenset({"attributes", "parsed_path", "parsed_query", "dlp", "identity"})
VERSION: Mapping[str, str] = {"ext_authz": "v3", "encoding": "protojson"}


def build_input(
    request: HttpRequest, target: Target, identity: Identity | None, scan: Scan, reads: frozenset[str] | None = None
) -> dict[str, Any]:
    """Build the input document; `reads` names the members that are wanted, None all.

    Without an identity it has neither `user` nor `identity`.
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
        document["parsed_query"] = parse_qs(target.query, keep_blank_values=True)
    if "dlp" in wanted:
        document["dlp"] = {"findings": [_finding(finding) for finding in scan.findings]}
    if request.source.principal:
        document["source_principal"] = request.source.principal
    if identity is not None:
        roles = list(identity.roles)
        email = identity.claims.get("email")
        # Always a text: a message that names an undefined value would make its whole rule undefined, and a deny rule
        # that is undefined denies nothing.
        shown = email if isinstance(email, str) else identity.user
        document["user"] = {"id": identity.user, "email": shown, "roles": roles}
        if "identity" in wanted:
            document["identity"] = {
                "user": identity.user,
                "agent": identity.agent,
                "roles": roles,
                "issuer": identity.issuer,
                "claims": identity.claims,
            }
    return document


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "entity": finding.entity,
        "detector": finding.detector,
        "location": finding.location.value,
        "name": finding.name,
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
    if 0 < len(request.body) <= MAX_BODY_BYTES:
        if request.body_is_raw:
            http["rawBody"] = base64.b64encode(request.body).decode()
        else:
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
        whole = int(request.seconds)
        attributes["request"]["time"] = {"seconds": whole, "nanos": int((request.seconds - whole) * 1e9)}
    return {name: value for name, value in attributes.items() if value}


def _peer(peer: Peer) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "principal": peer.principal,
        "certificate": peer.certificate,
        "service": peer.service,
        "labels": peer.labels,
    }
    shown = {name: value for name, value in parts.items() if value}
    if peer.address:
        shown["address"] = {"socketAddress": {"address": peer.address, "portValue": peer.port}}
    return shown
