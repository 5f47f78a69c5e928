"""A running stack for tests: `python -m devstack` as a process of its own, and clients that tidy nothing up."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from audit_log.event import SCHEMA
from devstack import state as states
from devstack.state import State

REPOSITORY = Path(__file__).parent.parent.parent
START_SECONDS = 90.0
END_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back: header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)

    def seen(self) -> dict[str, Any]:
        """What the upstream received, its headers by lower-case name."""
        assert self.status == 200, self.body
        echo = self.json()
        return {**echo, "headers": {name.lower(): value for name, value in echo["headers"]}}


class Gateway:
    """A stack that runs, seen from outside."""

    def __init__(self, process: subprocess.Popen[str], state: State, trust: ssl.SSLContext | None = None) -> None:
        self.process = process
        self.state = state
        self.trust = trust or ssl.create_default_context(cafile=state.ca_file)

    def token(self, roles: tuple[str, ...] = (), **claims: Any) -> str:
        """A token of the stack's issuer, each for a user and an agent of its own: no test eats another's limit."""
        now = int(time.time())
        name = uuid.uuid4().hex[:12]
        usual: dict[str, Any] = {
            "iss": self.state.issuer_url,
            "aud": "agent-gateway",
            "sub": f"user-{name}",
            "email": f"{name}@company.example",
            "agent_id": f"agent-{name}",
            "roles": list(roles),
            "iat": now,
            "exp": now + 600,
        }
        wanted = {key: value for key, value in {**usual, **claims}.items() if value is not None}
        # The issuer speaks plain HTTP; without a context at hand the client reads all authorities of the system anew.
        response = httpx.post(f"{self.state.issuer_url}/sign", json=wanted, verify=self.trust)
        response.raise_for_status()
        return response.text

    def send(
        self,
        target: str,
        token: str | None = None,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answer:
        """Send one HTTP/1.1 request with the target exactly as it is written: no client tidies it up."""
        url = urlsplit(self.state.gateway_url)
        connection = http.client.HTTPSConnection(url.hostname or "", url.port, context=self.trust, timeout=30)
        with contextlib.closing(connection):
            given = list(headers.items() if isinstance(headers, Mapping) else headers or [])
            own_host = any(name.lower() == "host" for name, _ in given)
            connection.putrequest(method, target, skip_host=own_host, skip_accept_encoding=True)
            if token is not None:
                connection.putheader("Authorization", f"Bearer {token}")
            for name, value in given:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)

    def turns_away(self, *request: Any, **more: Any) -> bool:
        """Whether Envoy itself refuses a malformed request: with 400, or, where it closes before that can be sent."""
        try:
            return self.send(*request, **more).status == HTTPStatus.BAD_REQUEST
        except http.client.RemoteDisconnected:
            return True

    def http2(self) -> httpx.Client:
        """A client that speaks HTTP/2. It writes its protocols into its TLS context, so that is one of its own."""
        trust = ssl.create_default_context(cafile=self.state.ca_file)
        return httpx.Client(http1=False, http2=True, verify=trust, base_url=self.state.gateway_url, timeout=30)

    def audit(self, decision_id: str, schema: str = SCHEMA) -> dict[str, Any]:
        """The audit event of a decision; it is written beside the request, so it may take a moment."""
        for _ in range(100):
            for line in Path(self.state.audit_file).read_text().splitlines():
                if decision_id in line and f'"schema": "{schema}"' in line:
                    event: dict[str, Any] = json.loads(line)
                    return event
            time.sleep(0.05)
        raise AssertionError(f"no audit event for {decision_id}")

    def received(self) -> list[dict[str, Any]]:
        """The last requests that reached the upstream."""
        found: list[dict[str, Any]] = httpx.get(f"{self.state.upstream_url}/__received").json()
        return found

    def reached(self, marker: str) -> bool:
        """Whether a request that bore this marker in a header reached the upstream."""
        return any(["x-marker", marker] in [[n.lower(), v] for n, v in seen["headers"]] for seen in self.received())

    @staticmethod
    def in_one_minute() -> None:
        """Wait for the next minute where this one is about to end: fixed windows begin anew with it."""
        left = 60 - time.time() % 60
        if left < 10:
            time.sleep(left + 0.1)

    def resident_bytes(self, part: str) -> int:
        """How much memory a part holds (Linux; 0 elsewhere)."""
        try:
            pages = int(Path(f"/proc/{self.state.pids[part]}/statm").read_text().split()[1])
        except FileNotFoundError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def kill(self, part: str) -> None:
        """End one part at once, with every process of it, as the end of its container would."""
        for pid in _family(self.state.pids[part]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def metric(self, url: str, name: str) -> float:
        """The sum of a metric's samples."""
        lines = httpx.get(f"{url}/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    pairs = _parents_in_proc() if Path("/proc/self/stat").exists() else _parents_by_ps()
    found = [pid]
    for each in found:
        found += [child for child, parent in pairs if parent == each]
    return found


def _parents_in_proc() -> list[tuple[int, int]]:
    """Every process and its parent, as Linux tells."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found.append((int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])))
    return found


def _parents_by_ps() -> list[tuple[int, int]]:
    """The same elsewhere."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [(int(child), int(parent)) for child, parent in (line.split() for line in listed.splitlines())]


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Gateway]:
    """Start a stack on free ports, wait until it is healthy, and end it."""
    output = folder.parent / f"{folder.name}.out"
    command = [sys.executable, "-m", "devstack", "--ports", "auto", "--dir", str(folder), *arguments]
    with output.open("w") as file:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=file, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while (state := states.read(folder)) is None:
            assert process.poll() is None, f"the stack ended: {output.read_text()}"
            assert time.monotonic() < deadline, f"the stack is not healthy: {output.read_text()}"
            time.sleep(0.1)
        yield Gateway(process, state)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
