"""`python -m authz_service token TOKEN`: what a token says, and which check it fails. Offline unless told otherwise.

Exit codes: 0 it would be accepted; 1 it would not, or that cannot be told without its issuer's keys; 2 the
configuration or the arguments are at fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from authz_service import settings as configuration
from authz_service import sources
from authz_service.identity.key_source import KeySourceError
from authz_service.identity.keys import KeySet, KeySetError, parse_key_set
from authz_service.settings.identity import Issuer
from authz_service.terminal import NO, OK, show_faults
from authz_service.token_report import TokenReport, report
from service_kit.faults import ConfigurationError

MAX_STDIN = 64 * 1024  # bytes


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    token = commands.add_parser("token", help="say what a token holds and which check it fails")
    token.add_argument("token", metavar="TOKEN", help="the token; - reads it from standard input, out of others' sight")
    # Without a default: it may stand before the command too.
    token.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="the configuration to hold it against",
    )
    token.add_argument("--online", action="store_true", help="fetch the issuer's keys; without: key files only")
    token.add_argument("--json", action="store_true", help="answer in JSON")
    token.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look at a token; return the exit code."""
    text = sys.stdin.read(MAX_STDIN) if arguments.token == "-" else arguments.token  # noqa: S105  (no password: a dash)
    token = text.strip().removeprefix("Bearer ").removeprefix("DPoP ").strip()
    try:
        issuers = configuration.load(arguments.config).identity.issuers if arguments.config else ()
    except ConfigurationError as error:
        return show_faults(error, as_json=arguments.json)
    keys = asyncio.run(_keys(issuers, online=arguments.online))
    found = report(
        token, {issuer.issuer: issuer for issuer in issuers}, keys, time.time(), configured=bool(arguments.config)
    )
    _show(found, as_json=arguments.json)
    return OK if found.holds else NO


async def _keys(issuers: tuple[Issuer, ...], *, online: bool) -> Mapping[str, KeySet]:
    """Return the keys that are at hand; of an issuer whose keys cannot be had there are none."""
    keys = {}
    for issuer in issuers:
        if issuer.introspection is not None or (not online and issuer.jwks_file is None):
            continue
        try:
            fetched = await sources.key_source(issuer).fetch()
            keys[issuer.issuer] = parse_key_set(fetched.text, time.monotonic())
        except (KeySourceError, KeySetError) as error:
            print(f"{issuer.source}:{issuer.line}: {error}", file=sys.stderr)
    return keys


def _show(found: TokenReport, *, as_json: bool) -> None:
    if as_json:
        checks = [{"name": check.name, "passed": check.passed, "text": check.text} for check in found.checks]
        told = {"accepted": found.holds, "header": found.header, "claims": found.claims, "checks": checks}
        print(json.dumps(told, indent=2))
        return
    for title, values in (("header", found.header), ("claims", found.claims)):
        if values:
            print(f"{title}\n{json.dumps(values, indent=2)}\n")
    for check in found.checks:
        mark = {True: "✓", False: "✗", None: "?"}[check.passed]
        print(f"{mark} {check.name}: {check.text}")
    last = {True: "It would be accepted.", False: "It would be refused.", None: "Whether it holds cannot be told."}
    print(f"\n{last[found.holds]}")
