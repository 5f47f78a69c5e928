"""The kill switch as an operator pulls it: the command, four replicas under load, and the store in between."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
import httpx
import pytest

from devstack.ports import HOST
from service_kit.wire import ext_authz_pb2
from tests.valkey_servers import Server, until
from tests.wire import processes
from tests.wire.processes import REPOSITORY, Keys, Running
from tests.wire.test_opaque_tokens import OPAQUE, SECRET, TOKEN, Issuer

CHECK = "/envoy.service.auth.v3.Authorization/Check"
REPLICAS = 4
PAUSE = 0.005  # seconds between two requests of a caller
ALLOWED = 0
# Both ways to carry calls, since both have an event loop of their own kind.
HOSTS = ("grpcio", "pyvoy")


@dataclass
class Caller:
    """Sends one caller's requests to one replica, one after the other, and notes when each was sent that passed.

    There is a short pause between them, so that the replicas and the commands have the processor too.
    """

    running: Running
    token: str
    passed: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._send)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _send(self) -> None:
        with grpc.insecure_channel(self.running.grpc) as channel:
            call = channel.unary_unary(CHECK)
            while not self._end.wait(PAUSE):
                began = time.time()
                answer = ext_authz_pb2.CheckResponse.FromString(call(request(self.token), timeout=20))
                if answer.status.code == ALLOWED:
                    self.passed.append(began)
                else:
                    self.codes.add(answer.status.message)
                    self.refused.append(began)


def request(token: str) -> bytes:
    """A GET with this token."""
    message = ext_authz_pb2.CheckRequest()
    http = message.attributes.request.http
    http.method, http.path, http.host = "GET", "/x", "api.example"
    http.headers["authorization"] = f"Bearer {token}"
    data: bytes = message.SerializeToString()
    return data


def outcome(running: Running, token: str) -> str:
    """The code of one answer; empty where the request passes."""
    with grpc.insecure_channel(running.grpc) as channel:
        answer = ext_authz_pb2.CheckResponse.FromString(channel.unary_unary(CHECK)(request(token), timeout=20))
    return str(answer.status.message)


def command(config: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run a command and return its answer; `code` is how it must end."""
    line = [sys.executable, "-m", "authz_service", *arguments, "--config", str(config), "--json"]
    done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr + done.stdout
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def revocation_events(running: Running) -> list[dict[str, Any]]:
    """The audit events of revocations, as far as they are written."""
    lines = map(json.loads, running.output.read_text().splitlines())
    return [line for line in lines if line["schema"] == "agent_gateway.audit.revocation/1"]


@contextlib.contextmanager
def replicas(folder: Path, keys: Keys, valkey: Server, count: int, **terms: Any) -> Iterator[list[Running]]:
    """So many services with the same store, in folders of their own."""
    policy = folder / "policy"
    policy.mkdir(exist_ok=True)
    (policy / "main.rego").write_text("package p\n\ndecision := true\n")
    with contextlib.ExitStack() as stack:
        started = []
        for number in range(count):
            own = folder / str(number)
            own.mkdir(exist_ok=True)
            started.append(
                stack.enter_context(
                    processes.authz_service(
                        own,
                        keys,
                        listen={"grpc": f"{HOST}:0", "http": f"{HOST}:0", "server": HOSTS[number % len(HOSTS)]},
                        policy={"paths": [str(policy)], "decision": "p/decision"},
                        valkey={"url": f"{HOST}:{valkey.port}", "deadline_ms": 5000},
                        revocation=terms,
                    )
                )
            )
        yield started


def test_once_the_command_returns_no_replica_lets_the_caller_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under load on each of them; every kind of subject, one after the other, and each is let in again."""
    keys = Keys(tmp_path)
    victim = keys.token(agent_id="desktop-7", sub="carol", jti="t-1", iat=int(time.time()) - 60)
    with Server(("appendonly yes",)) as valkey, replicas(tmp_path, keys, valkey, REPLICAS) as running:
        config = tmp_path / "0" / "authz.yaml"
        with contextlib.ExitStack() as load:
            others = [load.enter_context(Caller(each, keys.token())) for each in running]
            rounds = [
                ("--agent", "desktop-7"),
                ("--token-id", "t-1"),
                ("--issuer", processes.ISSUER, "--user", "carol"),
                ("--user", "carol", "--issued-before", "now"),
            ]
            for selector in rounds:
                with contextlib.ExitStack() as round_of_callers:
                    callers = [round_of_callers.enter_context(Caller(each, victim)) for each in running]
                    until(lambda: all(caller.passed for caller in callers), "the first answers")  # noqa: B023  (at once)
                    answer = command(config, "revoke", *selector, "--reason", "test")
                    returned = time.time()
                    until(lambda: all(c.refused and c.refused[-1] > returned for c in callers), "refusals")  # noqa: B023  (at once)
                    time.sleep(0.2)
                made = int(answer["change"].partition("-")[0]) / 1000
                last = max(caller.passed[-1] for caller in callers)
                with capsys.disabled():
                    print(  # noqa: T201  (the figures are what this is for)
                        f"\n{selector[0]}: the last request that passed was sent {(last - made) * 1000:+.0f} ms after "
                        f"the change, {(last - returned) * 1000:+.0f} ms after the command returned; it waited "
                        f"{answer['seconds'] * 1000:.0f} ms for {len(answer['replicas']['in_force'])} replicas"
                    )
                assert last - returned < 1
                assert {code for caller in callers for code in caller.codes} == {"token_revoked"}
                assert len(answer["replicas"]["in_force"]) == REPLICAS
                bare = [word for word in selector if word not in {"--issued-before", "now"}]
                command(config, "restore", *bare, "--reason", "test is over")
                assert [outcome(each, victim) for each in running] == [""] * REPLICAS
        assert all(not other.refused for other in others), "nobody else was refused"
        for each in running:
            until(lambda: len(revocation_events(each)) == 2 * len(rounds), "the audit events")  # noqa: B023  (at once)
            told = revocation_events(each)
            assert [event["action"] for event in told] == ["revoke", "restore"] * len(rounds)
            assert {event["reason"] for event in told} == {"test", "test is over"}
            assert "t-1" in {event["value"] for event in told}


def test_revocations_survive_the_restart_of_every_part_and_a_lost_store_refuses(tmp_path: Path) -> None:
    """The service, the store, and both; while the store is away the last list holds, then nobody passes."""
    keys = Keys(tmp_path)
    victim, other = keys.token(sub="carol"), keys.token()
    config = tmp_path / "0" / "authz.yaml"
    with Server(("appendonly yes",)) as valkey:
        with replicas(tmp_path, keys, valkey, 1, max_age_seconds=2) as (running,):
            command(config, "revoke", "--user", "carol", "--reason", "test")
            assert (outcome(running, victim), outcome(running, other)) == ("token_revoked", "")
        with replicas(tmp_path, keys, valkey, 1, max_age_seconds=2) as (running,):
            assert (outcome(running, victim), outcome(running, other)) == ("token_revoked", "")
            valkey.kill()
            assert outcome(running, victim) == "token_revoked"
            until(lambda: outcome(running, other) == "revocations_unknown", "the list's growing old")
            assert outcome(running, victim) == "token_revoked"
            until(lambda: httpx.get(f"http://{running.http}/readyz").status_code == 503, "the end of readiness")
            assert httpx.get(f"http://{running.http}/readyz").json()["revocations"].startswith("out of date: ")
            valkey.start()
            until(lambda: outcome(running, other) == "", "the list's being known again")
            until(lambda: httpx.get(f"http://{running.http}/readyz").status_code == 200, "readiness")
            assert outcome(running, victim) == "token_revoked"
            metrics = httpx.get(f"http://{running.http}/metrics").text
            assert "authz_revocations 1.0" in metrics


def test_an_opaque_token_is_revoked_by_the_id_that_its_issuer_tells(tmp_path: Path) -> None:
    """Though what the issuer said of it is still remembered."""
    issuer = Issuer()
    told = {"active": True, "username": "alice", "client_id": "desk", "exp": time.time() + 600}
    issuer.tokens |= {TOKEN: {**told, "jti": "opaque-1"}, f"{TOKEN}-2": {**told, "jti": "opaque-2"}}
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    introspection = {"endpoint": issuer.endpoint, "client_id": "gateway", "client_secret_file": str(secret)}
    claims = {"user": "username", "agent": "client_id"}
    identity = {"issuers": [{"issuer": OPAQUE, "introspection": introspection, "claims": claims}]}
    with Server() as valkey, issuer.running():
        stored = {"url": f"{HOST}:{valkey.port}", "deadline_ms": 5000}
        policy = tmp_path / "main.rego"
        policy.write_text("package p\n\ndecision := true\n")
        with processes.authz_service(
            tmp_path,
            Keys(tmp_path),
            identity=identity,
            policy={"paths": [str(policy)], "decision": "p/decision"},
            valkey=stored,
            revocation={},
        ) as running:
            assert outcome(running, TOKEN) == ""
            command(tmp_path / "authz.yaml", "revoke", "--token-id", "opaque-1", "--issuer", OPAQUE, "--reason", "test")
            assert outcome(running, TOKEN) == "token_revoked"
            assert outcome(running, f"{TOKEN}-2") == ""


def test_where_it_is_chosen_so_callers_pass_without_the_store(tmp_path: Path) -> None:
    """From the start, if need be; who is known to be revoked is still refused."""
    keys = Keys(tmp_path)
    victim, other = keys.token(sub="carol"), keys.token()
    terms = {"max_age_seconds": 2, "when_stale": "continue"}
    with Server(("appendonly yes",)) as valkey:
        valkey.kill()
        with replicas(tmp_path, keys, valkey, 1, **terms) as (running,):
            assert outcome(running, victim) == ""
            ready = httpx.get(f"http://{running.http}/readyz")
            assert (ready.status_code, ready.json()["revocations"]) == (200, "ok")
            assert ready.json()["revocations_list"].startswith("out of date: ")
            valkey.start()
            until(lambda: httpx.get(f"http://{running.http}/readyz").json()["revocations_list"] == "up to date", "it")
            command(tmp_path / "0" / "authz.yaml", "revoke", "--user", "carol", "--reason", "test")
            valkey.kill()
            until(lambda: "out of" in httpx.get(f"http://{running.http}/readyz").json()["revocations_list"], "age")
            assert (outcome(running, victim), outcome(running, other)) == ("token_revoked", "")


def test_a_change_that_a_replica_does_not_follow_is_told_of(tmp_path: Path) -> None:
    """The exit code says that it is not in force everywhere, and the answer where not."""
    keys = Keys(tmp_path)
    with Server() as valkey, replicas(tmp_path, keys, valkey, 1) as (running,):
        config = tmp_path / "0" / "authz.yaml"
        command(config, "revoke", "--user", "a", "--reason", "test")
        running.process.send_signal(signal.SIGSTOP)
        try:
            answer = command(config, "revoke", "--user", "b", "--reason", "test", "--wait", "0.5", code=1)
        finally:
            running.process.send_signal(signal.SIGCONT)
        assert (answer["replicas"]["in_force"], len(answer["replicas"]["not_in_force"])) == ([], 1)
