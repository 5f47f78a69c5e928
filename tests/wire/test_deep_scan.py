"""A body that passed is looked at again by a worker of its own, and its agent is revoked for what it held."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.ports import HOST
from service_kit.wire import envoy_core_pb2, ext_proc_mode_pb2, ext_proc_pb2
from tests.valkey_servers import Server
from tests.wire.hosting import Client, run
from tests.wire.processes import REPOSITORY, Keys, Running, authz_service

SSN = "123-45-6789"
NOTED = {"decision_id": "d-77", "user": "alice", "agent": "cowork", "issuer": "https://idp.example", "endpoint": "/hr"}
WORKER_SECONDS = 120


@pytest.fixture(scope="module")
def valkey() -> Iterator[Server]:
    """Where bodies wait, and revocations are kept."""
    with Server() as found:
        yield found


@pytest.fixture(scope="module")
def service(valkey: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service, which lets everything pass and hands it over."""
    folder = tmp_path_factory.mktemp("deep")
    (folder / "key").write_bytes(base64.b64encode(os.urandom(32)))
    rule = {"entities": ["us_ssn"], "revoke": "agent", "for_seconds": 3600}
    dlp = {
        "actions": [{"action": "allow"}],
        "deep_scan": {"key_files": ["key"], "endpoints": ["/hr"], "on_finding": [rule]},
    }
    store = {"url": f"{HOST}:{valkey.port}"}
    with authz_service(folder, Keys(folder), valkey=store, revocation={}, dlp=dlp) as running:
        yield running


def _messages(body: bytes) -> Iterator[Any]:
    modes = ext_proc_mode_pb2.ProcessingMode
    first = ext_proc_pb2.ProcessingRequest(request_headers=ext_proc_pb2.HttpHeaders())
    for name, value in ((":method", b"POST"), (":path", b"/hr"), (":authority", b"x"), ("content-type", b"text/plain")):
        first.request_headers.headers.headers.append(envoy_core_pb2.HeaderValue(key=name, raw_value=value))
    first.protocol_config.request_body_mode = modes.BUFFERED
    first.protocol_config.response_body_mode = modes.NONE
    first.metadata_context.filter_metadata["envoy.filters.http.ext_authz"].update(NOTED)
    yield first
    yield ext_proc_pb2.ProcessingRequest(request_body=ext_proc_pb2.HttpBody(body=body, end_of_stream=True))


async def _send(client: Client, body: bytes) -> None:
    call = client.process()
    for message in _messages(body):
        await call.write(message)
        assert not (await call.read()).HasField("immediate_response")
    await call.done_writing()


def _work(config: Path) -> tuple[list[dict[str, Any]], dict[str, int], str]:
    """Run a worker until nothing is left to do; return its events, its counts, and all that it said."""
    command = [sys.executable, "-m", "authz_service", "--config", str(config), "deep-scan", "--once", "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=WORKER_SECONDS)
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = json.loads(done.stderr.splitlines()[-1])
    return [json.loads(line) for line in done.stdout.splitlines()], counts, done.stdout + done.stderr


def test_a_finding_of_the_worker_revokes_the_agent(service: Running, valkey: Server) -> None:
    """The body has passed, the event tells whose it was, and no value is anywhere but encrypted."""

    async def scene(client: Client) -> None:
        await _send(client, f"my number is {SSN}".encode())
        await _send(client, b"nothing here")

    run(scene, service.grpc)
    with contextlib.closing(valkey.client()) as client:
        for _ in range(100):
            if client.exists("{agent_gateway}:deep_scan") and client.xlen("{agent_gateway}:deep_scan") == 2:
                break
            asyncio.run(asyncio.sleep(0.05))
        kept = b"".join(client.dump(key) or b"" for key in client.scan_iter())
        assert SSN.encode() not in kept
        assert b"alice" not in kept
    events, counts, said = _work(service.log.parent / "authz.yaml")
    assert counts == {"found": 1, "clean": 1}
    ((event, told),) = [(event, event["findings"]) for event in events]
    assert told == [{"entity": "us_ssn", "count": 1, "score": 1.0}]
    assert (event["decision_id"], event["agent_id"], event["actions"]) == ("d-77", "cowork", ["revoked_agent"])
    assert SSN not in said + service.log.read_text() + service.output.read_text()
    listed = subprocess.run(
        [sys.executable, "-m", "authz_service", "revocations", "--config", str(service.log.parent / "authz.yaml")],
        cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "agent cowork" in listed.stdout
    assert "deep scan found us_ssn" in listed.stdout
    assert _work(service.log.parent / "authz.yaml")[1] == {}


def test_a_worker_without_anything_to_do_says_why(tmp_path: Path) -> None:
    """A configuration without the section, an analyser that is not there."""
    (tmp_path / "authz.yaml").write_text("listen: {grpc: '127.0.0.1:0', http: '127.0.0.1:0'}\n")
    command = [sys.executable, "-m", "authz_service", "--config", str(tmp_path / "authz.yaml"), "deep-scan", "--once"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=WORKER_SECONDS)
    assert done.returncode == 2
    assert "authz.yaml" in done.stderr
