"""A request's body, as Envoy sends it along → what is found in it, for the policy. Pure.

The body is rewritten or stopped where bodies pass, whether or not it was searched here: what could not be searched
here is told as the entity `unscanned`, which a policy may refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.charsets import in_utf8
from authz_service.dlp.codings import CodingError
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.fields import Blocks
from authz_service.dlp.found import Found
from authz_service.dlp.reading import scan_text
from authz_service.dlp.scan import Scanner
from authz_service.dlp.tokens import ENTITY as OWN_TOKEN
from authz_service.dlp.treatments import BLOCKED, Exchange
from authz_service.dlp.two_readings import open_redactor
from authz_service.dlp.views.json_paths import json_paths
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
    """Search a body as its content type says that it reads; None where there is nothing to tell."""
    body, content_type = request.body, request.headers.get("content-type", "")
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity"}:
        return BodyFindings([Found(UNSCANNED, 1.0, None, 0)])
    try:
        body = in_utf8(body, content_type)
        found = _found(body[:MAX_BODY], content_type, scanner)
    except CodingError:
        return BodyFindings([Found(UNSCANNED, 1.0, None, 0)])
    told = found[:MAX_FOUND]
    if "json" in content_type.lower():
        told = _placed(told, body, scanner)
    if len(body) > MAX_BODY or len(found) > MAX_FOUND:
        told.append(Found(UNSCANNED, 1.0, None, min(len(body), MAX_BODY)))
    return BodyFindings(told) if told else None


def _found(body: bytes, content_type: str, scanner: Scanner) -> list[Found]:
    """Return what is found, in order of place. Nothing is changed, so that nothing is refused either."""
    everything: dict[tuple[int, str], Found] = {}  # a body that is read in two ways is told of once

    def note(found: Found) -> bytes | None:
        if found.detector.entity != OWN_TOKEN:
            everything.setdefault((found.offset, found.detector.name), found)
        return None

    redactor = open_redactor(content_type, scanner, note)
    redactor.feed(body)
    redactor.finish()
    return sorted(everything.values(), key=lambda found: found.offset)


def _placed(found: Sequence[Found], body: bytes, scanner: Scanner) -> list[Found]:
    """Name each finding by its path in JSON, unless something is found in that too: a name is told, a value never."""
    paths = json_paths(body, [one.offset for one in found])
    return [
        one._replace(name="" if scan_text(path.encode("utf-8", "replace"), scanner) else path)
        for one, path in zip(found, paths, strict=True)
    ]
