"""`show`: which buckets in the store are the fullest?"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ratelimit_service import keys
from ratelimit_service.commands import counters, wording
from ratelimit_service.commands.arguments import (
    OK,
    Commands,
    add_command,
    add_source,
    add_top,
    known_domain,
    load_if_named,
)
from ratelimit_service.commands.bucket_names import Rules
from ratelimit_service.commands.bucket_rows import Row, row_of, table, to_json
from ratelimit_service.commands.counters import Counters

DETAILS = """\
The store is the one that REDIS_URL and the other variables name (python -m ratelimit_service --help lists them).
Windows show the hits that they have counted, fixed ones the denied hits too. How many tokens a bucket lacks, and how
much of a limit is used, is known with --config-dir only. Those of which it is known stand first, the fullest at the
top; then the other windows by their count, and the other buckets by how long they take to be full again.
Values longer than 64 bytes are hashed in the store, and stand as # and the beginning of the hash.

exit codes: 0 shown; 1 the store does not answer; 2 the arguments, the variables or the limits are at fault

example:
  REDIS_URL=127.0.0.1:6379 python -m ratelimit_service show --domain agent_gateway --config-dir limits/config
"""


class Busiest:
    """The fullest buckets of each group: of a known limit, other windows, other buckets; at most `top` of each."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._groups: list[list[tuple[float, int, Row]]] = [[], [], []]
        self.in_use = 0

    def add(self, row: Row) -> None:
        """Take one in."""
        self.in_use += 1
        percent = row.fill.percent
        if percent is not None:
            group, weight = 0, percent
        elif row.fill.used is not None:
            group, weight = 1, float(row.fill.used)
        else:
            group, weight = 2, float(row.fill.until_us)
        heap = self._groups[group]
        item = (weight, -self.in_use, row)  # of equals the first stays
        if len(heap) < self._top:
            heapq.heappush(heap, item)
        else:
            heapq.heappushpop(heap, item)

    def rows(self) -> Iterator[Row]:
        """The fullest first, group by group."""
        for heap in self._groups:
            yield from (row for _, _, row in sorted(heap, reverse=True))


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "show", "show which buckets in the store are the fullest", DETAILS)
    parser.add_argument("--domain", default=None, help="only buckets of this domain")
    add_source(parser, required=False, what="directory with the limits that count there")
    add_top(parser, "how many of each group")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Show; return the exit status."""
    return asyncio.run(_run(arguments, environment))


async def _run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    limits = load_if_named(arguments)
    if limits is not None and arguments.domain is not None:
        known_domain(arguments.domain, limits)
    rules = Rules(limits) if limits else None
    busiest = Busiest(arguments.top)
    start = "rl:{" if arguments.domain is None else keys.prefix(arguments.domain)
    async with counters.opened(environment) as store:
        names = await store.find(counters.escape_pattern(start) + "*")
        async for stored in counters.read_all(store, names):
            row = row_of(stored, rules)
            if row is not None:
                busiest.add(row)
    if arguments.json:
        print(json.dumps(_to_json(busiest, store, len(names)), indent=2))
    else:
        for line in _lines(busiest, store):
            print(line)
    return OK


def _lines(busiest: Busiest, store: Counters) -> Iterator[str]:
    yield from table(busiest.rows())
    shown = sum(1 for _ in busiest.rows())
    listed = f", {shown:,} of them shown" if shown < busiest.in_use else ""
    yield f"{wording.count(busiest.in_use, 'bucket')} in use at {store.place}{listed}"
    if store.stopped:
        yield f"there are more than {wording.count(counters.MAX_KEYS, 'key')}: the rest was not looked at"


def _to_json(busiest: Busiest, store: Counters, read: int) -> dict[str, Any]:
    return {
        "store": store.place,
        "keys_read": read,
        "stopped": store.stopped,
        "in_use": busiest.in_use,
        "buckets": [to_json(row) for row in busiest.rows()],
    }
