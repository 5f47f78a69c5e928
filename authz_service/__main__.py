"""`python -m authz_service --config FILE`: serves until told to stop."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from authz_service import (
    check_command,
    decide_command,
    deep_scan_command,
    dlp_command,
    policy_command,
    revocation_command,
    token_command,
)
from authz_service import settings as configuration
from service_kit import logs
from service_kit.faults import ConfigurationError
from service_kit.hosts.launching import launch
from service_kit.listening import ListenError


def main() -> int:
    """Read the arguments and the configuration; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m authz_service",
        description="Envoy's external authorization: who is calling, what the request carries, whether it may go on.",
        epilog="Audit events go to standard output, logs to standard error, both as JSON lines.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration (YAML); serve with it")
    parser.add_argument("--log-level", choices=logs.LEVELS, default="info", help="default: info")
    tools = parser.add_subparsers(dest="tool", metavar="TOOL", title="tools")
    policy = tools.add_parser("policy", help="check, evaluate, test, show or measure policies")
    policy_command.add_arguments(policy.add_subparsers(dest="command", required=True, metavar="COMMAND"))
    revocation_command.add_arguments(tools)
    for command in (check_command, decide_command, deep_scan_command, dlp_command, token_command):
        command.add_arguments(tools)
    arguments = parser.parse_args()
    if "command" in arguments:
        return policy_command.run(arguments)
    if "revocation" in arguments:
        return revocation_command.run(arguments)
    if arguments.config is None and arguments.tool not in {"token", "dlp"}:
        parser.error("the following arguments are required: --config")
    if "run" in arguments:
        return _run(arguments)
    logs.set_up("authz_service", arguments.log_level)
    try:
        listening = configuration.load(arguments.config).listen
        return launch(
            "authz_service.serving:serve", [str(arguments.config), arguments.log_level], listening, os.environ
        )
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    except ListenError as error:
        print(f"{arguments.config}: {error}", file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    """Run a tool; whoever reads what it prints may have had enough of it."""
    try:
        code: int = arguments.run(arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains at its end
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
