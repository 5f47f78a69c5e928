"""The worker with a real store, a real list of revocations and a real webhook."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from authz_service.deep_scan.analyser import Detectors, Hit
from authz_service.deep_scan.analysis import AnalysisFailed
from authz_service.deep_scan.note import Note
from authz_service.deep_scan.rules import Rule
from authz_service.deep_scan.sealing import KEY_BYTES, Seal
from authz_service.deep_scan.store import MAX_DELIVERIES, DeepScanStore
from authz_service.deep_scan.webhook import Webhook
from authz_service.deep_scan.worker import Analyses, Terms, Worker
from authz_service.revocation.model import Kind
from authz_service.revocation.records import read_entry
from authz_service.revocation.store import RevocationStore
from service_kit.secret_file import PRINTABLE, SecretFile
from service_kit.valkey.client import Client
from tests.authz_service.deep_scan.stores import DEADLINE, opened
from tests.authz_service.policy.opa_servers import Told, response
from tests.authz_service.revocation.stores import single
from tests.valkey_servers import Server

NOTE = Note("d-1", "r-1", "request", "alice", "cowork", "https://idp", "j-1", "/reports", "text/plain", 7.0)
SEAL = Seal([os.urandom(KEY_BYTES)])
SSN = "123-45-6789"
REVOKE = Rule(frozenset({"us_ssn"}), 0.5, Kind.AGENT, 3600.0)


class Analysing:
    """Our detectors, in this process; it fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures

    async def analyse(self, text: str) -> Sequence[Hit]:
        if self.failures:
            self.failures -= 1
            raise AnalysisFailed("took longer than 1 s")
        return Detectors().analyse(text)


@dataclass
class Scene:
    """A worker and what it works with. Events are as they are written."""

    worker: Worker
    store: DeepScanStore
    revocations: RevocationStore
    lines: list[str] = field(default_factory=list)
    fates: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    async def put(self, text: str, note: Note = NOTE) -> None:
        """Put a body into the stream."""
        assert (await self.store.add(SEAL.close(note, text.encode()))).room

    async def revoked(self) -> list[str]:
        """Whom the list is of."""
        return [str(read_entry(*entry).subject) for entry in (await self.revocations.load()).entries or ()]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of the module."""
    with Server() as found:
        yield found


@contextlib.asynccontextmanager
async def scene(
    server: Server, rules: Sequence[Rule] = (), *, analysis: Analyses | None = None, webhook: Webhook | None = None
) -> AsyncIterator[Scene]:
    """A scene with an empty store."""
    with contextlib.closing(server.client()) as client:
        client.flushall()
    lines: list[str] = []
    fates: list[str] = []

    class Audit:
        def record(self, event: Any) -> None:
            lines.append(event.to_json())

    client_of_revocations = Client(single(server), deadline=DEADLINE)
    async with opened(server) as store:
        revocations = RevocationStore(client_of_revocations, deadline=DEADLINE)
        worker = Worker(
            "one", Terms(rules, 0.5, 0.0),
            store=store, seal=SEAL, analysis=analysis or Analysing(), read=lambda body, _: body.decode(),
            audit=Audit(), revocations=revocations, webhook=webhook, now=lambda: 8.0, counted=fates.append,
        )  # fmt: skip
        yield Scene(worker, store, revocations, lines, fates)
    await client_of_revocations.close()


def test_a_clean_body_leaves_nothing_behind(server: Server) -> None:
    """No event, no entry."""

    async def scenario() -> None:
        async with scene(server, [REVOKE]) as found:
            assert not await found.worker.work(wait=False)
            await found.put("nothing here")
            assert await found.worker.work(wait=False)
            assert (found.events, found.fates, await found.store.waiting()) == ([], ["clean"], 0)
            assert await found.revoked() == []

    asyncio.run(scenario())


def test_a_finding_is_told_and_revokes_as_the_rules_say(server: Server) -> None:
    """With the agent's own issuer, and without the value anywhere."""

    async def scenario() -> None:
        async with scene(server, [REVOKE]) as found:
            await found.put(f"my number is {SSN}")
            assert await found.worker.work(wait=False)
            (event,) = found.events
            assert event["findings"] == [{"entity": "us_ssn", "count": 1, "score": 1.0}]
            assert (event["outcome"], event["actions"]) == ("found", ["revoked_agent"])
            assert (event["decision_id"], event["user"], event["agent_id"]) == ("d-1", "alice", "cowork")
            assert await found.revoked() == ["agent cowork of issuer https://idp"]
            assert await found.store.waiting() == 0
            assert SSN not in "".join(found.lines)

    asyncio.run(scenario())


def test_the_webhook_is_told_too_and_an_entry_stays_until_it_is(server: Server, tmp_path: Path) -> None:
    """What the webhook has not taken comes again: the revocation is made once more, which changes nothing."""
    (tmp_path / "secret").write_text("shared")

    async def scenario() -> None:
        told = Told(lambda _head: response(b"", f"{500 if len(told.requests) < 5 else 200} Status"))
        async with told.running():
            webhook = Webhook(told.url, SecretFile(tmp_path / "secret", PRINTABLE), lambda: 9.0, back_off=(0.0,))
            rule = Rule(revoke=Kind.TOKEN_ID, webhook=True)
            async with scene(server, [rule], webhook=webhook) as found:
                await found.put(SSN)
                assert await found.worker.work(wait=False)
                assert (found.fates, await found.store.waiting()) == (["failed"], 1)
                assert found.events[0]["actions"] == ["revoked_token_id"]
                assert await found.worker.work(wait=False)
                assert (found.fates, await found.store.waiting()) == (["failed", "found"], 0)
                assert found.events[1]["actions"] == ["revoked_token_id", "webhook"]
                assert await found.revoked() == ["token id j-1 of issuer https://idp"]
                assert SSN.encode() not in b"".join(body for _, body in told.requests)
            await webhook.close()

    asyncio.run(scenario())


def test_a_body_that_cannot_be_analysed_is_tried_some_times_and_then_told_of(server: Server) -> None:
    """It does not come for ever, and it does not go without a word."""

    async def scenario() -> None:
        async with scene(server, analysis=Analysing(failures=100)) as found:
            await found.put(SSN)
            while await found.worker.work(wait=False):
                pass
            assert found.fates == ["failed"] * MAX_DELIVERIES + ["given_up"]
            (event,) = found.events
            assert (event["outcome"], event["findings"]) == ("given_up", [])
            assert await found.store.waiting() == 0

    asyncio.run(scenario())


def test_what_a_worker_left_behind_another_finishes(server: Server) -> None:
    """One that is killed between taking an entry and finishing it."""

    async def scenario() -> None:
        async with scene(server, [REVOKE]) as found:
            await found.put(SSN)
            assert await found.store.take("killed", idle_seconds=60.0, wait=False) is not None
            assert await found.worker.work(wait=False)
            assert found.fates == ["found"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "entry", [b"", b"no entry at all", Seal([os.urandom(KEY_BYTES)]).close(NOTE, b"x")], ids=range(3)
)
def test_an_entry_that_cannot_be_opened_holds_up_nobody(server: Server, entry: bytes) -> None:
    """Whoever has put it there."""

    async def scenario() -> None:
        async with scene(server) as found:
            await found.store.add(entry)
            await found.put(SSN)
            assert await found.worker.work(wait=False)
            assert await found.worker.work(wait=False)
            assert found.fates == ["unreadable", "found"]

    asyncio.run(scenario())
