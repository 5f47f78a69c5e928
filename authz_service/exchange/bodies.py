"""Looks at exchanges with the parts of `dlp`: the inspection that the service runs with.

The request's own headers were looked at by ext_authz, before the policy decided; here it is the response's headers,
both sides' trailers and both bodies. What becomes of a finding is chosen by the same rules as there, and by what the
policy said, which comes along as metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from audit_log.event import FindingNote
from authz_service.dlp.actions import Action, Direction, Overrides
from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.charsets import Recoding
from authz_service.dlp.deltas import DeltaPaths
from authz_service.dlp.fields import Blocks
from authz_service.dlp.found import Blocked, Found, Treatment
from authz_service.dlp.headers import FIXED_HEADERS, scan_headers, searched
from authz_service.dlp.overrides import OverridesError, read_overrides
from authz_service.dlp.terms import Terms
from authz_service.dlp.tokens import Caller
from authz_service.dlp.treatments import Exchange
from authz_service.dlp.two_readings import open_both, open_redactor
from authz_service.dlp.views.escaped import TEXT, EscapedView
from authz_service.dlp.views.opening import Numbers
from authz_service.dlp.views.piece import Syntax, View
from authz_service.dlp.views.sniffed import LIKE_JSON, LIKE_XML
from authz_service.errors import Refusal
from authz_service.exchange.events import UNCHANGED, Change, Fields
from authz_service.exchange.fields import is_grpc, value_of
from authz_service.exchange.inspection import Redactor, Subject
from authz_service.exchange.refusals import RefusedError, UnexpectedError
from authz_service.exchange.sampling import Sampled, Sampling
from authz_service.model import Location
from authz_service.policy.target import parse_target

_FIXED: Final = replace(TEXT, syntax=Syntax.FIXED)
_PSEUDO: Final = frozenset(name for name in FIXED_HEADERS if name.startswith(":"))
_OPAQUE: Final = "requestState"  # MCP's: what a server has sealed for itself, which is never rewritten


@dataclass(frozen=True, slots=True)
class _Reading:
    """How bodies are read: see `ScannedBodies`."""

    numbers: Numbers
    joined: DeltaPaths | None


class ScannedBodies:
    """Begins with each exchange anew. `numbers` says what becomes of a number in JSON that may not stay.

    With `sampling`, what passes is looked at again in the background. `joined` are the places in events whose values
    are parts of one text.
    """

    def __init__(
        self, terms: Terms, numbers: str, sampling: Sampling | None = None, *, joined: Sequence[str] = ()
    ) -> None:
        self._terms = terms
        self._sampling = sampling
        self._reading = _Reading("string" if numbers == "string" else "block", DeltaPaths(joined) if joined else None)

    def inspect(self, subject: Subject) -> ScannedExchange:
        """Begin; raises `UnexpectedError` where the metadata cannot be what ext_authz wrote."""
        try:
            overrides = read_overrides(subject.metadata.get("dlp", {}))
        except OverridesError as error:
            raise UnexpectedError("metadata with actions that there are not") from error
        return ScannedExchange(self._terms, self._reading, subject, overrides, self._sampling)


class ScannedExchange:
    """One exchange. Each direction has findings of its own."""

    def __init__(
        self,
        terms: Terms,
        reading: _Reading,
        subject: Subject,
        overrides: Overrides,
        sampling: Sampling | None = None,
    ) -> None:
        self._subject = subject
        self._sampling = sampling
        self._terms = terms
        self._reading = reading
        self._overrides = overrides
        user, issuer = subject.metadata.get("user"), subject.metadata.get("issuer")
        self._caller = Caller(str(issuer), str(user)) if user and issuer else None
        self._exchanges: dict[Direction, Exchange] = {}
        self._samples: dict[Direction, Sampled] = {}

    def open(self, direction: Direction, fields: Fields, request: Fields) -> Redactor:
        """Begin a body; raises `CodingError` for one in an encoding that cannot be read."""
        treat = _unless_opaque(self._exchange(direction, request).at(direction, Location.BODY))
        content_type = value_of(fields, "content-type")
        scanner, reading = self._terms.scanner, self._reading
        if is_grpc(fields):
            # A message begins with its flags: what begins like JSON is that to whoever asks for no type.
            opened = open_both(fixed_view(), LIKE_JSON + LIKE_XML, scanner, treat, numbers=reading.numbers)
            return self._sampled(opened, direction, content_type)

        def beside() -> Redactor:
            return BodyRedactor(fixed_view(), scanner, treat)

        opened = open_redactor(
            content_type, scanner, treat, numbers=reading.numbers, beside=beside, joined=reading.joined
        )
        redactor = self._sampled(opened, direction, content_type)
        return Recoding(redactor, content_type, beside)

    def _sampled(self, redactor: Redactor, direction: Direction, content_type: str) -> Redactor:
        if self._sampling is None:
            return redactor
        sampled = self._sampling.sampled(redactor, direction, self._subject, content_type)
        if isinstance(sampled, Sampled):
            self._samples[direction] = sampled
        return sampled

    def cut_off(self, direction: Direction) -> None:
        """Hand over for the deep scan what has passed of a body that will not be whole."""
        if direction in self._samples:
            self._samples[direction].cut_off()

    def change(self, direction: Direction, fields: Fields, request: Fields, *, trailers: bool) -> Change:
        """Look at headers or trailers."""
        if direction is Direction.REQUEST and not trailers:
            return UNCHANGED
        location = Location.TRAILER if trailers else Location.HEADER
        passed_over = _PSEUDO if trailers else FIXED_HEADERS - {"host"}  # a response's framing is Envoy's to check
        found = scan_headers(searched(fields, passed_over), self._terms.scanner, location)
        if found is None:
            return UNCHANGED
        blocks = Blocks()
        changes = found.treated(self._exchange(direction, request), direction, blocks)
        if blocks.code is not None:
            raise Blocked(blocks.code)
        if not FIXED_HEADERS.isdisjoint((*changes.remove, *(name for name, _ in changes.set))):
            raise Blocked("secret_in_fixed_place")
        return Change(changes.set, changes.remove)

    def findings(self, direction: Direction) -> Sequence[FindingNote]:
        """What is told of a direction: all but what is let pass unsaid."""
        exchange = self._exchanges.get(direction)
        return [
            FindingNote(found.entity, found.location.value, found.name, found.action)
            for found in (exchange.notes.findings if exchange else ())
            if found.action != Action.ALLOW
        ]

    def _exchange(self, direction: Direction, request: Fields) -> Exchange:
        """What treats the findings of a direction, by the request that they belong to; raises `RefusedError`."""
        exchange = self._exchanges.get(direction)
        if exchange is None:
            try:
                target = parse_target(value_of(request, ":path").partition("?")[0] or "/")
            except Refusal as refusal:  # ext_authz lets none of these pass
                raise RefusedError("target_refused") from refusal
            method, host = value_of(request, ":method"), value_of(request, ":authority")
            exchange = self._terms.treatments.exchange(method, host, target, self._caller, self._overrides)
            self._exchanges[direction] = exchange
        return exchange


def fixed_view() -> View:
    """Read bytes in which nothing can be replaced, as they hold lengths: what is found and may not stay blocks."""
    return EscapedView(_FIXED)


def _unless_opaque(treat: Treatment) -> Treatment:
    """Refuse what would be changed within a value that is its server's own."""

    def treated(found: Found) -> bytes | None:
        instead = treat(found)
        if instead is not None and _OPAQUE in found.name:
            raise Blocked("opaque_state", found)
        return instead

    return treated
