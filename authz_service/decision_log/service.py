"""The decision log sent to a service, as OPA's own service API has it: gzip-compressed JSON arrays, POSTed to URL/logs.

Lines wait in a bounded buffer. A batch that is not taken is sent again, more and more rarely, while the buffer has room
for what comes meanwhile; one that the service cannot take at all is given up.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path

from authz_service.decision_log.shaping import Fate
from authz_service.policy.token_file import read_token
from service_kit.faults import ConfigurationError
from service_kit.http_client import Bounds, HttpClient, HttpError

BUFFER_BYTES = 16 * 1024 * 1024  # of lines that wait
BATCH_BYTES = 256 * 1024  # of lines in one request, before they are compressed
SEND_SECONDS = 1.0  # between two looks for lines that wait
RETRY_SECONDS = (1.0, 60.0)  # from one try of a batch to the next: at first, and at most
REQUEST_SECONDS = 10.0  # for one request
MAX_ANSWER_BYTES = 64 * 1024  # of an answer, which is read and passed over
FINISH_SECONDS = 2.0  # for what waits at the end

_TAKEN = range(200, 300)
# The batch itself is at fault: sent again it would be refused again, and hold up all that come after it.
_GIVEN_UP = frozenset({
    HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY,
})  # fmt: skip

log = logging.getLogger(__name__)


class ServiceSink:
    """Buffers lines, from any thread, and sends them from the event loop."""

    def __init__(
        self,
        url: str,
        token_file: Path | None,
        counted: Callable[[str, int], None],
        jitter: Callable[[], float],
        *,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        """`counted` hears what became of how many lines; `jitter` returns 0 to 1."""
        self._url = url.rstrip("/") + "/logs"
        self._token_file = token_file
        self._counted = counted
        self._jitter = jitter
        self._buffer_bytes = buffer_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._guard = threading.Lock()
        self._failures = 0  # in a row

    def write(self, lines: Sequence[bytes]) -> Fate | None:
        """Buffer the lines, or none of them where there is no room. They are counted when they have been sent."""
        size = sum(map(len, lines))
        with self._guard:
            if self._bytes + size > self._buffer_bytes:
                return Fate.FULL
            self._lines.extend(lines)
            self._bytes += size
        return None

    async def run(self) -> None:
        """Send what waits, until cancelled."""
        client = HttpClient()
        try:
            while True:
                await asyncio.sleep(self._pause())
                while self._lines and await self._send(client):
                    pass
        finally:
            await client.close()

    async def finish(self) -> None:
        """Send what waits, each batch once, for at most `FINISH_SECONDS`; what is left then is lost, and counted."""
        client = HttpClient()
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while self._lines and await self._send(client):
                    pass
        except TimeoutError:
            pass
        finally:
            await client.close()
        if self._lines:
            lost = len(self._lines)
            log.error("decisions are lost: their service does not take them", extra={"fields": {"lines": lost}})
            self._counted(Fate.FAILED.value, lost)

    def _pause(self) -> float:
        if not self._failures:
            return SEND_SECONDS
        first, most = RETRY_SECONDS
        wait: float = min(first * 2.0 ** min(self._failures - 1, 10), most)
        return wait * (0.8 + 0.4 * self._jitter())

    async def _send(self, client: HttpClient) -> bool:
        """Send one batch; say whether another may follow."""
        batch = self._next_batch()
        try:
            await self._post(client, batch)
        except HttpError as error:
            if error.status not in _GIVEN_UP:
                return self._failed(str(error))
            log.error("the decision log's service refused a batch", extra={"fields": {"status": error.status}})
            self._counted(Fate.FAILED.value, len(batch))
        except ConfigurationError as error:
            return self._failed(str(error))
        else:
            self._counted(Fate.WRITTEN.value, len(batch))
        with self._guard:
            for _ in batch:
                self._bytes -= len(self._lines.popleft())
        if self._failures:
            log.info("the decision log's service takes batches again")
        self._failures = 0
        return True

    def _next_batch(self) -> list[bytes]:
        """Return the lines that go first. They stay in the buffer until they are taken."""
        batch: list[bytes] = []
        size = 0
        with self._guard:
            for line in self._lines:
                size += len(line)
                if batch and size > BATCH_BYTES:
                    break
                batch.append(line)
        return batch

    async def _post(self, client: HttpClient, batch: Sequence[bytes]) -> None:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if self._token_file is not None:
            headers["Authorization"] = f"Bearer {await asyncio.to_thread(read_token, self._token_file)}"
        body = await asyncio.to_thread(gzip.compress, b"[" + b",".join(batch) + b"]", 6)
        bounds = Bounds(REQUEST_SECONDS, MAX_ANSWER_BYTES)
        await client.ask("POST", self._url, bounds, headers=headers, body=body, accepted=_TAKEN, packed=True)

    def _failed(self, why: str) -> bool:
        self._failures += 1
        if self._failures == 1:  # told once, until it is over
            log.error("the decision log's service does not take batches", extra={"fields": {"reason": why}})
        return False
