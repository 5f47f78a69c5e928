"""`python -m authz_service policy check|eval|test|show|bench|input`: policies at the terminal.

Exit codes: 0 all is well; 1 the answer is no (a test failed, the decision is undefined or coverage is too low); 2 the
policies, the input or the arguments are at fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from authz_service.policy import explaining, input_keys
from authz_service.policy.compiling import Job, compile_policy, run_child
from authz_service.rego_engine import values
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.compiled import CompiledPolicy
from authz_service.rego_engine.errors import EvaluationError
from authz_service.rego_engine.passes import ORDER
from authz_service.rego_engine.values import UNDEFINED
from authz_service.terminal import FAULT, NO, OK, show_faults
from service_kit.faults import ConfigurationError

DECISION = "agent_gateway/decision"
MAX_INPUT_BYTES = 64 * 1024 * 1024
EVALUATION_SECONDS = 10.0  # at the terminal nobody else waits
BENCH_SECONDS = 3.0


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    policies = argparse.ArgumentParser(add_help=False)
    policies.add_argument("paths", nargs="*", metavar="PATH", help="folders or files with .rego and data files")
    policies.add_argument("--bundle", default="", metavar="FILE", help="an OPA bundle made by `opa build -t plan`")
    policies.add_argument("--json", action="store_true", help="answer in JSON")
    asked = argparse.ArgumentParser(add_help=False)
    asked.add_argument(
        "--decision", default=DECISION, metavar="RULE", help=f"the rule to ask for (default: {DECISION})"
    )
    given = argparse.ArgumentParser(add_help=False)
    given.add_argument(
        "--input", default="", metavar="FILE", help="the input, JSON; - for standard input; none if left out"
    )
    given.add_argument("--strict", action="store_true", help="an error of a built-in ends the evaluation")

    commands.add_parser("check", parents=[policies, asked], help="compile, and say what is at fault, with file and row")
    evaluate = commands.add_parser("eval", parents=[policies, asked, given], help="evaluate a rule on an input")
    evaluate.add_argument("--explain", action="store_true", help="show which rules held and which failed, and where")
    test = commands.add_parser("test", parents=[policies], help="run the rules named test_… in *_test.rego files")
    test.add_argument("--run", default="", metavar="REGEX", help="only the tests whose path matches")
    test.add_argument("--verbose", "-v", action="store_true", help="list the tests that pass too")
    test.add_argument("--coverage", action="store_true", help="show how much of each file the tests reach, by row")
    test.add_argument("--threshold", type=float, default=0.0, metavar="PERCENT", help="fail below this coverage")
    show = commands.add_parser("show", parents=[policies, asked], help="print the Python that the policies become")
    show.add_argument(
        "--without", action="append", default=[], choices=sorted({name for name, _ in ORDER}), help="leave a pass out"
    )
    bench = commands.add_parser("bench", parents=[policies, asked, given], help="measure a rule on an input")
    keys = commands.add_parser("input", help="print every key of the input, as a table in Markdown")
    keys.add_argument("--json", action="store_true", help="print one whole input, fit for --input")
    bench.add_argument("--seconds", type=float, default=BENCH_SECONDS, help=f"how long (default: {BENCH_SECONDS:g})")


def run(arguments: argparse.Namespace) -> int:
    """Run a command; return the exit code."""
    try:
        return asyncio.run(_COMMANDS[arguments.command](arguments))
    except ConfigurationError as error:
        return show_faults(error, as_json=arguments.json)
    except _ArgumentError as error:
        print(error, file=sys.stderr)
        return FAULT
    except EvaluationError as error:
        print(
            json.dumps({"error": {"code": error.code, "message": str(error)}}) if arguments.json else str(error),
            file=sys.stdout if arguments.json else sys.stderr,
        )
        return FAULT


class _ArgumentError(Exception):
    """An argument is none that can be used; the text begins with its name."""


def _job(arguments: argparse.Namespace, **more: Any) -> Job:
    rules = more.pop("rules", (arguments.decision,) if "decision" in arguments else ())
    paths = tuple(arguments.paths) or (() if arguments.bundle else ("rego",))
    return Job(paths=paths, bundle=arguments.bundle, rules=rules, **more)


def _input(arguments: argparse.Namespace) -> Any:
    if not arguments.input:
        return UNDEFINED
    try:
        with open(0, "rb", closefd=False) if arguments.input == "-" else Path(arguments.input).open("rb") as source:
            text = source.read(MAX_INPUT_BYTES + 1)
        if len(text) > MAX_INPUT_BYTES:
            raise _ArgumentError(f"--input: is larger than {MAX_INPUT_BYTES} bytes")
        return values.read(text)
    except OSError as error:
        raise _ArgumentError(f"--input: {arguments.input} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _ArgumentError(f"--input: {arguments.input} is not JSON that can be read: {error}") from error


async def _check(arguments: argparse.Namespace) -> int:
    policy, revision = await compile_policy(_job(arguments))
    rules = sorted(policy.rules)
    print(
        json.dumps({"revision": revision, "rules": rules}, indent=2)
        if arguments.json
        else f"ok: revision {revision}, {', '.join(rules)}"
    )
    return OK


async def _eval(arguments: argparse.Namespace) -> int:
    document = _input(arguments)
    policy, _ = await compile_policy(_job(arguments, probes=arguments.explain))
    printed: list[str] = []
    context = Context(time_ns=time.time_ns(), printed=printed.append)
    evaluation = policy.evaluation(document, context, seconds=EVALUATION_SECONDS, strict=arguments.strict)
    failure: EvaluationError | None = None
    value: Any = UNDEFINED
    try:
        value = policy.evaluate(arguments.decision, document, evaluation)
    except EvaluationError as error:
        failure = error
    steps = explaining.explain(evaluation.trail, policy.places) if arguments.explain else []
    if arguments.json:
        answer: dict[str, Any] = {} if value is UNDEFINED else {"result": values.to_answer(value)}
        if failure:
            answer["error"] = {"code": failure.code, "message": str(failure)}
        if arguments.explain:
            answer["explanation"] = [step.to_json() for step in steps]
        print(_dumps({**answer, **({"printed": printed} if printed else {})}))
    else:
        for line in printed:
            print(line, file=sys.stderr)
        for line in explaining.show(steps):
            print(line, file=sys.stderr)
        print(
            str(failure) if failure else "undefined" if value is UNDEFINED else _dumps(values.to_answer(value)),
            file=sys.stderr if failure or value is UNDEFINED else sys.stdout,
        )
    return FAULT if failure else NO if value is UNDEFINED else OK


def _dumps(value: Any) -> str:
    """Write JSON for a reader; a number that Python has no type for goes out as the nearest it has."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=float)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise _ArgumentError(f"--run: is no regular expression: {error}") from error


async def _test(arguments: argparse.Namespace) -> int:
    wanted = _pattern(arguments.run)
    with tempfile.TemporaryDirectory(prefix="agent-gateway-tests-") as name:
        await run_child("authz_service.policy.test_child", _job(arguments, probes=arguments.coverage), Path(name))
        found = json.loads((Path(name) / "outcomes.json").read_text("utf-8"))
    outcomes = [each for each in found["outcomes"] if wanted.search(each["rule"])]
    covered = [(each, _percent(each)) for each in found["coverage"]]
    total = _percent({key: [row for each, _ in covered for row in each[key]] for key in ("covered", "not_covered")})
    failed = [each for each in outcomes if not each["passed"]]
    enough = not arguments.coverage or total >= arguments.threshold
    if arguments.json:
        print(
            json.dumps(
                {
                    "outcomes": outcomes,
                    **({"coverage": found["coverage"], "percent": total} if arguments.coverage else {}),
                },
                indent=2,
            )
        )
    else:
        for each in outcomes:
            if not each["passed"] or arguments.verbose:
                mark = "PASS" if each["passed"] else "FAIL"
                place, took = f"{each['file']}:{each['row']}", f"{each['seconds'] * 1e6:.0f} µs"
                print(f"{mark} {place}: {each['rule']} ({took}) {each['text']}".rstrip())
                for line in each["printed"]:
                    print(f"    {line}")
        for each, percent in covered:
            missed = f"   not reached: {_ranges(each['not_covered'])}" if each["not_covered"] else ""
            print(f"{percent:6.1f} %  {each['file']}{missed}")
        if arguments.coverage:
            print(
                f"{total:6.1f} %  in all"
                + ("" if enough else f", under the {arguments.threshold:g} % that are asked for")
            )
        print(f"{len(outcomes) - len(failed)} of {len(outcomes)} tests pass" if outcomes else "there are no tests")
    return OK if outcomes and not failed and enough else NO


def _percent(rows: dict[str, list[int]]) -> float:
    count = len(rows["covered"]) + len(rows["not_covered"])
    return 100.0 * len(rows["covered"]) / count if count else 100.0


def _ranges(rows: Sequence[int]) -> str:
    """Write rows as 3-5, 9."""
    found: list[list[int]] = []
    for row in rows:
        if found and row == found[-1][-1] + 1:
            found[-1].append(row)
        else:
            found.append([row])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found)


async def _show(arguments: argparse.Namespace) -> int:
    policy, revision = await compile_policy(_job(arguments, without=tuple(arguments.without)))
    print(
        json.dumps({"revision": revision, "source": policy.source}) if arguments.json else policy.source,
        end="\n" if arguments.json else "",
    )
    return OK


async def _bench(arguments: argparse.Namespace) -> int:
    document = _input(arguments)
    started = time.perf_counter()
    policy, _ = await compile_policy(_job(arguments))
    compiling = time.perf_counter() - started
    took = sorted(_measure(policy, arguments, document))
    figures = {
        "evaluations": len(took),
        "mean_us": statistics.fmean(took) * 1e6,
        **{f"p{p}_us": took[min(len(took) - 1, len(took) * p // 100)] * 1e6 for p in (50, 90, 99)},
        "max_us": took[-1] * 1e6,
        "compile_ms": compiling * 1e3,
    }
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, figure in figures.items():
            print(f"{name:>12}  {figure:,.1f}")
    return OK


def _measure(policy: CompiledPolicy, arguments: argparse.Namespace, document: Any) -> list[float]:
    took: list[float] = []
    context = Context(time_ns=time.time_ns())
    until = time.perf_counter() + arguments.seconds
    while (started := time.perf_counter()) < until or not took:
        evaluation = policy.evaluation(document, context, seconds=EVALUATION_SECONDS, strict=arguments.strict)
        policy.evaluate(arguments.decision, document, evaluation)
        took.append(time.perf_counter() - started)
    return took


async def _keys(arguments: argparse.Namespace) -> int:
    print(_dumps(next(input_keys.examples())) + "\n" if arguments.json else input_keys.table(), end="")
    return OK


_COMMANDS = {"check": _check, "eval": _eval, "test": _test, "show": _show, "bench": _bench, "input": _keys}
