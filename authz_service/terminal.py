"""What the commands share: exit codes, and how faults of a configuration are shown."""

from __future__ import annotations

import json
import sys

from service_kit.faults import ConfigurationError, faults_to_json

OK, NO, FAULT = 0, 1, 2
"""All is well; the answer is no; the configuration, the input or the arguments are at fault."""


def show_faults(error: ConfigurationError, *, as_json: bool) -> int:
    """Print every fault with file and line, as JSON to standard output; return the exit code."""
    if as_json:
        print(json.dumps({"faults": faults_to_json(error.faults)}, indent=2))
    else:
        print(error, file=sys.stderr)
    return FAULT
