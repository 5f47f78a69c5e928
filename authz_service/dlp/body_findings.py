"""A request's body, as Envoy sends it along → what is found in it, for the policy. Pure.

The body is rewritten or stopped where bodies pass, whether or not it was searched here: what could not be searched
here is told as the entity `unscanned`, which a policy may refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.fields import Blocks
from authz_service.dlp.found import Found
from authz_service.dlp.reading import scan_text
from authz_service.dlp.scan import Scanner
from authz_service.dlp.tokens import ENTITY as OWN_TOKEN
from authz_service.dlp.treatments import BLOCKED, Exchange
from authz_service.dlp.views.folding import fold
from authz_service.model import HttpRequest, Location

MAX_BODY: Final = 1024 * 1024  # bytes that are searched; as much as a policy may look at
MAX_FOUND: Final = 10_000  # of one body that are told; where there are more, that is told too


def _never(text: bytes, start: int, end: int) -> float:
    del text, start, end
    return 0.0


# What is told of a body that was not searched, or not in whole.
UNSCANNED: Final = Detector("unscanned", "unscanned", "", "", _never)


@dataclass(frozen=True, slots=True)
class BodyFindings:
    """What was found in a body, in order."""

    found: Sequence[Found]

    def note(self, exchange: Exchange, blocks: Blocks | None = None) -> None:
        """Note it down in the exchange, and in `blocks` if it does not pass."""
        for found in self.found:
            action = exchange.note(found, Direction.REQUEST, Location.BODY)
            if action is Action.BLOCK and blocks is not None:
                blocks.add(BLOCKED[Direction.REQUEST])


def scan_body(request: HttpRequest, scanner: Scanner) -> BodyFindings | None:
    """Search a body; None where there is nothing to tell."""
    body = request.body
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        return BodyFindings([Found(UNSCANNED, 1.0, None, 0)])
    text = body[:MAX_BODY]
    spans = [span for span in scan_text(text, scanner) if span.detector.entity != OWN_TOKEN]
    found = [
        Found(span.detector, span.confidence, fold(text[span.start : span.end]), span.start)
        for span in spans[:MAX_FOUND]
    ]
    if len(body) > MAX_BODY or len(spans) > MAX_FOUND:
        found.append(Found(UNSCANNED, 1.0, None, min(len(body), MAX_BODY)))
    return BodyFindings(found) if found else None
