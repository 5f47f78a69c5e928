"""The list of revocations in Valkey: one script for each thing that is done with it, so that each is done whole.

All keys share a hash tag, and so a node of a Cluster. Errors of the server and silence end in `StoreUnavailableError`;
an answer that is not what the script returns, in `RecordError`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from authz_service.revocation.model import MAX_ENTRIES, Action, Change, Order, Revocation, Subject
from authz_service.revocation.records import (
    RecordError,
    field_of,
    fields_of,
    position,
    read_change,
    read_entry,
    write_order,
    write_restoration,
)
from service_kit.valkey.client import Client

PREFIX = "{agent_gateway}:revocations"
KEYS = (PREFIX, f"{PREFIX}:ends", f"{PREFIX}:changes", f"{PREFIX}:counter")
CHANGES = KEYS[2]
REPLICAS = f"{PREFIX}:replicas"
MAX_CHANGES = 10_000  # that the stream keeps: who has missed more reads the whole list
MAX_REPLICAS = 1000
BLOCK_SECONDS = 0.5  # how long the server holds a question for changes that there are none of
CHANGES_AT_A_TIME = 1000
LOAD_SECONDS = 10.0  # for the whole list, which at its longest is about 50 MB
_NONE_YET = "0-0"
_LAST_CHANGE = b"#"  # the field beside the revocations that says up to which change they are


def _script(name: str) -> str:
    return resources.files("authz_service.revocation").joinpath(name).read_text("utf-8")


_CHANGE, _LOAD, _HEARD = map(_script, ("change.lua", "load.lua", "heard.lua"))


class ListFullError(Exception):
    """There are as many revocations as there may be."""


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was made: its id, and what was in force there before, as far as it can be read."""

    change: str
    replaced: tuple[Revocation, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The list at one instant, unread. `missed` are the changes since the one that was asked from.

    `entries` are None where those are all that has changed.
    """

    last: str
    number: int
    entries: Sequence[tuple[bytes, bytes]] | None
    missed: Sequence[Any]

    def continues(self, known: str, number: int) -> bool:
        """Whether it is what the list of that change, the id and number of which these are, has become.

        It is not where the store has lost changes: then there are fewer of them than there were, or others.
        """
        if not known:
            return True
        since = self.number - number
        return position(self.last) >= position(known) and len(self.missed) == min(since, MAX_CHANGES)


@dataclass(frozen=True, slots=True)
class Replica:
    """How far a replica has followed the changes, and how many seconds ago it said so."""

    name: str
    position: tuple[int, int]
    silent: float


class RevocationStore:
    """See the module. One that waits for changes needs a client of its own: the connection is held meanwhile."""

    def __init__(self, client: Client, *, deadline: float) -> None:
        """`deadline` is the client's, in seconds."""
        self._client = client
        self._deadline = deadline

    @property
    def connections(self) -> int:
        """How many connections have been opened so far: behind a new one there may be another server."""
        return self._client.opened

    async def revoke(self, order: Order) -> Made:
        """Put a revocation into force. Raises `ListFullError`."""
        holds = math.ceil((order.seconds or 0) * 1000)
        field = field_of(order.subject, order.issued_before)
        reply = await self._change(Action.REVOKE, write_order(order), field, holds)
        if reply == [b"full"]:
            raise ListFullError
        return _made(reply, (field,))

    async def restore(self, subject: Subject, by: str, reason: str) -> Made | None:
        """End every revocation of a subject; None where there is none."""
        fields = fields_of(subject)
        reply = await self._change(Action.RESTORE, write_restoration(subject, by, reason), *fields)
        return None if reply == [b"none"] else _made(reply, fields)

    async def load(self, known: str = "", number: int | None = None) -> Snapshot:
        """Read the list; `known` is the id of the last change that the caller knows, or empty.

        With its `number` only the changes since come, where they are all that there is to know.
        """
        seconds = max(self._deadline, LOAD_SECONDS)
        # Read-only, so that a replica's user need not be able to write the list.
        asked = (known, "" if number is None else number, MAX_CHANGES)
        match await self._client.ask("EVAL_RO", _LOAD, len(KEYS), *KEYS, *asked, seconds=seconds):
            case [bytes() as last, bytes() as told, None, list() as missed] if told.isdigit() and number is not None:
                return Snapshot(_identity(last), int(told), None, missed)
            case [bytes() as last, bytes() as told, list() as words, list() as missed] if told.isdigit():
                if len(words) > 2 * (MAX_ENTRIES + 1) or len(words) % 2 or not _texts(*words):
                    raise RecordError(f"the list is longer than {MAX_ENTRIES}, or no list")
                entries = dict(zip(words[::2], words[1::2], strict=True))
                if entries.pop(_LAST_CHANGE, _NONE_YET.encode()) != last:
                    raise RecordError("the list and its changes do not belong together: some are lost, make one again")
                return Snapshot(_identity(last), int(told), list(entries.items()), missed)
        raise RecordError("the list is not as it is written")

    async def changes(self, after: str) -> list[tuple[str, Change | None]]:
        """Wait half a second for changes after an id; each comes with its id, None where it cannot be read."""
        reply = await self._client.ask(
            "XREAD", "COUNT", CHANGES_AT_A_TIME, "BLOCK", int(BLOCK_SECONDS * 1000), "STREAMS", CHANGES, after,
            seconds=BLOCK_SECONDS + self._deadline,
        )  # fmt: skip
        if reply is None:
            return []
        match reply:
            case [[_, list() as entries]] if len(entries) <= CHANGES_AT_A_TIME:
                return [_read(entry) for entry in entries]
        raise RecordError("the changes are not as they are written")

    async def now(self) -> float:
        """The server's time, in seconds since the epoch."""
        match await self._client.ask("TIME"):
            case [bytes() as seconds, bytes() as micros] if seconds.isdigit() and micros.isdigit():
                return int(seconds) + int(micros) / 1e6
        raise RecordError("the server does not tell its time")

    async def heard(self, replica: str, change: str) -> None:
        """Note that a replica has every change in force up to this one."""
        await self._client.ask("EVAL", _HEARD, 1, REPLICAS, replica, change or _NONE_YET, MAX_REPLICAS)

    async def leave(self, replica: str) -> None:
        """Note that a replica ends."""
        await self._client.ask("HDEL", REPLICAS, replica)

    async def replicas(self) -> list[Replica]:
        """How far each replica is, by name. What cannot be read is left out."""
        now = await self.now()
        reply = await self._client.ask("HGETALL", REPLICAS)
        if not isinstance(reply, list) or len(reply) > 2 * MAX_REPLICAS or len(reply) % 2:
            raise RecordError("the replicas are not as they are written")
        found = []
        for name, value in zip(reply[::2], reply[1::2], strict=True):
            match value.split() if isinstance(value, bytes) else ():
                case [at, said] if isinstance(name, bytes) and said.isdigit():
                    place = position(_identity(at))
                    found.append(Replica(name.decode("utf-8", "replace"), place, max(now - int(said) / 1000, 0.0)))
        return sorted(found, key=lambda replica: replica.name)

    async def _change(self, action: Action, body: str, *fields: str | int) -> Any:
        command = ("EVAL", _CHANGE, len(KEYS), *KEYS, action.value, body, MAX_ENTRIES, MAX_CHANGES, *fields)
        return await self._client.ask(*command)


def _made(reply: Any, fields: Sequence[str]) -> Made:
    match reply:
        case [b"done", bytes() as change, int(), *before] if len(before) == len(fields):
            replaced = []
            for field, value in zip(fields, before, strict=True):
                try:
                    replaced += [read_entry(field.encode(), value)] if value else []
                except RecordError:
                    continue  # what it was cannot be told; it is gone all the same
            return Made(_identity(change), tuple(replaced))
    raise RecordError("the answer to a change is not as it is written")


def _read(entry: Any) -> tuple[str, Change | None]:
    match entry:
        case [bytes() as change_id, _]:
            try:
                return _identity(change_id), read_change(entry)
            except RecordError:
                return _identity(change_id), None
    raise RecordError("the changes are not as they are written")


def _identity(change: bytes) -> str:
    text = change.decode("ascii", "replace")
    position(text)
    return text


def _texts(*values: Any) -> bool:
    return all(isinstance(value, bytes) for value in values)
