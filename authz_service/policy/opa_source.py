"""The policies of an OPA server as a source: there is nothing to load here, only to hear which revision is in use."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Protocol

from authz_service.errors import PolicyFailed
from authz_service.policy.engine import Engine
from authz_service.policy.token_file import read_token
from authz_service.policy.watching import Refused, Use
from service_kit.faults import ConfigurationError, Fault

START_SECONDS = 10.0  # for which a server that starts beside us may be away
RETRY_SECONDS = 0.2
WATCH_SECONDS = 1.0
LOOK_SECONDS = 10.0  # without an answer, after which the server is asked which revision it has; its token is read anew

log = logging.getLogger(__name__)


class RemoteEngine(Engine, Protocol):
    """An engine whose policies are another's."""

    answered: int  # calls, since the beginning

    @property
    def away(self) -> bool:
        """Whether it is not asked, because it has failed."""
        ...

    def identify(self, token: str | None) -> None:
        """Send this bearer token from now on."""
        ...

    async def look(self) -> None:
        """Hear which revision is in use. MUST raise only `PolicyFailed`."""
        ...

    async def close(self) -> None:
        """Let go of the server."""
        ...


class RemotePolicy:
    """Hands out one engine, and again whenever it tells another revision."""

    def __init__(
        self, engine: RemoteEngine, url: str, token_file: Path | None, *, start_seconds: float = START_SECONDS
    ) -> None:
        self._engine = engine
        self._url = url
        self._token_file = token_file
        self._start_seconds = start_seconds
        self._revision = engine.revision  # that is in use

    async def load(self) -> Engine:
        """Wait until the server answers; raise `ConfigurationError` where it does not."""
        await self._identify()
        loop = asyncio.get_running_loop()
        until = loop.time() + self._start_seconds
        while True:
            try:
                await self._engine.look()
            except PolicyFailed as error:
                if loop.time() >= until:
                    await self._engine.close()
                    raise ConfigurationError([Fault(self._url, 0, error.detail)]) from error
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._revision = self._engine.revision
                return self._engine

    async def watch(self, use: Use, refused: Refused) -> None:
        """Look now and then; while calls are answered they tell the revision themselves."""
        answered, idle = self._engine.answered, 0.0
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            idle += WATCH_SECONDS
            if idle >= LOOK_SECONDS:
                idle = 0.0
                await self._look_again(refused, heard=self._engine.answered != answered)
                answered = self._engine.answered
            if self._engine.revision != self._revision:
                self._revision = self._engine.revision
                use(self._engine)

    async def close(self) -> None:
        """Let go of the server; no call may be made any more."""
        await self._engine.close()

    async def _look_again(self, refused: Refused, *, heard: bool) -> None:
        try:
            await self._identify()
        except ConfigurationError as error:
            log.error("the token cannot be read, the last one stays", extra={"fields": {"fault": str(error.faults[0])}})
            refused(error)
        if heard or self._engine.away:
            return
        try:
            await self._engine.look()
        except PolicyFailed as error:
            log.error("the OPA server does not tell its revision", extra={"fields": {"detail": error.detail}})

    async def _identify(self) -> None:
        if self._token_file is not None:
            self._engine.identify(await asyncio.to_thread(read_token, self._token_file))
