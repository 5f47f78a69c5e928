"""A Redis or Valkey Cluster: slots, the nodes that have them, and what tells that they have moved.

The slot of a key is that of its hash tag (see `keys`), so all buckets of a domain are on one node. A node that does
not have a slot any more says who has (MOVED), or who is about to (ASK, which is good for that one request). The whole
map is read anew after a MOVED and after each failure, from any node that answers: so a failover is noticed.
"""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Sequence
from dataclasses import replace

from ratelimit_service.stores.batch import Pending
from ratelimit_service.stores.node import Node, Watcher
from ratelimit_service.stores.servers import scan_node
from service_kit.valkey.address import Address
from service_kit.valkey.connection import Reply, ServerError
from service_kit.valkey.errors import StoreUnavailableError

SLOTS = 16_384
MAX_NODES = 1_000
MAX_REDIRECTIONS = 5  # of one request
REFRESH_SECONDS = 0.2  # between two readings of the map, at least
UNNEEDED_SECONDS = 60.0  # until the connection to a node without slots is ended
MAX_WAITING = 10_000  # requests that wait for the first map

_Place = tuple[str, int]


def slot_of(tag: str) -> int:
    """The slot of the keys with this hash tag (CRC-16/XMODEM, as the Cluster specification has it)."""
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


class Cluster:
    """See the module. `seeds` are addresses of some nodes; they tell of the others."""

    def __init__(self, seeds: Sequence[Address], deadline: float, watcher: Watcher) -> None:
        self._seeds = seeds
        self._deadline = deadline
        self._watcher = watcher
        self._nodes: dict[_Place, Node] = {}
        self._places: list[_Place | None] = [None] * SLOTS
        self._known = False
        self._closed = False
        self._unneeded: dict[_Place, float] = {}  # nodes without slots, and since when
        self._early: list[Pending] = []  # what waits for the first map
        self._refreshing: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def submit(self, pending: Pending) -> None:
        """Take a request."""
        if self._known:
            self._send(pending)
        elif len(self._early) >= MAX_WAITING:
            pending.fail(StoreUnavailableError(f"more than {MAX_WAITING} requests wait for the cluster"))
        else:
            self._early.append(pending)
            asyncio.get_running_loop().call_at(pending.deadline, self._give_up_early, pending)
            self._refresh()

    async def check(self) -> None:
        """Look whether every node that has slots answers."""
        if not self._known:
            await self._read_map()
        places = {place for place in self._places if place is not None}
        if None in self._places:
            raise StoreUnavailableError("some slots of the cluster have no node")
        await asyncio.gather(*(self._node(place).ask("PING") for place in places))

    async def scan(self, pattern: str, *, most: int | None = None) -> list[bytes]:
        """Every key that fits."""
        if not self._known:
            await self._read_map()
        places = {place for place in self._places if place is not None}
        found = await asyncio.gather(*(scan_node(self._node(place), pattern, most) for place in places))
        return [key for keys in found for key in keys]

    async def ask(self, tag: str, *command: int | str) -> Reply:
        """Send a command to the node that has the tag's slot."""
        if not self._known:
            await self._read_map()
        place = self._places[slot_of(tag)]
        if place is None:
            raise StoreUnavailableError("the slot has no node")
        return await self._node(place).ask(*command)

    async def close(self) -> None:
        """End what goes on in the background."""
        self._closed = True
        tasks = [*self._closing, *([self._refreshing] if self._refreshing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *(node.close() for node in self._nodes.values()), return_exceptions=True)
        for pending in self._early:
            pending.fail(StoreUnavailableError("the service is ending"))

    def _send(self, pending: Pending) -> None:
        place = self._places[slot_of(pending.packed.tag)]
        if place is None:
            self._refresh()
            pending.fail(StoreUnavailableError("the slot has no node"))
            return
        self._node(place).submit(pending)

    def _give_up_early(self, pending: Pending) -> None:
        if pending in self._early:
            self._early.remove(pending)
            pending.fail(StoreUnavailableError("the cluster has not been reached yet"))

    def _node(self, place: _Place) -> Node:
        node = self._nodes.get(place)
        if node is None:
            address = replace(self._seeds[0], host=place[0], port=place[1], path="")

            async def find() -> Address:
                return address

            node = Node(find, self._deadline, self._watcher, moved=self._moved, failed=self._refresh)
            self._nodes[place] = node
        return node

    def _moved(self, pending: Pending, error: ServerError) -> bool:
        """Send a request where its slot is, as the node told: `MOVED 3999 host:port`."""
        code, slot, place = _read_redirection(error)
        if pending.redirections >= MAX_REDIRECTIONS or len(self._nodes) >= MAX_NODES or slot is None or place is None:
            return False
        pending.redirections += 1
        pending.asking = code == "ASK"
        if code == "MOVED":
            self._places[slot] = place
            self._refresh()
        self._node(place).submit(pending)
        return True

    # The map

    def _refresh(self) -> None:
        """Read the map soon, in the background; once at a time."""
        if self._closed:
            return
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._read_map_soon())

    async def _read_map_soon(self) -> None:
        try:
            await self._read_map()
        except StoreUnavailableError as error:
            early, self._early = self._early, []
            for pending in early:
                pending.fail(error)
        await asyncio.sleep(REFRESH_SECONDS)

    async def _read_map(self) -> None:
        """Read the map from whichever node tells it first; raises `StoreUnavailableError`."""
        asked = [*self._nodes, *((seed.host, seed.port) for seed in self._seeds)]
        reason = StoreUnavailableError("the cluster has no nodes")
        nodes = [(place, self._node(place)) for place in dict.fromkeys(asked)]
        for place, node in sorted(nodes, key=lambda pair: pair[1].failing):  # one that fails may know an old map
            try:
                reply = await node.ask("CLUSTER", "SLOTS")
                places = _read_slots(reply, place)
            except StoreUnavailableError as error:
                reason = error
                continue
            self._use(places)
            return
        raise reason

    def _use(self, places: list[_Place | None]) -> None:
        self._places = places
        self._known = True
        kept = {place for place in places if place is not None} | {(seed.host, seed.port) for seed in self._seeds}
        now = asyncio.get_running_loop().time()
        self._unneeded = {place: self._unneeded.get(place, now) for place in self._nodes if place not in kept}
        # Not at once: a node without slots may be the one that slots are on their way to.
        for place in [place for place, since in self._unneeded.items() if now - since > UNNEEDED_SECONDS]:
            del self._unneeded[place]
            task = asyncio.get_running_loop().create_task(self._nodes.pop(place).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        early, self._early = self._early, []
        for pending in early:
            self._send(pending)


def _read_redirection(error: ServerError) -> tuple[str, int | None, _Place | None]:
    match str(error).split(" "):
        case [code, slot, address] if slot.isdecimal() and int(slot) < SLOTS:
            host, _, port = address.rpartition(":")
            if host and port.isdecimal():
                return code, int(slot), (host.strip("[]"), int(port))
    return error.code, None, None


def _read_slots(reply: Reply, asked: _Place) -> list[_Place | None]:
    """Read `CLUSTER SLOTS`: ranges, each with its primary first. A node without a host is the one that was asked."""
    places: list[_Place | None] = [None] * SLOTS
    for entry in reply if isinstance(reply, list) else []:
        match entry:
            case [int() as first, int() as last, [(bytes() | None) as host, int() as port, *_], *_]:
                if 0 <= first <= last < SLOTS:
                    place = (host.decode() if host else asked[0], port)
                    places[first : last + 1] = [place] * (last + 1 - first)
    if all(place is None for place in places):
        raise StoreUnavailableError("the server is no node of a cluster, or its cluster has no slots")
    return places
