"""A load generator for HTTP/1.1 over TLS or plain TCP: `python -m bench.http_load < load.json`, a process of its own.

Open loop (`rate` given): requests are due at even distances of time, whatever the answers do. A request waits for an
idle connection if need be, and its latency counts from the moment that it was due, so that a stall is seen by every
request that was due in it ("coordinated omission" is corrected). Closed loop (no `rate`): each connection sends as
soon as it has its answer, and a latency counts from the sending.

Request bytes are made before; an answer is read as far as status and length. What the generator itself adds is told as
`late`: how long after its time a request was handed to the socket while a connection was idle.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import selectors
import ssl
import sys
import time
from array import array
from collections import Counter, deque
from dataclasses import asdict, dataclass, field

from bench.http_answers import AnswerError, AnswerReader
from bench.percentiles import Percentiles, percentiles

HTTP_OK = 200
LEAD_SECONDS = 0.05  # between the last connection and the first request
DRAIN_SECONDS = 20.0  # for what was due and has no answer yet when the time is over


@dataclass(frozen=True, slots=True)
class Load:
    """What to send. Ends after `seconds`, or where `count` is given after so many requests."""

    port: int
    requests: tuple[str, ...]  # whole requests in Latin-1, sent in turn
    connections: int
    seconds: float = 0.0
    count: int = 0
    rate: float | None = None  # requests in a second; None: as fast as answers come
    warm_up: float = 0.0  # seconds at the same pace before, not counted
    ca_file: str | None = None  # whom to trust; None: no TLS
    host: str = "127.0.0.1"
    cpus: tuple[int, ...] = ()  # to run on; none: wherever


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. Latencies in milliseconds; `cpu` is the generator's own, in seconds of CPU time."""

    answered: int
    wanted_rate: float | None  # requests in a second
    rate: float  # answers in a second
    seconds: float
    latency: Percentiles
    late: Percentiles
    cpu: float
    ends: dict[str, int] = field(default_factory=dict)  # requests by status or by what went wrong, warm-up included

    @property
    def failed(self) -> dict[str, int]:
        """What did not end in 200."""
        return {end: number for end, number in self.ends.items() if end != str(HTTP_OK)}


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request on its way."""

    __slots__ = ("_generator", "_reader", "due", "transport")

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._reader = AnswerReader()
        self.transport: asyncio.WriteTransport
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            status = self._reader.feed(data)
        except AnswerError as error:
            self._generator.broken(str(error))
            return
        if status is not None:
            self._generator.answered(self, status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._generator.broken(f"connection lost: {exc or 'closed'}")


class _Generator:
    """Sends one load. All times are the event loop's, in seconds."""

    def __init__(self, load: Load, loop: asyncio.AbstractEventLoop) -> None:
        self._load = load
        self._loop = loop
        self._now = loop.time
        self._requests = itertools.cycle([text.encode("latin-1") for text in load.requests])
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()  # when they were due
        self._start = self._end = self._last = 0.0
        self._latencies, self._late = array("d"), array("d")
        self._ends: Counter[str | int] = Counter()
        self._sent = self._flying = 0
        self._unsent = 0  # the number of the next that will be due; negative in the warm-up
        self._in_time = 0  # answered before the end
        self._cpu = time.process_time()
        self._over = loop.create_future()

    async def run(self) -> Outcome:
        load = self._load
        trust = ssl.create_default_context(cafile=load.ca_file) if load.ca_file else None
        if trust is not None:
            trust.set_alpn_protocols(["http/1.1"])
        connections = []
        for _ in range(load.connections):
            made = await self._loop.create_connection(lambda: _Connection(self), load.host, load.port, ssl=trust)
            connections.append(made[1])
        self._start = self._now() + LEAD_SECONDS + load.warm_up
        self._end = self._start + load.seconds if load.seconds else float("inf")
        first = self._start - load.warm_up
        if load.rate is None:
            for each in connections:
                self._loop.call_at(first, self._send, each, first)
        else:
            self._idle.extend(connections)
            self._unsent = -round(load.warm_up * load.rate)
            self._loop.call_at(first, self._tick, load.rate, round(load.seconds * load.rate))
        if load.seconds:
            self._loop.call_at(self._end, self._finish_if_done)
            self._loop.call_at(self._end + DRAIN_SECONDS, self._finish)
        self._loop.call_at(self._start, self._begin)
        await self._over
        took = min(self._last, self._end) - self._start
        for each in connections:
            each.transport.abort()
        unanswered = self._flying + len(self._waiting)
        if unanswered:
            self._ends["unanswered"] += unanswered
        return Outcome(
            answered=len(self._latencies),
            wanted_rate=load.rate,
            rate=self._in_time / took if took > 0 else 0.0,
            seconds=took,
            latency=percentiles(self._latencies),
            late=percentiles(self._late),
            cpu=time.process_time() - self._cpu,
            ends={str(end): number for end, number in self._ends.items()},
        )

    def answered(self, connection: _Connection, status: int) -> None:
        """Take the answer to the request that is on its way on this connection."""
        now = self._now()
        self._flying -= 1
        self._ends[status] += 1
        if connection.due >= self._start:
            self._latencies.append(now - connection.due)
            self._last = now
        if self._start <= now <= self._end:
            self._in_time += 1
        if self._load.rate is None:
            if now < self._end and not (self._load.count and self._sent >= self._load.count):
                self._send(connection, now)
        elif self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)
        if not self._flying:
            self._finish_if_done()

    def broken(self, why: str) -> None:
        """End the run: a connection that breaks is a fault of the measurement."""
        if not self._over.done():
            self._ends[why] += 1
            self._finish()

    def _begin(self) -> None:
        self._cpu = time.process_time()

    def _tick(self, rate: float, total: int) -> None:
        """Send what is due by now, and come back when the next is. Request 0 is the first that counts."""
        while self._unsent < total:
            # From the number, since a sum of distances would drift.
            due, now = self._start + self._unsent / rate, self._now()
            if due > now:
                self._loop.call_at(due, self._tick, rate, total)
                return
            self._unsent += 1
            if self._idle:
                if due >= self._start:
                    self._late.append(now - due)
                self._send(self._idle.popleft(), due)
            else:
                self._waiting.append(due)

    def _send(self, connection: _Connection, due: float) -> None:
        connection.due = due
        self._sent += 1
        self._flying += 1
        connection.transport.write(next(self._requests))

    def _finish_if_done(self) -> None:
        counted = self._load.count and self._sent >= self._load.count
        if not self._flying and not self._waiting and (counted or self._now() >= self._end):
            self._finish()

    def _finish(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


def send(load: Load) -> Outcome:
    """Send a load from this process."""
    # select() takes its time limit in microseconds; epoll would round each wait up to a millisecond.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        return loop.run_until_complete(_Generator(load, loop).run())
    finally:
        loop.close()


def to_json(load: Load) -> bytes:
    """What the process reads on its standard input."""
    return json.dumps(asdict(load)).encode()


def from_json(text: bytes) -> Outcome:
    """Read what the process printed."""
    found = json.loads(text)
    latency, late = Percentiles(**found.pop("latency")), Percentiles(**found.pop("late"))
    return Outcome(**found, latency=latency, late=late)


async def send_from_a_process(load: Load, time_limit: float) -> Outcome:
    """Send a load from a process of its own, which is ended when `time_limit` (seconds) is over."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.http_load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(to_json(load)), time_limit)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"the load generator ended with exit code {process.returncode}")
    return from_json(output)


def request(path: str, token: str, host: str = "api.example") -> str:
    """A GET as an agent sends it."""
    lines = [
        f"GET {path} HTTP/1.1", f"host: {host}", f"authorization: Bearer {token}", "accept: */*",
        "user-agent: agent/1.0 (desktop)",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n\r\n"


def main() -> None:
    """Read a load, send it, print what came of it."""
    found = json.load(sys.stdin)
    load = Load(**{**found, "requests": tuple(found["requests"]), "cpus": tuple(found["cpus"])})
    if load.cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, load.cpus)
    gc.disable()  # nothing here makes cycles, and a collection would count as latency
    json.dump(asdict(send(load)), sys.stdout)


if __name__ == "__main__":
    main()
