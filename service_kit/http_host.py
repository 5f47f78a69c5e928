"""The HTTP side of a service: /metrics for Prometheus, /healthz (alive), /readyz (can answer calls)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from service_kit import lifetime
from service_kit.health import Health
from service_kit.listening import ListenError, port_of

MAX_BODY_BYTES = 1024 * 1024
STOP_SECONDS = 1.0  # for the pages being made when the process ends, and once more for their connections


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of one of a service's own pages."""

    status: int
    body: str
    content_type: str = "text/plain"


Page = Callable[[bytes], Awaitable[Reply]]


class HttpHost:
    """Listens on `address` (`host:port`; port 0 takes a free one). `pages` are a service's own, by path, any method."""

    def __init__(
        self,
        address: str,
        health: Health,
        registry: CollectorRegistry,
        pages: Mapping[str, Page] | None = None,
        *,
        shared: bool = False,
    ) -> None:
        """`registry` is what /metrics shows. `shared`: other workers listen on the same port."""
        self._address = address
        self._shared = shared
        self._health = health
        self._registry = registry
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        for path, page in (pages or {}).items():
            application.router.add_route("*", path, _serve(page))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOP_SECONDS)

    async def start(self) -> str:
        """Listen, and return the address with the port that is really used."""
        host, port = self._address.rpartition(":")[0], port_of(self._address)
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, host.strip("[]"), port, reuse_address=True, reuse_port=self._shared)
            await site.start()
        except OSError as error:
            raise ListenError(f"cannot listen on {self._address}: {error.strerror}") from error
        return f"{host}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every connection; a page that is being made has `STOP_SECONDS` to finish."""
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        del request
        # In a thread: with thousands of series it takes longer than the calls beside it may.
        body = await lifetime.beside(generate_latest, self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"alive": True})

    async def _readyz(self, request: web.Request) -> web.Response:
        del request
        ready = self._health.ready
        return web.json_response({"ready": ready, **self._health.report()}, status=200 if ready else 503)


def _serve(page: Page) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        reply = await page(await request.read())
        return web.Response(status=reply.status, text=reply.body, content_type=reply.content_type)

    return handler
