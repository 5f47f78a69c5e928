"""A company API that answers with what it received, so that everybody can see what the gateway let through."""

from __future__ import annotations

import itertools
from collections import deque

from aiohttp import web
from aiohttp.typedefs import Handler

KEEP_REQUESTS = 1_000
MAX_BODY_BYTES = 16 * 1024 * 1024
LIST_PATH = "/__received"


class Upstream:
    """Echoes every request as JSON; `GET /__received` of its own port lists the last ones.

    They are numbered from 1, so that what came since a moment can be told: `GET /__received?after=7`.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._received: deque[tuple[int, dict[str, object]]] = deque(maxlen=KEEP_REQUESTS)

    def application(self) -> web.Application:
        """The application to serve."""
        # In front of all routing, which would leave out what has no route: `OPTIONS *`, for one.
        application = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._answer])
        application.router.add_get(LIST_PATH, self._list)
        return application

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == LIST_PATH:
            return await handler(request)
        seen: dict[str, object] = {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": (await request.read()).decode("utf-8", "replace"),
        }
        self._received.append((next(self._numbers), seen))
        return web.json_response(seen)

    async def _list(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        return web.json_response([{"number": number, **seen} for number, seen in self._received if number > after])
