"""Buckets in Valkey or Redis: one script call for each request. The only importer of the client library.

The service's deadline covers a call as a whole: the wait for a connection, the request and the reply. Connections are
opened in the background (see `pool`), so the service starts, and recovers, without waiting for the server.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import socket
import ssl
from collections.abc import Sequence
from importlib import resources
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import AuthenticationError, BusyLoadingError, NoScriptError, RedisError, ResponseError
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ratelimit_service import fixed_window, token_bucket
from ratelimit_service.errors import StoreUnavailableError
from ratelimit_service.model import Charge, Count, FixedWindow
from ratelimit_service.stores.address import Address
from ratelimit_service.stores.pool import Pool

CONNECT_SECONDS = 1.0  # to open a connection: TCP, TLS, authentication
LINGER_MS = (1_000, 2_000)  # how long a key outlives its bucket, drawn anew for each call

SCRIPT = resources.files("ratelimit_service.stores").joinpath("hit.lua").read_text("utf-8")
_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
_ANSWER = 3  # numbers of the reply for each charge


class ValkeyStore:
    """A counter store on one server. Lives on one event loop."""

    def __init__(self, address: Address, *, deadline: float, pool_size: int) -> None:
        """`deadline` is in seconds and covers a whole `hit`."""
        self._address = address
        self._deadline = deadline
        self._pool: Pool[AbstractConnection] = Pool(self._connect, _disconnect, pool_size)

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        """Charge all buckets of one request."""
        keys, arguments = encode(charges)
        try:
            async with asyncio.timeout(self._deadline):
                reply = await self._on_connection("EVALSHA", _SHA, len(keys), *keys, *arguments)
            return decode(charges, reply)
        except TimeoutError as error:
            raise StoreUnavailableError(f"no answer within {self._deadline * 1000:g} ms") from error
        except (RedisError, OSError) as error:
            raise StoreUnavailableError(_reason(error)) from error
        except (ValueError, TypeError, LookupError) as error:
            raise StoreUnavailableError("the reply is not that of the script: is this Valkey or Redis?") from error

    async def check(self) -> None:
        """Look whether the server answers; raises `StoreUnavailableError`. Opens a connection where there is none."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._on_connection("PING")
        except (RedisError, OSError, ValueError) as error:  # TimeoutError is an OSError
            raise StoreUnavailableError(_reason(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def _on_connection(self, *command: int | str) -> Any:
        connection, idled = await self._pool.take()
        try:
            return await self._send(connection, command)
        except (LostConnectionError, OSError):
            if not idled:
                raise
        # The server closed the connection while it lay idle, most likely because it was restarted. In the unlikely
        # case that it took the command before it left, the hits count twice: that errs on the strict side.
        await self._pool.drop_idle()
        connection, _ = await self._pool.take()
        return await self._send(connection, command)

    async def _send(self, connection: AbstractConnection, command: tuple[int | str, ...]) -> Any:
        try:
            await connection.send_command(*command)
            try:
                reply = await connection.read_response()
            except NoScriptError:  # A new or restarted server: EVAL runs the script and keeps it for the next call.
                await connection.send_command("EVAL", SCRIPT, *command[2:])
                reply = await connection.read_response()
        except BaseException:
            # After an error or a cancelled wait a reply may still be on its way, and a server that refuses (READONLY
            # after a failover) will go on refusing: the next call begins on a fresh connection.
            await self._pool.drop(connection)
            raise
        self._pool.give(connection)
        return reply

    async def _connect(self) -> AbstractConnection:
        address = self._address
        common: dict[str, Any] = {
            "db": address.database,
            "username": address.username,
            "password": address.password,
            "socket_timeout": None,  # the deadline is ours
            "socket_connect_timeout": CONNECT_SECONDS,
            "protocol": 2,
        }
        connection: AbstractConnection
        if address.path:
            connection = UnixDomainSocketConnection(path=address.path, **common)
        elif address.tls:
            ca = str(address.ca) if address.ca else None
            connection = SSLConnection(host=address.host, port=address.port, ssl_ca_certs=ca, **common)
        else:
            connection = Connection(host=address.host, port=address.port, **common)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await _disconnect(connection)
            raise
        return connection


def encode(charges: Sequence[Charge]) -> tuple[list[str], list[int | str]]:
    """The script's KEYS and ARGV."""
    keys: list[str] = []
    arguments: list[int | str] = [random.randint(*LINGER_MS)]  # noqa: S311  (spreads expiry, hides nothing)
    for charge in charges:
        keys.append(charge.key)
        limit = charge.limit
        if isinstance(limit, FixedWindow):
            arguments += ("w", charge.hits, limit.unit.value, limit.requests_per_unit)
        else:
            ticks = token_bucket.cost(limit, charge.hits)
            arguments += ("b", charge.hits, limit.ticks_per_us)
            arguments += divmod(ticks, limit.ticks_per_us)
            arguments += divmod(limit.capacity_ticks, limit.ticks_per_us)
    return keys, arguments


def decode(charges: Sequence[Charge], reply: Sequence[int]) -> list[Count]:
    """What the script's reply says to each charge."""
    now_us = reply[0]
    counts = []
    for charge, at in zip(charges, range(1, len(reply), _ANSWER), strict=True):
        over, first, second = reply[at : at + _ANSWER]
        limit = charge.limit
        if isinstance(limit, FixedWindow):
            counts.append(fixed_window.count(limit, now_us, first))
        else:
            full_at = first * limit.ticks_per_us + second
            ticks = token_bucket.cost(limit, charge.hits)
            counts.append(token_bucket.count(limit, now_us, full_at, ticks, over=bool(over)))
    return counts


async def _disconnect(connection: AbstractConnection) -> None:
    try:
        await connection.disconnect(nowait=True)
    except (RedisError, OSError):
        return  # It is gone, which is what was wanted.


def _reason(error: Exception) -> str:
    """Say what went wrong in an operator's words, for logs and /readyz.

    The server's own errors are told in full: they name no key, no value and no password. The client library's texts
    are not; what it was told by the system, and wrapped, is.
    """
    if isinstance(error, ResponseError | BusyLoadingError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, AuthenticationError):
        return f"user or password not accepted: {error}"
    cause: BaseException | None = error
    while isinstance(cause, LostConnectionError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, TimeoutError | RedisTimeoutError):
        return "timed out"
    if isinstance(cause, OSError):
        return _system_reason(cause)
    return "the connection was lost" if isinstance(error, LostConnectionError) else type(error).__name__


def _system_reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS certificate not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason}"
    if isinstance(error, socket.gaierror):
        return error.strerror or "name not known"
    # Not strerror: asyncio writes "Connect call failed" and the address into it. No number: several addresses failed.
    return os.strerror(error.errno) if error.errno else "none of its addresses can be connected to"
