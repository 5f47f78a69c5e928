"""An OPA server as a source of policies: waited for at the start, and listened to afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from authz_service.errors import PolicyFailed
from authz_service.policy import opa_source
from authz_service.policy.engine import Engine
from authz_service.policy.opa_source import RemotePolicy
from service_kit.faults import ConfigurationError

PATIENCE = 30.0


class Remote:
    """An engine of which the test says what it tells."""

    reads = None

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.revision, self.loaded, self.answered = "r1", 1.0, 0
        self.away = self.closed = False
        self.looks = 0
        self.looked = asyncio.Event()
        self.tokens: list[str | None] = []

    def identify(self, token: str | None) -> None:
        self.tokens.append(token)

    async def decide(self, rule: str, document: Mapping[str, Any]) -> Any:
        raise AssertionError((rule, document))

    async def look(self) -> None:
        self.looks += 1
        self.looked.set()
        if self.looks <= self.failures:
            raise PolicyFailed("the OPA server answered 401")

    async def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opa_source, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(opa_source, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(opa_source, "LOOK_SECONDS", 0.02)


def test_a_server_that_comes_late_is_waited_for() -> None:
    async def run() -> None:
        engine = Remote(failures=3)
        assert await RemotePolicy(engine, "u", None).load() is engine
        assert engine.looks == 4

    asyncio.run(run())


def test_a_server_that_does_not_come_is_a_fault_of_the_configuration() -> None:
    """It names the URL and says why, and nothing is left open."""

    async def run() -> None:
        engine = Remote(failures=1_000_000)
        with pytest.raises(ConfigurationError) as caught:
            await RemotePolicy(engine, "http://127.0.0.1:1", None, start_seconds=0.05).load()
        (fault,) = caught.value.faults
        assert (fault.source, fault.text) == ("http://127.0.0.1:1", "the OPA server answered 401")
        assert engine.closed

    asyncio.run(run())


def test_a_new_revision_comes_into_use_as_a_new_policy_does(tmp_path: Path) -> None:
    """And a token that has been replaced is sent from then on; one that cannot be read is told of."""
    token = tmp_path / "token"
    token.write_text("first")
    used: list[tuple[Engine, str]] = []
    changed, refusals = asyncio.Event(), asyncio.Event()

    def use(engine: Engine) -> None:
        used.append((engine, engine.revision))
        changed.set()

    async def run() -> None:
        engine = Remote()
        source = RemotePolicy(engine, "u", token)
        await source.load()
        watching = asyncio.ensure_future(source.watch(use, lambda _: refusals.set()))
        async with asyncio.timeout(PATIENCE):
            token.write_text("second")
            engine.revision = "r2"
            await changed.wait()
            engine.looked.clear()
            await engine.looked.wait()
            assert engine.tokens[-1] == "second"
            token.unlink()
            await refusals.wait()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        assert used == [(engine, "r2")]
        assert engine.tokens[0] == "first"
        await source.close()
        assert engine.closed

    asyncio.run(run())


def test_a_server_that_is_away_is_not_asked_for_its_revision() -> None:
    """Its probes are enough."""

    async def run() -> None:
        engine = Remote()
        engine.away = True
        watching = asyncio.ensure_future(RemotePolicy(engine, "u", None).watch(lambda _: None, lambda _: None))
        await asyncio.sleep(0.2)
        assert engine.looks == 0
        engine.away = False
        async with asyncio.timeout(PATIENCE):
            await engine.looked.wait()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    asyncio.run(run())
