"""An HTTP/2 server (prior knowledge, without TLS) that tests script frame by frame.

A request is kept as it comes, and once it is whole its path's script answers it; without one its body is sent back.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import hyperframe.frame

from tests.e2e.bodies_stack import Seen, Upstream

READ = 65_536  # bytes at once
KEPT = ("content-type", "content-encoding")  # fields of a request that an echo has too


class Stream:
    """One exchange: what the request was, and what is sent of the answer."""

    def __init__(self, session: _Session, number: int, seen: Seen) -> None:
        self.seen = seen
        self._session = session
        self._number = number

    async def head(self, status: int, fields: Mapping[str, str] | None = None, *, end: bool = False) -> None:
        """Send the headers."""
        self._session.protocol.send_headers(
            self._number, [(":status", str(status)), *(fields or {}).items()], end_stream=end
        )
        await self._session.flush()

    async def data(self, *frames: bytes, end: bool = False) -> None:
        """Send each of these as one frame, the last of them marked where this is the end."""
        for at, frame in enumerate(frames):
            await self._session.room(self._number, len(frame))
            self._session.protocol.send_data(self._number, frame, end_stream=end and at == len(frames) - 1)
            await self._session.flush()

    async def end(self) -> None:
        """End it with an empty frame."""
        await self.data(b"", end=True)

    async def trailers(self, fields: Mapping[str, str]) -> None:
        """End it with trailers."""
        self._session.protocol.send_headers(self._number, list(fields.items()), end_stream=True)
        await self._session.flush()

    async def reset(self, code: h2.errors.ErrorCodes) -> None:
        """Break it off."""
        self._session.protocol.reset_stream(self._number, code)
        await self._session.flush()

    async def go_away(self, *, last: int | None = None) -> None:
        """Tell that no stream behind this one (or `last`) is served; this one goes on, for which h2 has no call."""
        frame = hyperframe.frame.GoAwayFrame(0, self._number if last is None else last)
        self._session.writer.write(frame.serialize())
        await self._session.flush()

    def hang_up(self) -> None:
        """End the connection, with whatever is under way on it."""
        self._session.writer.transport.abort()


Play = Callable[[Stream], Awaitable[None]]


async def echo(stream: Stream) -> None:
    """Send a request's body back, in one frame or none."""
    fields = {name: value for name, value in stream.seen.headers.items() if name in KEPT}
    await stream.head(200, fields, end=not stream.seen.body)
    if stream.seen.body:
        await stream.data(stream.seen.body, end=True)


class _Session:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: Http2Upstream) -> None:
        self.writer = writer
        self.protocol = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="latin-1")
        )
        self._reader = reader
        self._upstream = upstream
        self._coming: dict[int, Seen] = {}
        self._moved = asyncio.Event()  # set where a window may have become larger, or a stream has gone
        self._plays: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Answer until it is closed."""
        self.protocol.initiate_connection()
        await self.flush()
        try:
            while data := await self._reader.read(READ):
                for event in self.protocol.receive_data(data):
                    self._happened(event)
                self._moved.set()
                await self.flush()
        finally:
            for play in self._plays:
                play.cancel()
            await asyncio.gather(*self._plays, return_exceptions=True)
            self._upstream.broken += [seen.target for seen in self._coming.values()]

    async def flush(self) -> None:
        self.writer.write(self.protocol.data_to_send())
        await self.writer.drain()

    async def room(self, number: int, size: int) -> None:
        """Wait until the window takes a frame."""
        while self.protocol.local_flow_control_window(number) < size:
            self._moved.clear()
            await self._moved.wait()

    def _happened(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            fields = _fields(event.headers)
            self._coming[event.stream_id] = Seen(fields[":method"], fields[":path"], fields)
            self._upstream.begun.append(fields[":path"])
        elif isinstance(event, h2.events.DataReceived):
            self._coming[event.stream_id].body += event.data or b""
            self.protocol.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self._coming[event.stream_id].trailers = _fields(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            seen = self._coming.pop(event.stream_id)
            self._upstream.seen[seen.target] = seen
            play = asyncio.ensure_future(self._play(Stream(self, event.stream_id, seen)))
            self._plays.add(play)
            play.add_done_callback(self._plays.discard)
        elif isinstance(event, h2.events.StreamReset) and event.stream_id in self._coming:
            self._upstream.broken.append(self._coming.pop(event.stream_id).target)

    async def _play(self, stream: Stream) -> None:
        with contextlib.suppress(h2.exceptions.ProtocolError, ConnectionError):  # the other side has broken it off
            await self._upstream.plays.get(stream.seen.target, echo)(stream)


class Http2Upstream(Upstream):
    """The server. `begun` are the paths whose headers came, `connections` counts those that were opened."""

    PROTOCOL: ClassVar[Mapping[str, Any]] = {"http2_protocol_options": {}}

    def __init__(self) -> None:
        super().__init__()
        self.plays: dict[str, Play] = {}
        self.begun: list[str] = []
        self.connections = 0

    def playing(self, play: Play) -> str:
        """Let it answer so; returns the path."""
        path = f"/{uuid.uuid4().hex}"
        self.plays[path] = play
        return path

    def answering(self, frames: Sequence[bytes], fields: Mapping[str, str] | None = None, *, pause: float = 0.0) -> str:
        """Let it answer with these frames, the last of which is the end, and rest so long (seconds) between them.

        Returns the path.
        """

        async def play(stream: Stream) -> None:
            await stream.head(200, fields)
            for at, frame in enumerate(frames, 1):
                await stream.data(frame, end=at == len(frames))
                await asyncio.sleep(pause)

        return self.playing(play)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            await _Session(reader, writer, self).serve()


def _fields(headers: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers}
