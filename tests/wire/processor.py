"""The servicer of bodies with tests' own fixed texts, and a Check beside it: `python -m tests.wire.processor JSON`.

What the sample calls a problem is here the pace, as JSON; nothing is the usual one.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from audit_log.sink import LineSink
from authz_service.denials import Denials
from authz_service.exchange.body import Terms
from authz_service.pipeline import Clock
from authz_service.servicers.ext_proc import ExtProcServicer, Pace
from service_kit import lifetime, logs
from service_kit.health import Health
from service_kit.hosts.process import Process
from tests.authz_service.exchange.fixed_bodies import FixedBodies
from tests.wire import sample


async def serve(arguments: Sequence[str], process: Process) -> None:
    """Serve until told to end. Audit events go to standard error, beside the log."""
    logs.set_up("processor", "info")
    audit = LineSink(sys.stderr)
    servicer = ExtProcServicer(
        FixedBodies(), audit=audit, clock=Clock(time.time, time.perf_counter), new_id=lambda: "d-1", terms=Terms(),
        denials=Denials(), pace=Pace(**json.loads(arguments[0] or "{}")),
    )  # fmt: skip
    health = Health([])
    check = sample.Authorization(health, CollectorRegistry()).service()
    host = process.host([check, servicer.service()], health, [])
    try:
        sys.stdout.write(json.dumps({"grpc": await host.start(), "pid": os.getpid(), "worker": process.number}) + "\n")
        sys.stdout.flush()
        await lifetime.until(process.stop)
    finally:
        await host.stop()
        audit.close()


if __name__ == "__main__":
    sys.exit(sample.main("tests.wire.processor:serve"))
