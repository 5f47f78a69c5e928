"""One contract, both services, over a real gRPC channel to the real processes; then each one's own calls."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc import code_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from devstack.certificates import Authority
from service_kit.wire import envoy_core_pb2, ext_authz_pb2, health_pb2, rate_limit_pb2
from tests.wire import processes
from tests.wire.processes import Keys, Running

CHECK = "/envoy.service.auth.v3.Authorization/Check"
SHOULD_RATE_LIMIT = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
MAIN = {
    "authz_service": (CHECK, "envoy.service.auth.v3.Authorization"),
    "ratelimit_service": (SHOULD_RATE_LIMIT, "envoy.service.ratelimit.v3.RateLimitService"),
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def authz(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Running]:
    with processes.authz_service(tmp_path_factory.mktemp("authz"), keys) as running:
        yield running


@pytest.fixture(scope="module")
def ratelimit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with processes.ratelimit_service(tmp_path_factory.mktemp("ratelimit")) as running:
        yield running


@pytest.fixture(params=MAIN)
def service(request: pytest.FixtureRequest) -> tuple[Running, str, str]:
    """Each service in turn: the process, its main method, its full name."""
    running: Running = request.getfixturevalue(request.param.removesuffix("_service"))
    return running, *MAIN[request.param]


def call(running: Running, method: str, request: bytes | Message, seconds: float = 10) -> bytes:
    """Call a method with these very bytes and return the very bytes of the answer."""
    data = request if isinstance(request, bytes) else request.SerializeToString()
    with grpc.insecure_channel(running.grpc) as channel:
        answer: bytes = channel.unary_unary(method)(data, timeout=seconds)
        return answer


def status_of(running: Running, method: str, request: bytes | Message) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(running, method, request)
    return caught.value.code(), caught.value.details()


class TestBothServices:
    def test_it_is_healthy_as_a_whole_and_by_name(self, service: tuple[Running, str, str]) -> None:
        running, _, name = service
        for asked in ("", name):
            answer = call(running, "/grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest(service=asked))
            assert health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING

    def test_the_health_of_an_unknown_service_is_not_found(self, service: tuple[Running, str, str]) -> None:
        request = health_pb2.HealthCheckRequest(service="nobody")
        assert status_of(service[0], "/grpc.health.v1.Health/Check", request)[0] is grpc.StatusCode.NOT_FOUND

    def test_reflection_names_its_services_and_gives_their_messages(self, service: tuple[Running, str, str]) -> None:
        running, _, name = service
        with grpc.insecure_channel(running.grpc) as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            requests = [
                reflection_pb2.ServerReflectionRequest(list_services=""),
                reflection_pb2.ServerReflectionRequest(file_containing_symbol=name),
            ]
            listed, described = stub.ServerReflectionInfo(iter(requests), timeout=10)
        names = {service.name for service in listed.list_services_response.service}
        assert {name, "grpc.health.v1.Health"} <= names
        assert described.file_descriptor_response.file_descriptor_proto

    def test_an_unknown_method_is_unimplemented(self, service: tuple[Running, str, str]) -> None:
        assert status_of(service[0], f"/{service[2]}/Nothing", b"")[0] is grpc.StatusCode.UNIMPLEMENTED

    def test_bytes_that_are_no_message_are_an_invalid_argument(self, service: tuple[Running, str, str]) -> None:
        code, text = status_of(service[0], service[1], b"\xff\xff\xff\xff")
        assert (code, text) == (grpc.StatusCode.INVALID_ARGUMENT, "malformed message")

    def test_an_empty_message_is_an_invalid_argument(self, service: tuple[Running, str, str]) -> None:
        assert status_of(service[0], service[1], b"")[0] is grpc.StatusCode.INVALID_ARGUMENT

    def test_a_message_over_the_limit_is_refused(self, service: tuple[Running, str, str]) -> None:
        code, _ = status_of(service[0], service[1], b"\x00" * (4 * 1024 * 1024 + 1))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED

    def test_fields_that_it_does_not_know_are_passed_over(self, service: tuple[Running, str, str]) -> None:
        running, method, _ = service
        unknown = b"\xfa\x3f\x03abc"  # field 1023, length-delimited
        known = _check("/x", "") if method == CHECK else _limit(("nothing", "here"))
        assert call(running, method, known.SerializeToString() + unknown)

    def test_a_hundred_calls_at_once_are_all_answered(self, service: tuple[Running, str, str]) -> None:
        running, method, _ = service
        request = (_check("/x", "") if method == CHECK else _limit(("nothing", "here"))).SerializeToString()
        with grpc.insecure_channel(running.grpc) as channel:
            ask = channel.unary_unary(method)
            assert len({bool(call.result(20)) for call in [ask.future(request) for _ in range(100)]}) == 1

    def test_health_and_metrics_are_told_over_http(self, service: tuple[Running, str, str]) -> None:
        base = f"http://{service[0].http}"
        assert httpx.get(f"{base}/healthz").json() == {"alive": True}
        assert httpx.get(f"{base}/readyz").json()["ready"] is True
        assert "_total" in httpx.get(f"{base}/metrics").text
        assert httpx.get(f"{base}/nothing").status_code == 404


class TestEnd:
    @pytest.mark.parametrize("name", MAIN)
    def test_sigterm_ends_it_with_exit_code_0(self, name: str, tmp_path: Path, keys: Keys) -> None:
        start = (
            processes.authz_service(tmp_path, keys)
            if name == "authz_service"
            else processes.ratelimit_service(tmp_path)
        )
        with start as running:
            os.kill(running.process.pid, signal.SIGTERM)
            assert running.process.wait(20) == 0

    def test_it_serves_on_a_unix_socket_too(self, tmp_path: Path, keys: Keys) -> None:
        socket = f"unix://{tmp_path}/authz.sock"
        with processes.authz_service(tmp_path, keys, listen={"grpc": socket, "http": "127.0.0.1:0"}) as running:
            assert running.grpc == socket
            assert _answer(running, _check("/reports", keys.token())).status.code == code_pb2.OK

    def test_envoys_admin_interface_is_a_socket_in_the_folder_that_is_asked_for(self, keys: Keys) -> None:
        with tempfile.TemporaryDirectory() as folder:  # whose name is short enough for a socket
            listen = {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0", "server": "pyvoy", "envoy_admin": folder}
            with processes.authz_service(Path(folder), keys, listen=listen):
                admin = Path(folder, "admin-0.sock")
                assert stat.S_IMODE(admin.stat().st_mode) == 0o600
                with httpx.Client(transport=httpx.HTTPTransport(uds=str(admin))) as client:
                    assert client.get("http://envoy/ready").text == "LIVE\n"

    def test_with_a_client_ca_only_its_clients_are_served(self, tmp_path: Path, keys: Keys) -> None:
        authority = Authority(tmp_path / "tls")
        certificate, key = authority.issue("server", addresses=True)
        client, client_key = authority.issue("envoy", uri="spiffe://company.example/envoy")
        tls = {"certificate": str(certificate), "key": str(key), "client_ca": str(authority.certificate)}
        listen = {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0", "tls": tls}
        with processes.authz_service(tmp_path, keys, listen=listen) as running:
            trust = authority.certificate.read_bytes()
            known = grpc.ssl_channel_credentials(trust, client_key.read_bytes(), client.read_bytes())
            with grpc.secure_channel(running.grpc, known) as channel:
                assert channel.unary_unary(CHECK)(_check("/x", keys.token()).SerializeToString(), timeout=10)
            for stranger in (grpc.secure_channel(running.grpc, grpc.ssl_channel_credentials(trust)), None):
                with stranger or grpc.insecure_channel(running.grpc) as channel, pytest.raises(grpc.RpcError):
                    channel.unary_unary(CHECK)(_check("/x", keys.token()).SerializeToString(), timeout=3)


def _check(path: str, token: str, method: str = "GET", **headers: str) -> ext_authz_pb2.CheckRequest:
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host = method, path, "api.company.example"
    if token:
        http.headers["authorization"] = f"Bearer {token}"
    http.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return request


def _answer(running: Running, request: ext_authz_pb2.CheckRequest) -> ext_authz_pb2.CheckResponse:
    return ext_authz_pb2.CheckResponse.FromString(call(running, CHECK, request))


def _options(headers: Any) -> dict[str, tuple[str, bool, int]]:
    return {option.header.key: (option.header.value, option.append.value, option.append_action) for option in headers}


class TestCheck:
    def test_an_allow_says_ok_and_who_calls(self, authz: Running, keys: Keys) -> None:
        answer = _answer(authz, _check("/Reports/1", keys.token(roles=["engineer"])))
        assert answer.status.code == code_pb2.OK
        assert answer.WhichOneof("http_response") == "ok_response"
        metadata = dict(answer.dynamic_metadata.items())
        assert (metadata["user"], metadata["agent"], metadata["endpoint"]) == ("alice", "a1", "/reports")
        assert MessageToDict(answer.dynamic_metadata)["roles"] == ["engineer"]
        assert len(str(metadata["decision_id"])) == 36
        assert list(answer.ok_response.headers_to_remove) == ["authorization"]

    def test_a_redaction_overwrites_with_both_switches_set(self, authz: Running, keys: Keys) -> None:
        answer = _answer(authz, _check("/x?ssn=123-45-6789&a=1", keys.token(), x_note="key AKIADEMODEMODEMO2345"))
        overwrite = envoy_core_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        headers = _options(answer.ok_response.headers)
        assert headers == {"x-note": ("key [REDACTED:aws_access_key]", False, overwrite)}
        assert answer.ok_response.headers[0].HasField("append")
        query = {parameter.key: parameter.value for parameter in answer.ok_response.query_parameters_to_set}
        assert query == {"ssn": "%5BREDACTED%3Aus_ssn%5D"}

    def test_a_missing_token_is_401(self, authz: Running) -> None:
        answer = _answer(authz, _check("/x", ""))
        assert answer.status.code == code_pb2.UNAUTHENTICATED
        assert answer.denied_response.status.code == 401
        assert _options(answer.denied_response.headers)["www-authenticate"][0] == 'Bearer realm="agent-gateway"'

    @pytest.mark.parametrize(
        ("claims", "code"),
        [
            ({"aud": "another-service"}, "audience_wrong"),
            ({"exp": 1_000_000_000}, "token_expired"),
            ({"iss": "https://elsewhere.example"}, "issuer_unknown"),
            ({"sub": ""}, "claim_malformed"),
        ],
    )
    def test_a_token_that_does_not_hold_is_401(
        self, authz: Running, keys: Keys, claims: dict[str, Any], code: str
    ) -> None:
        answer = _answer(authz, _check("/x", keys.token(**claims)))
        assert answer.denied_response.status.code == 401
        assert answer.status.message == code
        assert 'error="invalid_token"' in _options(answer.denied_response.headers)["www-authenticate"][0]

    def test_a_policy_denial_is_403_with_its_reason(self, authz: Running, keys: Keys) -> None:
        answer = _answer(authz, _check("/hr/x", keys.token()))
        assert answer.status.code == code_pb2.PERMISSION_DENIED
        assert answer.denied_response.status.code == 403
        assert '"error": "role_missing"' in answer.denied_response.body

    def test_a_policy_that_has_no_answer_is_an_error_and_no_denial(self, tmp_path: Path, keys: Keys) -> None:
        policy = tmp_path / "rego"
        policy.mkdir()
        (policy / "main.rego").write_text('package p\n\ndecision := true if input.method == "PUT"\n')
        policies = {"paths": [str(policy)], "decision": "p/decision"}
        with processes.authz_service(tmp_path, keys, policy=policies) as running:
            answer = _answer(running, _check("/x", keys.token()))
        assert answer.WhichOneof("http_response") == "error_response"
        assert answer.error_response.status.code == 503
        assert answer.status.code == code_pb2.UNAVAILABLE


def _limit(
    *descriptors: tuple[str, str], domain: str = "agent_gateway", hits: int = 0
) -> rate_limit_pb2.RateLimitRequest:
    request = rate_limit_pb2.RateLimitRequest(domain=domain, hits_addend=hits)
    for key, value in descriptors:
        request.descriptors.add().entries.add(key=key, value=value)
    return request


def _limited(running: Running, request: rate_limit_pb2.RateLimitRequest) -> rate_limit_pb2.RateLimitResponse:
    return rate_limit_pb2.RateLimitResponse.FromString(call(running, SHOULD_RATE_LIMIT, request))


OK, OVER_LIMIT = rate_limit_pb2.RateLimitResponse.OK, rate_limit_pb2.RateLimitResponse.OVER_LIMIT


class TestShouldRateLimit:
    def test_statuses_stand_one_to_one_with_descriptors(self, ratelimit: Running) -> None:
        answer = _limited(ratelimit, _limit(("user", "one"), ("nothing", "here"), ("agent_id", "two")))
        assert answer.overall_code == OK
        assert [status.HasField("current_limit") for status in answer.statuses] == [True, False, True]
        assert [status.code for status in answer.statuses] == [OK, OK, OK]
        assert answer.statuses[0].current_limit.requests_per_unit == 100
        assert answer.statuses[0].limit_remaining == 19

    def test_the_burst_is_admitted_and_the_next_hit_is_over(self, ratelimit: Running) -> None:
        assert _limited(ratelimit, _limit(("user", "burst"), hits=20)).overall_code == OK
        answer = _limited(ratelimit, _limit(("user", "burst"), hits=2))
        assert answer.overall_code == OVER_LIMIT
        assert answer.statuses[0].duration_until_reset.seconds >= 1

    def test_a_value_that_has_a_rule_of_its_own_takes_it(self, ratelimit: Running) -> None:
        if (left := 60 - time.time() % 60) < 5:  # its window is a minute, and must not end between the calls
            time.sleep(left + 0.1)
        request = rate_limit_pb2.RateLimitRequest(domain="agent_gateway")
        descriptor = request.descriptors.add()
        descriptor.entries.add(key="user", value="nested")
        descriptor.entries.add(key="endpoint", value="/reports")
        codes = [_limited(ratelimit, request).overall_code for _ in range(6)]
        assert codes == [OK] * 5 + [OVER_LIMIT]

    def test_an_unknown_domain_has_no_limits(self, ratelimit: Running) -> None:
        answer = _limited(ratelimit, _limit(("user", "x"), domain="unknown"))
        assert answer.overall_code == OK
        assert [status.HasField("current_limit") for status in answer.statuses] == [False]

    def test_a_request_without_domain_or_descriptors_is_refused_by_name(self, ratelimit: Running) -> None:
        assert status_of(ratelimit, SHOULD_RATE_LIMIT, _limit(("user", "x"), domain="")) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "rate limit domain must not be empty",
        )
        assert status_of(ratelimit, SHOULD_RATE_LIMIT, _limit()) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "rate limit descriptor list must not be empty",
        )

    def test_the_reference_servers_health_name_is_known(self, ratelimit: Running) -> None:
        request = health_pb2.HealthCheckRequest(service="ratelimit")
        answer = call(ratelimit, "/grpc.health.v1.Health/Check", request)
        assert health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING
        assert httpx.get(f"http://{ratelimit.http}/healthcheck").text.strip() == "OK"
