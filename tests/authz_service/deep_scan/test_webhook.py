"""Telling another service: signed, again when it fails, and never a value."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from authz_service.deep_scan.note import Note
from authz_service.deep_scan.rules import Summary
from authz_service.deep_scan.webhook import ATTEMPTS, SIGNATURE, Webhook, WebhookError, message, sign
from service_kit.secret_file import PRINTABLE, SecretFile
from tests.authz_service.policy.opa_servers import Told, response

NOTE = Note("d-1", "r-1", "request", "alice", "cowork", "https://idp", "j-1", "/reports", "text/plain", 7.0)
FINDINGS = [Summary("us_ssn", 2, 0.9)]
SECRET = "a-shared-secret"


def answer_with(status: int) -> bytes:
    return response(b"", f"{status} Status")


@pytest.fixture
def secret(tmp_path: Path) -> SecretFile:
    """A secret in its file."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    return SecretFile(tmp_path / "secret", PRINTABLE)


def tell(answer: Callable[[int], bytes], secret: SecretFile) -> list[tuple[str, bytes]]:
    """Tell a server, which answers each request by its number; return what came."""

    async def scenario() -> list[tuple[str, bytes]]:
        server = Told(lambda _head: answer(len(server.requests)))
        async with server.running():
            webhook = Webhook(server.url + "/undo", secret, lambda: 1_700_000_000.9, back_off=(0.01,))
            try:
                await webhook.tell("5-0", NOTE, FINDINGS)
            finally:
                await webhook.close()
                requests.extend(server.requests)
        return server.requests

    requests: list[tuple[str, bytes]] = []
    try:
        asyncio.run(scenario())
    except WebhookError:
        if len(requests) != ATTEMPTS:
            raise
    return requests


def test_a_message_says_whose_exchange_and_what_kinds(secret: SecretFile) -> None:
    """Once, where it is taken."""
    ((head, body),) = tell(lambda _: answer_with(200), secret)
    assert head.startswith("POST /undo HTTP/1.1")
    told = json.loads(body)
    assert told["findings"] == [{"entity": "us_ssn", "count": 2, "score": 0.9}]
    assert (told["id"], told["decision_id"], told["user"], told["agent"]) == ("5-0", "d-1", "alice", "cowork")
    assert body == message("5-0", NOTE, FINDINGS)


def test_whoever_knows_the_secret_can_tell_that_it_is_from_us(secret: SecretFile) -> None:
    """The time is signed too, so that an old message cannot be sent again as a new one."""
    ((head, body),) = tell(lambda _: answer_with(204), secret)
    (line,) = [line for line in head.split("\r\n") if line.lower().startswith(SIGNATURE)]
    expected = hmac.new(SECRET.encode(), b"1700000000." + body, hashlib.sha256).hexdigest()
    assert line.partition(": ")[2] == f"t=1700000000,v1={expected}" == sign(SECRET, 1_700_000_000, body)


def test_a_message_that_is_not_taken_is_sent_again(secret: SecretFile) -> None:
    """With the same id, so that it can be told from another."""
    requests = tell(lambda number: answer_with(503 if number < 3 else 202), secret)
    assert len({body for _, body in requests}) == 1
    assert len(requests) == 3


@pytest.mark.parametrize("status", [302, 400, 500])
def test_after_some_attempts_it_is_given_up(secret: SecretFile, status: int) -> None:
    """A redirect is not followed: it could lead anywhere."""
    assert len(tell(lambda _: answer_with(status), secret)) == ATTEMPTS


def test_without_a_secret_nothing_is_sent(tmp_path: Path) -> None:
    """And the error names the file."""

    async def scenario() -> None:
        webhook = Webhook("http://127.0.0.1:1/", SecretFile(tmp_path / "none", PRINTABLE), lambda: 0.0, back_off=(0.0,))
        with pytest.raises(WebhookError, match="none cannot be read"):
            await webhook.tell("5-0", NOTE, FINDINGS)
        await webhook.close()

    asyncio.run(scenario())
