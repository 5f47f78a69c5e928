"""CheckRequest → HttpRequest, Decision → CheckResponse."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc.code_pb2 import OK, PERMISSION_DENIED, UNAUTHENTICATED, UNAVAILABLE
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.request import Scan
from authz_service.model import Decision, HttpRequest, Identity, Mutations, Outcome, Peer
from authz_service.policy.document import build_input
from authz_service.policy.target import parse_target
from authz_service.servicers.ext_authz import ExtAuthzServicer, to_request, to_response
from service_kit.rpc import RpcError, Status
from service_kit.wire.envoy_core_pb2 import HeaderValueOption
from service_kit.wire.ext_authz_pb2 import AttributeContext, CheckRequest, CheckResponse

ALLOWED = Decision(Outcome.ALLOW, "d-1", "allowed", "r", "p")


class Judge:
    """Answers with one decision, and keeps what it was asked."""

    def __init__(self, decision: Decision = ALLOWED) -> None:
        self._decision = decision
        self.asked: list[HttpRequest] = []

    async def check(self, request: HttpRequest) -> Decision:
        self.asked.append(request)
        return self._decision


def attributes(**http: object) -> AttributeContext:
    """Attributes with an HTTP request of these fields."""
    context = AttributeContext()
    context.request.http.SetInParent()
    for name, value in http.items():
        if isinstance(value, dict):
            getattr(context.request.http, name).update(value)
        else:
            setattr(context.request.http, name, value)
    return context


def raw_headers(*pairs: tuple[str, bytes]) -> AttributeContext:
    """Attributes as Envoy sends them with `encode_raw_headers`."""
    context = attributes()
    for name, value in pairs:
        context.request.http.header_map.headers.add(key=name, raw_value=value)
    return context


# Requests


def everything() -> AttributeContext:
    """Attributes with each field set."""
    context = attributes(
        id="7", method="POST", headers={"x-a": "1"}, path="/a?b=c", host="api.example", scheme="https",
        protocol="HTTP/2", size=8, body="text",
    )  # fmt: skip
    context.request.time.seconds = 1_763_870_417
    context.request.time.nanos = 250_000_000
    context.source.address.socket_address.address = "10.0.0.7"
    context.source.address.socket_address.port_value = 5000
    context.source.principal = "spiffe://a"
    context.source.certificate = "pem"
    context.source.service = "svc"
    context.source.labels["k"] = "v"
    context.destination.address.pipe.path = "/run/x.sock"
    context.tls_session.sni = "api.example"
    context.context_extensions["route"] = "r"
    context.metadata_context.filter_metadata["filter"].update({"k": [1, {"n": None}]})
    context.route_metadata_context.filter_metadata["route"].update({"k": "v"})
    return context


def test_everything_that_envoy_sends_is_read() -> None:
    """Each field to its place."""
    context = everything()
    assert to_request(context) == HttpRequest(
        method="POST",
        path="/a?b=c",
        host="api.example",
        scheme="https",
        protocol="HTTP/2",
        id="7",
        headers={"x-a": "1"},
        body=b"text",
        body_is_raw=False,
        size=8,
        seconds=1_763_870_417,
        nanos=250_000_000,
        source=Peer("10.0.0.7", 5000, "spiffe://a", "pem", "svc", {"k": "v"}),
        destination=Peer("/run/x.sock", is_pipe=True),
        sni="api.example",
        context_extensions={"route": "r"},
        metadata={"filter": {"k": [1, {"n": None}]}},
        route_metadata={"route": {"k": "v"}},
    )


def test_what_is_not_set_stays_empty() -> None:
    """A time of zero and none are two things."""
    assert to_request(attributes(method="GET", path="/")) == HttpRequest("GET", "/", size=0)
    context = attributes()
    context.request.time.SetInParent()
    assert to_request(context).seconds == 0


def test_a_raw_body_is_told_as_one() -> None:
    """Bytes that need not be text."""
    request = to_request(attributes(raw_body=b"\xff\x00"))
    assert (request.body, request.body_is_raw) == (b"\xff\x00", True)


def test_raw_headers_that_repeat_are_joined_as_envoy_joins_them() -> None:
    """So that two credentials are never taken for one."""
    request = to_request(
        raw_headers(("x-a", b"1"), ("authorization", b"Bearer a"), ("x-a", b"2"), ("authorization", b"x"))
    )
    assert request.headers == {"x-a": "1,2", "authorization": "Bearer a,x"}
    assert request.header_lines == (
        ("x-a", b"1"), ("authorization", b"Bearer a"), ("x-a", b"2"), ("authorization", b"x"),
    )  # fmt: skip


def test_raw_headers_may_come_with_text_values_too() -> None:
    """The field that is set counts."""
    context = attributes()
    context.request.http.header_map.headers.add(key="x-a", value="1")
    assert to_request(context).headers == {"x-a": "1"}


@given(st.binary())
def test_raw_header_bytes_that_are_no_text_can_be_written_on(value: bytes) -> None:
    """To policies, logs and answers: a client must not be able to cause an outage."""
    text = to_request(raw_headers(("x-a", value))).headers["x-a"]
    assert text.encode().decode() == text
    assert text == value.decode("utf-8", "replace")


@pytest.mark.parametrize(("number", "shown"), [("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")])
def test_metadata_that_holds_no_number_is_read_as_its_name(number: str, shown: str) -> None:
    """It must not end the call before it is judged."""
    context = attributes()
    context.metadata_context.filter_metadata["f"].fields["v"].number_value = float(number)
    assert to_request(context).metadata == {"f": {"v": shown}}


# Answers


def test_an_allow_carries_its_mutations_and_metadata() -> None:
    """And a status of OK."""
    decision = Decision(
        Outcome.ALLOW, "d-1", "allowed", "r", "p",
        mutations=Mutations(
            set_headers=[("x-a", "1")], remove_headers=["authorization"], set_query=[("q", "%20")], remove_query=["z"],
            response_headers=[("x-b", "2")],
        ),
        metadata={"user": "alice", "roles": ["r"], "nested": {"n": None, "b": True}},
    )  # fmt: skip
    response = to_response(decision)
    assert response.status.code == OK
    assert response.WhichOneof("http_response") == "ok_response"
    ok = response.ok_response
    assert [(option.header.key, option.header.value) for option in ok.headers] == [("x-a", "1")]
    assert list(ok.headers_to_remove) == ["authorization"]
    assert [(parameter.key, parameter.value) for parameter in ok.query_parameters_to_set] == [("q", "%20")]
    assert list(ok.query_parameters_to_remove) == ["z"]
    assert [(option.header.key, option.header.value) for option in ok.response_headers_to_add] == [("x-b", "2")]
    assert MessageToDict(response.dynamic_metadata) == {
        "user": "alice",
        "roles": ["r"],
        "nested": {"n": None, "b": True},
    }


def test_an_allow_without_mutations_is_an_ok_response_still() -> None:
    """A bare status would do, but says less."""
    assert to_response(ALLOWED).status.code == OK
    assert to_response(ALLOWED).WhichOneof("http_response") in {"ok_response", None}


def test_headers_overwrite_whichever_switch_envoy_heeds() -> None:
    """Its releases differ in the default."""
    decision = Decision(Outcome.ALLOW, "d", "c", "r", "p", mutations=Mutations(set_headers=[("x-a", "1")]))
    (option,) = to_response(decision).ok_response.headers
    assert option.HasField("append")
    assert option.append.value is False
    assert option.append_action == HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


PAIRS = [("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("set-cookie", "c=4"), ("x-a", "5")]
OVERWRITE, APPEND = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD, HeaderValueOption.APPEND_IF_EXISTS_OR_ADD


def switches(options: Any) -> list[tuple[str, str, bool, int]]:
    """Headers with both of their switches."""
    assert all(option.HasField("append") for option in options)
    return [(option.header.key, option.header.value, option.append.value, option.append_action) for option in options]


def test_the_further_values_of_a_requests_header_are_added_to_the_first() -> None:
    """Which overwrites what the client has sent."""
    decision = Decision(Outcome.ALLOW, "d", "c", "r", "p", mutations=Mutations(set_headers=PAIRS))
    assert switches(to_response(decision).ok_response.headers) == [
        ("x-a", "1", False, OVERWRITE),
        ("x-b", "2", False, OVERWRITE),
        ("x-a", "3", True, APPEND),
        ("set-cookie", "c=4", False, OVERWRITE),
        ("x-a", "5", True, APPEND),
    ]


def test_several_values_of_a_responses_header_are_added_and_cookies_always() -> None:
    """Envoy would undo those that are added by one that overwrites."""
    decision = Decision(Outcome.ALLOW, "d", "c", "r", "p", mutations=Mutations(response_headers=PAIRS))
    assert switches(to_response(decision).ok_response.response_headers_to_add) == [
        ("x-a", "1", True, APPEND),
        ("x-b", "2", False, OVERWRITE),
        ("x-a", "3", True, APPEND),
        ("set-cookie", "c=4", True, APPEND),
        ("x-a", "5", True, APPEND),
    ]


@pytest.mark.parametrize(("outcome", "kind"), [(Outcome.DENY, "denied_response"), (Outcome.ERROR, "error_response")])
def test_headers_of_a_refusal_all_overwrite(outcome: Outcome, kind: str) -> None:
    """Envoy writes all of those, several of one name too, and leaves out what is to be added."""
    decision = Decision(outcome, "d", "c", "r", "p", status=403, headers=PAIRS)
    found = switches(getattr(to_response(decision), kind).headers)
    assert found == [(name, value, False, OVERWRITE) for name, value in PAIRS]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, PERMISSION_DENIED),
        (401, UNAUTHENTICATED),
        (403, PERMISSION_DENIED),
        (429, PERMISSION_DENIED),
        (503, UNAVAILABLE),
        (200, PERMISSION_DENIED),
    ],
)
@pytest.mark.parametrize(("outcome", "kind"), [(Outcome.DENY, "denied_response"), (Outcome.ERROR, "error_response")])
def test_a_denial_and_an_outage_are_told_apart(outcome: Outcome, kind: str, status: int, code: int) -> None:
    """Envoy counts them apart, and never takes either for an allow."""
    decision = Decision(
        outcome, "d-1", "some_code", "r", "p", status=status, headers=[("x-a", "1")], body="no", metadata={"k": "v"},
        mutations=Mutations(set_headers=[("x-b", "2")]),
    )  # fmt: skip
    response = to_response(decision)
    assert response.WhichOneof("http_response") == kind
    assert (response.status.code, response.status.message) == (code, "some_code")
    refused = getattr(response, kind)
    assert (refused.status.code, refused.body) == (status, "no")
    assert [(option.header.key, option.header.value) for option in refused.headers] == [("x-a", "1")]
    assert MessageToDict(response.dynamic_metadata) == {"k": "v"}


# The service


def test_a_check_is_judged_once_and_answered() -> None:
    """Through the handler that a host serves."""
    judge = Judge()
    service = ExtAuthzServicer(judge).service()
    assert service.name == "envoy.service.auth.v3.Authorization"
    response = asyncio.run(service.handlers["Check"](CheckRequest(attributes=attributes(method="GET", path="/x"))))
    assert isinstance(response, CheckResponse)
    assert response.status.code == OK
    assert [request.path for request in judge.asked] == ["/x"]


def test_attributes_without_an_http_request_are_refused_unjudged() -> None:
    """As an RPC error, on which Envoy does not allow."""
    judge = Judge()
    for request in (CheckRequest(), CheckRequest(attributes=AttributeContext())):
        with pytest.raises(RpcError) as caught:
            asyncio.run(ExtAuthzServicer(judge).check(request))
        assert caught.value.status is Status.INVALID_ARGUMENT
    assert judge.asked == []


def test_policies_get_all_of_it_as_rego_values() -> None:
    """A mapping of another type than `dict` would look like nothing to them, and a rule that denies would not."""
    request = to_request(everything())
    claims = {"sub": "alice", "roles": ["engineer"], "nested": {"k": [1, None, True]}}
    identity = Identity("alice", "a1", ("engineer",), "https://idp.example", claims, 0.0)
    scan = Scan([], "/a", "/a", carries_local_file=False)
    waiting: list[Any] = [build_input(request, parse_target(request.path), identity, scan)]
    while waiting:
        found = waiting.pop()
        assert type(found) in {dict, list, str, int, float, bool, type(None)}, found
        if isinstance(found, dict):
            assert all(type(name) is str for name in found)
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
