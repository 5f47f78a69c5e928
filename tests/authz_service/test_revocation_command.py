"""`python -m authz_service revoke …`: what an operator types, and what he reads.

In this process but for the first: tests/wire/test_kill_switch.py starts them as he does.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pwd
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from authz_service.__main__ import main
from devstack.ports import HOST
from tests.valkey_servers import Server

ROOT = Path(__file__).parents[2]
SECONDS = 60
USER = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def config(server: Server, tmp_path: Path) -> Path:
    """A configuration of which no other section is looked at."""
    file = tmp_path / "authz.yaml"
    file.write_text(
        f"valkey: {{url: '{HOST}:{server.port}', deadline_ms: 5000}}\nrevocation: {{}}\npolicy: {{nonsense: true}}\n"
    )
    return file


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str | Path) -> Done:
    """Run a command."""
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as error,
    ):
        patched.setattr(sys, "argv", ["authz_service", *map(str, arguments)])
        try:
            code = main()
        except SystemExit as ended:  # argparse's way
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), error.getvalue())


def revoke(config: Path, *arguments: str) -> Done:
    """Revoke, and do not wait: there are no replicas here."""
    return run("revoke", "--config", config, "--wait", "0", "--reason", "stolen laptop", *arguments)


def listed(config: Path) -> list[dict[str, Any]]:
    """Everything that is revoked."""
    done = run("revocations", "--config", config, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["revocations"]
    return found


def test_a_revocation_is_made_shown_and_lifted(config: Path) -> None:
    """Each command says what was done, and under which id."""
    done = revoke(config, "--agent", "desktop-7")
    assert done.returncode == 0, done.stderr
    (found,) = listed(config)
    assert done.stdout == f"revoked: agent desktop-7, until it is restored (change {found['change']})\n"
    assert (found["kind"], found["value"], found["by"], found["reason"]) == (
        "agent",
        "desktop-7",
        USER,
        "stolen laptop",
    )
    shown = run("revocations", "--config", config)
    assert shown.stdout == (
        f"agent desktop-7, until it is restored, since {found['since']} by {USER}: stolen laptop "
        f"(change {found['change']})\n"
    )
    lifted = run(
        "restore", "--config", config, "--agent", "desktop-7", "--reason", "found", "--by", "bob", "--wait", "0"
    )
    assert lifted.returncode == 0
    assert lifted.stdout.startswith("restored: agent desktop-7 (change ")
    assert "this ends: agent desktop-7, until it is restored, since" in lifted.stdout
    assert listed(config) == []
    assert run("revocations", "--config", config).stdout == "nobody is revoked\n"


def test_it_is_a_program_that_explains_itself(config: Path) -> None:
    """With the exit code for the shell."""
    line = [sys.executable, "-m", "authz_service", "revocations", "--config", str(config)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=SECONDS, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "nobody is revoked\n")
    shown = run("revoke", "--help")
    assert shown.returncode == 0
    for option in ("--agent", "--user", "--token-id", "--issuer", "--for", "--issued-before", "--reason", "--by"):
        assert option in shown.stdout


def test_the_configuration_may_stand_before_the_command(config: Path) -> None:
    """As it does for the service."""
    assert run("--config", config, "revocations").stdout == "nobody is revoked\n"


def test_a_time_ends_it_and_another_order_replaces_it(config: Path) -> None:
    """What was there before is shown, so that nothing is shortened unseen."""
    began = time.time()
    first = revoke(config, "--user", "alice", "--for", "15m", "--by", "carol")
    assert first.returncode == 0, first.stderr
    (found,) = listed(config)
    until = datetime.fromisoformat(found["until"]).timestamp()
    assert began + 900 - 2 <= until <= time.time() + 900 + 2
    second = revoke(config, "--user", "alice")
    assert f"this replaces: user alice, until {found['until']}, since {found['since']} by carol" in second.stdout
    assert [each["until"] for each in listed(config)] == [None]


def test_old_tokens_are_revoked_by_the_time_they_were_issued(config: Path) -> None:
    """By the store's clock, or by a time that says its offset."""
    assert revoke(config, "--user", "alice", "--issued-before", "now").returncode == 0
    assert revoke(config, "--issuer", "https://idp", "--issued-before", "2026-01-31T13:00:00+01:00").returncode == 0
    user, issuer = listed(config)
    assert abs(datetime.fromisoformat(user["issued_before"]).timestamp() - time.time()) < SECONDS
    assert issuer["issued_before"] == "2026-01-31T12:00:00+00:00"


def test_the_list_is_sorted_by_kind_and_name(config: Path) -> None:
    """And those of one issuer follow those of all."""
    for selector in (
        ("--issuer", "https://idp"),
        ("--user", "bob"),
        ("--user", "alice", "--issuer", "https://idp"),
        ("--user", "alice"),
        ("--agent", "z"),
        ("--token-id", "t"),
    ):
        assert revoke(config, *selector).returncode == 0
    assert [(each["kind"], each["value"], each["issuer"]) for each in listed(config)] == [
        ("token_id", "t", None),
        ("agent", "z", None),
        ("user", "alice", None),
        ("user", "alice", "https://idp"),
        ("user", "bob", None),
        ("issuer", "https://idp", None),
    ]


def test_what_is_not_revoked_cannot_be_restored(config: Path) -> None:
    """One: there is nothing such. A user of one issuer is not the user of all."""
    revoke(config, "--user", "alice")
    done = run("restore", "--config", config, "--user", "alice", "--issuer", "https://idp", "--reason", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "not revoked: user alice of issuer https://idp\n"


def test_without_any_replica_it_is_written_and_said_that_nobody_heeds_it(config: Path) -> None:
    """Perhaps the services use another store."""
    done = run("revoke", "--config", config, "--user", "alice", "--reason", "x")
    assert done.returncode == 1
    assert done.stdout.startswith("revoked: user alice")
    assert done.stderr.startswith("no replica is there")
    assert len(listed(config)) == 1


def test_a_replica_that_has_not_spoken_for_long_is_not_waited_for(config: Path, server: Server) -> None:
    """It has ended without a word; one that lives and is behind is named."""

    def note(change: str, said: float) -> None:
        with server.client() as client:
            client.hset("{agent_gateway}:revocations:replicas", "r1", f"{change} {said * 1000:.0f}")

    note("1-0", time.time())
    done = run("revoke", "--config", config, "--user", "alice", "--reason", "x", "--wait", "0.1")
    assert done.returncode == 1
    assert done.stderr.startswith("NOT in force after ")
    assert done.stderr.endswith(" on: r1\n")
    note("1-0", time.time() - 20)
    done = run("revoke", "--config", config, "--user", "alice", "--reason", "x", "--json")
    assert (done.returncode, json.loads(done.stdout)["replicas"]) == (1, {"in_force": [], "not_in_force": []})
    note("9999999999999-0", time.time())
    done = run("revoke", "--config", config, "--user", "alice", "--reason", "x")
    assert (done.returncode, "in force on 1 of 1 replicas after " in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "one of --agent, --user, --token-id and --issuer is needed"),
        (("--user", "a", "--agent", "b"), "only one of --agent, --user and --token-id can be given"),
        (("--user", ""), "the user must be 1 to 256 printable characters"),
        (("--user", "a\x1b[2J"), "the user must be 1 to 256 printable characters"),
        (("--user", "a", "--by", ""), "the name of who does this must be"),
        (("--user", "a", "--reason", ""), "the reason must be"),
        (("--user", "a", "--for", "1w"), "--for must be a time such as 90s, 15m, 1h or 7d, but is '1w'"),
        (("--user", "a", "--for", "0s"), "a revocation holds for 1 second to"),
        (("--user", "a", "--for", "99999d"), "a revocation holds for 1 second to"),
        (("--user", "a", "--issued-before", "yesterday"), "--issued-before must be `now` or a time such as"),
        (("--user", "a", "--issued-before", "2026-01-31T12:00:00"), "--issued-before must be `now` or a time such as"),
        (("--token-id", "a", "--issued-before", "now"), "a token id names one token, whenever it was issued"),
    ],
)
def test_what_cannot_be_revoked_is_said_and_nothing_is_written(
    config: Path, arguments: tuple[str, ...], told: str
) -> None:
    """Two: the arguments are at fault."""
    done = revoke(config, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(told)
    assert listed(config) == []


def test_nothing_is_revoked_without_a_reason(config: Path) -> None:
    """The audit log asks why."""
    done = run("revoke", "--config", config, "--user", "alice")
    assert done.returncode == 2
    assert "--reason" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("revocation: {}\n", ": has no section valkey, which says where the revocations are kept"),
        ("valkey: {url: h}\n", ": has no section revocation: no service with this configuration heeds revocations"),
        ("valkey: {url: h, deadline_ms: 1}\nrevocation: {}\n", ":1: valkey.deadline_ms must be from 10 to 10000"),
        ("valkey: [\n", ":2: is not YAML"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told_with_file_and_line(tmp_path: Path, text: str, told: str) -> None:
    """In text and in JSON."""
    file = tmp_path / "x.yaml"
    file.write_text(text)
    done = run("revocations", "--config", file)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{file}{told}")
    (fault,) = json.loads(run("revocations", "--config", file, "--json").stdout)["faults"]
    assert fault["source"] == str(file)


def test_without_a_configuration_there_is_nowhere_to_look() -> None:
    """It is needed, wherever it stands."""
    done = run("revocations")
    assert (done.returncode, done.stderr) == (2, "--config FILE is needed: it says where Valkey is\n")


def test_a_store_that_is_away_is_a_fault_that_says_what_is_not_known(config: Path, shared: Server) -> None:
    """A command that was sent may have been carried out."""
    config.write_text(config.read_text().replace(str(shared.port), "1"))
    done = revoke(config, "--user", "alice")
    assert done.returncode == 2
    assert done.stderr == (
        "Valkey: Connection refused; whether it was done is not known: see `revocations`, and do it again\n"
    )
    done = run("revocations", "--config", config, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (2, {"error": "Valkey: Connection refused"})


def test_what_cannot_be_read_is_counted_and_a_fault(config: Path, server: Server) -> None:
    """What can be is shown."""
    revoke(config, "--user", "alice")
    with server.client() as client:
        client.hset("{agent_gateway}:revocations", "x", "y")
    done = run("revocations", "--config", config)
    assert done.returncode == 2
    assert done.stdout.startswith("user alice, ")
    assert done.stderr == "1 revocations cannot be read\n"
