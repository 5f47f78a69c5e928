"""One DPoP proof, sent to four replicas at once: it is accepted exactly once, and by none while their store is away."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from devstack.ports import HOST
from service_kit.wire import ext_authz_pb2
from tests.attacks.scene import PATH, Scene
from tests.authz_service.minting import ISSUER, key, key_set
from tests.valkey_servers import Server, until
from tests.wire import processes
from tests.wire.processes import Running

CHECK = "/envoy.service.auth.v3.Authorization/Check"
ORIGIN = "https://api.example"
REPLICAS, PROOFS, AT_ONCE = 4, 25, 16
SIGNER = key("ES256")
SCENE = Scene(ISSUER, SIGNER, ORIGIN, "x" * 43)


@contextlib.contextmanager
def replicas(folder: Path, server: Server) -> Iterator[Sequence[Running]]:
    """Services that share a store and nothing else."""
    (folder / "policy").mkdir()
    (folder / "policy" / "open.rego").write_text("package open\n\nallow := true\n")
    issuer = {"issuer": ISSUER, "audiences": ["agent-gateway"], "algorithms": ["ES256"], "jwks_file": "jwks.json"}
    with contextlib.ExitStack() as stack:
        started = []
        for number in range(REPLICAS):
            own = folder / str(number)
            own.mkdir()
            (own / "jwks.json").write_bytes(key_set(SIGNER))
            started.append(
                stack.enter_context(
                    processes.authz_service(
                        own,
                        processes.Keys(folder / "policy"),
                        identity={"issuers": [issuer], "dpop": {"origins": [ORIGIN]}},
                        policy={"paths": [str(folder / "policy" / "open.rego")], "decision": "open/allow"},
                        valkey={"url": f"{HOST}:{server.port}", "deadline_ms": 2_000},
                    )
                )
            )
        yield started


def request(token: str, proof: str) -> bytes:
    message = ext_authz_pb2.CheckRequest()
    http = message.attributes.request.http
    http.method, http.path, http.host, http.scheme = "GET", PATH, "api.example", "https"
    http.headers.update({"authorization": f"DPoP {token}", "dpop": proof})
    return message.SerializeToString()


def outcome(channel: grpc.Channel, data: bytes) -> str:
    """`passed`, or the code of the refusal or outage."""
    answer: bytes = channel.unary_unary(CHECK)(data, timeout=20)
    response = ext_authz_pb2.CheckResponse.FromString(answer)
    if response.status.code == 0:
        return "passed"
    body = response.denied_response.body or response.error_response.body
    return str(json.loads(body)["error"])


@pytest.fixture(scope="module")
def store() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_of_all_who_take_one_proof_one_accepts_it(store: Server, tmp_path: Path) -> None:
    with replicas(tmp_path, store) as services, contextlib.ExitStack() as stack:
        channels = [stack.enter_context(grpc.insecure_channel(service.grpc)) for service in services]
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        token = SCENE.by_key
        for _ in range(PROOFS):
            data = request(token, SCENE.proof(token))
            outcomes = list(pool.map(lambda number: outcome(channels[number % REPLICAS], data), range(AT_ONCE)))  # noqa: B023  (at once)
            assert sorted(outcomes) == ["passed", *["proof_replayed"] * (AT_ONCE - 1)]

        # Remembered over a restart of a replica and of all of them, as it is remembered by none of them.
        proof = SCENE.proof(token)
        assert outcome(channels[0], request(token, proof)) == "passed"
        store.suspend()
        try:
            began = time.monotonic()
            assert outcome(channels[1], request(token, SCENE.proof(token))) == "replay_unknown"
            assert time.monotonic() - began < 15
            plain = ext_authz_pb2.CheckRequest.FromString(request(token, proof))
            del plain.attributes.request.http.headers["dpop"]
            plain.attributes.request.http.headers["authorization"] = f"Bearer {SCENE.token()}"
            assert outcome(channels[1], plain.SerializeToString()) == "passed", "who needs no proof needs no store"
        finally:
            store.resume()
        until(lambda: outcome(channels[1], request(token, SCENE.proof(token))) == "passed", "the store's return")
        assert outcome(channels[2], request(token, proof)) == "proof_replayed"
