"""What operators run at a terminal: `python -m ratelimit_service check|explain|show|reset|simulate`.

    check     are the limits in a directory without fault?
    explain   which rule applies to a descriptor, and why not its siblings?
    show      which buckets in the store are the fullest?
    reset     take the count of some entries back to nothing
    simulate  whom would these limits have denied, had they been in use when this log was written?

Each command is one module, which asks and prints. What it finds out is in modules that are pure: `trail` of a
descriptor, `bucket_names` and `fills` of the store, `tally` of a replay. The store is read through `counters` alone, a
log through `access_log`. None of them serves, and `reset` alone changes anything.

Exit codes: 0 all is well; 1 the answer is no (a fault, a limit that denies, nothing found), or the store is away; 2 the
arguments, or the limits that a question is about, are at fault.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Mapping

from ratelimit_service.commands import check, explain, reset, show, simulate
from ratelimit_service.commands.arguments import FAULT, NO, UsageError
from service_kit.faults import ConfigurationError, faults_to_json
from service_kit.valkey.errors import StoreUnavailableError

INTERRUPTED = 130  # what shells make of SIGINT

_RUN: Mapping[str, Callable[[argparse.Namespace, Mapping[str, str]], int]] = {
    "check": check.run,
    "explain": explain.run,
    "show": show.run,
    "reset": reset.run,
    "simulate": simulate.run,
}


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the commands and their options."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in (check, explain, show, reset, simulate):
        command.add_to(commands)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run the command that was named; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # A terminal that cannot show a letter ends no command.
    try:
        status = _RUN[arguments.command](arguments, environment)
        sys.stdout.flush()
    except UsageError as error:
        print(error, file=sys.stderr)
        return FAULT
    except ConfigurationError as error:
        if arguments.json:
            print(json.dumps({"faults": faults_to_json(error.faults)}, indent=2))
        else:
            print(error, file=sys.stderr)
        return FAULT
    except StoreUnavailableError as error:
        print(f"the store does not answer: {error}", file=sys.stderr)
        return NO
    except BrokenPipeError:
        # Whoever read has had enough. What is still buffered goes nowhere: else the interpreter complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO
    except KeyboardInterrupt:
        return INTERRUPTED
    return status
