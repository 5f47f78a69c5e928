"""`python -m authz_service check --config FILE`: every fault of a configuration and its policies, with place.

Nothing is served and nobody is asked: with `--online` the issuers' keys are fetched and the store is spoken to as well.
Exit codes: 0 no fault; 2 faults.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

from authz_service import settings as configuration
from authz_service import sources
from authz_service.identity import parts
from authz_service.identity.parts import Heard
from authz_service.settings import Settings
from authz_service.terminal import OK, show_faults
from service_kit.faults import ConfigurationError, Fault
from service_kit.valkey.client import Client
from service_kit.valkey.errors import StoreUnavailableError


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    check = commands.add_parser("check", help="say every fault of a configuration and its policies, with file and line")
    # Without a default: it may stand before the command too.
    check.add_argument(
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the configuration (YAML)"
    )
    check.add_argument("--online", action="store_true", help="fetch the issuers' keys and speak to the store too")
    check.add_argument("--json", action="store_true", help="answer in JSON")
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check; return the exit code."""
    try:
        settings = configuration.load(arguments.config)
        faults, revision = asyncio.run(_faults(settings, arguments.config, online=arguments.online))
    except ConfigurationError as error:
        return show_faults(error, as_json=arguments.json)
    if faults:
        return show_faults(ConfigurationError(faults), as_json=arguments.json)
    rules = list(dict.fromkeys(route.decision for route in settings.routes))
    told = {
        "issuers": len(settings.identity.issuers),
        "routes": len(settings.routes),
        "decisions": rules,
        "policy": revision,
    }
    if arguments.json:
        print(json.dumps({"faults": [], **told}, indent=2))
    else:
        print(f"ok: {arguments.config}: policy {revision}, decisions {', '.join(rules)}")
    return OK


async def _faults(settings: Settings, file: Path, *, online: bool) -> tuple[list[Fault], str]:
    """Return the faults beyond the file itself, and the policies' revision."""
    faults: list[Fault] = []
    revision = ""
    policy = settings.policy
    if online or not (policy.opa or (policy.bundle and policy.bundle.url)):
        try:
            source = sources.policy_source(settings)
            revision = (await source.load()).revision
            await source.close()
        except ConfigurationError as error:
            faults += error.faults
    if online:
        found = parts.build(
            settings.identity,
            sources.identity_sources(settings, None, {}),
            Heard(lambda *_: None, lambda _: None),
            monotonic=time.monotonic,
        )
        faults += await sources.load_keys(settings.identity.issuers, found.rings)
        faults += await _store_faults(settings, file)
    return faults, revision


async def _store_faults(settings: Settings, file: Path) -> list[Fault]:
    if settings.valkey is None:
        return []
    client = Client(settings.valkey.topology, deadline=5.0)
    try:
        await client.ask("PING")
    except StoreUnavailableError as error:
        return [Fault(str(file), 0, f"valkey at {settings.valkey.topology} does not answer: {error}")]
    finally:
        await client.close()
    return []
