"""The parts of DLP as they are configured: what is looked for, what no log shows, what becomes of findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from authz_service.dlp import tokens
from authz_service.dlp.actions import Actions
from authz_service.dlp.detectors import EVERY, Detector
from authz_service.dlp.redactions import Redactions
from authz_service.dlp.scan import Scanner
from authz_service.dlp.tokens import Tokens
from authz_service.dlp.treatments import Treatments
from authz_service.settings.dlp import DlpSettings

HASH_KEY_BYTES = 32  # of the key that is made up where none is configured, which makes hashes of this process alone


@dataclass(frozen=True, slots=True)
class Terms:
    """`scanner` finds all that is looked for, `hidden` what must not be written down where it may well stand.

    An address is found in a request, and may stand in a log as the host that was asked for.
    """

    scanner: Scanner
    hidden: Scanner
    treatments: Treatments


def open_terms(settings: DlpSettings, catalogue: Sequence[Detector] = EVERY) -> Terms:
    """Put the parts together. Without a configured key hashes are told from others in this process only."""
    actions = Actions(settings.actions)
    known = _chosen(settings, catalogue)
    made = Tokens(settings.token_keys) if settings.token_keys else None
    own = (tokens.DETECTOR,) if made else ()  # first: no other detector may take a token for something else
    redactions = Redactions(settings.hash_key or os.urandom(HASH_KEY_BYTES), settings.replacement, made)
    return Terms(
        Scanner((*own, *known)),
        Scanner([detector for detector in known if actions.hides(detector.entity)]),
        Treatments(actions, redactions),
    )


def _chosen(settings: DlpSettings, catalogue: Sequence[Detector]) -> Sequence[Detector]:
    """Return the detectors that are wanted, each as sure as it has to be."""
    wanted = [each for each in (*catalogue, *settings.detectors) if not settings.disabled & {each.name, each.entity}]
    least = settings.minimum_confidence
    if not least:
        return wanted
    return [replace(each, accepts=_at_least(least, each.accepts)) for each in wanted]


def _at_least(least: float, accepts: Callable[[bytes, int, int], float]) -> Callable[[bytes, int, int], float]:
    def accepted(text: bytes, start: int, end: int) -> float:
        confidence = accepts(text, start, end)
        return confidence if confidence >= least else 0.0

    return accepted
