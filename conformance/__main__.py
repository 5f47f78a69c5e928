"""`python -m conformance`: runs the cases and prints, for each category, how many passed, were refused, were wrong."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from authz_service.rego_engine.codegen.module import Options
from authz_service.rego_engine.compiled import CompileOptions
from authz_service.rego_engine.passes import ORDER
from authz_service.rego_engine.plan import Plan
from conformance import cases, report
from conformance.cases import Case
from conformance.front_ends import Opa, Regopy
from conformance.judging import Outcome, judge

MODULE = "github.com/open-policy-agent/opa"
PAGE = Path(__file__).parents[1] / "docs" / "rego-support.md"
WORKERS = 2
WANTED_PERCENT = 97.0
PLAIN = CompileOptions(frozenset(name for name, _ in ORDER), Options(inline=False, any_order=False, keep_once=False))


def _module(given: str) -> tuple[Path, str]:
    """Return where an OPA module's cases are, and its version; by Go's own client, unless a folder is given."""
    if given:
        return Path(given), "of that folder"
    if shutil.which("go") is None:
        sys.exit("OPA's cases come with its Go module: install Go, or name a folder of cases with --cases")
    command = ["go", "mod", "download", "-json", f"{MODULE}@latest"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    return Path(found["Dir"], "v1", "test", "cases", "testdata"), found["Version"]


def _runs(folder: Path, only: str) -> Iterator[tuple[str, list[Case], Callable[[Case], Plan], int]]:
    """Yield the front ends that are at hand, each with its cases and how many to run at a time."""

    def read(version: str) -> list[Case]:
        return [case for case in cases.read(folder, version) if case.category.startswith(only)]

    regopy = Regopy()
    try:
        yield Regopy.name, read("v1"), regopy.plan, 1
    finally:
        regopy.close()
    program = shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))
    if program is None:
        print(f"opa is not on PATH: its front end is left out (go install {MODULE}@latest)", file=sys.stderr)
        return
    yield Opa.name, [*read("v1"), *read("v0")], Opa(program).plan, WORKERS


def _run(folder: Path, only: str, *, plain: bool) -> Iterator[Outcome]:
    for name, found, plan, workers in _runs(folder, only):
        run = partial(judge, front_end=name, plan=plan, options=PLAIN if plain else None)
        with ThreadPoolExecutor(workers) as pool:
            done = pool.map(run, found)
            for number, outcome in enumerate(done, 1):
                if number % 100 == 0 or number == len(found):
                    print(f"\r{name}: {number} of {len(found)} cases", end="", file=sys.stderr, flush=True)
                yield outcome
        print(file=sys.stderr)


def _passed(outcomes: Sequence[Outcome]) -> bool:
    return all(each.kind != "wrong" for each in outcomes) and report.share_passed(outcomes) >= WANTED_PERCENT


def main() -> int:
    """Run; return 0 if nothing is wrong and enough has passed."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument(
        "--cases", default="", metavar="FOLDER", help="a folder of cases, instead of OPA's latest module"
    )
    parser.add_argument(
        "--only", default="", metavar="PREFIX", help="only categories that begin so; the page stays as it is"
    )
    parser.add_argument("--plain", action="store_true", help="without any pass; the page stays as it is")
    arguments = parser.parse_args()
    folder, version = _module(arguments.cases)
    outcomes = list(_run(folder, arguments.only, plain=arguments.plain))
    for line in report.table(outcomes):
        print(line)
    for each in outcomes:
        if each.kind == "wrong":
            print(f"WRONG {each.case.version} by {each.front_end}: {each.case.note}: {each.why}")
    share = report.share_passed(outcomes)
    print(f"{share:.2f} % of those that need no network pass; {WANTED_PERCENT:g} % are wanted, and none wrong")
    if not arguments.only and not arguments.plain:
        report.write_refusals(PAGE, outcomes, version)
        print(f"the refusals are in {PAGE}")
    return 0 if _passed(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
