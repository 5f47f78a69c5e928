"""The engine port over a remote OPA server, by opa-python-client, which no other file imports.

The library has the names of OPA's REST interface. What it lacks is put in where it leaves room for it, in its session
and its way of sending: a unix socket, bounds on connections and on answers, no redirect, no proxy, and not its retries,
whose pauses are longer than a decision may take.

A breaker stands before the server: after failures in a row nobody waits for it, until it answers a probe again. Only
what the server's absence looks like counts as a failure. An error that a policy makes of an input is an answer, or
else a caller could close the gate for all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
from opa_client.opa_async import AsyncOpaClient

from authz_service.errors import PolicyFailed
from authz_service.rego_engine import values
from authz_service.rego_engine.values import UNDEFINED
from service_kit.breaker import Breaker

MAX_ANSWER_BYTES = 1024 * 1024
MAX_REVISION = 128  # characters of one bundle's name and of its revision
MAX_BUNDLES = 16  # whose revisions are told
PROBE_SECONDS = 1.0  # for one probe of a server that has failed
IDLE_SECONDS = 60.0  # for which a connection is kept that nobody uses
NO_REVISION = "opa"  # of a server that has no bundles, and so tells of none
LOOK = "system/agent_gateway"  # what is asked for the sake of the answer's provenance; no policy need have it

_AWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})  # of a proxy


class _RefusedError(Exception):
    """The server answered with a status that is no decision."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.status = status


class _NoAnswerError(Exception):
    """The server's answer cannot be read."""


@dataclass(frozen=True, slots=True)
class _Response:
    """A response that is here as a whole, with as much of a client's own response as the library asks for."""

    status: int
    content: bytes

    def raise_for_status(self) -> None:
        """Refuse what is no success."""
        if self.status != HTTPStatus.OK:
            raise _RefusedError(self.status)

    async def json(self) -> Any:
        """Read the body, its numbers exact."""
        try:
            return values.read(self.content)
        except ValueError:
            raise _NoAnswerError("an answer that is no JSON") from None


class _Connection(AsyncOpaClient):  # type: ignore[misc]  # the library has no types
    """The library's client over a bounded pool of connections to one server."""

    _session: aiohttp.ClientSession | None

    def __init__(self, url: str, connections: int) -> None:
        parts = urlsplit(url)
        self._socket = unquote(parts.path) if parts.scheme == "unix" else None
        self._connections = connections
        self.bearer: str | None = None
        secure = parts.scheme == "https"
        host = parts.hostname or "localhost"
        port = parts.port or (443 if secure else 80)
        super().__init__(host=f"[{host}]" if ":" in host else host, port=port, ssl=secure)

    def _open(self) -> aiohttp.ClientSession:
        connector: aiohttp.BaseConnector
        if self._socket is not None:
            connector = aiohttp.UnixConnector(self._socket, limit=self._connections, keepalive_timeout=IDLE_SECONDS)
        else:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE_SECONDS)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(),  # whoever asks has a deadline of his own
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # nothing unpacks here
        )

    @asynccontextmanager
    async def _request(self, method: str, url: str, **named: Any) -> AsyncIterator[_Response]:
        if self._session is None:
            self._session = self._open()
        try:
            response = await self._once(self._session, method, url, **named)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A connection that was kept, and that the server had closed. Asking twice does no more than asking once.
            response = await self._once(self._session, method, url, **named)
        yield response

    async def _once(self, session: aiohttp.ClientSession, method: str, url: str, **named: Any) -> _Response:
        headers = {"Accept-Encoding": "identity"}
        if self.bearer is not None:
            headers["Authorization"] = f"Bearer {self.bearer}"
        async with session.request(method, url, headers=headers, allow_redirects=False, **named) as response:
            content = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise _NoAnswerError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
            return _Response(response.status, bytes(content))

    async def answers(self) -> bool:
        """Whether the server answers at all; that it wants a token for its health is an answer too."""
        async with self._request("GET", f"{self.schema}{self.host}:{self.port}/health") as response:
            return bool(response.status < HTTPStatus.INTERNAL_SERVER_ERROR)


class OpaEngine:
    """The policies of one server. Lives on one event loop."""

    reads: frozenset[str] | None = None  # what the server's policies look at is not known here

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        seconds: float,
        now: Callable[[], float],
        told: Callable[[str | None], None],
    ) -> None:
        """`url` is http(s)://host:port or unix:///path; `seconds` is the longest that one decision may take.

        `now` is in epoch seconds. `told` hears why the server is not asked any more, and None when it is asked again.
        """
        self._connection = _Connection(url, connections)
        self._seconds = seconds
        self._now = now
        self._told = told
        self._breaker = Breaker()
        self._probing: asyncio.Task[None] | None = None
        self._revision = NO_REVISION
        self._loaded = now()
        self.answered = 0  # calls, since the beginning

    @property
    def revision(self) -> str:
        """The revisions of the server's bundles, as its last answer told them."""
        return self._revision

    @property
    def loaded(self) -> float:
        """When an answer first told this revision, in seconds since the epoch."""
        return self._loaded

    @property
    def away(self) -> bool:
        """Whether the server is not asked, because it has failed."""
        return self._breaker.open

    def identify(self, token: str | None) -> None:
        """Send this bearer token from now on."""
        self._connection.bearer = token

    async def decide(self, rule: str, document: Mapping[str, Any]) -> Any:
        """Ask the server for a rule's value."""
        if self._breaker.open:
            raise PolicyFailed("the OPA server does not answer", "policy_unavailable")
        answer = await self._ask(rule, document)
        if "result" not in answer:
            return UNDEFINED
        try:
            return values.to_answer(answer["result"])
        except RecursionError:
            raise PolicyFailed("the OPA server answered with a value that is nested too deeply") from None

    async def look(self) -> None:
        """Ask for nothing, to hear the revision. Raises as `decide`."""
        await self._ask(LOOK, {})

    async def close(self) -> None:
        """Close the connections."""
        if self._probing is not None:
            self._probing.cancel()
        await self._connection.close_connection()

    async def _ask(self, rule: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._connection.query_rule(document, rule, query_params={"provenance": "true"})
        except TimeoutError:
            self._failed()
            detail = f"the OPA server did not answer within {self._seconds:g} s"
            raise PolicyFailed(detail, "policy_deadline") from None
        except _RefusedError as error:
            if error.status in _AWAY:
                self._failed()
                raise PolicyFailed(f"the OPA server answered {error.status}", "policy_unavailable") from None
            self._succeeded()
            raise PolicyFailed(f"the OPA server answered {error.status}") from None
        except _NoAnswerError as error:
            self._succeeded()
            raise PolicyFailed(f"the OPA server sent {error}") from None
        except (aiohttp.ClientError, OSError) as error:
            self._failed()
            detail = f"the OPA server cannot be asked: {type(error).__name__}"
            raise PolicyFailed(detail, "policy_unavailable") from None
        except (TypeError, ValueError, RecursionError) as error:
            raise PolicyFailed(f"the input cannot be sent: {type(error).__name__}") from None
        self._succeeded()
        if not isinstance(answer, dict):
            raise PolicyFailed("the OPA server sent an answer that is no object")
        self._note(revision_of(answer.get("provenance")))
        return answer

    def _note(self, revision: str) -> None:
        self.answered += 1
        if revision != self._revision:
            self._revision, self._loaded = revision, self._now()

    def _succeeded(self) -> None:
        if self._breaker.succeeded():
            self._told(None)

    def _failed(self) -> None:
        if self._breaker.failed():
            self._told("the OPA server does not answer")
            self._probing = asyncio.ensure_future(self._probe())

    async def _probe(self) -> None:
        while self._breaker.open:
            await asyncio.sleep(self._breaker.next_probe())
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    answers = await self._connection.answers()
            except (aiohttp.ClientError, OSError, _NoAnswerError):
                continue
            if answers:
                self._succeeded()


def revision_of(provenance: Any) -> str:
    """Return the revisions of the bundles that an answer's provenance names; `NO_REVISION` where it names none."""
    bundles = provenance.get("bundles") if isinstance(provenance, dict) else None
    found = {
        _short(name): _short(bundle.get("revision"))
        for name, bundle in sorted(bundles.items())[:MAX_BUNDLES]
        if isinstance(bundle, dict) and bundle.get("revision")
    } if isinstance(bundles, dict) else {}  # fmt: skip
    if len(found) == 1:
        return next(iter(found.values()))
    return ",".join(f"{name}={revision}" for name, revision in found.items()) or NO_REVISION


def _short(text: Any) -> str:
    return "".join(character if character.isprintable() else "?" for character in str(text)[:MAX_REVISION])
