"""`check`: are the limits in a directory without fault?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping

from ratelimit_service.commands.arguments import NO, OK, Commands, add_command, add_source, load
from ratelimit_service.commands.wording import count
from ratelimit_service.rules import Limits
from service_kit.faults import ConfigurationError, faults_to_json

DETAILS = """\
The directory is read as the service reads it: every file below it, except those whose names begin with a dot. Each
fault and each warning is a line, `file:line: text`. A fault refuses the limits as a whole.

exit codes: 0 no fault; 1 a fault, or with --strict a warning; 2 the directory cannot be read

example:
  python -m ratelimit_service check --config-dir limits/config
"""


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "check", "say what is at fault in limits, with file and line", DETAILS)
    add_source(parser)
    parser.add_argument("--strict", action="store_true", help="a warning is a fault too")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Check; return the exit status."""
    del environment
    try:
        limits = load(arguments)
    except ConfigurationError as error:
        if arguments.json:
            print(json.dumps({"domains": {}, "faults": faults_to_json(error.faults), "warnings": []}, indent=2))
        else:
            print(error, file=sys.stderr)
        return NO
    refused = bool(arguments.strict and limits.warnings)
    rules = {domain: sum(1 for _ in limits.rules_of(domain)) for domain in sorted(limits.domains)}
    if arguments.json:
        print(json.dumps({"domains": rules, "faults": [], "warnings": faults_to_json(limits.warnings)}, indent=2))
    else:
        _print(limits, rules, refused=refused)
    return NO if refused else OK


def _print(limits: Limits, rules: Mapping[str, int], *, refused: bool) -> None:
    for warning in limits.warnings:
        place = f"{warning.source}:{warning.line}" if warning.line else warning.source
        print(f"{place}: warning: {warning.text}", file=sys.stderr)
    if not refused:
        noted = f", {count(len(limits.warnings), 'warning')}" if limits.warnings else ""
        print(f"ok: {count(sum(rules.values()), 'rule')} in {count(len(rules), 'domain')}{noted}")
