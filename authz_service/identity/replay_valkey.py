"""Which DPoP proofs were used before, in Valkey: one store for every replica. I/O."""

from __future__ import annotations

import math
from typing import Protocol

from authz_service.errors import ReplayUnknown
from service_kit.valkey.connection import Reply
from service_kit.valkey.errors import StoreUnavailableError

KEY = "{agent_gateway}:dpop:"  # one hash tag for all keys of this service, see `service_kit.valkey.client`


class Asked(Protocol):
    """The client of the server."""

    async def ask(self, *command: int | str | bytes, seconds: float | None = None) -> Reply:
        """Send a command; raises `StoreUnavailableError`."""
        ...


class ValkeyReplayStore:
    """Notes a proof with SET NX, which one of all who try it at once wins."""

    def __init__(self, client: Asked) -> None:
        self._client = client

    async def first_use(self, key: str, seconds: float) -> bool:
        """Note a key. Where it is not known whether that was done, the proof counts as not told: its use is refused."""
        try:
            reply = await self._client.ask("SET", KEY + key, "", "NX", "PX", max(math.ceil(seconds * 1000), 1))
        except StoreUnavailableError as error:
            raise ReplayUnknown(f"the replay store does not answer: {error}") from error
        if reply == b"OK":
            return True
        if reply is None:
            return False
        raise ReplayUnknown("the replay store's reply is not that of SET")
