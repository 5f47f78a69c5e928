"""Every key of the Rego input, with its type, what it holds and an example: the table of docs/policy-input.md. Pure.

The examples are what `build_input` makes of requests that have all of it: the table cannot show what the code does not
do. `python -m authz_service policy input` prints the table, `policy input --json` one whole input.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from authz_service.dlp.request import Scan
from authz_service.model import Binding, Certificate, Finding, HttpRequest, Identity, Location, Peer
from authz_service.policy.document import build_input
from authz_service.policy.target import parse_target

MAX_EXAMPLE = 56  # characters in the table
_PLUGIN, _OURS = "plugin", "ours"


@dataclass(frozen=True, slots=True)
class InputKey:
    """A key: `[]` in its path stands for each item of a list. `origin`: of opa-envoy-plugin's contract, or ours."""

    path: str
    kind: str
    origin: str
    text: str


def _http(name: str, kind: str, text: str) -> InputKey:
    return InputKey(f"attributes.request.http.{name}", kind, _PLUGIN, text)


KEYS = (
    InputKey("method", "text", _OURS, "the request's method"),
    InputKey("path", "text", _OURS, "the canonical path: as the most lenient server would read it"),
    InputKey("user.id", "text", _OURS, "who calls; without an identity there is no `user`"),
    InputKey("user.email", "text", _OURS, "the token's `email`; where it has none, `user.id`"),
    InputKey("user.roles", "list of texts", _OURS, "the caller's roles"),
    InputKey("body_contains_file", "boolean", _OURS, "whether the body shows signs of the caller's own files"),
    InputKey("identity.user", "text", _OURS, "as `user.id`; without an identity there is no `identity`"),
    InputKey("identity.agent", "text or null", _OURS, "the agent that acts for the user"),
    InputKey("identity.tenant", "text or null", _OURS, "the tenant that both belong to"),
    InputKey("identity.roles", "list of texts", _OURS, "as `user.roles`"),
    InputKey("identity.claims", "object", _OURS, "all claims of the verified token"),
    InputKey("identity.issuer", "text", _OURS, "who has vouched for it"),
    InputKey("identity.binding", "text", _OURS, "what is proven to be held: `none`, `dpop`, `mtls`, `certificate`"),
    InputKey("identity.certificate", "object or null", _OURS, "the client certificate that the proxy has verified"),
    InputKey("identity.certificate.sha256", "text", _OURS, "of its DER form, base64url"),
    InputKey("identity.certificate.subject", "text", _OURS, "its subject"),
    InputKey("identity.certificate.uris", "list of texts", _OURS, "its URI names"),
    InputKey("identity.certificate.dns_names", "list of texts", _OURS, "its DNS names"),
    InputKey("mcp.kind", "text", _OURS, "`request`, `notification`, `response`; no `mcp` without a message"),
    InputKey("mcp.method", "text", _OURS, "the message's method; a response has none"),
    InputKey("mcp.id", "text or number", _OURS, "its identifier; a notification has none"),
    InputKey("mcp.tool", "text", _OURS, "the tool of `tools/call`"),
    InputKey("mcp.prompt", "text", _OURS, "the prompt of `prompts/get`"),
    InputKey("mcp.resource", "text", _OURS, "the URI of `resources/read`, `…/subscribe` and `…/unsubscribe`"),
    InputKey("mcp.arguments", "object", _OURS, "the arguments of `tools/call` and `prompts/get`, or `{}`"),
    InputKey("dlp.findings", "list of objects", _OURS, "what was found in the request; never its value"),
    InputKey("dlp.findings[].entity", "text", _OURS, "what it is"),
    InputKey("dlp.findings[].detector", "text", _OURS, "what has found it"),
    InputKey("dlp.findings[].location", "text", _OURS, "`header`, `cookie`, `query`, `path` or `body`"),
    InputKey("dlp.findings[].name", "text", _OURS, "of header, cookie or parameter, or the JSON path; else empty"),
    InputKey("dlp.findings[].offset", "number", _OURS, "octets before it in that text, or in the body"),
    InputKey("dlp.findings[].count", "number", _OURS, "how many are there; offset and hash are the first's"),
    InputKey("dlp.findings[].confidence", "number", _OURS, "how sure the detector is, from 0 to 1"),
    InputKey("dlp.findings[].hash", "text", _OURS, "a keyed hash of the value, the same for the same value"),
    InputKey("dlp.findings[].action", "text", _OURS, "what is done with it unless the decision says otherwise"),
    InputKey("parsed_path", "list of texts", _PLUGIN, "the segments of `path`"),
    InputKey("parsed_query", "object", _PLUGIN, "each parameter's values, decoded"),
    InputKey("parsed_body", "any", _PLUGIN, "the body's value; null where it has none (see below)"),
    InputKey("truncated_body", "boolean", _PLUGIN, "whether less of the body came than was sent"),
    InputKey("source_principal", "text", _PLUGIN, "as `attributes.source.principal`; absent without it"),
    InputKey("version.ext_authz", "text", _PLUGIN, "of Envoy's protocol"),
    InputKey("version.encoding", "text", _PLUGIN, "how `attributes` is written"),
    _http("method", "text", "as it came"),
    _http("path", "text", "path and query as Envoy forwards them, every spelling as it is"),
    _http("host", "text", "the host that is asked for"),
    _http("scheme", "text", "`https` or `http`"),
    _http("protocol", "text", "the version of HTTP"),
    _http("id", "text", "Envoy's name for the request"),
    _http("size", "number", "octets of the body, -1 where not known"),
    _http("headers", "object", "by lower-case name; repeated headers joined by commas"),
    _http("headerMap.headers", "list of objects", "the headers one by one, with `encode_raw_headers`"),
    _http("headerMap.headers[].key", "text", "a header's name"),
    _http("headerMap.headers[].rawValue", "text", "its octets, base64"),
    _http("rawBody", "text", "the body, base64, with `pack_as_bytes`"),
    _http("body", "text", "the body without `pack_as_bytes`"),
    InputKey("attributes.request.time.seconds", "number", _PLUGIN, "when Envoy saw the request, since the epoch"),
    InputKey("attributes.request.time.nanos", "number", _PLUGIN, "and the fraction"),
    *(
        InputKey(f"attributes.{peer}.{name}", kind, _PLUGIN, text)
        for peer in ("source", "destination")
        for name, kind, text in (
            ("address.socketAddress.address", "text", f"the {peer}'s address"),
            ("address.socketAddress.portValue", "number", "and its port"),
            ("address.pipe.path", "text", "the path of a unix socket, in place of both"),
            ("principal", "text", "the name in its verified certificate"),
            ("certificate", "text", "the certificate, PEM, URL-encoded"),
            ("service", "text", "the service that Envoy knows it as"),
            ("labels", "object", "its labels"),
        )
    ),
    InputKey("attributes.contextExtensions", "object", _PLUGIN, "what the route's configuration adds"),
    InputKey("attributes.metadataContext.filterMetadata", "object", _PLUGIN, "what other filters say, by filter"),
    InputKey("attributes.routeMetadataContext.filterMetadata", "object", _PLUGIN, "the route's metadata, by filter"),
    InputKey("attributes.tlsSession.sni", "text", _PLUGIN, "the name that the client asked for in TLS"),
)  # fmt: skip


def _peer(address: str, name: str) -> Peer:
    certificate = "-----BEGIN%20CERTIFICATE-----%0A..."
    return Peer(address, 50412, f"spiffe://company.example/{name}", certificate, name, {"team": "sales"})


_CALL = {
    "jsonrpc": "2.0",
    "id": 7,
    "method": "tools/call",
    "params": {"name": "search", "arguments": {"text": "invoices"}},
}
_IDENTITY = Identity(
    "alice", "alice-laptop", ("engineer",), "https://idp.example",
    {"sub": "alice", "email": "alice@company.example"}, 0.0, tenant="sales", binding=Binding.MTLS,
    certificate=Certificate(
        "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0", "CN=alice-laptop", ("spiffe://company.example/alice-laptop",),
        ("alice-laptop.company.example",),
    ),
)  # fmt: skip
_SCAN = Scan(
    (Finding("us_ssn", "us_ssn_grouped", Location.QUERY, "q", "replace", 0.85, 4, "5d41402abc4b2a76"),),
    "/mcp",
    "/mcp",
    carries_local_file=False,
)


def _example(body: Mapping[str, Any], *, raw: bool, source: Peer, destination: Peer) -> dict[str, Any]:
    content = json.dumps(body).encode()
    lines = (("content-type", b"application/json"),)
    request = HttpRequest(
        "POST", "/mcp?q=1&q=2", "api.company.example", "https", "HTTP/2", "15312889364820150621",
        {"content-type": "application/json"}, lines, content, body_is_raw=raw, size=len(content),
        seconds=1785196800, nanos=250_000_000,
        source=source, destination=destination, sni="api.company.example", context_extensions={"route": "mcp"},
        metadata={"envoy.filters.http.jwt_authn": {"iss": "https://idp.example"}},
        route_metadata={"company": {"owner": "sales"}},
    )  # fmt: skip
    return build_input(request, parse_target(request.path), _IDENTITY, _SCAN)


def examples() -> Iterator[dict[str, Any]]:
    """Make one that has nearly all, then others that have the keys which exclude some of its own."""
    yield _example(_CALL, raw=True, source=_peer("10.0.0.7", "agent"), destination=_peer("10.0.0.1", "gateway"))
    pipe = Peer("/run/envoy.sock", is_pipe=True)
    for method, params in (("prompts/get", {"name": "review"}), ("resources/read", {"uri": "docs://handbook"})):
        yield _example({**_CALL, "method": method, "params": params}, raw=False, source=pipe, destination=pipe)


def table() -> str:
    """Return the keys as a table in Markdown."""
    found = list(examples())
    rows = [
        f"| `{key.path}` | {key.kind} | {key.text}{' *' if key.origin == _PLUGIN else ''} | {_shown(key, found)} |"
        for key in KEYS
    ]
    return "\n".join(["| key | type | what it holds | example |", "| --- | --- | --- | --- |", *rows]) + "\n"


def values_at(document: Any, path: str) -> list[Any]:
    """Return what stands at a key's path: none, one, or one for each item of a list."""
    values = [document]
    for name in path.split("."):
        values = [value[name.removesuffix("[]")] for value in values if name.removesuffix("[]") in (value or ())]
        if name.endswith("[]"):
            values = [item for value in values for item in value]
    return values


def _shown(key: InputKey, found: list[dict[str, Any]]) -> str:
    text = json.dumps(next(value for document in found for value in values_at(document, key.path)), ensure_ascii=False)
    return f"`{text}`" if len(text) <= MAX_EXAMPLE else f"`{text[:MAX_EXAMPLE]}`…"
