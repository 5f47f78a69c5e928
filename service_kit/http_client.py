"""One bounded exchange with an HTTP server: total time, most bytes, no redirects, no cookies, no proxies.

What a server sends is taken as hostile. A redirect is an answer like another, since it could lead off the host that was
configured as trusted, and would take credentials with it. Nothing is unpacked here. Whatever goes wrong is an
`HttpError`, whose text says why in an operator's words and holds no part of the URL, the request or the answer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp

CONNECT_SECONDS = 5.0
KEPT_SECONDS = 10.0  # for which a connection without an exchange is kept; servers close it after 15 or more, mostly
_CHUNK_BYTES: Final = 64 * 1024
_HEADERS: Final = {"User-Agent": "agent-gateway", "Accept-Encoding": "identity"}
_OK: Final = frozenset({200})


class HttpError(Exception):
    """The exchange failed, or its answer is none of those that are accepted. The text begins with a verb.

    `status` is the answer's, where it is for that that it was not accepted.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an exchange may take: `seconds` from its beginning to the last byte, `most_bytes` of the answer's body."""

    seconds: float
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case; values of one name are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Keeps connections open from one exchange to the next, at most `connections` at once. Lives on one event loop."""

    def __init__(self, connections: int = 1) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def ask(  # noqa: PLR0913  (the parts of a request, and what of the answer is taken)
        self,
        method: Literal["GET", "POST"],
        url: str,
        bounds: Bounds,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        accepted: Collection[int] = _OK,
        packed: bool = False,
    ) -> Answer:
        """Send one request; return its answer, if its status is one of `accepted`.

        `packed`: whether a body with a Content-Encoding is returned as it came, or is a fault. A request may be sent
        twice, where a connection that was kept open turns out to be closed: it must be one that is safe to repeat.

        Raises:
            HttpError: nobody there, a certificate that is not accepted, another status, too large, too slow, no HTTP.
        """
        kept = self._session is not None
        session = self._session = self._session or self._opened()

        async def exchange() -> Answer:
            async with session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
                return await _read(response, bounds.most_bytes, accepted, packed=packed)

        try:
            async with asyncio.timeout(bounds.seconds):
                try:
                    return await exchange()
                except aiohttp.ServerDisconnectedError:
                    if not kept:
                        raise
                    return await exchange()
        except TimeoutError as error:
            if isinstance(error, aiohttp.ConnectionTimeoutError):
                raise HttpError(f"cannot be reached within {CONNECT_SECONDS:g} s") from error
            raise HttpError(f"did not answer within {bounds.seconds:g} s") from error
        except aiohttp.ClientConnectorCertificateError as error:
            reason = getattr(error.certificate_error, "verify_message", type(error.certificate_error).__name__)
            raise HttpError(f"cannot be reached: its certificate is not accepted: {reason}") from error
        except aiohttp.ClientConnectorError as error:
            number = error.os_error.errno or 0  # below 0 it is the resolver's
            reason = os.strerror(number) if number > 0 else error.os_error.strerror or type(error).__name__
            raise HttpError(f"cannot be reached: {reason}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise HttpError(f"cannot be fetched: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections; a later exchange opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEPT_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
        )


async def ask_once(  # noqa: PLR0913  (as `HttpClient.ask`)
    method: Literal["GET", "POST"],
    url: str,
    bounds: Bounds,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    accepted: Collection[int] = _OK,
    packed: bool = False,
) -> Answer:
    """Make an exchange as `HttpClient.ask` does, on a connection of its own."""
    client = HttpClient()
    try:
        return await client.ask(method, url, bounds, headers=headers, body=body, accepted=accepted, packed=packed)
    finally:
        await client.close()


def shown(url: str) -> str:
    """Return what of a URL may stand in a log: no query and no user part, either of which may be a credential."""
    plain = url.partition("?")[0].partition("#")[0]
    try:
        host = urlsplit(plain).netloc.rpartition("@")[2]
    except ValueError:
        return "a URL that cannot be read"
    scheme, separator, rest = plain.partition("://")
    return f"{scheme}://{host}{rest[rest.find('/') :] if '/' in rest else ''}" if separator else plain


async def _read(
    response: aiohttp.ClientResponse, most_bytes: int, accepted: Collection[int], *, packed: bool
) -> Answer:
    if response.status not in accepted:
        raise HttpError(f"answered {response.status}", response.status)
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    if not packed and headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HttpError("sent a packed answer, which was not asked for")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise HttpError(f"sent more than {most_bytes} bytes")
    return Answer(response.status, headers, bytes(body))
