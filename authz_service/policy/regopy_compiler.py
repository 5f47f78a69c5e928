"""Sources → the plan that regopy makes of them, or faults with file and row.

A malformed policy can make regopy's library abort its whole process: call this in a process of its own
(`compile_child`).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from authz_service.policy.regopy_library import Interpreter, LogLevel, RegoError
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine import regopy_dialect
from authz_service.rego_engine.compiler_hints import hint
from authz_service.rego_engine.equations import grouped
from authz_service.rego_engine.front_end_checks import Sources
from authz_service.rego_engine.negations import ambiguous
from authz_service.rego_engine.plan import Plan
from authz_service.rego_engine.plan_checks import lost_withs, reassigned
from authz_service.rego_engine.plan_reader import read_plan
from authz_service.rego_engine.regopy_dialect import RegopyDialect
from authz_service.rego_engine.source_checks import check_source
from service_kit.faults import Fault, Faults

MAX_HINTED_BYTES = 4_096  # of the source behind a fault, for the hint
_ERROR = re.compile(r"\(error (?:\d+:)?([^|()]*)\|(\d+)\|(\d+)\s*\(errormsg (\d+):")


def compile_sources(sources: PolicySources, rules: Sequence[str], optional: Sequence[str] = ()) -> Plan:
    """Compile sources for the rules that are to be asked for, as `package/path/rule`; `optional` need not be there.

    Raises:
        ConfigurationError: with every fault.
    """
    faults = Faults()
    for path, text in sources.modules.items():
        for fault in check_source(path, text):
            faults.add(fault.source, fault.line, fault.text)
    read = Sources(sources.modules)
    for fault in read.faults():
        faults.add(fault.source, fault.line, fault.text)
    faults.raise_if_any()
    # regopy's plan keeps a file's last name only: numbers tell modules of one name apart.
    paths = {f"{number}.rego": path for number, path in enumerate(sources.modules)}
    modules = {name: grouped(sources.modules[path]) for name, path in paths.items()}
    text, found = _compile_modules(modules, [*rules, *optional])
    for fault in found:
        faults.add(paths[fault.source], fault.line, fault.text)
    faults.raise_if_any()
    first = next(iter(sources.modules))
    plan = read_plan(text, RegopyDialect(read.negating_bodies()), paths, first, faults)
    faults.raise_if_any()
    for fault in (*_unknown_rules(plan, rules, first), *regopy_dialect.misplaced(plan), *reassigned(plan)):
        faults.add(fault.source, fault.line, fault.text)
    for fault in (*lost_withs(plan, read.withs()), *ambiguous(plan, read.negated_comparisons())):
        faults.add(fault.source, fault.line, fault.text)
    faults.raise_if_any()
    return plan


def _compile_modules(modules: Mapping[str, str], rules: Sequence[str]) -> tuple[str, list[Fault]]:
    interpreter = _interpreter()
    first = next(iter(modules))
    try:
        for name, text in modules.items():
            interpreter.add_module(name, text)
        with tempfile.TemporaryDirectory(prefix="agent-gateway-plan-") as folder:
            interpreter.save_bundle(f"{folder}/bundle", interpreter.build(None, list(rules)))
            return Path(folder, "bundle", "plan.json").read_text("utf-8"), []
    except RegoError as error:
        # The library stops at its first bad module, and an operator wants to hear of all of them: each alone.
        return "", _faults_of_each(modules) or _faults(str(error), modules, first)


def _faults_of_each(modules: Mapping[str, str]) -> list[Fault]:
    faults: list[Fault] = []
    for name, text in modules.items():
        try:
            _interpreter().add_module(name, text)
        except RegoError as error:
            faults += _faults(str(error), modules, name)
    return faults


def _interpreter() -> Any:
    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE  # it would print to standard output
    return interpreter


def _faults(text: str, modules: Mapping[str, str], name: str) -> list[Fault]:
    """Read regopy's error tree, `(error LENGTH:FILE|OFFSET|LENGTH (errormsg LENGTH:TEXT) …)`, into faults with rows."""
    faults: dict[tuple[str, int], Fault] = {}
    for match in _ERROR.finditer(text):
        source = match[1] if match[1] in modules else name
        row = modules[source].encode()[: int(match[2])].count(b"\n") + 1
        message = text[match.end() : match.end() + int(match[4])]
        advice = hint(message, modules[source].encode()[int(match[2]) :][:MAX_HINTED_BYTES].decode("utf-8", "replace"))
        shown = f"is not Rego that can be compiled: {message}" + (f"; {advice}" if advice else "")
        faults.setdefault((source, row), Fault(source, row, shown))
    return list(faults.values()) or [Fault(name, 0, "is not Rego that can be compiled")]


def _unknown_rules(plan: Plan, rules: Sequence[str], first: str) -> Iterator[Fault]:
    for rule in rules:
        if f"g0.data.{rule.replace('/', '.')}" not in plan.functions:
            yield Fault(first, 0, f"no policy here has the rule {rule} that is to decide")
