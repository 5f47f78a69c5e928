"""`python -m authz_service dlp rules|test`: what can be found, and whether detectors of one's own do what they should.

Exit codes: 0 all is well; 1 a test fails; 2 a file of detectors is at fault.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from authz_service.dlp import catalogue
from authz_service.dlp.detectors import EVERY, custom
from authz_service.terminal import FAULT, NO, OK, show_faults
from service_kit.faults import ConfigurationError, Faults, faults_to_json


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands, below `dlp`."""
    rules = commands.add_parser("rules", help="print every detector: entity, confidence, what it checks, source")
    shape = rules.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="answer in JSON")
    shape.add_argument("--markdown", action="store_true", help="print the page docs/dlp-detectors.md")
    rules.add_argument(
        "--detectors", type=Path, action="append", default=[], metavar="FILE", help="detectors of your own too (YAML)"
    )
    rules.set_defaults(run=run_rules)
    test = commands.add_parser("test", help="try detectors of your own on the tests in their files")
    test.add_argument("files", type=Path, nargs="+", metavar="FILE", help="detectors (YAML)")
    test.add_argument("--json", action="store_true", help="answer in JSON")
    test.set_defaults(run=run_test)


def run_rules(arguments: argparse.Namespace) -> int:
    """Print the catalogue; return the exit code."""
    try:
        found = catalogue.entries([*EVERY, *custom.load(arguments.detectors)])
    except ConfigurationError as error:
        return show_faults(error, as_json=arguments.json)
    if arguments.json:
        print(json.dumps({"detectors": catalogue.to_json(found)}, indent=2))
    else:
        print(catalogue.to_markdown(found) if arguments.markdown else catalogue.to_text(found), end="")
    return OK


def run_test(arguments: argparse.Namespace) -> int:
    """Run the tests of every detector that can be used, whatever is wrong with the others; return the exit code."""
    faults = Faults()
    detectors = custom.read(arguments.files, faults)
    failures = [failure for each in detectors for failure in each.failures()]
    tests = sum(len(each.tests) for each in detectors)
    if arguments.json:
        told = {"tests": tests, "failures": faults_to_json(failures), "faults": faults_to_json(sorted(faults.found))}
        print(json.dumps(told, indent=2))
    else:
        for failure in failures:
            print(f"FAIL {failure}")
        print(f"{tests - len(failures)} of {tests} tests pass, of {len(detectors)} detectors")
        if faults.found:
            show_faults(ConfigurationError(faults.found), as_json=False)
    return FAULT if faults.found else NO if failures else OK
