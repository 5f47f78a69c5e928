"""A process that a supervisor has started, and serves a service: inside Envoy (`app`), or with grpcio (`main`).

It ends when the supervisor says so, or is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from service_kit.faults import ConfigurationError
from service_kit.health import Health
from service_kit.hosts.asgi import Calls, Scope
from service_kit.hosts.call import Receive, Send
from service_kit.hosts.certificates import verify
from service_kit.hosts.order import CONTROL, FAILED, SERVING, Order
from service_kit.hosts.process import Host, Process
from service_kit.hosts.pyvoy_host import PyvoyHost
from service_kit.listening import ListenError, Server, Tls
from service_kit.rpc import Service

log = logging.getLogger(__name__)


class Worker:
    """Runs the service that is ordered, and says to the supervisor what becomes of it."""

    def __init__(self, order: Order, control: int) -> None:
        """`control` is the descriptor of the socket to the supervisor."""
        self._order = order
        self._control = socket.socket(fileno=control)
        self._control.set_inheritable(False)
        self._control.setblocking(False)
        self._stop = asyncio.Event()
        self._listening = asyncio.Event()
        self._orphaned = False
        self.calls: Calls | None = None
        self.code = 0

    async def serve(self) -> None:
        """Serve until told to end; what is wrong with configuration or addresses is printed."""
        module, _, name = self._order.entry.partition(":")
        listener = asyncio.create_task(self._listen())
        order = self._order
        server = Server.PYVOY if order.pyvoy else Server.GRPCIO
        process = Process(
            self._stop, os.environ, order.http, self._host, server.value, shared=order.shared, number=order.number
        )
        try:
            await getattr(import_module(module), name)(order.arguments, process)
        except (ConfigurationError, ListenError) as error:
            sys.stderr.write(f"{error}\n")
            self.code = 1
            self._say(FAILED)
        except Exception as error:  # the boundary: the supervisor starts another
            log.error("the service has failed", exc_info=error)
            self.code = 1
            raise
        finally:
            listener.cancel()
            if self._orphaned:  # then nobody else takes the files away
                _clear_away(Path(order.folder))

    async def until_listening(self) -> None:
        """Wait until the service has made its calls known."""
        await self._listening.wait()

    def _host(self, services: Sequence[Service], health: Health, aliases: Sequence[str]) -> Host:
        order = self._order
        tls = None
        if order.certificate:
            client_ca = Path(order.client_ca) if order.client_ca else None
            tls = Tls(Path(order.certificate), Path(order.key), client_ca)
            verify(tls)  # they may have changed since the launch, and a host would serve nobody and say nothing
        if not order.pyvoy:
            from service_kit.hosts.grpcio_host import GrpcioHost  # noqa: PLC0415  (grpcio is large, and not for Envoy)

            host = GrpcioHost(order.grpc, services, health, aliases, limits=order.limits, tls=tls, shared=order.shared)
            return _Told(host, lambda: self._say(SERVING))
        host_in_envoy = PyvoyHost(
            order.grpc, services, health, aliases, limits=order.limits, tls=tls, folder=Path(order.folder),
            admin=Path(order.admin), begin=self._begin,
        )  # fmt: skip
        return _Told(host_in_envoy, lambda: self._say(SERVING))

    async def _begin(self, calls: Calls) -> None:
        self.calls = calls
        self._listening.set()

    def _say(self, word: bytes) -> None:
        with suppress(OSError):
            self._control.send(word)

    async def _listen(self) -> None:
        """Wait for the word to end, and for the supervisor to be gone; there is no other word."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while await loop.sock_recv(self._control, 64):
                self._stop.set()
        self._orphaned = True
        self._stop.set()


def _clear_away(own: Path) -> None:
    """Take a worker's folder away, and the supervisor's with the last one: others may not have ended yet."""
    shutil.rmtree(own, ignore_errors=True)
    with suppress(OSError):
        if not any(other.name.isdecimal() for other in own.parent.iterdir()):
            shutil.rmtree(own.parent, ignore_errors=True)


class _Told:
    """A host that says when it serves."""

    def __init__(self, host: Host, serving: Any) -> None:
        self._host = host
        self._serving = serving
        self.stop = host.stop

    async def start(self) -> str:
        address = await self._host.start()
        self._serving()
        return address


class _Application:
    """The ASGI application that Envoy's module imports. Its life is the service's life."""

    def __init__(self) -> None:
        self._calls: Calls | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._calls is not None and scope["type"] == "http":
            await self._calls(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            raise RuntimeError(scope["type"])

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        order = Order.take(os.environ)
        sys.executable = order.python  # Envoy's is not the one that child processes need
        worker = Worker(order, int(os.environ.pop(CONTROL)))
        serving = asyncio.create_task(worker.serve())
        listening = asyncio.create_task(worker.until_listening())
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)  # all is said; Envoy, which serves nobody yet, would add words of its own
        self._calls = worker.calls
        # Envoy ends by a signal only; the calls in flight have ended before.
        serving.add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


app = _Application()


def main() -> int:
    """Serve with grpcio, as one of several workers."""

    async def run() -> int:
        worker = Worker(Order.take(os.environ), int(os.environ.pop(CONTROL)))
        await worker.serve()
        return worker.code

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main())
