"""Keeps the list in force in this process the same as Valkey's: read whole at first, then followed change by change.

A change is in force here milliseconds after it was made. After a lost connection (behind the new one may be another
server), where a change was missed, and every minute the list is asked for anew: the changes since, or all of it where
they are not all that has changed. A list in which something cannot be
read is not taken for the store's: what it adds comes into force, nothing of what was in force is let go of, and the
list grows old meanwhile (see `guard`). So it is with the list of a store that has lost changes that were in force here,
until somebody makes a change in it: that settles what holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from authz_service.revocation.guard import Guard
from authz_service.revocation.listing import RevocationList
from authz_service.revocation.model import MAX_ENTRIES, Change, Revocation
from authz_service.revocation.records import RecordError, position, read_change, read_entry
from authz_service.revocation.store import RevocationStore, Snapshot
from service_kit.valkey.errors import StoreUnavailableError

RELOAD_SECONDS = 60.0
UNSOUND_RELOAD_SECONDS = 5.0  # while there is something wrong with the list
WAIT_SECONDS = (0.02, 0.5)  # before the next try: at first, and at most
HEARD_SECONDS = 1.0  # how often a replica says how far it is, beside after each change
ENTRIES_AT_A_TIME = 500  # that are read before the calls have their turn

log = logging.getLogger(__name__)


class Follower:
    """See the module. `now` gives epoch seconds, `monotonic` those of a steady clock; `changed` hears each change."""

    def __init__(
        self,
        store: RevocationStore,
        guard: Guard,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        changed: Callable[[Change], None],
    ) -> None:
        self._store = store
        self._guard = guard
        self._now = now
        self._monotonic = monotonic
        self._changed = changed
        self._read: dict[bytes, tuple[bytes, Revocation]] = {}  # what was read before need not be read again
        self._position = ""  # the id of the last change that is in the list, as the store has it
        self._number = 0
        self._sound = False
        self._whole = False  # whether the list in force is what the store's was at that change
        self._lost_until: str | None = None  # the store has lost changes: it is taken for whole after this one
        self._told: str | None = None  # the trouble that was logged last
        self._moved = asyncio.Event()

    async def follow(self) -> None:
        """Follow until cancelled; nothing that Valkey does ends it."""
        failures = 0
        while True:
            if await self.load():
                failures = 0
                if await self._follow():
                    continue
            first, most = WAIT_SECONDS
            await asyncio.sleep(min(first * 2.0**failures, most))
            failures = min(failures + 1, 10)

    async def load(self) -> bool:
        """Read the whole list; say whether that could be done."""
        try:
            # Whole where there is any doubt, else only what has changed.
            snapshot = await self._store.load(self._position, self._number if self._whole else None)
            if snapshot.entries is None:
                self._catch_up(snapshot)
            else:
                await self._take(snapshot, snapshot.entries)
        except (StoreUnavailableError, RecordError) as error:
            self._failed(error)
            return False
        return True

    async def acknowledge(self, store: RevocationStore, replica: str) -> None:
        """Say how far this replica is, over a connection of its own, until cancelled; then take its name away."""
        try:
            while True:
                self._moved.clear()
                try:
                    if self._sound:
                        await store.heard(replica, self._position)
                except StoreUnavailableError:
                    pass  # whoever waits for this replica is told that it is not heard of
                try:
                    # Not `wait_for`: before Python 3.12 it loses a cancellation that comes along with the event.
                    async with asyncio.timeout(HEARD_SECONDS):
                        await self._moved.wait()
                except TimeoutError:
                    continue
        finally:
            try:
                await store.leave(replica)
            except StoreUnavailableError:
                log.debug("the replica's name stays until it is forgotten")

    async def _follow(self) -> bool:
        """Take changes until the list is due to be read again; say whether that is without any trouble."""
        connections = self._store.connections
        due = self._monotonic() + (RELOAD_SECONDS if self._sound else UNSOUND_RELOAD_SECONDS)
        try:
            while self._monotonic() < due and len(self._guard) <= MAX_ENTRIES:
                changes = await self._store.changes(self._position)
                if self._store.connections != connections or not self._apply(changes):
                    return True
                if self._sound:
                    self._guard.confirm()
                else:
                    due = min(due, self._monotonic() + UNSOUND_RELOAD_SECONDS)
        except (StoreUnavailableError, RecordError) as error:
            self._failed(error)
            return False
        return True

    def _apply(self, changes: Sequence[tuple[str, Change | None]]) -> bool:
        """Put changes into force; False where one is missing between them and what is known."""
        for change_id, change in changes:
            if change is None:
                self._doubt("a change cannot be read")
                self._whole = False
                self._number += 1
            elif change.number != self._number + 1:
                return False
            else:
                self._guard.apply(change)
                self._number = change.number
                self._changed(change)
            self._position = change_id
        if changes:
            self._moved.set()
        return True

    def _catch_up(self, snapshot: Snapshot) -> None:
        """Put the changes into force that were missed; they are all that has changed."""
        if not self._apply([(change.id, change) for change in map(read_change, snapshot.missed)]):
            raise RecordError("the changes do not follow each other")
        self._guard.drop_ended(self._now())
        self._believe()

    def _believe(self) -> None:
        """Take the list in force for the store's."""
        self._sound = self._whole = True
        self._guard.confirm()
        if self._told is not None:
            self._told = None
            log.info("revocations are up to date again", extra={"fields": {"entries": len(self._guard)}})

    async def _take(self, snapshot: Snapshot, entries: Sequence[tuple[bytes, bytes]]) -> None:
        now = self._now()
        read: dict[bytes, tuple[bytes, Revocation]] = {}
        unreadable = 0
        listed = RevocationList()
        for count, (field, value) in enumerate(entries, 1):
            if count % ENTRIES_AT_A_TIME == 0:
                await asyncio.sleep(0)
            known = self._read.get(field)
            try:
                found = known if known and known[0] == value else (value, read_entry(field, value))
            except RecordError:
                unreadable += 1
                continue
            read[field] = found
            if found[1].until is None or found[1].until > now:
                listed.add(found[1])
        # What is in doubt is read again soon; what is not, not for long, and the memory is of more use elsewhere.
        self._read = read if unreadable else {}
        if not snapshot.continues(self._position, self._number):
            self._lost_until = snapshot.last
        elif self._lost_until is not None and position(snapshot.last) > position(self._lost_until):
            self._lost_until = None
        if not unreadable and self._lost_until is None:
            self._guard.replace(listed)
            self._believe()
        else:
            self._whole = False
            self._guard.join(listed)
            self._doubt(
                f"{unreadable} revocations cannot be read"
                if unreadable
                else "Valkey has lost changes that are in force here: make one again"
            )
        self._position, self._number = snapshot.last, snapshot.number
        self._moved.set()
        for change in filter(None, map(_readable, snapshot.missed)):
            self._changed(change)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, RecordError):
            self._whole = False
        self._doubt(str(error))

    def _doubt(self, trouble: str) -> None:
        """Note that the list may not be the store's; each trouble is logged once."""
        self._sound = False
        self._guard.doubt(trouble)
        if trouble != self._told:
            self._told = trouble
            log.error("revocations may be out of date", extra={"fields": {"problem": trouble}})


def _readable(entry: Any) -> Change | None:
    try:
        return read_change(entry)
    except RecordError:
        return None
