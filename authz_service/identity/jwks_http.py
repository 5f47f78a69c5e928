"""Fetches key sets over HTTP: bounded in size and time, redirects refused."""

from __future__ import annotations

from authz_service.identity.freshness import lifetime
from authz_service.identity.key_source import Fetched, KeySourceError
from authz_service.identity.keys import MAX_KEY_SET_BYTES
from service_kit.http_client import Bounds, HttpError, ask_once, shown

FETCH_SECONDS = 5.0  # for the whole exchange


class KeyEndpoint:
    """A key set behind a URL."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    async def fetch(self) -> Fetched:
        """Fetch the key set, with what its issuer says of how long it is good."""
        bounds = Bounds(FETCH_SECONDS, MAX_KEY_SET_BYTES)
        try:
            answer = await ask_once("GET", self._uri, bounds, headers={"Accept": "application/json"})
        except HttpError as error:
            raise KeySourceError(f"{shown(self._uri)} {error}") from error
        return Fetched(answer.body, lifetime(answer.headers.get("cache-control"), answer.headers.get("age")))

    async def changed(self) -> bool:
        """Nothing can be told without asking."""
        return False
