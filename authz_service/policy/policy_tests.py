"""The policies' own tests: rules named `test_…` in `*_test.rego` files, run on the engine that decides.

As with `opa test`: a test passes when its rule is true. One that is undefined, false or ends in an error fails. Rules
named `todo_test_…` are left out.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources, read_sources
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.compiled import CompiledPolicy, compile_plan
from authz_service.rego_engine.errors import EvaluationError
from authz_service.rego_engine.values import UNDEFINED

TEST_SECONDS = 5.0
_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_TEST = re.compile(r"^(test_\w+)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FoundTest:
    """A test rule, as `package/path/test_name`, and where it begins."""

    rule: str
    file: str
    row: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a test. `text` says why it did not pass; `seconds` is what it took."""

    rule: str
    file: str
    row: int
    passed: bool
    text: str
    seconds: float
    printed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one file: the rows that were reached, and those that could have been."""

    file: str
    covered: tuple[int, ...]
    not_covered: tuple[int, ...]

    @property
    def percent(self) -> float:
        """How much of it was reached; all of nothing is all."""
        count = len(self.covered) + len(self.not_covered)
        return 100.0 * len(self.covered) / count if count else 100.0


def find(sources: PolicySources) -> Sequence[FoundTest]:
    """Return every test rule of the sources; a rule with several bodies once, at its first."""
    found: dict[str, FoundTest] = {}
    for file, text in sources.modules.items():
        package = _PACKAGE.search(text)
        if not file.endswith("_test.rego") or package is None:
            continue
        for match in _TEST.finditer(text):
            rule = f"{package[1].replace('.', '/')}/{match[1]}"
            found.setdefault(rule, FoundTest(rule, file, text.count("\n", 0, match.start()) + 1))
    return list(found.values())


def run_sources(paths: Iterable[Path]) -> Sequence[Outcome]:
    """Read, compile and run every test below `paths`. Raises `ConfigurationError` where they cannot be compiled."""
    sources = read_sources(list(paths), with_tests=True)
    tests = find(sources)
    if not tests:
        return []
    policy = compile_plan(compile_sources(sources, [test.rule for test in tests]), sources.data)
    return run(policy, tests)[0]


def run(policy: CompiledPolicy, tests: Iterable[FoundTest]) -> tuple[Sequence[Outcome], set[int]]:
    """Run tests; return their outcomes, and the numbers of the places that they reached."""
    outcomes = []
    reached: set[int] = set()
    for test in tests:
        printed: list[str] = []
        context = Context(time_ns=time.time_ns(), printed=printed.append)
        evaluation = policy.evaluation(UNDEFINED, context, seconds=TEST_SECONDS)
        started = time.perf_counter()
        try:
            value = policy.evaluate(test.rule, UNDEFINED, evaluation)
            text = "" if value is True else "is undefined" if value is UNDEFINED else "is not true"
        except EvaluationError as error:
            text = f"ended in an error: {error}"
        seconds = time.perf_counter() - started
        outcomes.append(Outcome(test.rule, test.file, test.row, not text, text, seconds, tuple(printed)))
        reached |= evaluation.covered
    return outcomes, reached


def coverage(policy: CompiledPolicy, reached: set[int]) -> Sequence[Coverage]:
    """Return the coverage of each file that is no test, by rows that have an expression."""
    rows: Mapping[str, dict[int, bool]] = defaultdict(dict)
    for number, where in enumerate(policy.places):
        if not where.file.endswith("_test.rego"):
            rows[where.file][where.row] = rows[where.file].get(where.row, False) or number in reached
    return [
        Coverage(
            file,
            tuple(sorted(row for row, done in found.items() if done)),
            tuple(sorted(row for row, done in found.items() if not done)),
        )
        for file, found in sorted(rows.items())
    ]
