"""One exchange: what may follow what, and what is done on each event. No I/O, no clock.

    begin ──headers──▶ body ──part──▶ body ──end or trailers──▶ done        each direction on its own

An answer of Envoy itself, such as ext_authz's denial, comes as a response without a request. Whatever a direction is
refused for ends the exchange with an `Answer`; after that nothing is done any more, whatever comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from authz_service.denials import Denials
from authz_service.dlp.actions import Direction
from authz_service.dlp.codings import CodingError
from authz_service.dlp.found import Blocked
from authz_service.exchange.body import Terms
from authz_service.exchange.events import (
    Action,
    BodyCame,
    Event,
    HeadersCame,
    Mode,
    Record,
)
from authz_service.exchange.inspection import Inspection
from authz_service.exchange.passage import Passage
from authz_service.exchange.refusals import MAX_HELD, RefusedError, answer, request_of, status_of


@dataclass(frozen=True, slots=True)
class Modes:
    """How the bodies of both directions come."""

    request: Mode
    response: Mode


class Exchange:
    """What came so far. It is told each event once, in order, and all of its actions are to be done before the next."""

    def __init__(self, modes: Modes, inspection: Inspection, decision_id: str, terms: Terms, denials: Denials) -> None:
        self.is_answered = False
        self._modes = modes
        self._decision_id = decision_id
        self._denials = denials
        self._passages = {
            Direction.REQUEST: Passage(Direction.REQUEST, modes.request, inspection, terms),
            Direction.RESPONSE: Passage(Direction.RESPONSE, modes.response, inspection, terms),
        }
        self._kept = b""  # of the request's body, where the form of a refusal may depend on it

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return not self.is_answered and any(passage.is_open for passage in self._passages.values())

    @property
    def windows(self) -> int:
        """Bytes that the codings of its bodies hold for as long as these last, at most."""
        request, response = self._passages.values()
        return request.windows + response.windows

    def handle(self, event: Event) -> Iterator[Action]:
        """Yield what is to be done.

        Raises:
            UnexpectedError: this event cannot come now.
        """
        if self.is_answered:
            return
        passage = self._passages[event.direction]
        try:
            if isinstance(event, HeadersCame):
                is_request = event.direction is Direction.REQUEST
                request = event.fields if is_request else self._passages[Direction.REQUEST].fields
                yield from passage.headers_came(event, request, self._modes.response)
            elif isinstance(event, BodyCame):
                self._keep(event)
                yield from passage.body_came(event)
            else:
                yield from passage.trailers_came(event)
        except (Blocked, CodingError, RefusedError) as refusal:
            yield from self._refuse(refusal.code, event.direction)

    def cut_off(self, code: str) -> Iterator[Record]:
        """Yield what is to be written down where the exchange ends before it is over."""
        if self.is_answered:
            return
        for passage in self._passages.values():
            if passage.is_open:
                passage.cut_off()
                yield from passage.told(code)

    def _keep(self, event: BodyCame) -> None:
        if event.direction is Direction.REQUEST:
            self._kept = self._kept + event.data if len(self._kept) + len(event.data) <= MAX_HELD else b""

    def _refuse(self, code: str, direction: Direction) -> Iterator[Action]:
        self.is_answered = True
        yield from self._passages[direction].told(code, status=status_of(code, direction))
        for passage in self._passages.values():
            passage.drop()
        request = request_of(self._passages[Direction.REQUEST].fields, self._kept)
        yield answer(code, direction, self._decision_id, request, self._denials)
