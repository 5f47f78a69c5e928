"""The servicer of bodies with tests' own fixed texts, as a process: `python -m tests.wire.processor JSON`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence

from audit_log.sink import LineSink
from authz_service.denials import Denials
from authz_service.exchange.body import Terms
from authz_service.pipeline import Clock
from authz_service.servicers.ext_proc import ExtProcServicer
from service_kit import lifetime, logs
from service_kit.health import Health
from service_kit.hosts.process import Process
from tests.authz_service.exchange.fixed_bodies import FixedBodies
from tests.wire import sample


async def serve(arguments: Sequence[str], process: Process) -> None:
    """Serve until told to end. Audit events go to standard error, beside the log."""
    del arguments
    logs.set_up("processor", "info")
    audit = LineSink(sys.stderr)
    servicer = ExtProcServicer(
        FixedBodies(), audit=audit, clock=Clock(time.time, time.perf_counter), new_id=lambda: "d-1", terms=Terms(),
        denials=Denials(),
    )  # fmt: skip
    host = process.host([servicer.service()], Health([]), [])
    try:
        sys.stdout.write(json.dumps({"grpc": await host.start(), "pid": os.getpid(), "worker": process.number}) + "\n")
        sys.stdout.flush()
        await lifetime.until(process.stop)
    finally:
        await host.stop()
        audit.close()


if __name__ == "__main__":
    sys.exit(sample.main("tests.wire.processor:serve"))
