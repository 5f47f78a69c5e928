"""`python -m authz_service deep-scan --config FILE`: the worker that looks at bodies again, later and more heavily.

Audit events go to standard output, logs to standard error. It works until it is told to stop; with `--once` until
nothing is left to do. Exit codes: 0 done; 2 the configuration, the analyser or Valkey is at fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress

from audit_log.sink import LineSink
from authz_service import settings as configuration
from authz_service.deep_scan.analyser import AnalyserError
from authz_service.deep_scan.analysis import Analysis
from authz_service.deep_scan.sealing import Seal
from authz_service.deep_scan.store import DeepScanStore
from authz_service.deep_scan.webhook import Webhook
from authz_service.deep_scan.worker import Terms, Worker
from authz_service.dlp.views.reading import read_text
from authz_service.revocation.store import RevocationStore
from authz_service.settings import Settings
from authz_service.settings.deep_scan import DeepScanSettings
from authz_service.settings.valkey import ValkeySettings
from service_kit import logs
from service_kit.faults import ConfigurationError, Fault
from service_kit.secret_file import PRINTABLE, SecretFile
from service_kit.valkey.client import Client
from service_kit.valkey.errors import StoreUnavailableError

DONE, FAULT = 0, 2


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("deep-scan", help="look at bodies again in the background, and act on findings")
    parser.add_argument("--once", action="store_true", help="end when nothing is left to do")
    parser.add_argument("--json", action="store_true", help="with --once: tell in JSON what was done")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work; return the exit code."""
    logs.set_up("deep_scan", arguments.log_level)
    try:
        counts = asyncio.run(_work(configuration.load(arguments.config), arguments))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return FAULT
    except (AnalyserError, StoreUnavailableError) as error:
        print(f"{arguments.config}: {error}", file=sys.stderr)
        return FAULT
    if arguments.once:
        text = ", ".join(f"{count} {fate}" for fate, count in sorted(counts.items())) or "nothing to do"
        print(json.dumps(counts) if arguments.json else text, file=sys.stderr)
    return DONE


async def _work(settings: Settings, arguments: argparse.Namespace) -> dict[str, int]:
    found = settings.dlp.deep_scan
    if found is None or settings.valkey is None:
        raise ConfigurationError(
            [Fault(str(arguments.config), 0, "has no section dlp.deep_scan: there is nothing to do")]
        )
    counts: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        worker = await _worker(stack, settings.valkey, found, counts)
        working = asyncio.ensure_future(_until_done(worker) if arguments.once else worker.run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, working.cancel)
        # What was begun and not finished is taken again: by us when we start anew, or by another worker.
        with suppress(asyncio.CancelledError):
            await working
    return counts


async def _worker(
    stack: AsyncExitStack, valkey: ValkeySettings, found: DeepScanSettings, counts: Counter[str]
) -> Worker:
    audit = LineSink(sys.stdout)
    stack.callback(audit.close)
    analysis = Analysis(found.analyser, deadline=found.deadline_seconds)
    stack.push_async_callback(analysis.close)
    await analysis.start()
    deadline = valkey.deadline
    clients = [Client(valkey.topology, deadline=deadline) for _ in range(2)]
    for client in clients:
        stack.push_async_callback(client.close)
    webhook = None
    if found.webhook_url is not None and found.webhook_secret_file is not None:
        webhook = Webhook(found.webhook_url, SecretFile(found.webhook_secret_file, PRINTABLE), time.time)
        stack.push_async_callback(webhook.close)
    return Worker(
        f"{socket.gethostname()}:{os.getpid()}",
        Terms(found.rules, found.minimum_score, found.deadline_seconds),
        store=DeepScanStore(
            clients[0], entries=found.entries, keep_seconds=found.keep_seconds, deadline=deadline
        ),
        seal=Seal(found.keys),
        analysis=analysis,
        read=read_text,
        audit=audit,
        revocations=RevocationStore(clients[1], deadline=deadline),
        webhook=webhook,
        now=time.time,
        counted=lambda fate: counts.update([fate]),
    )  # fmt: skip


async def _until_done(worker: Worker) -> None:
    while await worker.work(wait=False):
        pass
