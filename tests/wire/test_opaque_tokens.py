"""authz_service with an issuer whose tokens are opaque: asked over HTTP, away, withdrawing, with a changed secret."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import grpc
import httpx

from service_kit.wire import ext_authz_pb2
from tests.wire.processes import Keys, Running, authz_service

OPAQUE = "https://opaque.example"
TOKEN, SECRET = "opaque-1f4e-token", "client-77aa-secret"
PATIENCE = 30.0  # seconds


class Issuer:
    """Answers questions about tokens, over HTTP, in a thread."""

    def __init__(self) -> None:
        self.tokens: dict[str, dict[str, Any]] = {}
        self.secret = SECRET
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                token = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["token"][0]
                outer.asked.append(token)
                expected = base64.b64encode(f"gateway:{outer.secret}".encode()).decode()
                known = self.headers.get("Authorization") == f"Basic {expected}"
                body = json.dumps(outer.tokens.get(token, {"active": False})).encode()
                self.send_response(200 if known else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}/introspect"

    @contextlib.contextmanager
    def running(self) -> Iterator[Issuer]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


@contextlib.contextmanager
def service(folder: Path, issuer: Issuer) -> Iterator[tuple[Running, Path]]:
    """The service, and the file of its secret."""
    keys = Keys(folder)
    secret = folder / "secret"
    secret.write_text(SECRET)
    introspection = {
        "endpoint": issuer.endpoint, "client_id": "gateway", "client_secret_file": str(secret),
        "cache_seconds": 1, "negative_cache_seconds": 1,
    }  # fmt: skip
    claims = {"user": "username", "agent": "client_id", "roles": "scope"}
    identity = {"issuers": [{"issuer": OPAQUE, "introspection": introspection, "claims": claims}]}
    with authz_service(folder, keys, identity=identity) as running:
        yield running, secret


def outcome(running: Running, token: str) -> tuple[str, str]:
    """Its code, and the user that it names."""
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host = "GET", "/reports", "api.company.example"
    http.headers["authorization"] = f"Bearer {token}"
    with grpc.insecure_channel(running.grpc) as channel:
        check = channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")
        answer = ext_authz_pb2.CheckResponse.FromString(check(request.SerializeToString(), timeout=20))
    metadata = dict(answer.dynamic_metadata.items())
    return answer.status.message or "ok", str(metadata.get("user", ""))


def comes(running: Running, token: str, expected: str) -> bool:
    """Whether a token has this outcome before patience ends."""
    end = time.monotonic() + PATIENCE
    while outcome(running, token)[0] != expected:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_opaque_tokens_are_asked_about_and_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    issuer = Issuer()
    usual = {"active": True, "username": "alice", "client_id": "desk", "scope": "r w", "exp": time.time() + 600}
    issuer.tokens[TOKEN] = usual
    with service(tmp_path, issuer) as (running, secret):
        with issuer.running():
            first = outcome(running, TOKEN)
            assert (first[0] in {"ok", "allowed"}, first[1]) == (True, "alice")
            allowed = first[0]
            assert outcome(running, f"{TOKEN}-other")[0] == "token_inactive"
            assert outcome(running, f"{TOKEN}.with.dots")[0] != allowed
            issuer.tokens[TOKEN] = {"active": False}
            assert comes(running, TOKEN, "token_inactive")
            issuer.tokens[TOKEN] = {**usual, "active": "true"}
            assert comes(running, TOKEN, "introspection_unavailable")
            issuer.tokens[TOKEN] = {**usual, "exp": time.time() - 600}
            assert comes(running, TOKEN, "token_expired")
            issuer.tokens[TOKEN] = usual
            issuer.secret = f"{SECRET}-2"
            assert outcome(running, f"{TOKEN}-new")[0] == "introspection_unavailable"
            secret.write_text(f"{SECRET}-2\n")
            assert comes(running, TOKEN, allowed)
        assert comes(running, f"{TOKEN}-late", "introspection_unavailable")
        assert httpx.get(f"http://{running.http}/readyz").json()["ready"] is True
        metrics = httpx.get(f"http://{running.http}/metrics").text
    assert all(f'authz_introspections_total{{result="{each}"}}' in metrics for each in ("active", "inactive", "failed"))
    written = running.log.read_text() + running.output.read_text() + metrics
    assert "answered 401" in written
    assert "Unclosed" not in written
    assert not any(hidden in written for hidden in (TOKEN, SECRET))
