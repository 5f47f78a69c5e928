"""Minutes of traffic while the policy changes under it: `make e2e-long`."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.stack import REPOSITORY, Gateway, running

pytestmark = [pytest.mark.e2e, pytest.mark.long]

SECONDS = 60.0
CALLERS = 6
PAUSE = 0.05  # seconds between a caller's requests: load, not saturation
MEMORY_BYTES = 48 * 1024 * 1024  # by which a service may grow in that time


def test_a_minute_of_traffic_under_a_changing_policy_fails_nobody(tmp_path: Path) -> None:
    policies = tmp_path / "rego"
    shutil.copytree(REPOSITORY / "rego", policies)
    with running(tmp_path / "stack", "--policies", str(policies)) as gateway:
        tokens = [gateway.token() for _ in range(200)]
        asyncio.run(_traffic(gateway, tokens, 5.0, policies=None))
        before = {part: gateway.resident_bytes(part) for part in ("authz_service", "ratelimit_service")}
        answers, loads = asyncio.run(_traffic(gateway, tokens, SECONDS, policies))
        grown = {part: gateway.resident_bytes(part) - held for part, held in before.items()}
        loaded = gateway.metric(gateway.state.authz_service.http, "authz_policy_loads_total")
    told = f"{dict(answers)} answers, {loads} changes, {loaded:g} loads, grown by {grown} bytes"
    assert set(answers) == {200}, told
    assert loaded > loads / 3, told
    assert all(size < MEMORY_BYTES for size in grown.values()), told


async def _traffic(
    gateway: Gateway, tokens: list[str], seconds: float, policies: Path | None
) -> tuple[Counter[int], int]:
    answers: Counter[int] = Counter()
    end = time.monotonic() + seconds

    async def caller(session: aiohttp.ClientSession, first: int) -> None:
        number = first
        while time.monotonic() < end:
            number += CALLERS
            headers = {"Authorization": f"Bearer {tokens[number % len(tokens)]}"}
            async with session.get(f"{gateway.state.gateway_url}/e{number % 97}/x", headers=headers) as response:
                answers[response.status] += 1
            await asyncio.sleep(PAUSE)

    async def change() -> int:
        changes = 0
        while policies is not None and time.monotonic() < end:
            await asyncio.sleep(1.5)
            changes += 1
            main = policies / "main.rego"
            text = await asyncio.to_thread(main.read_text)
            broken = "\nbroken := {\n" if changes % 3 == 0 else f"\nchange := {changes}\n"
            await asyncio.to_thread(main.write_text, text.partition("\n# changed")[0] + "\n# changed" + broken)
        return changes

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=gateway.trust)) as session:
        *_, changes = await asyncio.gather(*(caller(session, first) for first in range(CALLERS)), change())
    return answers, changes or 0
