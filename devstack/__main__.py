"""`python -m devstack`: start the whole gateway, show how to use it, end it on Ctrl-C. `python -m devstack demo`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from devstack import demo, ports
from devstack import state as states
from devstack.bytecode import keep_bytecode
from devstack.processes import ProcessEndedError
from devstack.stack import POLICIES, NotHealthyError, Stack
from devstack.state import State
from devstack.terminal import OutputClosedError, say, warn
from service_kit import lifetime


async def up(arguments: argparse.Namespace) -> int:
    """Start the stack and keep it until told to stop, or until a part of it ends."""
    folder: Path = arguments.dir
    running = states.read(folder)
    if running is not None:
        warn(f"a gateway runs from {folder} already (process {running.pids['devstack']})")
        return 1
    try:
        chosen = ports.documented() if arguments.ports == "documented" else ports.free()
    except ports.PortTakenError as error:
        warn(str(error))
        return 1
    stop = lifetime.stop_requested()
    stack = Stack(
        folder,
        chosen,
        failure_mode=arguments.failure_mode,
        policies=arguments.policies,
        environment=os.environ,
        settings=arguments.authz_settings,
    )
    failed = False
    try:
        failed = await live(stack, stop, keep_running=arguments.keep_running, shown_folder=folder)
    except OutputClosedError:
        pass  # nobody reads any more: that is an end like Ctrl-C
    except (ProcessEndedError, NotHealthyError, OSError) as error:
        failed = True
        warn(f"\n{error}")
    finally:
        await stack.stop(keep_logs=failed)
    with suppress(OutputClosedError):
        say("\nAgent Gateway has ended")
    if failed:
        warn(f"The logs are kept in {stack.folder}/logs")
    return 1 if failed else 0


async def live(stack: Stack, stop: asyncio.Event, *, keep_running: bool, shown_folder: Path) -> bool:
    """Start the stack and watch it until told to stop; True when a part ended by itself."""
    started = time.monotonic()
    say("Starting Agent Gateway")
    starting = asyncio.ensure_future(stack.start(lambda part: say(f"  ✓ {part}")))
    waiting = asyncio.ensure_future(stop.wait())
    await asyncio.wait([starting, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait([starting])  # nothing may start any more once we begin to stop
        return False
    show(starting.result(), shown_folder, time.monotonic() - started)
    return await watch(stack, stop, keep_running=keep_running)


async def watch(stack: Stack, stop: asyncio.Event, *, keep_running: bool) -> bool:
    """Wait for the word to stop or for a part's end; True when a part ended by itself."""
    while True:
        ending = asyncio.ensure_future(stack.processes.first_end())
        waiting = asyncio.ensure_future(stop.wait())
        await asyncio.wait([ending, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not ending.done():
            ending.cancel()
            return False
        warn(f"\n{ending.exception()}")
        if not keep_running:
            return True
        warn("The rest goes on (--keep-running).")


def show(state: State, folder: Path, seconds: float) -> None:
    """Print where everything is, and the lines to try."""
    rows = [
        ("gateway", state.gateway_url, f"CA {state.ca_file}"),
        ("authz_service", state.authz_service.grpc, f"{state.authz_service.http}/metrics"),
        ("ratelimit_service", state.ratelimit_service.grpc, f"{state.ratelimit_service.http}/metrics"),
        ("valkey", state.valkey_url, ""),
        ("issuer", state.issuer_url, f"{state.issuer_url}/jwks"),
        ("upstream", state.upstream_url, "echoes what it receives"),
        ("envoy admin", state.envoy_admin_url, ""),
        ("audit", state.audit_file, ""),
    ]
    lines = [f"\nAgent Gateway is up after {seconds:.1f} s\n"]
    lines += [f"  {name:<18} {address:<28} {note}".rstrip() for name, address, note in rows]
    lines.append("\nTry it: paste a line, or run `make demo` in another terminal, which sends them all.")
    lines += [f"\n# {title}\n{line}" for title, line in demo.curl_lines(state)]
    lines.append(f"\nFor scripts: {folder / states.FILE}. Ctrl-C ends everything.")
    say("\n".join(lines))


async def show_demo(arguments: argparse.Namespace) -> int:
    """Send the sample requests through the stack that runs."""
    state = states.read(arguments.dir)
    if state is None:
        warn(f"no gateway runs from {arguments.dir}: start one with `make run` in another terminal")
        return 1
    as_expected = True
    outcomes = []
    try:
        async for outcome in demo.run(state):
            as_expected &= outcome.status == outcome.expected
            if arguments.json:
                outcomes.append(asdict(outcome))
            else:
                say(demo.text(outcome))
        if arguments.json:
            say(json.dumps(outcomes, indent=2, ensure_ascii=False))
    except OutputClosedError:
        return 1
    return 0 if as_expected else 1


def arguments_of(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line. `up` may be left out: options alone are its options."""
    parser = argparse.ArgumentParser(
        prog="python -m devstack",
        description="Agent Gateway on this machine.",
        epilog="Without a command: up, with its options (see `python -m devstack up --help`).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("up", help="start the whole gateway and keep it until Ctrl-C")
    start.add_argument("--ports", choices=("documented", "auto"), default="documented", help="auto takes free ports")
    start.add_argument(
        "--failure-mode", choices=("allow", "deny", "local"), default="allow", help="of rate limits without Valkey"
    )
    start.add_argument("--policies", type=Path, default=POLICIES, help="the policies' folder; default: rego")
    start.add_argument(
        "--authz-settings",
        type=_settings,
        default={},
        metavar="FILE",
        help="YAML to add to authz_service's configuration",
    )
    start.add_argument("--keep-running", action="store_true", help="go on when a part ends: for trying out failures")
    samples = commands.add_parser("demo", help="send the sample requests through the gateway that runs")
    samples.add_argument("--json", action="store_true", help="print what became of them as one JSON list")
    for command in (start, samples):
        command.add_argument(
            "--dir", type=Path, default=Path(".devstack"), help="its files' folder; default: .devstack"
        )
    named = bool(words) and (not words[0].startswith("-") or words[0] in {"-h", "--help"})
    return parser.parse_args(words if named else ["up", *words])


def _settings(name: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(Path(name).read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise argparse.ArgumentTypeError(f"{name} cannot be read: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"{name} must be a mapping, as the configuration is")
    return found


def main() -> int:
    """Read the arguments; return the exit code."""
    arguments = arguments_of(sys.argv[1:])
    keep_bytecode(os.environ)
    return asyncio.run(up(arguments) if arguments.command == "up" else show_demo(arguments))


if __name__ == "__main__":
    sys.exit(main())
