"""authz_service with an issuer's keys in a file that is written over while it serves: well, badly, and well again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx

from service_kit.wire import ext_authz_pb2
from tests.wire.processes import Keys, Running, authz_service

PATIENCE = 30.0  # seconds


def code(running: Running, token: str) -> str:
    """The code of a decision about a request with this token."""
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host = "GET", "/reports", "api.company.example"
    http.headers["authorization"] = f"Bearer {token}"
    with grpc.insecure_channel(running.grpc) as channel:
        check = channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")
        answer = ext_authz_pb2.CheckResponse.FromString(check(request.SerializeToString(), timeout=20))
    return str(answer.status.message)


def comes(happens: Callable[[], bool]) -> bool:
    """Whether something happens before patience ends."""
    end = time.monotonic() + PATIENCE
    while not happens():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_a_key_file_is_taken_up_when_it_changes_and_a_bad_one_leaves_the_old_keys(tmp_path: Path) -> None:
    """Health and log tell of it; calls go on."""
    (tmp_path / "other").mkdir()
    keys, others = Keys(tmp_path), Keys(tmp_path / "other")
    with authz_service(tmp_path, keys) as running:

        def health() -> dict[str, object]:
            found: dict[str, object] = httpx.get(f"http://{running.http}/readyz").json()
            return found

        allowed = code(running, keys.token())
        assert code(running, others.token()) == "signature_invalid"
        assert (health()["ready"], "ok" in str(health())) == (True, True)
        keys.file.write_text('{"keys": [')
        assert comes(lambda: "key set is not JSON" in str(health()))
        assert health()["ready"] is True
        assert code(running, keys.token()) == allowed
        keys.file.write_bytes(others.file.read_bytes())
        assert comes(lambda: code(running, others.token()) == allowed)
        assert code(running, keys.token()) == "signature_invalid"
        assert comes(lambda: "key set is not JSON" not in str(health()))
        log = running.log.read_text()
    assert '"keys not refreshed"' in log
    assert "key set is not JSON" in log
