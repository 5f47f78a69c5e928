"""A company API that answers with what it received, so that everybody can see what the gateway let through."""

from __future__ import annotations

from collections import deque

from aiohttp import web

KEEP_REQUESTS = 1_000
MAX_BODY_BYTES = 16 * 1024 * 1024


class Upstream:
    """Echoes every request as JSON; `GET /__received` of its own port lists the last ones."""

    def __init__(self) -> None:
        self._received: deque[dict[str, object]] = deque(maxlen=KEEP_REQUESTS)

    def application(self) -> web.Application:
        """The application to serve."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_get("/__received", self._list)
        application.router.add_route("*", "/{path:.*}", self._echo)
        return application

    async def _echo(self, request: web.Request) -> web.Response:
        seen: dict[str, object] = {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": (await request.read()).decode("utf-8", "replace"),
        }
        self._received.append(seen)
        return web.json_response(seen)

    async def _list(self, request: web.Request) -> web.Response:
        del request
        return web.json_response(list(self._received))
