"""The load generator against a server on loopback: pace, counting, and latency from the time a request was due."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from bench.http_load import Load, Outcome, from_json, request, send, send_from_a_process, to_json
from bench.percentiles import Percentiles

END = b"\r\n\r\n"


def _answer(status: int) -> bytes:
    return f"HTTP/1.1 {status} Sure\r\ncontent-length: 2\r\n\r\nok".encode()


def _always(status: int) -> Callable[[int], bytes | None]:
    return lambda _: _answer(status)


@contextlib.contextmanager
def _serving(answer: Callable[[int], bytes | None]) -> Iterator[int]:
    """A server in a thread: `answer` gets the number of the request; None closes the connection."""
    ready, numbers = threading.Event(), iter(range(1_000_000))
    ports: list[int] = []

    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(END)
                data = answer(next(numbers))
                if data is None:
                    break
                writer.write(data)
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(each, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await asyncio.to_thread(over.wait)
        server.close()

    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        over.set()
        thread.join(10)


def _load(port: int, connections: int = 4, **wishes: float) -> Load:
    return Load(port, (request("/", "token"),), connections, **wishes)  # type: ignore[arg-type]


def test_an_open_loop_sends_as_many_as_are_due() -> None:
    with _serving(_always(200)) as port:
        outcome = send(_load(port, rate=200, seconds=0.5, warm_up=0.1))
    assert outcome.answered == 100
    assert outcome.ends == {"200": 120}
    assert outcome.failed == {}
    assert 0 < outcome.latency.p50 <= outcome.latency.p99 <= outcome.latency.most


def test_a_stall_is_seen_by_every_request_that_was_due_in_it() -> None:
    def answer(number: int) -> bytes:
        if number == 20:
            time.sleep(0.2)  # holds the server as a whole
        return _answer(200)

    with _serving(answer) as port:
        outcome = send(_load(port, connections=2, rate=200, seconds=0.5))
    # 40 of the 100 requests were due in those 200 ms. Timed from when they were sent, three would have seen it.
    assert outcome.answered == 100
    assert outcome.latency.most >= 200
    assert outcome.latency.p95 >= 150


def test_a_closed_loop_ends_after_so_many_requests() -> None:
    with _serving(_always(200)) as port:
        outcome = send(_load(port, count=50))
    assert outcome.ends == {"200": 50}


def test_a_closed_loop_ends_after_so_many_seconds() -> None:
    with _serving(_always(200)) as port:
        outcome = send(_load(port, seconds=0.3))
    assert outcome.answered > 4
    assert outcome.rate == pytest.approx(outcome.answered / outcome.seconds, rel=0.2)
    assert outcome.seconds <= 0.31


def test_every_status_is_counted_and_only_200_is_well() -> None:
    with _serving(lambda number: _answer(503 if number % 10 == 0 else 200)) as port:
        outcome = send(_load(port, connections=1, count=50))
    assert outcome.ends == {"200": 45, "503": 5}
    assert outcome.failed == {"503": 5}


def test_a_connection_that_breaks_ends_the_run_and_is_told() -> None:
    with _serving(lambda number: None if number == 5 else _answer(200)) as port:
        outcome = send(_load(port, connections=1, count=50))
    assert outcome.ends["connection lost: closed"] == 1


def test_what_is_no_answer_ends_the_run_and_is_told() -> None:
    with _serving(lambda _: b"nonsense" + END) as port:
        outcome = send(_load(port, connections=1, count=50))
    assert outcome.failed["not an HTTP/1.1 answer"] == 1


def test_load_and_outcome_pass_between_processes() -> None:
    with _serving(_always(200)) as port:
        outcome = asyncio.run(send_from_a_process(_load(port, count=20), 30))
    assert outcome.ends == {"200": 20}
    assert outcome.latency.p50 > 0


def test_an_outcome_is_read_as_it_was_written() -> None:
    assert json.loads(to_json(_load(1, count=3)))["count"] == 3
    text = '{"answered": 1, "wanted_rate": null, "rate": 2.0, "seconds": 0.5, "cpu": 0.1, "ends": {"200": 1},'
    ms = '{"p50": 1.0, "p95": 2.0, "p99": 3.0, "p999": 4.0, "most": 5.0}'
    read = from_json(f'{text} "latency": {ms}, "late": {ms}}}'.encode())
    numbers = Percentiles(1.0, 2.0, 3.0, 4.0, 5.0)
    assert read == Outcome(1, None, 2.0, 0.5, numbers, numbers, 0.1, {"200": 1})
