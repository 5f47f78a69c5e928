"""What policies for OPA's Envoy plugin rely on, over a real gRPC channel: the input, and every form of a result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc import code_pb2

from service_kit.wire import envoy_core_pb2, ext_authz_pb2
from tests.authz_service.policy.bodies.descriptors import SERVICE, descriptor_set, framed, message
from tests.wire import processes
from tests.wire.processes import Keys, Running

CHECK = "/envoy.service.auth.v3.Authorization/Check"
# The result is what the request asks for; without such a wish the policy tells its whole input.
POLICY = """package envoy.authz

headers := input.attributes.request.http.headers

result := json.unmarshal(headers["x-answer"])

result := {"allowed": false, "body": json.marshal(input)} if not headers["x-answer"]
"""
# Reads no body at all.
FRUGAL = """package envoy.authz

default result := false

result := true if input.parsed_path[0] == "open"
"""
ANONYMOUS = {"anonymous": "allow"}
CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "delete", "arguments": {"n": 1.5}}}
JSON = "application/json"
PART = b'--b\r\ncontent-disposition: form-data; name="a"'


class Service:
    """A service that serves, and a channel to it."""

    def __init__(self, running: Running, keys: Keys, channel: grpc.Channel) -> None:
        self.keys = keys
        self._running = running
        self._check = channel.unary_unary(CHECK)

    def check(self, request: ext_authz_pb2.CheckRequest) -> ext_authz_pb2.CheckResponse:
        return ext_authz_pb2.CheckResponse.FromString(self._check(request.SerializeToString(), timeout=20))

    def shown(self, request: ext_authz_pb2.CheckRequest) -> dict[str, Any]:
        """The whole input that a request makes."""
        answer = self.check(request)
        assert answer.denied_response.status.code == 403, answer
        found: dict[str, Any] = json.loads(answer.denied_response.body)
        return found

    def answer(self, result: Any) -> ext_authz_pb2.CheckResponse:
        """What a policy's result comes to."""
        return self.check(checked(headers={"x-answer": json.dumps(result)}))

    def audited(self) -> str:
        return self._running.output.read_text() + self._running.log.read_text()


def start(folder: Path, policy: str, **terms: Any) -> Iterator[Service]:
    """A service with this policy."""
    folder.mkdir()
    (folder / "rego").mkdir()
    (folder / "rego" / "authz.rego").write_text(policy)
    keys = Keys(folder)
    issuer = {
        "issuer": processes.ISSUER,
        "audiences": [processes.AUDIENCE],
        "jwks_file": str(keys.file),
        "algorithms": ["ES256"],
    }
    settings = {"paths": [str(folder / "rego")], "decision": "envoy/authz/result", **terms}
    identity = {"anonymous": "allow", "issuers": [issuer]}
    with (
        processes.authz_service(folder, keys, policy=settings, identity=identity) as running,
        grpc.insecure_channel(running.grpc) as channel,
    ):
        yield Service(running, keys, channel)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("contract")
    (folder / "books.pb").write_bytes(descriptor_set().SerializeToString())
    yield from start(folder / "service", POLICY, proto_descriptor=str(folder / "books.pb"))


@pytest.fixture(scope="module")
def frugal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from start(tmp_path_factory.mktemp("frugal") / "service", FRUGAL)


@pytest.fixture(scope="module")
def trying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from start(tmp_path_factory.mktemp("trying") / "service", POLICY, dry_run=True, skip_request_body_parse=True)


def checked(
    path: str = "/x",
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    raw: bool = True,
    method: str = "GET",
) -> ext_authz_pb2.CheckRequest:
    """A check of a request."""
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host, http.scheme = method, path, "api.example", "https"
    http.headers.update(headers or {})
    if raw:
        http.raw_body = body
    else:
        http.body = body.decode()
    return request


def with_body(body: bytes, content_type: str, path: str = "/x", **headers: str) -> ext_authz_pb2.CheckRequest:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return checked(path, headers={"content-type": content_type, **given}, body=body, method="POST")


# The input


class TestInput:
    def test_attributes_are_the_message_as_protojson_has_it(self, service: Service) -> None:
        request = checked("/a?b=c", headers={"x-a": "1"})
        attributes = request.attributes
        attributes.request.time.seconds, attributes.request.time.nanos = 1_763_870_417, 5
        attributes.request.http.size = -1
        attributes.source.principal = "spiffe://a"
        attributes.source.address.socket_address.address = "10.0.0.7"
        attributes.source.address.socket_address.port_value = 5000
        attributes.context_extensions["route"] = "r"
        attributes.metadata_context.filter_metadata["f"].update({"n": 1, "list": [True, None]})
        attributes.tls_session.sni = "api.example"
        found = service.shown(request)
        assert found["attributes"] == {
            "source": {
                "principal": "spiffe://a",
                "address": {"socketAddress": {"address": "10.0.0.7", "portValue": 5000}},
            },
            "request": {
                "time": {"seconds": 1_763_870_417, "nanos": 5},
                "http": {
                    "method": "GET",
                    "path": "/a?b=c",
                    "host": "api.example",
                    "scheme": "https",
                    "headers": {"x-a": "1"},
                    "size": -1,
                },
            },
            "contextExtensions": {"route": "r"},
            "metadataContext": {"filterMetadata": {"f": {"n": 1, "list": [True, None]}}},
            "tlsSession": {"sni": "api.example"},
        }
        assert found["source_principal"] == "spiffe://a"
        assert found["version"] == {"ext_authz": "v3", "encoding": "protojson"}

    def test_headers_that_come_as_octets_are_read_too(self, service: Service) -> None:
        request = checked()
        for value in (b"1", b"\xff"):
            request.attributes.request.http.header_map.headers.add(key="x-a", raw_value=value)
        request.attributes.request.http.header_map.headers.add(key="content-type", raw_value=b"application/json")
        request.attributes.request.http.raw_body = b"[1]"
        found = service.shown(request)
        http = found["attributes"]["request"]["http"]
        assert http["headers"]["x-a"] == "1,\ufffd"
        assert http["headerMap"]["headers"][1] == {"key": "x-a", "rawValue": "/w=="}
        assert found["parsed_body"] == [1]

    @pytest.mark.parametrize(
        ("path", "parsed"),
        [
            ("/", [""]),
            ("/a/b", ["a", "b"]),
            ("/a/b/", ["a", "b", ""]),
            ("/a%2Fb", ["a", "b"]),
            ("//admin/x", ["admin", "x"]),
            ("///admin//x", ["admin", "x"]),
            ("/a/../admin", ["admin"]),
            ("/a?b=/c", ["a"]),
        ],
    )
    def test_the_path_is_parsed_without_losing_a_segment(self, service: Service, path: str, parsed: list[str]) -> None:
        found = service.shown(checked(path))
        assert found["parsed_path"] == parsed
        assert found["path"] == "/" + "/".join(parsed)
        assert found["attributes"]["request"]["http"]["path"] == path

    def test_the_query_is_parsed(self, service: Service) -> None:
        found = service.shown(checked("/x?a=1&a=b+c%2B&d&e="))
        assert found["parsed_query"] == {"a": ["1", "b c+"], "d": [""], "e": [""]}

    @pytest.mark.parametrize("path", ["/x?a=%zz", "/x?a;b"])
    def test_a_malformed_query_is_a_bad_request(self, service: Service, path: str) -> None:
        refused(service.check(checked(path)), "query_malformed")

    def test_who_calls_is_told(self, service: Service) -> None:
        token = service.keys.token(roles=["r"], email="a@company.example")
        found = service.shown(checked(headers={"authorization": f"Bearer {token}"}))
        assert found["user"] == {"id": "alice", "email": "a@company.example", "roles": ["r"]}
        assert found["identity"] | {"claims": {}} == {
            "user": "alice", "agent": "a1", "tenant": None, "roles": ["r"], "claims": {}, "issuer": processes.ISSUER,
            "binding": "none", "certificate": None,
        }  # fmt: skip
        assert found["identity"]["claims"]["sub"] == "alice"
        assert {"user", "identity"}.isdisjoint(service.shown(checked()))

    def test_findings_are_told(self, service: Service) -> None:
        (finding,) = service.shown(checked("/x?q=123-45-6789"))["dlp"]["findings"]
        assert (finding["entity"], finding["location"], finding["name"]) == ("us_ssn", "query", "q")


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "content_type", "expected"),
        [
            (b'{"a": [1, 2.50, 12345678901234567890]}', JSON, {"a": [1, 2.5, 12345678901234567890]}),
            (b"null", JSON, None),
            (b'"t"', "application/vnd.company.v1+json; charset=UTF-8", "t"),
            (b"a=1&b=+&a=%32", "application/x-www-form-urlencoded", {"a": ["1", "2"], "b": [" "]}),
            (
                PART + b'\r\ncontent-type: application/json\r\n\r\n{"n": 1}\r\n' + PART + b"\r\n\r\n2\r\n--b--",
                "multipart/form-data; boundary=b",
                {"a": [{"n": 1}, "2"]},
            ),
            (b"x", "multipart/form-data", None),
            (b"x", "text/plain", None),
            (b"", JSON, None),
        ],
    )
    def test_each_form_is_parsed(self, service: Service, body: bytes, content_type: str, expected: Any) -> None:
        found = service.shown(with_body(body, content_type))
        assert (found["parsed_body"], found["truncated_body"]) == (expected, False)

    def test_a_body_as_text_is_parsed_too(self, service: Service) -> None:
        request = checked(headers={"content-type": JSON}, body=b'{"a": 1}', raw=False, method="POST")
        found = service.shown(request)
        assert found["parsed_body"] == {"a": 1}
        assert found["attributes"]["request"]["http"]["body"] == '{"a": 1}'

    def test_a_grpc_message_is_parsed_by_the_descriptors(self, service: Service) -> None:
        body = framed(message(title="a", pageCount=7))
        found = service.shown(with_body(body, "application/grpc", f"/{SERVICE}/Put"))
        assert found["parsed_body"] == {"title": "a", "pageCount": "7"}
        assert found["parsed_path"] == [SERVICE, "Put"]
        assert service.shown(with_body(body, "application/grpc", f"/{SERVICE}/Other"))["parsed_body"] is None
        answer = service.check(with_body(b"\0", "application/grpc", f"/{SERVICE}/Put"))
        assert (answer.status.message, answer.denied_response.status.code) == ("body_malformed", 400)

    @pytest.mark.parametrize(
        "request_",
        [
            with_body(b'{"a"', JSON, content_length="100"),
            with_body(b'{"a"', JSON, x_envoy_auth_partial_body="true"),
            with_body(b"a", "text/plain", x_envoy_auth_partial_body="true"),
            with_body(framed(b"x", length=9), "application/grpc", f"/{SERVICE}/Put"),
        ],
    )
    def test_a_truncated_body_is_told_so(self, service: Service, request_: ext_authz_pb2.CheckRequest) -> None:
        found = service.shown(request_)
        assert (found["parsed_body"], found["truncated_body"]) == (None, True)

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [(b'{"secret-7f"', JSON), (b'{"secret-7f": 1, "secret-7f": 2}', JSON), (b"secret-7f=%",
          "application/x-www-form-urlencoded"), (b"secret-7f", "multipart/form-data; boundary=b")],
    )  # fmt: skip
    def test_a_body_that_cannot_be_read_is_a_bad_request_that_tells_nothing_of_it(
        self, service: Service, body: bytes, content_type: str
    ) -> None:
        answer = service.check(with_body(body, content_type))
        refused(answer, "body_malformed")
        assert "secret-7f" not in str(answer)
        assert "secret-7f" not in service.audited()

    def test_an_mcp_message_is_told(self, service: Service) -> None:
        assert service.shown(with_body(json.dumps(CALL).encode(), JSON))["mcp"] == {
            "kind": "request",
            "method": "tools/call",
            "id": 7,
            "tool": "delete",
            "arguments": {"n": 1.5},
        }
        assert "mcp" not in service.shown(with_body(b"{}", JSON))

    def test_mcp_headers_that_say_another_thing_are_refused(self, service: Service) -> None:
        headers = {"mcp_protocol_version": "2026-07-28", "mcp_method": "tools/call", "mcp_name": "list"}
        answer = service.check(with_body(json.dumps(CALL).encode(), JSON, **headers))
        assert answer.denied_response.status.code == 400
        body = json.loads(answer.denied_response.body)
        assert (body["jsonrpc"], body["id"], body["error"]["code"]) == ("2.0", 7, -32020)

    def test_a_policy_that_reads_no_body_gets_none_judged(self, frugal: Service) -> None:
        for path, code in (("/open", code_pb2.OK), ("/closed", code_pb2.PERMISSION_DENIED)):
            answer = frugal.check(with_body(b"{", JSON, path, content_length="x"))
            assert answer.status.code == code
            assert answer.denied_response.status.code in {0, 403}

    def test_bodies_can_be_skipped(self, trying: Service) -> None:
        request = with_body(b"{", JSON, mcp_method="x")
        request.attributes.request.http.headers["x-answer"] = "true"
        assert trying.check(request).status.code == code_pb2.OK

    def test_descriptors_that_cannot_be_used_keep_the_service_from_starting(self, tmp_path: Path) -> None:
        (tmp_path / "authz.rego").write_text(FRUGAL)
        descriptors = tmp_path / "books.pb"
        descriptors.write_bytes(b"\xff")
        policy = {
            "paths": [str(tmp_path / "authz.rego")],
            "decision": "envoy/authz/result",
            "proto_descriptor": str(descriptors),
        }
        config = processes.authz_config(tmp_path, Keys(tmp_path), policy=policy)
        command = [sys.executable, "-m", "authz_service", "--config", str(config)]
        done = subprocess.run(
            command, cwd=processes.REPOSITORY, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 1
        assert f"{descriptors}: is no FileDescriptorSet" in done.stderr


# Results


def refused(answer: ext_authz_pb2.CheckResponse, code: str) -> None:
    """The request is refused with 400, our code and a decision to ask about."""
    assert (answer.status.code, answer.status.message) == (code_pb2.PERMISSION_DENIED, code)
    assert answer.denied_response.status.code == 400
    body = json.loads(answer.denied_response.body)
    assert body["error"] == code
    assert body["decision_id"] == MessageToDict(answer.dynamic_metadata)["decision_id"]


def pairs(options: Any) -> list[tuple[str, str]]:
    return [(option.header.key, option.header.value) for option in options]


class TestAllow:
    @pytest.mark.parametrize("result", [True, {"allowed": True}])
    def test_the_smallest_forms(self, service: Service, result: Any) -> None:
        answer = service.answer(result)
        assert answer.status.code == code_pb2.OK
        assert answer.ok_response == ext_authz_pb2.OkHttpResponse()
        assert len(MessageToDict(answer.dynamic_metadata)["decision_id"]) == 36

    @pytest.mark.parametrize("headers", [{"X-A": "1", "x-b": ["2", "3"]}, [{"X-A": "1"}, {"x-b": "2"}, {"x-b": ["3"]}]])
    def test_headers_are_an_object_or_a_list_of_them(self, service: Service, headers: Any) -> None:
        answer = service.answer({"allowed": True, "headers": headers, "response_headers_to_add": headers})
        expected = [("x-a", "1"), ("x-b", "2"), ("x-b", "3")]
        assert pairs(answer.ok_response.headers) == expected
        assert pairs(answer.ok_response.response_headers_to_add) == expected
        actions = [option.append_action for option in answer.ok_response.headers]
        overwrite = envoy_core_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        assert actions == [overwrite, overwrite, envoy_core_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD]

    def test_headers_and_parameters_can_be_removed_and_parameters_set(self, service: Service) -> None:
        answer = service.answer(
            {
                "allowed": True,
                "request_headers_to_remove": ["x-c"],
                "query_parameters_to_set": {"a b": "c&d", "e": ["1", "2"]},
                "query_parameters_to_remove": ["f"],
            }
        )
        ok = answer.ok_response
        assert list(ok.headers_to_remove) == ["x-c"]
        assert {(each.key, each.value) for each in ok.query_parameters_to_set} == {("a%20b", "c%26d"), ("e", "1&e=2")}
        assert list(ok.query_parameters_to_remove) == ["f"]

    def test_metadata_is_handed_on_with_the_decisions_id(self, service: Service) -> None:
        result = {"allowed": True, "dynamic_metadata": {"k": {"n": [1, None]}, "decision_id": "mine"}}
        metadata = MessageToDict(service.answer(result).dynamic_metadata)
        assert metadata["k"] == {"n": [1, None]}
        assert metadata["decision_id"] != "mine"

    def test_what_is_for_denials_is_not_looked_at(self, service: Service) -> None:
        assert service.answer({"allowed": True, "body": 7, "http_status": "x"}).status.code == code_pb2.OK


class TestDenial:
    @pytest.mark.parametrize("result", [False, {"allowed": False}])
    def test_the_smallest_forms(self, service: Service, result: Any) -> None:
        answer = service.answer(result)
        assert answer.status.code == code_pb2.PERMISSION_DENIED
        assert answer.denied_response.status.code == 403
        assert json.loads(answer.denied_response.body)["error"] == "policy_denied"

    def test_status_headers_body_and_metadata_are_the_policys(self, service: Service) -> None:
        result = {
            "allowed": False,
            "http_status": 401,
            "headers": {"Set-Cookie": ["a=1", "b=2"], "x-a": "1"},
            "body": "no",
            "dynamic_metadata": {"rule": "r7"},
        }
        answer = service.answer(result)
        assert answer.status.code == code_pb2.UNAUTHENTICATED
        denied = answer.denied_response
        assert (denied.status.code, denied.body) == (401, "no")
        assert pairs(denied.headers) == [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-a", "1")]
        assert MessageToDict(answer.dynamic_metadata)["rule"] == "r7"

    def test_what_is_for_allows_is_not_looked_at(self, service: Service) -> None:
        result = {"allowed": False, "response_headers_to_add": 7, "query_parameters_to_set": []}
        assert service.answer(result).denied_response.status.code == 403


WRONG: list[Any] = [
    None, 7, "true", [], {}, {"allowed": "true"}, {"allowed": None}, {"result": True},
    {"allowed": True, "headers": "x"}, {"allowed": True, "headers": {"a": 1}}, {"allowed": True, "headers": ["a"]},
    {"allowed": True, "headers": {"a": "b\r\nc: d"}}, {"allowed": True, "response_headers_to_add": {"a": [1]}},
    {"allowed": True, "request_headers_to_remove": "x"}, {"allowed": True, "query_parameters_to_remove": [1]},
    {"allowed": True, "query_parameters_to_set": [{"a": "b"}]}, {"allowed": True, "dynamic_metadata": []},
    {"allowed": False, "headers": {"a": None}}, {"allowed": False, "body": {}},
    {"allowed": False, "http_status": "403"},
    {"allowed": False, "http_status": 999}, {"allowed": False, "dynamic_metadata": "x"},
]  # fmt: skip


class TestFailure:
    @pytest.mark.parametrize("result", WRONG, ids=json.dumps)
    def test_a_result_of_no_known_form_is_an_outage_and_no_denial(self, service: Service, result: Any) -> None:
        answer = service.answer(result)
        assert answer.WhichOneof("http_response") == "error_response"
        assert (answer.status.code, answer.error_response.status.code) == (code_pb2.UNAVAILABLE, 503)
        assert json.loads(answer.error_response.body)["error"] == "policy_failed"

    def test_an_undefined_result_is_an_outage(self, service: Service) -> None:
        answer = service.check(checked(headers={"x-answer": "{"}))
        assert answer.error_response.status.code == 503


class TestDryRun:
    def test_a_denial_passes_with_its_metadata_and_nothing_else(self, trying: Service) -> None:
        result = {"allowed": False, "headers": {"x-a": "1"}, "body": "no", "dynamic_metadata": {"rule": "r7"}}
        answer = trying.answer(result)
        assert answer.status.code == code_pb2.OK
        assert answer.ok_response == ext_authz_pb2.OkHttpResponse()
        assert MessageToDict(answer.dynamic_metadata)["rule"] == "r7"

    def test_an_allow_is_as_it_is(self, trying: Service) -> None:
        answer = trying.answer({"allowed": True, "headers": {"x-a": "1"}})
        assert pairs(answer.ok_response.headers) == [("x-a", "1")]

    def test_failures_and_refusals_are_not_overridden(self, trying: Service) -> None:
        assert trying.answer(7).error_response.status.code == 503
        refused(trying.check(checked("/%zz")), "path_malformed")
        token = "Bearer nonsense"
        assert trying.check(checked(headers={"authorization": token})).denied_response.status.code == 401
