"""Where engines come from: files that are watched, or a URL that is asked now and then (`opa_source`: an OPA server).

What has changed is compiled and swapped in whole. What is in use stays in use while its source is away, and where what
comes from it cannot be used.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from authz_service.policy.compiling import Job
from authz_service.policy.engine import Engine
from service_kit.faults import ConfigurationError, Fault
from service_kit.reload import Reloader, signature

log = logging.getLogger(__name__)

MAX_WAIT_FACTOR = 8  # of the poll interval, while fetches fail


Build = Callable[[Job], Awaitable[Engine]]
Use = Callable[[Engine], None]
Refused = Callable[[ConfigurationError], None]


class PolicySource(Protocol):
    """Loads an engine, and then each one that takes its place."""

    async def load(self) -> Engine:
        """Load the first engine, or raise `ConfigurationError` with every fault."""
        ...

    async def watch(self, use: Use, refused: Refused) -> None:
        """Load anew whenever the source changes, until cancelled; `refused` hears of what cannot be used."""
        ...

    async def close(self) -> None:
        """Let go of what the engines need; none is asked any more."""
        ...


class WatchedPolicy:
    """Policies in files: of a folder, a ConfigMap, or a bundle."""

    def __init__(self, paths: Iterable[Path], job: Job, build: Build) -> None:
        """Watch from now on, so that no change before or during the first load is missed."""
        self._job = job
        self._build = build
        self._paths = tuple(paths)
        self._seen = signature(self._paths)

    async def load(self) -> Engine:
        """Compile."""
        return await self._build(self._job)

    async def watch(self, use: Use, refused: Refused) -> None:
        """Look each second."""
        await Reloader("policy", self._paths, self.load, use, refused, seen=self._seen).run()

    async def close(self) -> None:
        """Nothing is held."""


class Endpoint(Protocol):
    """Where a bundle comes from."""

    async def fetch(self) -> bytes | None:
        """Return the bundle, or None where it is the one that was returned last.

        MUST end within a stated time, and MUST raise only `ConfigurationError`.
        """
        ...

    def forget(self) -> None:
        """Return the bundle next time, whether or not it has changed."""
        ...


class PolledPolicy:
    """A bundle at a URL."""

    def __init__(  # noqa: PLR0913  (where from, what for and how often, wired once in __main__)
        self, endpoint: Endpoint, job: Job, build: Build, *, url: str, seconds: float, jitter: Callable[[], float]
    ) -> None:
        """`job` says what to compile once its bundle is there; `seconds` is the time between two looks.

        `jitter` returns 0 to 1: a tenth of each wait is left to chance, so that many services do not ask at once.
        """
        self._endpoint = endpoint
        self._job = job
        self._build = build
        self._url = url.partition("?")[0]  # a query may be a credential, and faults are logged
        self._seconds = seconds
        self._jitter = jitter

    async def load(self) -> Engine:
        """Fetch and compile."""
        data = await self._endpoint.fetch()
        if data is None:
            raise ConfigurationError([Fault(self._url, 0, "says that nothing has changed, and nothing is in use")])
        return await self._compiled(data)

    async def watch(self, use: Use, refused: Refused) -> None:
        """Ask again and again, more rarely while that fails."""
        wait = self._seconds
        while True:
            await asyncio.sleep(wait * (0.95 + 0.1 * self._jitter()))
            try:
                data = await self._endpoint.fetch()
                if data is not None:
                    use(await self._compiled(data))
                    log.info("policy reloaded")
            except ConfigurationError as error:
                self._endpoint.forget()  # what could not be used is fetched again: its fault may pass
                wait = min(wait * 2, self._seconds * MAX_WAIT_FACTOR)
                faults = [str(fault) for fault in error.faults]
                log.error("policy not reloaded, the last good one stays", extra={"fields": {"faults": faults}})
                refused(error)
            else:
                wait = self._seconds

    async def close(self) -> None:
        """Nothing is held."""

    async def _compiled(self, data: bytes) -> Engine:
        with tempfile.TemporaryDirectory(prefix="agent-gateway-bundle-") as folder:
            file = Path(folder, "bundle.tar.gz")
            await asyncio.to_thread(file.write_bytes, data)
            try:
                return await self._build(replace(self._job, bundle=str(file)))
            except ConfigurationError as error:
                # The file is gone when somebody reads this: the URL is what he knows.
                faults = [
                    Fault(fault.source.replace(str(file), self._url, 1), fault.line, fault.text)
                    for fault in error.faults
                ]
                raise ConfigurationError(faults) from error
