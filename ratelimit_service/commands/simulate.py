"""`simulate`: whom would these limits have denied, had they been in use when this log was written?"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from ratelimit_service.commands import access_log, replay_report
from ratelimit_service.commands.access_log import FORMATS, Log, Shape
from ratelimit_service.commands.arguments import (
    NO,
    OK,
    Commands,
    UsageError,
    add_command,
    add_source,
    add_top,
    known_domain,
    load,
)
from ratelimit_service.commands.progress import Progress, remaining
from ratelimit_service.commands.replay import Outcome, replay
from ratelimit_service.rules import Limits

MAX_UNREADABLE = 0.5  # of the lines

DETAILS = """\
The log has a request a line, and is read once, from its first line to its last.

  csv    a header, then a line for each request. The column `time` is needed: seconds since the epoch, with or without a
         fraction, or RFC 3339. Columns `domain` and `hits` may be there. Each further column is a descriptor of its
         own, unless --descriptor says otherwise.
  jsonl  a JSON object a line, such as Envoy's JSON access log; at least one --descriptor is needed. Dots lead into
         objects: jwt.sub

Each --descriptor names the fields of one descriptor, in the order of its entries: `user`, `user,endpoint`. `key=field`
gives the entry another key than the field's name, `key:=text` a value that is the same in each request. A descriptor
for which a line has no value (nothing, or -) is left out, as Envoy does.

Counted in memory, as the service counts, with the time that the log tells: it never goes back. SHADOW_MODE, QUOTA_MODE
and the other variables have no effect here.

exit codes: 0 no request would be limited; 1 some would; 2 the arguments, the limits or the log are at fault, and a log
is where more than half of its lines cannot be read

examples:
  python -m ratelimit_service simulate --config-dir limits --log requests.csv --descriptor user,endpoint
  python -m ratelimit_service simulate --config-dir limits --log - --descriptor user --descriptor agent_id=agent
"""


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "simulate", "replay a log, and show whom these limits would deny", DETAILS)
    add_source(parser)
    parser.add_argument("--log", required=True, metavar="FILE", help="the requests; - for standard input")
    parser.add_argument("--format", choices=FORMATS, help="how they are written; the first line tells, if left out")
    parser.add_argument("--domain", default=None, help="the domain of all requests, whatever the log has")
    parser.add_argument("--time", default="time", metavar="FIELD", help="the field with the time (default: time)")
    parser.add_argument(
        "--descriptor", action="append", default=[], metavar="FIELDS", help="the fields of one descriptor; repeatable"
    )
    add_top(parser, "how many of the descriptors that are limited most")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Simulate; return the exit status."""
    del environment
    takes = tuple(map(access_log.descriptor, arguments.descriptor))
    limits = load(arguments)
    if arguments.domain is not None:
        known_domain(arguments.domain, limits)
    only = next(iter(limits.domains)) if len(limits.domains) == 1 else None
    shape = Shape(takes, arguments.time, arguments.domain, only)
    with _opened(arguments.log) as (file, size):
        log = Log(file, shape, arguments.format)
        outcome = asyncio.run(_replay(log, limits, size))
    if outcome.lines == 0:
        raise UsageError(f"--log: {arguments.log} holds no request")
    if arguments.json:
        print(json.dumps(replay_report.to_json(outcome, arguments.top), indent=2))
    else:
        for line in replay_report.notes(outcome, shape, log.seen):
            print(line, file=sys.stderr)
        for line in replay_report.lines(outcome.tally, arguments.top):
            print(line)
    if outcome.unreadable > outcome.lines * MAX_UNREADABLE:
        raise UsageError(f"--log: {outcome.unreadable:,} of {outcome.lines:,} lines cannot be read")
    return NO if outcome.tally.denied else OK


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int]]:
    """Open the log; its size is 0 where that is not known."""
    try:
        file = open(0 if name == "-" else name, "rb", closefd=name != "-")  # noqa: SIM115  (closed below)
        status = os.fstat(file.fileno())
    except OSError as error:
        raise UsageError(f"--log: {name} cannot be read: {error.strerror}") from error
    with file:
        yield file, status.st_size if stat.S_ISREG(status.st_mode) else 0


async def _replay(log: Log, limits: Limits, size: int) -> Outcome:
    if threading.current_thread() is threading.main_thread():
        # Nothing here ever waits on the event loop, where it looks for an interrupt: this way one ends even a read.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    progress = Progress(sys.stderr)

    def heard(outcome: Outcome) -> None:
        def text(elapsed: float) -> str:
            pace = outcome.lines / elapsed
            return ", ".join(
                filter(None, (f"{outcome.lines:,} lines", f"{pace:,.0f}/s", remaining(elapsed, log.bytes_read, size)))
            )

        progress.show(text)

    try:
        return await replay(log, limits, heard=heard)
    finally:
        progress.end()
