"""`reset`: take the count of some entries back to nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence

from ratelimit_service import keys, matching
from ratelimit_service.commands import bucket_names, counters, wording
from ratelimit_service.commands.arguments import (
    NO,
    OK,
    Commands,
    add_command,
    add_source,
    entries,
    known_domain,
    load_if_named,
)
from ratelimit_service.commands.bucket_names import BucketName, Rules
from ratelimit_service.commands.bucket_rows import Row, row_of, table, to_json
from ratelimit_service.commands.counters import Counters
from ratelimit_service.rules import Entry, Limits

DETAILS = """\
Deletes every bucket that counts exactly these entries, in this order: of windows of each length, and of the token
bucket. With --config-dir, a bucket that other values share (share_threshold) is found by one of these values, and the
limits are shown. The store is the one that REDIS_URL and the other variables name; options stand before the entries.

exit codes: 0 deleted, or with --dry-run found; 1 nothing found, or the store does not answer; 2 the arguments, the
variables or the limits are at fault

example:
  REDIS_URL=127.0.0.1:6379 python -m ratelimit_service reset --domain agent_gateway user=alice
"""
CACHE_NOTE = (
    "replicas that run with LOCAL_CACHE_SIZE_IN_BYTES may go on denying what they know to be over, until its window "
    "ends or its bucket has room"
)


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "reset", "delete the buckets of some entries, which makes them new", DETAILS)
    parser.add_argument("--domain", required=True, help="the domain of the buckets")
    add_source(parser, required=False, what="directory with the limits that count there")
    parser.add_argument("--all-under", action="store_true", help="also buckets of more entries that begin with these")
    parser.add_argument("--dry-run", action="store_true", help="find them, and delete nothing")
    parser.add_argument("entries", nargs="+", metavar="KEY=VALUE", help="entries of the buckets, in their order")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Reset; return the exit status."""
    return asyncio.run(_run(arguments, environment))


async def _run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    wanted = entries(arguments.entries)
    limits = load_if_named(arguments)
    if limits is not None:
        known_domain(arguments.domain, limits)
    rules = Rules(limits) if limits else None
    tails = _tails(arguments.domain, wanted, limits)
    async with counters.opened(environment) as store:
        names = await _find(store, arguments.domain, tails, all_under=arguments.all_under)
        read = [each async for each in counters.read_all(store, names)]
        rows = [row for row in (row_of(each, rules) for each in read) if row]
        there = [each.name for each in read]
        deleted = len(there) if arguments.dry_run else await store.delete(there)
    if arguments.json:
        told = {
            "store": store.place,
            "dry_run": arguments.dry_run,
            "deleted": 0 if arguments.dry_run else deleted,
            "found": len(there),
            "stopped": store.stopped,
            "buckets": [to_json(row) for row in rows],
            "note": CACHE_NOTE,
        }
        print(json.dumps(told, indent=2))
    else:
        _print(arguments, store, rows, deleted, wanted)
    return OK if deleted else NO


def _tails(domain: str, wanted: Sequence[Entry], limits: Limits | None) -> list[str]:
    """What the keys end with: the entries, and what their rule writes in their place where values share a bucket."""
    tails = [bucket_names.tail(wanted)]
    node = matching.match(limits.domains[domain], wanted) if limits else None
    if node is not None and node.rule.bucket is not None:
        name = bucket_names.parse(node.rule.bucket.key(wanted))
        if name is not None and name.tail not in tails:
            tails.append(name.tail)
    return tails


async def _find(store: Counters, domain: str, tails: Sequence[str], *, all_under: bool) -> list[BucketName]:
    found: dict[str, BucketName] = {}
    start = counters.escape_pattern(keys.prefix(domain))
    for tail in tails:
        for name in await store.find(f"{start}*{counters.escape_pattern(tail)}{'*' if all_under else ''}"):
            if name.tail == tail or (all_under and name.tail.startswith(f"{tail}:")):
                found[name.name] = name
    return list(found.values())


def _print(
    arguments: argparse.Namespace, store: Counters, rows: Sequence[Row], deleted: int, wanted: Sequence[Entry]
) -> None:
    what = f"{wording.entries(wanted)} in domain {wording.plain(arguments.domain)} at {store.place}"
    if store.stopped:
        print(f"there are more than {wording.count(counters.MAX_KEYS, 'key')}: the rest was not looked at")
    if not deleted:
        print(f"nothing counts {what}")
        return
    for line in table(rows):
        print(line)
    unused = deleted - len(rows)
    noted = f", {unused:,} of them with nothing in use" if unused > 0 else ""
    print(f"{'would delete' if arguments.dry_run else 'deleted'} {wording.count(deleted, 'bucket')} of {what}{noted}")
    if not arguments.dry_run:
        print(f"note: {CACHE_NOTE}")
