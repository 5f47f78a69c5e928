"""`python -m devstack`: start the whole gateway, show how to use it, end it on Ctrl-C. `python -m devstack demo`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from devstack import demo, ports
from devstack import state as states
from devstack.processes import ProcessEndedError
from devstack.stack import POLICIES, NotHealthyError, Stack
from devstack.state import State
from service_kit import lifetime


async def up(arguments: argparse.Namespace) -> int:
    """Start the stack and keep it until told to stop, or until a part of it ends."""
    folder: Path = arguments.dir
    running = states.read(folder)
    if running is not None:
        print(f"a gateway runs from {folder} already (process {running.pids['devstack']})", file=sys.stderr)
        return 1
    try:
        chosen = ports.documented() if arguments.ports == "documented" else ports.free()
    except ports.PortTakenError as error:
        print(error, file=sys.stderr)
        return 1
    stop = lifetime.stop_requested()
    stack = Stack(
        folder, chosen, failure_mode=arguments.failure_mode, policies=arguments.policies, environment=os.environ
    )
    failed = False
    try:
        started = time.monotonic()
        starting = asyncio.ensure_future(stack.start(lambda part: print(f"  ✓ {part}", flush=True)))
        waiting = asyncio.ensure_future(stop.wait())
        print("Starting Agent Gateway", flush=True)
        await asyncio.wait([starting, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not starting.done():
            starting.cancel()
            return 0
        state = starting.result()
        show(state, folder, time.monotonic() - started)
        failed = await watch(stack, stop, keep_running=arguments.keep_running)
    except (ProcessEndedError, NotHealthyError, OSError) as error:
        failed = True
        print(f"\n{error}", file=sys.stderr, flush=True)
    finally:
        print("\nEnding Agent Gateway", flush=True)
        await stack.stop(keep_logs=failed)
        if failed:
            print(f"The logs are kept in {stack.folder}/logs", file=sys.stderr, flush=True)
    return 1 if failed else 0


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
        error = ending.exception()
        print(f"\n{error}", file=sys.stderr, flush=True)
        if not keep_running:
            return True
        print("The rest goes on (--keep-running).", file=sys.stderr, flush=True)


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
    print(f"\nAgent Gateway is up after {seconds:.1f} s\n")
    for name, address, note in rows:
        print(f"  {name:<18} {address:<28} {note}".rstrip())
    print("\nTry it: paste a line, or run `make demo` in another terminal, which sends them all.")
    for title, line in demo.curl_lines(state):
        print(f"\n# {title}\n{line}")
    print(f"\nFor scripts: {folder / states.FILE}. Ctrl-C ends everything.", flush=True)


async def show_demo(arguments: argparse.Namespace) -> int:
    """Send the sample requests through the stack that runs."""
    state = states.read(arguments.dir)
    if state is None:
        print(f"no gateway runs from {arguments.dir}: start one with `make run` in another terminal", file=sys.stderr)
        return 1
    return 0 if await demo.run(state) else 1


def main() -> int:
    """Read the arguments; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack", description="Agent Gateway on this machine.")
    parser.add_argument("command", nargs="?", choices=("up", "demo"), default="up", help="default: up")
    parser.add_argument("--ports", choices=("documented", "auto"), default="documented", help="auto takes free ports")
    parser.add_argument("--dir", type=Path, default=Path(".devstack"), help="where its files go; default: .devstack")
    parser.add_argument(
        "--failure-mode", choices=("allow", "deny", "local"), default="allow", help="of rate limits without Valkey"
    )
    parser.add_argument("--policies", type=Path, default=POLICIES, help="the policies' folder; default: rego")
    parser.add_argument("--keep-running", action="store_true", help="go on when a part ends: for trying out failures")
    arguments = parser.parse_args()
    return asyncio.run(up(arguments) if arguments.command == "up" else show_demo(arguments))


if __name__ == "__main__":
    sys.exit(main())
