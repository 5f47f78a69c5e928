"""Answers of language models through the real Envoy: what is split over events never arrives, and they stay live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from authz_service.dlp.deltas import USUAL_PATHS
from authz_service.dlp.terms import open_terms
from authz_service.exchange.bodies import ScannedBodies
from authz_service.exchange.body import Terms
from authz_service.settings.dlp import DlpSettings
from tests.e2e.bodies_stack import LAST, LIMIT, Rig, Seen, chunk, head, running

pytestmark = pytest.mark.e2e
PING = b": ping\n\n"
DONE = b"data: [DONE]\n\n"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    bodies = ScannedBodies(open_terms(DlpSettings()), "block", joined=USUAL_PATHS)
    with running(tmp_path_factory.mktemp("live"), Terms(limit_bytes=LIMIT), bodies=bodies) as started:
        yield started


def event(text: str, index: int = 0) -> bytes:
    """A chunk of a chat completion."""
    return b"data: %s\n\n" % json.dumps({"choices": [{"index": index, "delta": {"content": text}}]}).encode()


@pytest.mark.parametrize("listener", ["shipped", "duplex", "streamed"])
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_value_split_over_events_never_arrives_and_those_around_it_arrive_while_the_stream_is_open(
    rig: Rig, listener: str, *, http2: bool
) -> None:
    """The upstream sends each part only when what is to arrive before it has."""
    gone = event("[REDACTED:us_ssn]") + event("") + event("")
    steps = [  # what is sent, and what has then arrived
        ([event("It is, "), PING], event("It is, ") + PING),
        ([event("219-"), event("09-"), PING, event("9998")], b""),
        (
            [event(", "), event("and that is all that there is to say. ")],
            gone[: len(gone) - len(event(""))]
            + PING
            + event("")
            + event(", ")
            + event("and that is all that there is to say. "),
        ),
        ([event("by"), event("So, ", 1)], b""),
        ([DONE], event("by") + event("So, ", 1) + DONE),
    ]
    go_on = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Seen) -> None:
        writer.write(head(200, transfer_encoding="chunked", content_type="text/event-stream"))
        for sent, arrives in steps:
            for part in sent:
                writer.write(chunk(part))
                await writer.drain()
                await asyncio.sleep(0.02)
            if arrives:
                await go_on.wait()
                go_on.clear()
        writer.write(LAST)

    everything = b""
    with rig.client(http2=http2) as client, client.stream("GET", rig.url(listener, rig.script(answer))) as response:
        parts = response.iter_bytes()
        for _, arrives in steps:
            got = b""
            while len(got) < len(arrives):
                got += next(parts)
            assert got == arrives
            everything += got
            if arrives:
                rig.loop.call_soon_threadsafe(go_on.set)
        assert b"".join(parts) == b""
    assert b"219" not in everything
    assert b"9998" not in everything
