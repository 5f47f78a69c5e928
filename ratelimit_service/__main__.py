"""The rate limit service as a process: `python -m ratelimit_service`.

Without a command it serves; `check`, `explain`, `show`, `reset` and `simulate` are for operators (see `commands`).
"""

from __future__ import annotations

import argparse
import os
import sys

from ratelimit_service import commands, settings, variables
from service_kit import logs
from service_kit.faults import ConfigurationError
from service_kit.hosts.launching import launch
from service_kit.listening import ListenError

SERVICE = "ratelimit_service"


def main() -> int:
    """Serve until told to end, or run a command; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {SERVICE}",
        description="Envoy's rate limit service (RLS v3). Without a command it serves. Environment variables set it:",
        epilog=variables.help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands.add_to(parser)
    arguments = parser.parse_args()
    try:
        if arguments.command:
            return commands.run(arguments, os.environ)
        chosen = settings.read(os.environ)
        logs.set_up(SERVICE, chosen.log_level)
        return launch("ratelimit_service.serving:serve", [], chosen.listening, os.environ)
    except (ConfigurationError, ListenError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
