"""The load generator, built with go where it is there, against a real gRPC server."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from bench.peers import load
from bench.peers.building import LOAD_SOURCES
from bench.peers.load import Load
from bench.peers.processes import FailedError

METHOD = "/bench.Sample/Call"
MESSAGES = [b"first", b"second", b"third" * 1_000]
STALL_SECONDS = 0.3


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from modules that are on this machine already: a test asks nobody."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is not installed")
    target = tmp_path_factory.mktemp("load") / "load"
    environment = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=readonly"}
    done = subprocess.run(
        [go, "build", "-buildvcs=false", "-o", str(target), "."],
        cwd=LOAD_SOURCES, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"go cannot build it here: {done.stderr[-200:]}")
    return target


@contextmanager
def _serving(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """Serve one method over raw bytes."""

    def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
        if request == b"refuse":
            context.abort(grpc.StatusCode.UNAVAILABLE, "no")
        return answer(request)

    server = grpc.server(ThreadPoolExecutor(4))
    handlers = {"Call": grpc.unary_unary_rpc_method_handler(handle)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Sample", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def _load(folder: Path, port: int, messages: list[bytes] = MESSAGES) -> Load:
    """A short load in the closed loop, to be changed with `replace`."""
    file = folder / "messages"
    file.write_bytes(b"".join(b"\0" + len(each).to_bytes(4, "big") + each for each in messages))
    return Load(port, METHOD, file, b"", seconds=2.0, warm_up=0.1, rate=None, once=False)


def test_in_the_closed_loop_every_call_is_sent_and_answered(generator: Path, tmp_path: Path) -> None:
    """What the server saw is what was counted, messages in turn."""
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        return b"yes" + request

    with _serving(answer) as port:
        outcome = load.send(generator, replace(_load(tmp_path, port), expected=b"yes"))
    assert outcome.calls + outcome.warm_up_calls == len(seen)
    assert set(seen) == set(MESSAGES)
    assert outcome.rate == pytest.approx(outcome.calls / outcome.seconds)
    assert 0 < outcome.latency.p50 <= outcome.latency.p99 <= outcome.latency.most
    assert outcome.cpu > 0


def test_once_sends_no_message_twice(generator: Path, tmp_path: Path) -> None:
    """And ends when there are no more."""
    messages = [str(number).encode() for number in range(200)]
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        time.sleep(0.01)  # so that the warm-up does not take them all
        return b"yes"

    with _serving(answer) as port:
        load.send(generator, replace(_load(tmp_path, port, messages), once=True, seconds=20))
    assert sorted(seen) == sorted(messages)


def test_in_the_open_loop_calls_come_at_the_rate(generator: Path, tmp_path: Path) -> None:
    """Whatever the answers do."""
    with _serving(lambda _: b"yes") as port:
        outcome = load.send(generator, replace(_load(tmp_path, port), rate=200, seconds=0.5))
    assert (outcome.calls, outcome.warm_up_calls) == (100, 20)


def test_a_stall_is_seen_by_every_call_that_was_due_in_it(generator: Path, tmp_path: Path) -> None:
    """Latencies count from when a call was due, not from when it could be sent at last."""
    began = time.monotonic()
    stalled = [0.0]

    def answer(_: bytes) -> bytes:
        if time.monotonic() - began > 0.5 and not stalled[0]:
            stalled[0] = time.monotonic() + STALL_SECONDS
        time.sleep(max(stalled[0] - time.monotonic(), 0))
        return b"yes"

    with _serving(answer) as port:
        outcome = load.send(generator, replace(_load(tmp_path, port), rate=400, seconds=1.0))
    # 300 ms of 1,000 stood still: 30 % of the calls waited, evenly from nothing to all of it.
    assert outcome.latency.most > 0.8 * STALL_SECONDS * 1e6
    assert outcome.latency.p95 > 0.5 * STALL_SECONDS * 1e6


@pytest.mark.parametrize(
    ("messages", "expected", "why"), [([b"ask"], b"no", "another answer"), ([b"refuse"], b"", "grpc-status 14")]
)
def test_what_is_answered_otherwise_fails_the_measurement(
    generator: Path, tmp_path: Path, messages: list[bytes], expected: bytes, why: str
) -> None:
    """A denied answer must not pass for a fast one."""
    with _serving(lambda _: b"yes") as port, pytest.raises(FailedError, match=why):
        load.send(generator, replace(_load(tmp_path, port, messages), expected=expected, seconds=0.1))


def test_nobody_listening_is_told(generator: Path, tmp_path: Path) -> None:
    """With the address."""
    with pytest.raises(FailedError, match=r"127\.0\.0\.1:1: connection refused"):
        load.send(generator, _load(tmp_path, 1))


def test_what_it_prints_is_read() -> None:
    """Latencies in microseconds."""
    text = (
        '{"calls": 10, "warm_up_calls": 2, "errors": {}, "seconds": 2.0, "rate": 5.0, "wanted_rate": 0,'
        ' "latency": {"p50": 1, "p95": 2, "p99": 3, "p999": 4, "max": 5}, "late_p99": 6, "cpu_seconds": 0.5}'
    )
    outcome = load.read(text)
    assert (outcome.calls, outcome.warm_up_calls, outcome.rate, outcome.late) == (10, 2, 5.0, 6)
    assert outcome.latency == load.Latency(1, 2, 3, 4, 5)
