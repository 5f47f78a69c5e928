"""A request → what was found in it; and, once the policy has seen that, the mutations that take it out. Pure.

Headers and query are rewritten. The path is not, since it says what is asked for: what may not stay in it does not
pass. A body is searched here for the policy alone, and is rewritten where bodies pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from authz_service.dlp.actions import Direction, Overrides
from authz_service.dlp.body_findings import BodyFindings, scan_body
from authz_service.dlp.detectors.local_files import carries_local_file
from authz_service.dlp.encoded import suspects_runs
from authz_service.dlp.fields import Blocks, Field, field_of
from authz_service.dlp.headers import (
    NO_HEADER_CHANGES,
    HeaderChanges,
    HeaderFields,
    joined,
    scan_headers,
    searched,
)
from authz_service.dlp.query import NO_QUERY_CHANGES, QueryChanges, QueryFields, form_decoded, scan_query
from authz_service.dlp.reading import scan_text, suspects_text
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.terms import Terms
from authz_service.dlp.tokens import Caller
from authz_service.dlp.treatments import Exchange
from authz_service.model import Finding, HttpRequest, Location
from authz_service.policy.target import Target

MAX_ENDPOINT = 128  # characters; what is longer counts as one with what begins alike
IN_PATH: Final = "secret_in_path"
TOO_LONG: Final = "redacted_too_long"
MAX_WRITTEN: Final = 32 * 1024  # bytes of what is written anew: a replacement can be longer than what it replaces


@dataclass(frozen=True, slots=True)
class Fields:
    """Where in a request something was found, and the exchange that treats it."""

    exchange: Exchange
    headers: HeaderFields | None
    query: QueryFields | None
    path: Field | None
    body: BodyFindings | None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a request carries. `findings` tell what the configuration would do with them.

    `path`, without query, and `endpoint` are redacted, fit for logs, counters and headers.
    """

    findings: Sequence[Finding]
    path: str
    endpoint: str
    carries_local_file: bool
    fields: Fields | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What is done with what was found. `blocked` is the code of why the request does not pass, if it does not."""

    findings: Sequence[Finding] = ()
    headers: HeaderChanges = NO_HEADER_CHANGES
    query: QueryChanges = NO_QUERY_CHANGES
    blocked: str | None = None


NOTHING_DONE: Final = Applied()


def scan_request(  # noqa: PLR0913  (what is searched, by what, for whom)
    request: HttpRequest,
    target: Target,
    terms: Terms,
    caller: Caller | None,
    passed_over: frozenset[str],
    *,
    body: bool,
) -> Scan:
    """Search a request. `passed_over` are the headers that are not searched, `FIXED_HEADERS` and the gateway's own.

    `body`: whether anybody wants to know what is found in the body.
    """
    path, _, query = request.path.partition("?")
    carries = carries_local_file(
        request.body, request.headers.get("content-type", ""), request.headers.get("content-encoding", "")
    )
    scanner = terms.scanner
    headers = searched(request.headers.items(), passed_over)
    in_body = scan_body(request, scanner) if body and request.body else None
    if in_body is None and not _suspects_any(headers, path, query, target.endpoint, scanner):
        return Scan((), path, target.endpoint[:MAX_ENDPOINT], carries)
    spans, text, shown = _path(path, scanner)
    fields = Fields(
        terms.treatments.exchange(request.method, request.host, target, caller),
        scan_headers(headers, scanner),
        scan_query(query, scanner),
        field_of(text, spans, Location.PATH, lambda _: "", None),
        in_body,
    )
    return Scan(
        _noted(fields),
        shown,
        redact_text(target.endpoint, scanner)[:MAX_ENDPOINT],
        carries,
        fields if fields.headers or fields.query or fields.path or fields.body else None,
    )


def apply(scan: Scan, overrides: Overrides) -> Applied:
    """Do with what was found what the configuration says, and the policy."""
    fields = scan.fields
    if fields is None:
        return NOTHING_DONE
    exchange, blocks = fields.exchange.overridden(overrides), Blocks()
    headers = fields.headers.treated(exchange, Direction.REQUEST, blocks) if fields.headers else NO_HEADER_CHANGES
    query = fields.query.treated(exchange, blocks) if fields.query else NO_QUERY_CHANGES
    if fields.path and fields.path.noted(exchange, Direction.REQUEST, blocks):
        blocks.add(IN_PATH)
    if fields.body:
        fields.body.note(exchange, blocks)
    if sum(len(value) for _, value in (*headers.set, *query.set)) > MAX_WRITTEN:
        blocks.add(TOO_LONG)  # no server takes such a request, and Envoy would answer it with a status that is ours
    return Applied(exchange.notes.findings, headers, query, blocks.code)


def _noted(fields: Fields) -> Sequence[Finding]:
    """Return what was found, as the configuration would treat it."""
    if fields.headers:
        fields.headers.note(fields.exchange, Direction.REQUEST)
    if fields.query:
        fields.query.note(fields.exchange)
    if fields.path:
        fields.path.noted(fields.exchange, Direction.REQUEST)
    if fields.body:
        fields.body.note(fields.exchange)
    return fields.exchange.notes.findings


def _suspects_any(headers: Sequence[tuple[str, str]], path: str, query: str, endpoint: str, scanner: Scanner) -> bool:
    """Whether anything could be found in any part of a request. One pass over all of them, which finds most clean."""
    text = joined(headers)
    if query:
        text += b"\n" + form_decoded(query)
    whole = text + f"\n{path}\n{endpoint}".encode("utf-8", "replace")
    if "%" in path:
        whole += b"\n" + unquote_to_bytes(path)
    # A path is not looked at for base64: its slashes are of that alphabet, so that every longer path would be.
    return suspects_text(whole, scanner) or suspects_runs(text, scanner)


def redact_text(text: str, scanner: Scanner) -> str:
    """Take the secrets out of something short that the client chose."""
    data = text.encode()
    spans = scan_text(data, scanner)
    return redact(data, spans).decode("utf-8", "replace") if spans else text


def redact_path(path: str, scanner: Scanner) -> str:
    """Write a path (without query) fit for logs and counters."""
    return _path(path, scanner)[2]


def _path(path: str, scanner: Scanner) -> tuple[Sequence[Span], bytes, str]:
    """Find what a path holds, decoded or as it is written: the findings, the text that has them, the path for logs."""
    for text in (unquote_to_bytes(path), path.encode()) if "%" in path else (path.encode(),):
        spans = scan_text(text, scanner)
        if spans:
            return spans, text, redact(text, spans).decode("utf-8", "replace")
    return (), path.encode(), path
