"""One connection to Valkey or Redis: commands go out at once, their replies come back in order. Imports hiredis alone.

Opening it covers TLS, the password, the database and one answer of the server, so that an open connection is one that
works. What goes wrong is told in an operator's words (see `StoreUnavailableError`), in which is neither key, value nor
password. The server's own errors are told in full, since they name none.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias, Union, cast

import hiredis

from service_kit.valkey.address import Address, Tls
from service_kit.valkey.errors import StoreUnavailableError

CONNECT_SECONDS = 1.0  # to open a connection: name, TCP, TLS, password

Command: TypeAlias = tuple[int | str | bytes, ...]
Reply: TypeAlias = Union[int, bytes, "ServerError", list["Reply"], None]


def packed(words: Command) -> bytes:
    """Some words of a command as RESP writes them."""
    command: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub knows only tuples of one
    return command.partition(b"\r\n")[2]


class ServerError(Exception):
    """An error that the server answered with. `code` is its first word, such as MOVED or READONLY."""

    @property
    def code(self) -> str:
        """The first word."""
        return str(self).partition(" ")[0]


class Connection(asyncio.Protocol):
    """See the module. Lives on one event loop; `lost` hears, once, that it has ended and why."""

    def __init__(self, lost: Callable[[Connection, StoreUnavailableError], None]) -> None:
        self._lost = lost
        self._reader = hiredis.Reader(replyError=ServerError)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[int, list[Reply], asyncio.Future[list[Reply]]]] = deque()
        self._error: StoreUnavailableError | None = None

    def send(self, commands: Sequence[Command | bytes]) -> asyncio.Future[list[Reply]]:
        """Send commands in one piece; the future has their replies, or the reason why there will be none.

        Bytes are a command that is packed: its number of words as RESP writes it, and what `packed` makes of them.
        """
        future: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        if self._error is not None or self._transport is None:
            future.set_exception(self._error or StoreUnavailableError("the connection is not open"))
            return future
        self._waiting.append((len(commands), [], future))
        self._transport.write(
            b"".join(
                [each if isinstance(each, bytes) else b"*%d\r\n%b" % (len(each), packed(each)) for each in commands]
            )
        )
        return future

    def end(self, reason: str) -> None:
        """Drop the connection at once; what waits for a reply hears the reason."""
        self._end(StoreUnavailableError(reason))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # uvloop's transports have every method of asyncio.Transport, but are none by class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                self._take(reply)
        except hiredis.HiredisError:
            self.end("the reply is not that of the protocol: is this Valkey or Redis?")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._end(StoreUnavailableError(reason_of(exc) if exc else "the connection was lost"))

    def _take(self, reply: Reply) -> None:
        if not self._waiting:
            self.end("a reply came that nothing asked for: is this Valkey or Redis?")
            return
        count, replies, future = self._waiting[0]
        replies.append(reply)
        if len(replies) == count:
            self._waiting.popleft()
            if not future.done():
                future.set_result(replies)

    def _end(self, error: StoreUnavailableError) -> None:
        if self._error is not None:
            return
        self._error = error
        if self._transport is not None:
            self._transport.abort()
        waiting, self._waiting = self._waiting, deque()
        for _, _, future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # Heard: whoever waits for it hears it too, and nobody has to.
        self._lost(self, error)


async def connect(
    address: Address, lost: Callable[[Connection, StoreUnavailableError], None], *, primary: bool = False
) -> Connection:
    """Open a connection within `CONNECT_SECONDS`; raises `StoreUnavailableError`. `primary` refuses a replica."""
    connection = Connection(lost)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await _open(address, connection)
            await _introduce(address, connection, primary=primary)
    except BaseException as error:
        connection.end("given up")
        if isinstance(error, OSError | UnicodeError):  # TimeoutError is the first; a name that is none, the second
            raise StoreUnavailableError(reason_of(error)) from error
        raise
    return connection


async def _open(address: Address, connection: Connection) -> None:
    loop = asyncio.get_running_loop()
    # In a thread: reading the system's CAs takes longer than a call may. Anew each time: certificates are renewed.
    context = await asyncio.to_thread(_tls_context, address.tls) if address.tls else None
    if address.path:
        await loop.create_unix_connection(lambda: connection, address.path)
    else:
        await loop.create_connection(lambda: connection, address.host, address.port, ssl=context)


def _tls_context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca) if tls.ca else None)
    context.check_hostname = tls.check_hostname
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


async def _introduce(address: Address, connection: Connection, *, primary: bool) -> None:
    if address.password is not None:
        user = (address.username,) if address.username else ()
        (answer,) = await connection.send([("AUTH", *user, address.password)])
        _expect(answer, b"OK")
    if address.database:
        (answer,) = await connection.send([("SELECT", address.database)])
        _expect(answer, b"OK")
    (answer,) = await connection.send([("PING",)])
    _expect(answer, b"PONG")
    if primary:
        (answer,) = await connection.send([("ROLE",)])
        if isinstance(answer, ServerError):
            raise StoreUnavailableError(str(answer))
        if not isinstance(answer, list) or answer[:1] != [b"master"]:
            raise StoreUnavailableError("this server is a replica, and the primary is not known yet")


def _expect(answer: Reply, wanted: bytes) -> None:
    if isinstance(answer, ServerError):
        refused = answer.code in {"NOAUTH", "WRONGPASS"} or "AUTH" in str(answer)
        text = str(answer).removeprefix("NOAUTH ").removeprefix("WRONGPASS ")
        raise StoreUnavailableError(f"user or password not accepted: {text}" if refused else str(answer))
    if answer != wanted:
        raise StoreUnavailableError("the reply is not that of the protocol: is this Valkey or Redis?")


def reason_of(error: BaseException) -> str:
    """Say what went wrong with a connection, in an operator's words."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS certificate not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason}"
    if isinstance(error, socket.gaierror):
        return error.strerror or "name not known"
    if isinstance(error, UnicodeError):
        return "the host is no name"
    if isinstance(error, OSError):
        # Not strerror: asyncio writes "Connect call failed" and the address into it. No number: several have failed.
        return os.strerror(error.errno) if error.errno else "none of its addresses can be connected to"
    return type(error).__name__
