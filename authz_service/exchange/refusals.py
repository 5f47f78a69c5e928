"""What ends an exchange, and what its client is told then. Pure.

A request that is refused is answered as a denial of ext_authz is, in the client's own form. Of a refused response the
client learns that it was refused, by a status that blames the upstream, and nothing of what it held.
"""

from __future__ import annotations

from authz_service.denials import Denials
from authz_service.dlp.actions import Direction
from authz_service.exchange.events import Answer, Fields
from authz_service.model import DecidedBy, Decision, HttpRequest, Outcome

MAX_HELD = 64 * 1024  # bytes of a request's body that are kept for the form of a refusal

_TEXTS = {
    "body_too_large": "the body is larger than is looked at",
    "coding_expands": "the body expands too much",
    "coding_goes_on": "the body goes on behind its coding",
    "coding_malformed": "the body is not in its coding",
    "coding_truncated": "the body ends within its coding",
    "number_too_long": "a number in the body is too long",
    "opaque_state": "an opaque value holds a secret",
    "partial_content": "a part of a body cannot be looked at",
    "too_many_codings": "the body has too many codings",
    "trailers_refused": "trailers cannot follow this body",
    "unknown_boundary": "what stands between the parts of the body is not certain",
    "unknown_charset": "the character encoding of the body is not supported",
    "unknown_coding": "the coding of the body is not supported",
    "unknown_part": "how a part of the body is written is not certain",
    "upgrade_refused": "another protocol cannot be looked at",
    "xml_entities": "XML that defines entities cannot be looked at",
}
_STATUS = {
    "body_too_large": 413,
    "number_too_long": 400,
    "partial_content": 400,
    "too_many_codings": 415,
    "trailers_refused": 400,
    "unknown_boundary": 415,
    "unknown_charset": 415,
    "unknown_coding": 415,
    "unknown_part": 415,
    "xml_entities": 415,
    "coding_expands": 413,
    "coding_goes_on": 400,
    "coding_malformed": 400,
    "coding_truncated": 400,
}
_FORBIDDEN, _BAD_GATEWAY = 403, 502


class RefusedError(Exception):
    """An exchange is not to go on for what it is like, not for what was found. `code` is stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnexpectedError(Exception):
    """What came breaks the order of the protocol: Envoy's fault or ours, and no client's. The text is fit for logs."""


def status_of(code: str, direction: Direction) -> int:
    """The status that a client gets."""
    return _BAD_GATEWAY if direction is Direction.RESPONSE else _STATUS.get(code, _FORBIDDEN)


def answer(code: str, direction: Direction, decision_id: str, request: HttpRequest, denials: Denials) -> Answer:
    """Write the answer in the form that the client of `request` understands."""
    usual = _TEXTS.get(code, f"the {direction} holds something that may not pass")
    decision = Decision(
        Outcome.DENY, decision_id, code, usual, "dlp", DecidedBy.GATEWAY, status=status_of(code, direction),
    )  # fmt: skip
    formed = denials.form(decision, request)
    return Answer(formed.status, formed.headers, formed.body or "", code)


def request_of(fields: Fields, body: bytes) -> HttpRequest:
    """What the form of an answer depends on."""
    headers: dict[str, str] = {}
    for name, value in fields:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    kept = body if len(body) <= MAX_HELD else b""
    return HttpRequest(headers.get(":method", ""), headers.get(":path", ""), headers=headers, body=kept)
