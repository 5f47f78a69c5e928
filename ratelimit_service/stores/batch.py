"""What goes to a server in one round trip: requests, together in one call of the script for each hash tag. Pure."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ratelimit_service.stores import script
from service_kit.valkey.connection import Command, Reply, ServerError
from service_kit.valkey.errors import StoreUnavailableError

MAX_WEIGHT = 250  # of one round trip: the script holds up the server for about 10 microseconds for each unit
LINGER_MS = (1_000, 2_000)  # how long a key outlives its bucket, drawn anew for each call

Answer = tuple[int, Sequence[int]]
"""The server's time in microseconds, and three numbers for each charge."""


@dataclass(slots=True, eq=False)
class Pending:
    """One request to the store: what it is for the script, until when it may wait, and the answer to come."""

    packed: script.Packed  # only requests of one tag share a call
    deadline: float  # of the event loop's clock
    answer: asyncio.Future[Answer]
    sent: bool = False  # once before, on a connection that was lost
    alone: bool = False  # shares no call: one of those with whom it did made it fail
    asking: bool = False  # for the node that a slot is on its way to, see `cluster`
    redirections: int = 0

    def fail(self, error: StoreUnavailableError) -> None:
        """Answer with an error, unless it is answered already or nobody waits any more."""
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests on their way, those of one call together, and since when (by the event loop's clock)."""

    groups: Sequence[Sequence[Pending]]
    began: float

    def requests(self) -> Iterator[Pending]:
        """Each request."""
        for group in self.groups:
            yield from group

    def commands(self, *, with_script: bool) -> list[Command | bytes]:
        """What to send; `with_script` where the server may not have the script yet."""
        commands: list[Command | bytes] = []
        head = ("EVAL", script.SCRIPT) if with_script else ("EVALSHA", script.SHA)
        for group in self.groups:
            if group[0].asking:
                commands.append(("ASKING",))
            linger = random.randint(*LINGER_MS)  # noqa: S311  (spreads expiry, hides nothing)
            commands.append(script.call(head, [pending.packed for pending in group], linger))
        return commands

    def replies(self, replies: Sequence[Reply]) -> Iterator[tuple[Sequence[Pending], Reply]]:
        """The reply to each call."""
        rest = iter(replies)
        for group in self.groups:
            reply = next(rest)
            yield group, next(rest) if group[0].asking else reply


def take(waiting: deque[Pending], now: float) -> Batch:
    """Take as many requests from those that wait as fit together; those that nobody waits for any more are left out."""
    groups: dict[object, list[Pending]] = {}
    weight = 0
    while waiting and weight < MAX_WEIGHT:
        pending = waiting.popleft()
        if pending.answer.done():
            continue
        weight += pending.packed.weight
        key = pending if pending.alone or pending.asking else pending.packed.tag
        groups.setdefault(key, []).append(pending)
    return Batch(list(groups.values()), now)


def answer(group: Sequence[Pending], reply: Reply) -> bool:
    """Answer each request of a call; False where the reply is not that of the script."""
    numbers = [number for number in reply if type(number) is int] if isinstance(reply, list) else []
    wanted = 1 + script.ANSWER * sum([pending.packed.charges for pending in group])
    if isinstance(reply, ServerError) or len(numbers) != wanted:
        return False
    at = 1
    for pending in group:
        end = at + script.ANSWER * pending.packed.charges
        if not pending.answer.done():
            pending.answer.set_result((numbers[0], numbers[at:end]))
        at = end
    return True
