"""Where the primary is, as Sentinels tell."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from service_kit.valkey.address import Address
from service_kit.valkey.connection import CONNECT_SECONDS, Connection, ServerError, connect
from service_kit.valkey.errors import StoreUnavailableError

SENTINEL_SECONDS = 0.5  # from one question to the Sentinels to the next, whether the primary is still the same


class Sentinels:
    """Asks Sentinels where the primary called `name` is; `primary` is an address but for host and port."""

    def __init__(self, name: str, sentinels: Sequence[Address], primary: Address) -> None:
        self._name = name
        self._sentinels = list(sentinels)
        self._primary = primary

    async def find(self) -> Address:
        """The primary that the first Sentinel to answer tells; raises `StoreUnavailableError`."""
        reasons = []
        for sentinel in tuple(self._sentinels):
            try:
                found = await self._ask(sentinel)
            except StoreUnavailableError as error:
                reasons.append(f"{sentinel}: {error}")
                continue
            self._sentinels.remove(sentinel)
            self._sentinels.insert(0, sentinel)  # asked first from now on
            return found
        raise StoreUnavailableError(f"no Sentinel tells the primary of {self._name!r} ({'; '.join(reasons)})")

    async def _ask(self, sentinel: Address) -> Address:
        connection = await connect(sentinel, _nobody)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                (reply,) = await connection.send([("SENTINEL", "get-master-addr-by-name", self._name)])
        except TimeoutError:
            raise StoreUnavailableError("timed out") from None
        finally:
            connection.end("asked and answered")
        if isinstance(reply, ServerError):
            raise StoreUnavailableError(str(reply))
        match reply:
            case [bytes() as host, bytes() as port] if port.isdigit():
                return replace(self._primary, host=host.decode(), port=int(port))
        raise StoreUnavailableError("it does not know that name")


def _nobody(connection: Connection, error: StoreUnavailableError) -> None:
    """Hears of the end of a connection that was opened for one question."""
