"""The log as it is configured: nothing, or a queue with the sinks that were asked for."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from pathlib import Path
from typing import Any

from authz_service.decision_log.opening import DecisionLog
from authz_service.settings.decision_log import DecisionLogSettings
from tests.authz_service.decision_log.records import SCANNER, record_of
from tests.authz_service.policy.opa_servers import Told, response


def test_without_a_configuration_there_is_no_queue() -> None:
    async def run() -> None:
        log = DecisionLog(None, SCANNER, io.StringIO(), lambda _, __: None, "i")
        assert (log.queue, log.waiting) == (None, 0)
        await log.close()

    asyncio.run(run())


def test_every_sink_that_is_configured_has_the_event(tmp_path: Path) -> None:
    """With the labels of the configuration, and those that tell one process from another."""

    async def run() -> None:
        async with Told(lambda _: response(b"")).running() as server:
            console, file = io.StringIO(), tmp_path / "decisions"
            settings = DecisionLogSettings(True, file, server.url, None, {"app": "gateway", "id": "not ours"})
            log = DecisionLog(settings, SCANNER, console, lambda _, __: None, "instance-1")
            assert log.queue is not None
            log.queue.record(record_of({"a": 1}))
            sending = asyncio.ensure_future(log.run())
            await asyncio.sleep(0)
            sending.cancel()
            await log.close()
            (sent,) = json.loads(gzip.decompress(server.requests[0][1]))
            written: list[Any] = [json.loads(text) for text in (console.getvalue(), file.read_text())]
            for event in (sent, *written):
                assert event["labels"].items() >= {"app": "gateway", "id": "instance-1"}.items()
                assert event["labels"]["version"]
                assert event["input"] == {"a": 1}

    asyncio.run(run())
