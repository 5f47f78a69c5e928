"""Tells another service of what was found, so that it can undo what the exchange has done.

A POST of JSON, signed: `x-agent-gateway-signature: t=<seconds since the epoch>,v1=<hex>`. Of these v1 is the
HMAC-SHA256 of `<t>.<body>` with the secret. Who receives it compares in constant time, refuses what is older than a few
minutes, and takes the same `id` only once: a message may come twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence

from authz_service.deep_scan.note import Note
from authz_service.deep_scan.rules import Summary
from service_kit.http_client import Bounds, HttpClient, HttpError
from service_kit.secret_file import SecretFile, SecretFileError

SIGNATURE = "x-agent-gateway-signature"
ATTEMPTS = 4
BACK_OFF_SECONDS = (0.5, 2.0, 8.0)
BOUNDS = Bounds(seconds=10.0, most_bytes=16 * 1024)
ACCEPTED = frozenset({200, 201, 202, 204})


class WebhookError(Exception):
    """Nobody has taken the message. The text says why."""


class Webhook:
    """See the module. `now` gives seconds since the epoch."""

    def __init__(
        self, url: str, secret: SecretFile, now: Callable[[], float], *, back_off: Sequence[float] = BACK_OFF_SECONDS
    ) -> None:
        self._url = url
        self._secret = secret
        self._now = now
        self._back_off = back_off
        self._client = HttpClient()

    async def tell(self, entry_id: str, note: Note, findings: Sequence[Summary]) -> None:
        """Send a message, again if need be; raises `WebhookError`."""
        body = message(entry_id, note, findings)
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._back_off[min(attempt, len(self._back_off)) - 1])
            try:
                secret = await asyncio.to_thread(self._secret.read)
                headers = {"content-type": "application/json", SIGNATURE: sign(secret, int(self._now()), body)}
                await self._client.ask("POST", self._url, BOUNDS, headers=headers, body=body, accepted=ACCEPTED)
            except (HttpError, SecretFileError) as error:
                problem = str(error)
            else:
                return
        raise WebhookError(problem)

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()


def message(entry_id: str, note: Note, findings: Sequence[Summary]) -> bytes:
    """Write what is told: whose exchange, and what kinds were found in it. No value."""
    return json.dumps(
        {
            "id": entry_id,
            "event": "deep_scan.finding",
            "decision_id": note.decision_id,
            "request_id": note.request_id,
            "direction": note.direction,
            "time": note.time,
            "user": note.user,
            "agent": note.agent,
            "issuer": note.issuer,
            "endpoint": note.endpoint,
            "findings": [{"entity": each.entity, "count": each.count, "score": each.score} for each in findings],
        },
        separators=(",", ":"),
    ).encode()


def sign(secret: str, seconds: int, body: bytes) -> str:
    """Return the signature's header."""
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
