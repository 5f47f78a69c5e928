"""authz_service with its policy from a bundle server: signed bundles fetched, followed, and refused when forged."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc

from service_kit.wire import ext_authz_pb2
from tests.authz_service.minting import SigningKey, key
from tests.authz_service.policy.bundles.bundling import archive, signed
from tests.wire.processes import Keys, Running, authz_service

PATIENCE = 60.0  # seconds
OURS, FORGED = key("ES256"), key("ES256", number=7)


def statement(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "stmt": fields}


def local(number: int) -> dict[str, Any]:
    return {"type": "local", "value": number}


def bundle(revision: str, signer: SigningKey, *, allow: bool) -> bytes:
    """A bundle whose rule `agent/decision` is a constant, as `opa build -t plan` writes it."""
    rule = [
        statement("AssignVarStmt", source={"type": "bool", "value": allow}, target=2),
        statement("ReturnLocalStmt", source=2),
    ]
    asking = [
        statement("CallStmt", func="g0.data.agent.decision", args=[local(0), local(1)], result=2),
        statement("MakeObjectStmt", target=3),
        statement("ObjectInsertStmt", key={"type": "string_index", "value": 0}, value=local(2), object=3),
        statement("ResultSetAddStmt", value=3),
    ]
    function = {
        "name": "g0.data.agent.decision", "path": ["g0", "agent", "decision"], "params": [0, 1], "return": 2,
        "blocks": [{"stmts": rule}],
    }  # fmt: skip
    plan = {
        "static": {"strings": [{"value": "result"}]},
        "plans": {"plans": [{"name": "agent/decision", "blocks": [{"stmts": asking}]}]},
        "funcs": {"funcs": [function]},
    }
    manifest = {"revision": revision, "roots": ["agent"], "rego_version": 1}
    files = {name: _json(value) for name, value in (("plan.json", plan), ("data.json", {}), (".manifest", manifest))}
    return archive(signed(files, signer))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class BundleServer:
    """Serves one bundle, by ETag."""

    def __init__(self) -> None:
        self.content = b""
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = outer.content
                tag = f'"{hashlib.sha256(content).hexdigest()}"'
                status = 304 if self.headers.get("If-None-Match") == tag else 200
                outer.statuses.append(status)
                self.send_response(status)
                self.send_header("ETag", tag)
                if status == 200:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if status == 200:
                    self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/bundle.tar.gz"

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def allowed(service: Running, token: str) -> bool:
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host = "GET", "/reports", "api.example"
    http.headers.update({":method": "GET", ":path": "/reports", "authorization": f"Bearer {token}"})
    with grpc.insecure_channel(service.grpc) as channel:
        call = channel.unary_unary(
            "/envoy.service.auth.v3.Authorization/Check",
            request_serializer=ext_authz_pb2.CheckRequest.SerializeToString,
            response_deserializer=ext_authz_pb2.CheckResponse.FromString,
        )
        answer: ext_authz_pb2.CheckResponse = call(request, timeout=PATIENCE)
    return bool(answer.status.code == grpc.StatusCode.OK.value[0])


def ready(service: Running) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{service.http}/readyz", timeout=PATIENCE) as answer:
        told: dict[str, Any] = json.loads(answer.read())
        return told


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_signed_bundle_is_followed_and_a_forged_one_never_comes_into_use(tmp_path: Path) -> None:
    server, keys = BundleServer(), Keys(tmp_path)
    (tmp_path / "bundle.pem").write_bytes(OURS.public_pem())
    server.content = bundle("r1", OURS, allow=True)
    policy = {
        "decision": "agent/decision",
        "bundle": {
            "url": server.url,
            "poll_seconds": 1,
            "verification": {"key_file": str(tmp_path / "bundle.pem"), "algorithm": "ES256", "key_id": "k1"},
        },
    }
    with server.running(), authz_service(tmp_path, keys, policy=policy) as service:
        token = keys.token()
        assert allowed(service, token)
        assert ready(service)["policy_revision"].startswith("r1")
        until(lambda: 304 in server.statuses)  # nothing new: nothing is sent

        server.content = bundle("r2", OURS, allow=False)
        until(lambda: ready(service)["policy_revision"].startswith("r2"))
        assert not allowed(service, token)

        server.content = bundle("r3", FORGED, allow=True)
        until(lambda: ready(service)["policy_reload"].startswith("refused"))
        assert "signature" in ready(service)["policy_reload"]
        assert ready(service)["policy_revision"].startswith("r2")
        assert not allowed(service, token)

        server.content = bundle("r4", OURS, allow=True)
        until(lambda: ready(service)["policy_revision"].startswith("r4"))
        assert allowed(service, token)
