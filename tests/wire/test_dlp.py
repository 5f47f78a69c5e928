"""What authz_service does about findings, as the process that it is: rules, keys in files, and the policy's word."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from service_kit.wire import ext_authz_pb2
from tests.wire.processes import Keys, Running, authz_service
from tests.wire.test_bundle_from_url import PATIENCE

SSN = "219-09-" + "9998"
KEY = "AKIA" + "Q3EGZ7XW2M4NPDRT"
POLICY = """\
package agent

import rego.v1

default decision := false

headers := input.attributes.request.http.headers

decision := {"allowed": true, "headers": {"x-found": json.marshal(found)}} if not headers["x-ask"]

decision := {"allowed": true, "dlp": {"request": {"us_ssn": headers["x-ask"]}}}

found := [[each.entity, each.location, each.name, each.action, each.count] | some each in input.dlp.findings]
"""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running, str]]:
    """Two of them with the same keys, and a token of the caller's."""
    folder = tmp_path_factory.mktemp("dlp")
    keys, rego = Keys(folder), folder / "rego"
    rego.mkdir()
    (rego / "agent.rego").write_text(POLICY)
    for name in ("hash.key", "token.key"):
        (folder / name).write_bytes(base64.b64encode(name.encode().ljust(32, b".")) + b"\n")
    dlp = {
        "actions": [
            {"entities": ["us_ssn"], "locations": ["cookie"], "action": "tokenize"},
            {"entities": ["us_ssn"], "locations": ["query"], "action": "mask"},
            {"entities": ["aws_access_key"], "match": {"paths": ["/vault"]}, "action": "block", "final": True},
            {"entities": ["aws_access_key"], "action": "hash"},
        ],
        "hash_key_file": "hash.key",
        "token_key_files": ["token.key"],
    }
    with ExitStack() as stack:
        running = []
        for name in ("one", "other"):
            (folder / name).mkdir()
            for file in ("hash.key", "token.key"):
                (folder / name / file).write_bytes((folder / file).read_bytes())
            policy = {"paths": [str(rego)], "decision": "agent/decision"}
            running.append(stack.enter_context(authz_service(folder / name, keys, policy=policy, dlp=dlp)))
        yield running[0], running[1], keys.token()


def check(service: Running, token: str, path: str, body: bytes = b"", **headers: str) -> ext_authz_pb2.CheckResponse:
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host, http.raw_body = "POST", path, "api.example", body
    http.headers.update({"authorization": f"Bearer {token}", **{k.replace("_", "-"): v for k, v in headers.items()}})
    with grpc.insecure_channel(service.grpc) as channel:
        call = channel.unary_unary(
            "/envoy.service.auth.v3.Authorization/Check",
            request_serializer=ext_authz_pb2.CheckRequest.SerializeToString,
            response_deserializer=ext_authz_pb2.CheckResponse.FromString,
        )
        answer: ext_authz_pb2.CheckResponse = call(request, timeout=PATIENCE)
    return answer


def headers_of(answer: ext_authz_pb2.CheckResponse) -> dict[str, str]:
    return {option.header.key: option.header.value for option in answer.ok_response.headers}


def test_each_place_has_its_action_and_the_policy_sees_all_of_them(services: tuple[Running, Running, str]) -> None:
    service, _, token = services
    answer = check(service, token, f"/x?q={SSN}", f"b {SSN}".encode(), cookie=f"s={SSN}", x_note=f"{KEY} {KEY}")
    headers = headers_of(answer)
    assert [(each.key, each.value) for each in answer.ok_response.query_parameters_to_set] == [
        ("q", "%2A%2A%2A-%2A%2A-9998")
    ]
    assert headers["cookie"].startswith("s=agt1_")
    assert headers["x-note"].startswith("[aws_access_key:")
    # Sorted, since headers travel in a map, whose order is nobody's.
    assert sorted(json.loads(headers["x-found"])) == [
        ["aws_access_key", "header", "x-note", "hash", 2],
        ["us_ssn", "body", "", "replace", 1],
        ["us_ssn", "cookie", "s", "tokenize", 1],
        ["us_ssn", "query", "q", "mask", 1],
    ]


def test_processes_with_the_same_keys_write_the_same(services: tuple[Running, Running, str]) -> None:
    """So that an upstream can join what came by either."""
    one, other, token = services
    answers = [headers_of(check(each, token, "/x", cookie=f"s={SSN}", x_note=KEY)) for each in (one, other)]
    written = [(answer["cookie"], answer["x-note"]) for answer in answers]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/x", {"x_ask": "block", "x_note": SSN}, "secret_in_request"),
        ("/vault/1", {"x_note": KEY}, "secret_in_request"),
        (f"/people/{SSN}", {}, "secret_in_path"),
        (f"/people/{SSN}", {"x_ask": "mask"}, "secret_in_path"),
    ],
)
def test_what_does_not_pass_is_answered_with_a_code_and_nothing_of_the_value(
    services: tuple[Running, Running, str], path: str, headers: dict[str, str], code: str
) -> None:
    service, _, token = services
    answer = check(service, token, path, b"", **headers)
    assert answer.status.code == grpc.StatusCode.PERMISSION_DENIED.value[0]
    assert answer.denied_response.status.code == 403
    told = json.loads(answer.denied_response.body)
    assert told["error"] == code
    assert told["decision_id"]
    assert SSN not in str(answer)
    assert KEY not in str(answer)


def test_what_the_policy_says_goes_on_as_metadata(services: tuple[Running, Running, str]) -> None:
    """And a path may hold what it allows."""
    service, _, token = services
    answer = check(service, token, f"/people/{SSN}?q={SSN}", x_ask="allow")
    assert answer.status.code == grpc.StatusCode.OK.value[0]
    assert list(answer.ok_response.query_parameters_to_set) == []
    said = answer.dynamic_metadata.fields["dlp"].struct_value.fields["request"].struct_value.fields["us_ssn"]
    assert said.string_value == "allow"


def test_a_word_that_is_none_is_an_outage(services: tuple[Running, Running, str]) -> None:
    service, _, token = services
    answer = check(service, token, "/x", x_ask="alow", x_note=SSN)
    assert answer.error_response.status.code == 503


def test_nothing_that_was_found_is_in_any_output(services: tuple[Running, Running, str]) -> None:
    """Neither logs nor audit events; the event says what was done."""
    service, _, token = services
    check(service, token, f"/last?q={SSN}", x_note=KEY)
    deadline = time.monotonic() + PATIENCE
    while '"path": "/last"' not in service.output.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    output = Path(service.output).read_text()
    event = next(json.loads(line) for line in output.splitlines() if '"path": "/last"' in line)
    assert sorted((note["entity"], note["action"]) for note in event["findings"]) == [
        ("aws_access_key", "hash"),
        ("us_ssn", "mask"),
    ]
    for text in (output, Path(service.log).read_text()):
        assert SSN not in text
        assert KEY not in text
