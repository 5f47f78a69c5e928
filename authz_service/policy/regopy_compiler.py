"""Sources → a bundle compiled by regopy, or faults with file and row. Runs in a process of its own.

A malformed policy can make regopy's library abort its whole process; here that ends the compiler and not the service.
`python -m authz_service.policy.regopy_compiler FOLDER` reads FOLDER/job.json and writes FOLDER/bundle and
FOLDER/faults.json; `compile_bundle` is the other side of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from authz_service.policy.regopy_library import Interpreter, LogLevel, RegoError, rego_is_available_builtin
from authz_service.policy.sources import PolicySources
from service_kit.faults import ConfigurationError, Fault

COMPILE_SECONDS = 60.0
_ERROR = re.compile(r"\(error (?:\d+:)?([^|()]*)\|(\d+)\|\d+\s*\(errormsg (\d+):")


async def compile_bundle(sources: PolicySources, entrypoints: Sequence[str], folder: Path) -> Path:
    """Compile in a child process; return the bundle's folder below `folder`, or raise `ConfigurationError`."""
    first = next(iter(sources.modules))
    job = {"modules": sources.modules, "data": sources.data, "entrypoints": list(entrypoints)}
    (folder / "job.json").write_text(json.dumps(job))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, str(folder), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(COMPILE_SECONDS):
            await child.wait()
    except TimeoutError as error:
        text = f"the policies take longer than {COMPILE_SECONDS:g} s to compile"
        raise ConfigurationError([Fault(first, 0, text)]) from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise ConfigurationError([Fault(first, 0, "the Rego compiler crashed on these policies")])
    faults = [Fault(*fault) for fault in json.loads((folder / "faults.json").read_text())]
    if faults:
        raise ConfigurationError(faults)
    return folder / "bundle"


def _compile(folder: Path) -> list[Fault]:
    job = json.loads((folder / "job.json").read_text())
    # regopy's plan keeps a file's last name only: numbers tell modules of one name apart.
    paths = {f"{number}.rego": path for number, path in enumerate(job["modules"])}
    modules = {name: job["modules"][path] for name, path in paths.items()}
    return [Fault(paths[fault.source], fault.line, fault.text) for fault in _compile_modules(folder, job, modules)]


def _compile_modules(folder: Path, job: Mapping[str, Any], modules: Mapping[str, str]) -> list[Fault]:
    faults: list[Fault] = []
    # Each module alone first: the library stops at its first bad module, and an operator wants to hear of all of them.
    for name, text in modules.items():
        try:
            _interpreter().add_module(name, text)
        except RegoError as error:
            faults += _faults(str(error), modules, name)
    if faults:
        return faults
    interpreter = _interpreter()
    first = next(iter(modules))
    try:
        for name, text in modules.items():
            interpreter.add_module(name, text)
        interpreter.add_data_json(json.dumps(job["data"], ensure_ascii=False))
        bundle = interpreter.build(None, job["entrypoints"])
        interpreter.save_bundle(str(folder / "bundle"), bundle)
    except RegoError as error:
        return _faults(str(error), modules, first)
    plan = json.loads((folder / "bundle" / "plan.json").read_text())
    return list(_unknown_entrypoints(plan, job["entrypoints"], first)) + list(_unknown_functions(plan, interpreter))


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
        message = text[match.end() : match.end() + int(match[3])]
        faults.setdefault((source, row), Fault(source, row, f"is not Rego that can be compiled: {message}"))
    return list(faults.values()) or [Fault(name, 0, "is not Rego that can be compiled")]


def _unknown_entrypoints(plan: Mapping[str, Any], entrypoints: Sequence[str], first: str) -> Iterator[Fault]:
    functions = {function["name"] for function in plan["funcs"]["funcs"]}
    for entrypoint in entrypoints:
        if f"g0.data.{entrypoint.replace('/', '.')}" not in functions:
            yield Fault(first, 0, f"no policy here has the rule {entrypoint} that is to decide")


def _unknown_functions(plan: Mapping[str, Any], interpreter: Any) -> Iterator[Fault]:
    """Calls of functions that nobody defines: regopy compiles them, and fails only when it comes to them."""
    functions = {function["name"] for function in plan["funcs"]["funcs"]}
    files = [file["value"] for file in plan["static"]["files"]]
    for call in _calls(plan["funcs"]):
        name = call["func"]
        if name not in functions and not rego_is_available_builtin(interpreter._impl, name):  # noqa: SLF001  (no method)
            yield Fault(files[call["file"]], call["row"] + 1, f"calls {name}, which is no function that is known here")


def _calls(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "CallStmt":
            yield node["stmt"]
        for child in node.values():
            yield from _calls(child)
    elif isinstance(node, list):
        for child in node:
            yield from _calls(child)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    found = _compile(target)
    (target / "faults.json").write_text(json.dumps([(fault.source, fault.line, fault.text) for fault in found]))
