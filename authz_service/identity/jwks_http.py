"""Fetches key sets over HTTP: bounded in size and time, redirects refused. The only user of the HTTP client here."""

from __future__ import annotations

import os
from http import HTTPStatus

import aiohttp

from authz_service.identity.freshness import lifetime
from authz_service.identity.key_source import Fetched, KeySourceError
from authz_service.identity.keys import MAX_KEY_SET_BYTES

FETCH_SECONDS = 5.0  # for the whole exchange


class KeyEndpoint:
    """A key set behind a URL."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    async def changed(self) -> bool:
        """Nothing can be told without asking."""
        return False

    async def fetch(self) -> Fetched:
        """Fetch the key set. A redirect is refused: it could lead off the host that was configured as trusted."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS)) as session,
                session.get(self._uri, allow_redirects=False, headers={"Accept": "application/json"}) as response,
            ):
                if response.status != HTTPStatus.OK:
                    raise KeySourceError(f"{self._uri} answered {response.status}")
                chunks = bytearray()
                async for chunk in response.content.iter_chunked(64 * 1024):
                    chunks += chunk
                    if len(chunks) > MAX_KEY_SET_BYTES:
                        raise KeySourceError(f"{self._uri} sent more than {MAX_KEY_SET_BYTES} bytes")
                headers = response.headers
                return Fetched(bytes(chunks), lifetime(headers.get("Cache-Control"), headers.get("Age")))
        except TimeoutError as error:
            raise KeySourceError(f"{self._uri} did not answer within {FETCH_SECONDS:g} s") from error
        except aiohttp.ClientConnectorCertificateError as error:
            reason = getattr(error.certificate_error, "verify_message", type(error.certificate_error).__name__)
            raise KeySourceError(f"{self._uri} cannot be reached: its certificate is not accepted: {reason}") from error
        except aiohttp.ClientConnectorError as error:
            number = error.os_error.errno or 0  # below 0 it is the resolver's
            reason = os.strerror(number) if number > 0 else error.os_error.strerror or type(error).__name__
            raise KeySourceError(f"{self._uri} cannot be reached: {reason}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise KeySourceError(f"{self._uri} cannot be fetched: {type(error).__name__}") from error
