"""A request → what was found in it, and the mutations that take header and query values out. Pure.

The query is read as an application reads it: split at `&`, names and values percent-decoded. Envoy's query mutations
set a name to one value, so a repeated name with a finding in one of its values comes out once, its values joined by
commas; a name that holds a finding itself is removed and comes back redacted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from authz_service.dlp.detectors.local_files import carries_local_file
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner, Span
from authz_service.model import Finding, HttpRequest, Location

# Not rewritten: Envoy routes by them, and refuses to let a filter change them.
_FIXED_HEADERS = frozenset({"host", "content-length", "transfer-encoding"})
MAX_FINDINGS = 100  # told of one request; redaction itself leaves none out
MAX_ENDPOINT = 128  # characters; what is longer counts as one with what begins alike
MAX_NAME = 64  # characters of a header's or parameter's name in a finding


@dataclass(frozen=True, slots=True)
class Scan:
    """What a request carries. `set_headers` and `set_query` hold redacted values, the latter percent-encoded.

    `remove_headers` and `remove_query` are those whose very names held a finding. `path`, without query, and `endpoint`
    are redacted, fit for logs, counters and headers.
    """

    findings: Sequence[Finding]
    set_headers: Sequence[tuple[str, str]]
    remove_headers: Sequence[str]
    set_query: Sequence[tuple[str, str]]
    remove_query: Sequence[str]
    path: str
    endpoint: str
    carries_local_file: bool


def scan_request(request: HttpRequest, endpoint: str, scanner: Scanner, credential_headers: frozenset[str]) -> Scan:
    """Scan a request; `credential_headers` are those that the gateway itself consumes and does not forward."""
    path, _, query = request.path.partition("?")
    carries = carries_local_file(
        request.body, request.headers.get("content-type", ""), request.headers.get("content-encoding", "")
    )
    if not _suspects_any(request.headers, path, query, endpoint, scanner):
        return Scan((), (), (), (), (), path, endpoint[:MAX_ENDPOINT], carries)
    header_findings, set_headers, remove_headers = _scan_headers(request.headers, scanner, credential_headers)
    query_findings, set_query, remove_query = _scan_query(query, scanner)
    path_spans, shown_path = redact_path(path, scanner)
    findings = [*header_findings, *query_findings, *_findings(path_spans, Location.PATH, "")]
    return Scan(
        findings=findings[:MAX_FINDINGS],
        set_headers=set_headers,
        remove_headers=remove_headers,
        set_query=set_query,
        remove_query=remove_query,
        path=shown_path,
        endpoint=redact_text(endpoint, scanner)[:MAX_ENDPOINT],
        carries_local_file=carries,
    )


def _suspects_any(headers: Mapping[str, str], path: str, query: str, endpoint: str, scanner: Scanner) -> bool:
    """Whether anything could be found in any part of a request. One pass over all of them, which finds most clean."""
    parts = ["\n".join([*headers, *headers.values(), path, endpoint]).encode()]
    if query:
        parts.append(unquote_to_bytes(query.replace("+", " ")))
    if "%" in path:
        parts.append(unquote_to_bytes(path))
    return scanner.suspects(b"\n".join(parts))


def redact_text(text: str, scanner: Scanner) -> str:
    """Take the secrets out of something short that the client chose."""
    data = text.encode()
    spans = scanner.scan(data)
    return redact(data, spans).decode("utf-8", "replace") if spans else text


def redact_path(path: str, scanner: Scanner) -> tuple[list[Span], str]:
    """Find what a path (without query) holds, decoded or as it is written, and write it fit for logs and counters."""
    for text in (unquote_to_bytes(path), path.encode()) if "%" in path else (path.encode(),):
        spans = scanner.scan(text)
        if spans:
            return spans, redact(text, spans).decode("utf-8", "replace")
    return [], path


def _findings(spans: Sequence[Span], location: Location, name: str) -> list[Finding]:
    """One finding for each detector at a place, however often it struck there: findings are told, not counted."""
    shown = name[:MAX_NAME]
    return [Finding(span.detector.entity, span.detector.name, location, shown) for span in _by_detector(spans)]


def _by_detector(spans: Sequence[Span]) -> Collection[Span]:
    return {span.detector.name: span for span in spans}.values()


def _scan_headers(
    headers: Mapping[str, str], scanner: Scanner, credential_headers: frozenset[str]
) -> tuple[list[Finding], list[tuple[str, str]], list[str]]:
    """Return findings, headers to set, and headers to remove: those whose very names hold a finding."""
    findings: list[Finding] = []
    to_set: list[tuple[str, str]] = []
    to_remove: list[str] = []
    if not scanner.suspects("\n".join([*headers, *headers.values()]).encode()):
        return findings, to_set, to_remove
    for name, value in headers.items():
        if name.startswith(":") or name in _FIXED_HEADERS or name in credential_headers:
            continue
        name_spans = scanner.scan(name.encode())
        text = value.encode()
        spans = scanner.scan(text)
        if name_spans:  # no name can be put in its place: the brackets of a redaction are not for header names
            findings += _findings([*name_spans, *spans], Location.HEADER, "")
            to_remove.append(name)
        elif spans:
            findings += _findings(spans, Location.HEADER, name)
            to_set.append((name, redact(text, spans).decode("utf-8", "replace")))
    return findings, to_set, to_remove


def _scan_query(query: str, scanner: Scanner) -> tuple[list[Finding], list[tuple[str, str]], list[str]]:
    """Return findings, parameters to set, and names to remove. Names stay as written: so does Envoy compare them."""
    if not scanner.suspects(unquote_to_bytes(query.replace("+", " "))):
        return [], [], []
    values: dict[str, list[str]] = {}
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        values.setdefault(name, []).append(value)
    findings: list[Finding] = []
    kept: dict[str, list[str]] = {}
    changed: set[str] = set()
    to_remove: list[str] = []
    for name, written in values.items():
        name_spans, new_name = _redact_encoded(name, scanner)
        redacted = [_redact_encoded(value, scanner) for value in written]
        # Two names can become one when they are redacted: then neither's values may push out the other's.
        kept.setdefault(new_name, []).extend(value for _, value in redacted)
        spans = [*name_spans, *(span for found, _ in redacted for span in found)]
        if not spans:
            continue
        findings += _findings(spans, Location.QUERY, "" if name_spans else name)
        changed.add(new_name)
        if name_spans:
            to_remove.append(name)
    return findings, [(name, "%2C".join(kept[name])) for name in kept if name in changed], to_remove


def _redact_encoded(text: str, scanner: Scanner) -> tuple[list[Span], str]:
    """Scan a form-encoded text as it reads decoded; a redacted one is percent-encoded again."""
    decoded = unquote_to_bytes(text.replace("+", " "))
    spans = scanner.scan(decoded)
    return spans, quote(redact(decoded, spans), safe="") if spans else text
