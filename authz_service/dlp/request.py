"""A request → what was found in it, and the mutations that take header and query values out. Pure.

The query is read as an application reads it: split at `&`, names and values percent-decoded. A value is rewritten in
place; where a parameter cannot be addressed by Envoy's query mutations (its name is repeated, or itself holds a
finding), the whole path is rewritten instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from authz_service.dlp.detectors.local_files import carries_local_file
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner, Span
from authz_service.model import Finding, HttpRequest, Location

# Not rewritten: Envoy routes by them, and refuses to let a filter change them.
_FIXED_HEADERS = frozenset({"host", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Scan:
    """What a request carries. `set_headers` and `set_query` hold redacted values, the latter percent-encoded.

    `path` is the request's path without query, redacted, fit for audit lines.
    """

    findings: Sequence[Finding]
    set_headers: Sequence[tuple[str, str]]
    set_query: Sequence[tuple[str, str]]
    path: str
    carries_local_file: bool


def scan_request(request: HttpRequest, scanner: Scanner, credential_headers: frozenset[str]) -> Scan:
    """Scan a request; `credential_headers` are those that the gateway itself consumes and does not forward."""
    path, _, query = request.path.partition("?")
    header_findings, set_headers = _scan_headers(request.headers, scanner, credential_headers)
    query_findings, set_query, rewritten = _scan_query(query, scanner)
    path_spans = scanner.scan(unquote_to_bytes(path))
    if rewritten is not None:
        set_headers.append((":path", f"{path}?{rewritten}"))
    return Scan(
        findings=[*header_findings, *query_findings, *_findings(path_spans, Location.PATH, "")],
        set_headers=set_headers,
        set_query=set_query,
        path=redact(unquote_to_bytes(path), path_spans).decode("utf-8", "replace") if path_spans else path,
        carries_local_file=carries_local_file(request.body),
    )


def _findings(spans: Sequence[Span], location: Location, name: str) -> list[Finding]:
    return [Finding(span.detector.entity, span.detector.name, location, name) for span in spans]


def _scan_headers(
    headers: Mapping[str, str], scanner: Scanner, credential_headers: frozenset[str]
) -> tuple[list[Finding], list[tuple[str, str]]]:
    findings: list[Finding] = []
    mutations: list[tuple[str, str]] = []
    for name, value in headers.items():
        if name.startswith(":") or name in _FIXED_HEADERS or name in credential_headers:
            continue
        text = value.encode("utf-8", "surrogateescape")
        spans = scanner.scan(text)
        if spans:
            findings += _findings(spans, Location.HEADER, name)
            mutations.append((name, redact(text, spans).decode("utf-8", "replace")))
    return findings, mutations


def _scan_query(query: str, scanner: Scanner) -> tuple[list[Finding], list[tuple[str, str]], str | None]:
    """Return findings, parameters to set, and the whole query anew where setting parameters cannot express it."""
    if not query:
        return [], [], None
    findings: list[Finding] = []
    pieces = query.split("&")
    names = [piece.partition("=")[0] for piece in pieces]
    changed: dict[int, tuple[str, str]] = {}
    addressable = True
    for index, piece in enumerate(pieces):
        name, equals, value = piece.partition("=")
        name_found, new_name = _redact_encoded(name, scanner)
        value_found, new_value = _redact_encoded(value, scanner)
        if not name_found and not value_found:
            continue
        shown = "" if name_found else name
        findings += _findings([*name_found, *value_found], Location.QUERY, shown)
        changed[index] = (new_name, equals + new_value)
        addressable &= not name_found and bool(equals) and names.count(name) == 1
    if not changed:
        return [], [], None
    if addressable:
        return findings, [(name, value[1:]) for name, value in changed.values()], None
    return findings, [], "&".join("".join(changed.get(index, (piece, ""))) for index, piece in enumerate(pieces))


def _redact_encoded(text: str, scanner: Scanner) -> tuple[list[Span], str]:
    """Scan a form-encoded text as it reads decoded; a redacted one is percent-encoded again."""
    decoded = unquote_to_bytes(text.replace("+", " "))
    spans = scanner.scan(decoded)
    return spans, quote(redact(decoded, spans), safe="") if spans else text
