"""An HTTP/2 client of a third make (python-hyper's h2), for what no gRPC client would send."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions

CHUNK_BYTES = 65_536
SECONDS = 20.0


@dataclass(slots=True)
class Answer:
    """What came back on one stream. `headers` are those of the answer, `trailers` those after its body."""

    headers: dict[str, str] = field(default_factory=dict)
    trailers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> str | None:
        """The gRPC status, wherever it stands."""
        return self.trailers.get("grpc-status", self.headers.get("grpc-status"))


class Connection:
    """One connection, whose streams are all answered by `Answer`s. Blocking."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=SECONDS)
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(2**30)
        self._answers: dict[int, Answer] = {}
        self.gone = False
        self._flush()

    def open(self, path: str, *headers: tuple[str, str], method: str = "POST", kind: str = "application/grpc") -> int:
        """Open a stream, and return its number."""
        stream = self._h2.get_next_available_stream_id()
        usual = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "x"), ("te", "trailers")]
        typed = [("content-type", kind)] if kind else []
        self._h2.send_headers(stream, [*usual, *typed, *headers])
        self._answers[stream] = Answer()
        self._flush()
        return stream

    def send(self, stream: int, data: bytes, *, end: bool = False) -> None:
        """Send a part of the body, in frames as large as they may be."""
        while data and not self._answers[stream].ended and not self.gone:
            size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size, len(data))
            if not size:
                self.read()
                continue
            self._h2.send_data(stream, data[:size])
            data = data[size:]
            self._flush()
        if end and not self._answers[stream].ended:
            self._h2.end_stream(stream)
            self._flush()

    def cancel(self, stream: int) -> None:
        """Reset a stream."""
        self._h2.reset_stream(stream, 8)
        self._flush()

    def answer(self, stream: int) -> Answer:
        """Wait for the end of a stream."""
        while not self._answers[stream].ended and not self.gone:
            self.read()
        return self._answers[stream]

    def ended(self, *streams: int) -> bool:
        """Take in what comes, and tell whether any of the streams has ended."""
        self._socket.settimeout(0.05)
        try:
            self.read()
        except TimeoutError:
            pass
        finally:
            self._socket.settimeout(SECONDS)
        return any(self._answers[stream].ended for stream in streams)

    def ask(self, path: str, data: bytes, *headers: tuple[str, str], **named: str) -> Answer:
        """Send a whole request, and wait for the answer."""
        stream = self.open(path, *headers, **named)
        self.send(stream, data, end=True)
        return self.answer(stream)

    def raw(self, data: bytes) -> None:
        """Send bytes that are no frames."""
        self._socket.sendall(data)

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def _flush(self) -> None:
        try:
            self._socket.sendall(self._h2.data_to_send())
        except ConnectionError:
            self.gone = True

    def read(self) -> None:
        """Take in what comes next; `gone` tells that nothing does."""
        try:
            data = self._socket.recv(CHUNK_BYTES)
            events = self._h2.receive_data(data) if data else []
        except (ConnectionError, h2.exceptions.ProtocolError):
            data, events = b"", []
        self.gone = not data
        for event in events:
            self._take(event)
        if data:
            self._flush()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.gone = True
            return
        answer = self._answers.get(getattr(event, "stream_id", 0) or 0)
        if answer is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            answer.headers = dict(event.headers)  # type: ignore[arg-type]  # decoded, as configured
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = dict(event.headers)  # type: ignore[arg-type]  # decoded, as configured
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            answer.reset, answer.ended = int(event.error_code), True
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
