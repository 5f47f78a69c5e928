"""Takes entries one by one, has them analysed, and does what the rules say.

An entry is dropped only when everything was done: the audit event is written, revocations are made, the webhook has
taken its message. What fails for a passing reason leaves the entry where it is; it is taken again later, and given up
after `MAX_DELIVERIES`, with an audit event that says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit_log.deep_scan import DeepScanEvent, FindingCount
from audit_log.sink import AuditSink
from authz_service.deep_scan.analyser import Hit
from authz_service.deep_scan.analysis import AnalysisFailed
from authz_service.deep_scan.note import Note
from authz_service.deep_scan.rules import Response, Rule, respond
from authz_service.deep_scan.sealing import Seal, SealError
from authz_service.deep_scan.store import MAX_DELIVERIES, DeepScanStore, Entry
from authz_service.deep_scan.webhook import Webhook, WebhookError
from authz_service.revocation.records import RecordError
from authz_service.revocation.store import ListFullError, RevocationStore
from service_kit.valkey.errors import StoreUnavailableError

RETRY_SECONDS = 1.0  # after Valkey has not answered
IDLE_FACTOR = 3  # an entry that was taken this many deadlines ago is taken from whoever has it

log = logging.getLogger(__name__)


class Reading(Protocol):
    """How a body reads as text."""

    def __call__(self, body: bytes, content_type: str) -> str:
        """Return the text; never raises."""
        ...


class Analyses(Protocol):
    """What analyses texts: see `analysis`."""

    async def analyse(self, text: str) -> Sequence[Hit]:
        """Return the hits; raises `AnalysisFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What the worker goes by; `deadline` is in seconds, for the analysis of one text."""

    rules: Sequence[Rule]
    minimum_score: float
    deadline: float


class Worker:
    """See the module."""

    def __init__(  # noqa: PLR0913  (everything that it does something with)
        self,
        name: str,
        terms: Terms,
        *,
        store: DeepScanStore,
        seal: Seal,
        analysis: Analyses,
        read: Reading,
        audit: AuditSink,
        revocations: RevocationStore,
        webhook: Webhook | None,
        now: Callable[[], float],
        counted: Callable[[str], None],
    ) -> None:
        """`counted` hears what became of each entry: clean, found, unreadable, failed, given_up."""
        self._name = name
        self._terms = terms
        self._store = store
        self._seal = seal
        self._analysis = analysis
        self._read = read
        self._audit = audit
        self._revocations = revocations
        self._webhook = webhook
        self._now = now
        self._counted = counted

    async def run(self) -> None:
        """Work, for ever."""
        while True:
            try:
                await self.work()
            except StoreUnavailableError as error:
                log.warning("Valkey cannot be asked for entries", extra={"fields": {"problem": str(error)}})
                await asyncio.sleep(RETRY_SECONDS)

    async def work(self, *, wait: bool = True) -> bool:
        """Take one entry and finish it; False where there is none. Raises `StoreUnavailableError`."""
        idle = IDLE_FACTOR * self._terms.deadline
        entry = await self._store.take(self._name, idle_seconds=idle, wait=wait)
        if entry is None:
            return False
        fate = await self._finish(entry)
        self._counted(fate)
        if fate != "failed":
            await self._store.done(entry)
        return True

    async def _finish(self, entry: Entry) -> str:
        try:
            note, body = await asyncio.to_thread(self._seal.open, entry.data)
        except SealError as error:
            log.error("an entry cannot be opened", extra={"fields": {"entry": entry.id, "problem": str(error)}})
            return "unreadable"
        if entry.deliveries > MAX_DELIVERIES:
            self._audit.record(self._event(entry, note, Response(), "given_up", ()))
            return "given_up"
        try:
            text = await asyncio.to_thread(self._read, body, note.content_type)
            hits = await self._analysis.analyse(text)
        except AnalysisFailed as error:
            log.warning("an entry was not analysed", extra={"fields": {"entry": entry.id, "problem": str(error)}})
            return "failed"
        response = respond(note, hits, self._terms.rules, self._terms.minimum_score)
        if not response.findings:
            return "clean"
        actions, complete = await self._do(entry, note, response)
        self._audit.record(self._event(entry, note, response, "found", actions))
        return "found" if complete else "failed"

    async def _do(self, entry: Entry, note: Note, response: Response) -> tuple[list[str], bool]:
        """Return what was done, and whether that is everything."""
        actions, complete = [], True
        for order in response.orders:
            try:
                await self._revocations.revoke(order)
                actions.append(f"revoked_{order.subject.kind.value}")
            except (StoreUnavailableError, RecordError, ListFullError) as error:
                log.error("not revoked", extra={"fields": {"entry": entry.id, "problem": type(error).__name__}})
                complete = False
        if response.webhook and self._webhook:
            try:
                await self._webhook.tell(entry.id, note, response.findings)
                actions.append("webhook")
            except WebhookError as error:
                log.error("the webhook was not told", extra={"fields": {"entry": entry.id, "problem": str(error)}})
                complete = False
        return actions, complete

    def _event(
        self, entry: Entry, note: Note, response: Response, outcome: str, actions: Sequence[str]
    ) -> DeepScanEvent:
        return DeepScanEvent(
            time=self._now(),
            entry_id=entry.id,
            outcome=outcome,
            decision_id=note.decision_id,
            request_id=note.request_id,
            direction=note.direction,
            user=note.user,
            agent_id=note.agent,
            issuer=note.issuer,
            endpoint=note.endpoint,
            findings=[FindingCount(each.entity, each.count, each.score) for each in response.findings],
            actions=actions,
            complete=note.complete,
        )
