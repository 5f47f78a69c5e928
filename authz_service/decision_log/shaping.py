"""A record → the line to write, or why there is none. Any policy is asked first, and DLP has the last word."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authz_service.decision_log.masking import MaskError, mask, read_rules
from authz_service.decision_log.record import Evaluates, Record, evaluator_of, event_of
from authz_service.decision_log.redaction import MAX_DEPTH, Redaction
from authz_service.dlp.scan import Scanner
from authz_service.errors import PolicyFailed
from authz_service.rego_engine import values
from authz_service.rego_engine.values import UNDEFINED

DROP = "system/log/drop"
MASK = "system/log/mask"
MAX_EVENT_BYTES = 512 * 1024  # of one line; a larger event goes without its input, or not at all


class Fate(enum.StrEnum):
    """What became of a record, as the metrics count it."""

    WRITTEN = "written"
    FULL = "full"  # no room in the queue or in a sink
    DROPPED = "dropped"  # as the policies want it
    MASKING_FAILED = "masking_failed"
    TOO_LARGE = "too_large"
    FAILED = "failed"  # a sink or we ourselves


@dataclass(slots=True)
class Shaper:
    """Makes lines of records, one after the other."""

    scanner: Scanner
    labels: Mapping[str, str]
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def line(self, record: Record) -> bytes | Fate:
        """Return one JSON object, without the end of the line."""
        event = event_of(record, self.labels, next(self._numbers))
        policies = evaluator_of(record.policies)
        for part in ("input", "result"):  # a copy, which mask rules may change
            if part in event:
                event[part] = _copied(event[part], 0)
        if policies is not None:
            try:
                if _asked(policies, DROP, event) is True:
                    return Fate.DROPPED
                rules = _asked(policies, MASK, event)
                if rules is not UNDEFINED:
                    mask(event, read_rules(rules))
            except (PolicyFailed, MaskError):
                return Fate.MASKING_FAILED  # what should have been masked is not known: nothing may be shown
        return self._written(event)

    def _written(self, event: dict[str, Any]) -> bytes | Fate:
        redaction = Redaction(self.scanner)
        for part in ("input", "result", "nd_builtin_cache"):
            if part in event:
                event[part] = redaction.clean(event[part], part)
        for part in ("erased", "masked"):  # a mask rule's pointer may be made of what is found in the input
            if part in event:
                event[part] = redaction.clean(event[part])
        if redaction.places:
            event.setdefault("masked", []).extend(redaction.places)
        line = _encoded(event)
        if len(line) > MAX_EVENT_BYTES and event.pop("input", None) is not None:
            event.setdefault("erased", []).append("/input")
            line = _encoded(event)
        return line if len(line) <= MAX_EVENT_BYTES else Fate.TOO_LARGE


def _asked(policies: Evaluates, rule: str, event: Mapping[str, Any]) -> Any:
    return policies.evaluate(rule, event) if rule in policies.rules else UNDEFINED


def _encoded(event: dict[str, Any]) -> bytes:
    return values.write(event).encode("utf-8", "replace")


def _copied(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {str(name): _copied(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item, depth + 1) for item in value]
    return value
