"""The decision log put together as it is configured, and ended in good order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from importlib import metadata
from typing import TextIO

from authz_service.decision_log.queueing import DecisionQueue, Sink
from authz_service.decision_log.service import ServiceSink
from authz_service.decision_log.shaping import Shaper
from authz_service.decision_log.sinks import ConsoleSink, FileSink
from authz_service.dlp.scan import Scanner
from authz_service.settings.decision_log import DecisionLogSettings


class DecisionLog:
    """The log as it is configured, which may be not at all.

    `queue` takes the records; None: nobody wants them.
    """

    def __init__(
        self,
        settings: DecisionLogSettings | None,
        scanner: Scanner,
        console: TextIO,
        counted: Callable[[str, int], None],
        instance: str,
    ) -> None:
        """`instance` tells this process from others in the events' labels."""
        self.queue: DecisionQueue | None = None
        self._service: ServiceSink | None = None
        if settings is None:
            return
        sinks: list[Sink] = []
        if settings.console:
            sinks.append(ConsoleSink(console))
        if settings.file is not None:
            sinks.append(FileSink(settings.file))
        if settings.service is not None:
            self._service = ServiceSink(settings.service, settings.token_file, counted, random.random)
            sinks.append(self._service)
        labels = {"version": metadata.version("agent-gateway"), **settings.labels, "id": instance}
        self.queue = DecisionQueue(Shaper(scanner, labels), sinks, counted)

    @property
    def waiting(self) -> int:
        """How many records wait to be shaped."""
        return self.queue.waiting if self.queue is not None else 0

    async def run(self) -> None:
        """Send what a service is to have, until cancelled; without one there is nothing to do but wait."""
        if self._service is not None:
            await self._service.run()
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Write what waits, for some seconds at most."""
        if self.queue is not None:
            await asyncio.to_thread(self.queue.close)
        if self._service is not None:
            await self._service.finish()
