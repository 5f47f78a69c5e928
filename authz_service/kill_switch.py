"""The kill switch in one process: the list of revocations, what keeps it up to date, and whom it tells what."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable

from audit_log.revocation_event import RevocationEvent
from audit_log.sink import AuditUnavailableError
from authz_service.revocation.follower import Follower
from authz_service.revocation.guard import Guard
from authz_service.revocation.model import Change
from authz_service.revocation.store import RevocationStore
from authz_service.settings.revocation import RevocationSettings
from authz_service.settings.valkey import ValkeySettings
from authz_service.telemetry import Metrics
from service_kit.health import Health
from service_kit.valkey.client import Client

PART = "revocations"  # of the process's health
REPORT_SECONDS = 0.5

log = logging.getLogger(__name__)


class KillSwitch:
    """See the module. `guard` is what requests are checked with. Lives on one event loop.

    `record` writes an audit event; like a sink of them, it raises `AuditUnavailableError` when it is not kept.
    """

    def __init__(
        self,
        valkey: ValkeySettings,
        revocation: RevocationSettings,
        *,
        record: Callable[[RevocationEvent], None],
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._record = record
        self._metrics = metrics
        self._health = health
        self.guard = Guard(revocation, monotonic=time.monotonic)
        # One waits for changes, the other says how far this process is: a connection carries one at a time.
        self._clients = [Client(valkey.topology, deadline=valkey.deadline) for _ in range(2)]
        self._stores = [RevocationStore(client, deadline=valkey.deadline) for client in self._clients]
        self._follower = Follower(
            self._stores[0], self.guard, now=time.time, monotonic=time.monotonic, changed=self._in_force
        )
        # Not only host and process: containers share both.
        self.replica = f"{socket.gethostname()[:64]}/{os.getpid()}/{secrets.token_hex(3)}"

    async def begin(self) -> None:
        """Read the list once; where that cannot be done, the service begins all the same, as if it had been lost."""
        if await self._follower.load():
            log.info("revocations in force", extra={"fields": {"entries": len(self.guard)}})
        self._health.set(PART, self.guard.problem())

    async def run(self) -> None:
        """Keep the list up to date, and tell of it, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follower.follow())
                group.create_task(self._follower.acknowledge(self._stores[1], self.replica))
                group.create_task(self._report())
        finally:
            for client in self._clients:
                await client.close()

    def _in_force(self, change: Change) -> None:
        self._metrics.revocation_changed(change.action.value)
        made = change.revocation
        event = RevocationEvent(
            time=time.time(),
            action=change.action.value,
            change=change.id,
            kind=change.subject.kind.value,
            value=change.subject.value,
            issuer=change.subject.issuer,
            by=change.by,
            reason=change.reason,
            since=change.at,
            until=made.until if made else None,
            issued_before=made.issued_before if made else None,
        )
        try:
            self._record(event)
        except AuditUnavailableError as error:
            # It is in force all the same: to hold it up would let in whom somebody wants out.
            fields = {"change": change.id, "detail": str(error)}
            log.error("audit event of a revocation not kept", extra={"fields": fields})

    async def _report(self) -> None:
        """Tell metrics and health now and then what no change tells them."""
        told = self.guard.problem()
        while True:
            self._metrics.revocations_are(len(self.guard), self.guard.age())
            problem = self.guard.problem()
            if problem != told:
                told = problem
                self._health.set(PART, problem)
            self._health.note("revocations_list", self.guard.trouble() or "up to date")
            await asyncio.sleep(REPORT_SECONDS)
