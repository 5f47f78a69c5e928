"""What is done about hits: the first rule for one says. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from authz_service.deep_scan.analyser import Hit
from authz_service.deep_scan.note import Note
from authz_service.revocation.model import Kind, Order, RevocationError, Subject

AUTHOR = "deep-scan"
MAX_REASON = 200  # characters


@dataclass(frozen=True, slots=True)
class Rule:
    """For hits of these entities (none: of all) with at least this score.

    `revoke` is whom, None for nobody; `seconds` how long, None for until it is restored.
    """

    entities: frozenset[str] = frozenset()
    minimum_score: float = 0.0
    revoke: Kind | None = None
    seconds: float | None = None
    webhook: bool = False

    def covers(self, hit: Hit) -> bool:
        """Whether the rule is for a hit."""
        return hit.score >= self.minimum_score and (not self.entities or hit.entity in self.entities)


@dataclass(frozen=True, slots=True)
class Summary:
    """Hits of one entity: how many, and the best score."""

    entity: str
    count: int
    score: float


@dataclass(frozen=True, slots=True)
class Response:
    """What is to be done about the hits of one body. Without findings, nothing."""

    findings: Sequence[Summary] = ()
    orders: Sequence[Order] = ()
    webhook: bool = False


def respond(note: Note, hits: Sequence[Hit], rules: Sequence[Rule], minimum_score: float) -> Response:
    """Say what is to be done. Hits under `minimum_score` are none."""
    hits = [hit for hit in hits if hit.score >= minimum_score]
    if not hits:
        return Response()
    counts = Counter(hit.entity for hit in hits)
    findings = [
        Summary(entity, count, max(hit.score for hit in hits if hit.entity == entity))
        for entity, count in sorted(counts.items())
    ]
    chosen = {rule for hit in hits if (rule := next((rule for rule in rules if rule.covers(hit)), None))}
    orders: dict[Subject, Order] = {}
    for rule in rules:
        if rule not in chosen or rule.revoke is None:
            continue
        order = _order(note, rule.revoke, rule.seconds, findings)
        if order is not None:
            known = orders.setdefault(order.subject, order)
            if known.seconds is not None and (order.seconds is None or order.seconds > known.seconds):
                orders[order.subject] = order  # of two that are of the same, the one that holds longer
    return Response(findings, list(orders.values()), webhook=any(rule.webhook for rule in chosen))


def _order(note: Note, kind: Kind, seconds: float | None, findings: Sequence[Summary]) -> Order | None:
    """Return the revocation; None where the exchange has no such: it was anonymous, or had no agent."""
    value = {Kind.TOKEN_ID: note.token_id, Kind.AGENT: note.agent, Kind.USER: note.user}.get(kind, "")
    if not value:
        return None
    reason = f"deep scan found {', '.join(each.entity for each in findings)}"[:MAX_REASON]
    try:
        return Order(Subject(kind, value, note.issuer or None), AUTHOR, reason, seconds)
    except RevocationError:
        return None
