"""`python -m authz_service revoke|restore|revocations`: the kill switch, at the terminal.

Of the configuration only `valkey` is read, and whether there is `revocation`. Exit codes: 0 done; 1 there is nothing
such, or it is not in force everywhere; 2 the configuration, the arguments or Valkey are at fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pwd
import re
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from authz_service.revocation.model import Kind, Order, Revocation, RevocationError, Subject, require_author
from authz_service.revocation.records import RecordError, position, read_entry
from authz_service.revocation.showing import describe, tell_author, to_plain
from authz_service.revocation.store import ListFullError, Replica, RevocationStore
from authz_service.settings.valkey import ValkeySettings, read_valkey
from service_kit import strict_yaml
from service_kit.faults import ConfigurationError, Faults
from service_kit.valkey.client import Client
from service_kit.valkey.errors import StoreUnavailableError

DONE, NO, FAULT = 0, 1, 2
WAIT_SECONDS = 5.0  # for the replicas to have it in force
SILENT_SECONDS = 10.0  # after which a replica counts as gone: it speaks each second, and a busy one less often
LOOK_SECONDS = 0.02
_DURATION = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    where = argparse.ArgumentParser(add_help=False)
    # Without a default: it may stand before the command too.
    where.add_argument(
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the configuration (YAML)"
    )
    where.add_argument("--json", action="store_true", help="answer in JSON")
    whom = argparse.ArgumentParser(add_help=False)
    whom.add_argument("--agent", metavar="A", help="an agent")
    whom.add_argument("--user", metavar="U", help="a user, with all agents")
    whom.add_argument("--token-id", metavar="J", help="one token, by its id (the claim jti)")
    whom.add_argument("--issuer", metavar="I", help="an issuer; beside one of the others only those of this issuer")
    whom.add_argument("--reason", required=True, metavar="TEXT", help="why, for the list and for the audit log")
    whom.add_argument("--by", metavar="NAME", help="who does this (default: the user of the operating system)")
    whom.add_argument(
        "--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS",
        help=f"how long to wait for the replicas (default: {WAIT_SECONDS:g}); 0 does not",
    )  # fmt: skip

    revoke = commands.add_parser("revoke", parents=[where, whom], help="refuse a caller at once, on every replica")
    revoke.add_argument("--for", dest="holds", metavar="TIME", help="90s, 15m, 1h, 7d (default: until it is restored)")
    revoke.add_argument(
        "--issued-before", metavar="TIME", help="only tokens that were issued earlier: RFC 3339, or `now`"
    )
    revoke.set_defaults(revocation="revoke")
    restore = commands.add_parser("restore", parents=[where, whom], help="let a revoked caller in again")
    restore.set_defaults(revocation="restore")
    listed = commands.add_parser("revocations", parents=[where], help="list who is revoked, by whom and why")
    listed.set_defaults(revocation="revocations")


def run(arguments: argparse.Namespace) -> int:
    """Run a command; return the exit code."""
    try:
        return asyncio.run(_run(arguments))
    except ConfigurationError as error:
        faults = [{"source": each.source, "line": each.line, "text": each.text} for each in error.faults]
        _tell(arguments, {"faults": faults}, str(error), file=sys.stderr)
    except RevocationError as error:
        _tell(arguments, {"error": str(error)}, str(error), file=sys.stderr)
    except ListFullError:
        text = "there are as many revocations as there may be: restore what is not needed any more"
        _tell(arguments, {"error": text}, text, file=sys.stderr)
    except (StoreUnavailableError, RecordError) as error:
        text = f"Valkey: {error}"
        if arguments.revocation != "revocations":
            text += "; whether it was done is not known: see `revocations`, and do it again"
        _tell(arguments, {"error": text}, text, file=sys.stderr)
    return FAULT


async def _run(arguments: argparse.Namespace) -> int:
    settings = _settings(getattr(arguments, "config", None))
    client = Client(settings.topology, deadline=settings.deadline)
    try:
        return await _COMMANDS[arguments.revocation](arguments, RevocationStore(client, deadline=settings.deadline))
    finally:
        await client.close()


def _settings(file: Path | None) -> ValkeySettings:
    faults = Faults()
    if file is None:
        raise RevocationError("--config FILE is needed: it says where Valkey is")
    root = strict_yaml.read(file, faults)
    faults.raise_if_any()
    settings = read_valkey(root, file.absolute().parent)
    if settings is None:
        faults.add(str(file), 0, "has no section valkey, which says where the revocations are kept")
    if not root.has("revocation"):
        faults.add(str(file), 0, "has no section revocation: no service with this configuration heeds revocations")
    if settings is None or faults.found:
        raise ConfigurationError(faults.found)
    return settings


async def _revoke(arguments: argparse.Namespace, store: RevocationStore) -> int:
    subject, by = _subject(arguments), _by(arguments)
    require_author(by, arguments.reason)
    seconds = _duration(arguments.holds)
    issued_before = await _issued_before(arguments.issued_before, store)
    order = Order(subject, by, arguments.reason, seconds, issued_before)
    made = await store.revoke(order)
    since = position(made.change)[0] / 1000
    revocation = Revocation(
        subject, by, arguments.reason, made.change, since, since + seconds if seconds else None, issued_before
    )
    lines = [f"revoked: {describe(revocation)} (change {made.change})"]
    lines += [f"this replaces: {describe(each)}, {tell_author(each)}" for each in made.replaced]
    answer = {
        "change": made.change,
        "revoked": to_plain(revocation),
        "replaced": [to_plain(each) for each in made.replaced],
    }
    return await _until_in_force(arguments, store, made.change, answer, lines)


async def _restore(arguments: argparse.Namespace, store: RevocationStore) -> int:
    subject, by = _subject(arguments), _by(arguments)
    require_author(by, arguments.reason)
    made = await store.restore(subject, by, arguments.reason)
    if made is None:
        _tell(arguments, {"error": "not revoked"}, f"not revoked: {subject}", file=sys.stderr)
        return NO
    lines = [f"restored: {subject} (change {made.change})"]
    lines += [f"this ends: {describe(each)}, {tell_author(each)}" for each in made.replaced]
    answer = {"change": made.change, "restored": [to_plain(each) for each in made.replaced]}
    return await _until_in_force(arguments, store, made.change, answer, lines)


async def _revocations(arguments: argparse.Namespace, store: RevocationStore) -> int:
    snapshot = await store.load()
    found, unreadable, now = [], 0, await store.now()
    for field, value in snapshot.entries or ():
        try:
            revocation = read_entry(field, value)
        except RecordError:
            unreadable += 1
            continue
        if revocation.until is None or revocation.until > now:
            found.append(revocation)
    kinds = list(Kind)
    found.sort(
        key=lambda each: (kinds.index(each.subject.kind), each.subject.value, each.subject.issuer or "", each.since)
    )
    lines = [f"{describe(each)}, {tell_author(each)} (change {each.change})" for each in found]
    answer = {"revocations": [to_plain(each) for each in found], "unreadable": unreadable}
    _tell(arguments, answer, "\n".join(lines) or "nobody is revoked")
    if unreadable:
        print(f"{unreadable} revocations cannot be read", file=sys.stderr)
    return FAULT if unreadable else DONE


async def _until_in_force(
    arguments: argparse.Namespace, store: RevocationStore, change: str, answer: dict[str, Any], lines: Sequence[str]
) -> int:
    """Wait until every replica that lives has the change in force, and tell of both."""
    began = time.monotonic()
    if not arguments.json:
        print("\n".join(lines), flush=True)  # what was done stands there, whatever becomes of the waiting
    if arguments.wait <= 0:
        _tell(arguments, answer, "")
        return DONE
    behind: list[Replica] = []
    while True:
        replicas = [replica for replica in await store.replicas() if replica.silent <= SILENT_SECONDS]
        behind = [replica for replica in replicas if replica.position < position(change)]
        took = time.monotonic() - began
        if not behind or took >= arguments.wait:
            break
        await asyncio.sleep(LOOK_SECONDS)
    there = [replica.name for replica in replicas if replica not in behind]
    answer["replicas"] = {"in_force": there, "not_in_force": [replica.name for replica in behind]}
    answer["seconds"] = round(took, 3)
    if not replicas:
        _tell(arguments, answer, "no replica is there: it will be in force wherever one starts", file=sys.stderr)
        return NO
    if behind:
        names = ", ".join(replica.name for replica in behind)
        _tell(arguments, answer, f"NOT in force after {took:.1f} s on: {names}", file=sys.stderr)
        return NO
    _tell(arguments, answer, f"in force on {len(there)} of {len(there)} replicas after {took * 1000:.0f} ms")
    return DONE


def _subject(arguments: argparse.Namespace) -> Subject:
    given = [
        (kind, value)
        for kind, value in (
            (Kind.AGENT, arguments.agent),
            (Kind.USER, arguments.user),
            (Kind.TOKEN_ID, arguments.token_id),
        )
        if value is not None
    ]
    if len(given) > 1:
        raise RevocationError("only one of --agent, --user and --token-id can be given")
    if given:
        return Subject(*given[0], arguments.issuer)
    if arguments.issuer is None:
        raise RevocationError("one of --agent, --user, --token-id and --issuer is needed")
    return Subject(Kind.ISSUER, arguments.issuer)


def _by(arguments: argparse.Namespace) -> str:
    if arguments.by is not None:
        return str(arguments.by)
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return f"uid {os.getuid()}"


def _duration(text: str | None) -> float | None:
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise RevocationError(f"--for must be a time such as 90s, 15m, 1h or 7d, but is {text!r}")
    return float(int(match[1]) * _SECONDS[match[2]])


async def _issued_before(text: str | None, store: RevocationStore) -> float | None:
    if text is None:
        return None
    if text == "now":
        return await store.now()  # one clock for everybody, wherever this is typed
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise RevocationError(f"--issued-before must be `now` or a time such as 2026-01-31T12:00:00Z, but is {text!r}")
    return found.timestamp()


def _tell(arguments: argparse.Namespace, answer: dict[str, Any], text: str, file: Any = None) -> None:
    if arguments.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    elif text:
        print(text, file=file or sys.stdout)


_COMMANDS: dict[str, Callable[[argparse.Namespace, RevocationStore], Awaitable[int]]] = {
    "revoke": _revoke,
    "restore": _restore,
    "revocations": _revocations,
}
