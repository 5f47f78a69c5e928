"""The built-in http.send, with a sender that is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import http_sending
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.http_messages import HttpRequest, HttpResponse, NetworkFault
from authz_service.rego_engine.builtins.http_responses import KeptResponses
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.errors import BuiltinFault, DeadlineExceeded, OperandFault
from tests.authz_service.rego_engine.builtins.operands import VALUES, call_with_anything, declared

SECOND = 1_000_000_000
MADE = 1_700_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
PLAIN: dict[str, Any] = {"method": "get", "url": "http://a.example/"}


@dataclass
class Sender:
    """Answers with the responses given, in their order, the last of them again and again."""

    answers: list[HttpResponse | BuiltinFault]
    responses: KeptResponses = field(default_factory=KeptResponses)
    sent: list[HttpRequest] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def send(self, request: HttpRequest, seconds: float) -> HttpResponse:
        self.sent.append(request)
        self.seconds.append(seconds)
        answer = self.answers[min(len(self.sent), len(self.answers)) - 1]
        if isinstance(answer, BuiltinFault):
            raise answer
        return answer


def answer(body: bytes = b"1", status: int = 200, **headers: str) -> HttpResponse:
    """Return an answer in JSON."""
    named = {"content_type": "application/json", **headers}
    return HttpResponse(status, "", tuple((name.replace("_", "-"), value) for name, value in named.items()), body)


def context(sender: Sender | None, seconds: float = 0, remaining: Callable[[], float] = lambda: 1.0) -> Context:
    """Return an evaluation some seconds after the responses were made."""
    return Context(http=sender, time_ns=int((MADE + seconds) * SECOND), remaining=remaining)


def send(surroundings: Context, **more: Any) -> Any:
    """Call the built-in."""
    return TABLE["http.send"].function(surroundings, PLAIN | more)


def test_without_a_sender_it_is_off_and_says_how_it_is_switched_on() -> None:
    with pytest.raises(BuiltinFault, match="switched on by naming the hosts"):
        send(context(None))
    assert send(context(None), raise_error=False)["status_code"] == 0


def test_a_response_is_returned() -> None:
    assert send(context(Sender([answer(b"[1]")])))["body"] == [1]


def test_the_same_request_is_sent_once_within_an_evaluation() -> None:
    sender = Sender([answer(b"1"), answer(b"2")])
    surroundings = context(sender)
    assert [send(surroundings)["body"] for _ in range(3)] == [1, 1, 1]
    assert send(surroundings, url="http://b.example/")["body"] == 2
    assert send(context(sender))["body"] == 2


def test_a_fault_is_the_same_within_an_evaluation_too() -> None:
    sender = Sender([NetworkFault("refused"), answer()])
    surroundings = context(sender)
    for _ in range(2):
        with pytest.raises(NetworkFault, match="refused"):
            send(surroundings)
    assert len(sender.sent) == 1


def test_a_response_of_a_status_that_is_not_cacheable_is_asked_for_again() -> None:
    sender = Sender([answer(b"1", 500), answer(b"2", 500)])
    surroundings = context(sender)
    assert [send(surroundings)["body"] for _ in range(2)] == [1, 2]


def test_nothing_is_kept_between_evaluations_unless_the_policy_asks() -> None:
    sender = Sender([answer(b"1", cache_control="max-age=60", date=DATE), answer(b"2")])
    assert [send(context(sender))["body"] for _ in range(2)] == [1, 2]


def test_a_fresh_response_is_used_again() -> None:
    sender = Sender([answer(b"1", cache_control="max-age=60", date=DATE), answer(b"2")])
    assert [send(context(sender, seconds), cache=True)["body"] for seconds in (0, 59, 59.9)] == [1, 1, 1]
    assert send(context(sender, 60), cache=True)["body"] == 2


def test_the_policy_can_say_how_long() -> None:
    sender = Sender([answer(b"1", cache_control="no-store"), answer(b"2")])
    forced = {"force_cache": True, "force_cache_duration_seconds": 10}
    assert [send(context(sender, seconds), **forced)["body"] for seconds in (0, 9, 10)] == [1, 1, 2]


def test_a_stale_response_is_asked_about() -> None:
    first = answer(b"1", cache_control="max-age=1", date=DATE, etag='"x"', last_modified=DATE)
    later = HttpResponse(304, "", (("cache-control", "max-age=100"), ("date", DATE)), b"")
    sender = Sender([first, later])
    send(context(sender), cache=True)
    assert send(context(sender, 5), cache=True)["body"] == 1
    assert sender.sent[1].headers == (("If-None-Match", '"x"'), ("If-Modified-Since", DATE))
    assert send(context(sender, 99), cache=True)["body"] == 1
    assert len(sender.sent) == 2


def test_a_stale_response_is_replaced_by_a_new_one() -> None:
    first = answer(b"1", cache_control="max-age=1", date=DATE, etag='"x"')
    sender = Sender([first, answer(b"2", cache_control="max-age=100", date=DATE)])
    assert [send(context(sender, seconds), cache=True)["body"] for seconds in (0, 5, 50)] == [1, 2, 2]


def test_what_is_kept_is_found_by_no_secret_of_the_request() -> None:
    sender = Sender([answer(cache_control="max-age=60", date=DATE)])
    send(context(sender), cache=True, headers={"authorization": "Bearer hunter2"})
    assert "hunter2" not in repr(vars(sender.responses))


def test_ignored_headers_do_not_tell_requests_apart() -> None:
    sender = Sender([answer(b"1"), answer(b"2")])
    surroundings = context(sender)
    for token in ("a", "b"):
        assert send(surroundings, headers={"x": token}, cache_ignored_headers=["x"])["body"] == 1


@pytest.mark.parametrize(
    ("timeout", "remaining", "seconds"), [("2s", 9.0, 2.0), ("20s", 9.0, 9.0), (0, 9.0, 9.0), (None, 9.0, 5.0)]
)
def test_a_request_has_the_lesser_of_its_own_time_and_the_evaluation_s(
    timeout: Any, remaining: float, seconds: float
) -> None:
    sender = Sender([answer()])
    send(context(sender, remaining=lambda: remaining), **({} if timeout is None else {"timeout": timeout}))
    assert sender.seconds == [seconds]


def test_an_evaluation_that_is_out_of_time_ends() -> None:
    sender = Sender([NetworkFault("request timed out")])
    left = iter([0.5, 0.0])
    with pytest.raises(DeadlineExceeded):
        send(context(sender, remaining=lambda: next(left)), raise_error=False)
    with pytest.raises(DeadlineExceeded):
        send(context(sender, remaining=lambda: 0.0))
    assert len(sender.sent) == 1


def test_a_fault_is_an_object_where_the_policy_says_so() -> None:
    surroundings = context(Sender([NetworkFault("refused")]))
    error = {"code": "eval_http_send_network_error", "message": "refused"}
    assert send(surroundings, raise_error=False) == {"status_code": 0, "error": error}
    wrong = send(surroundings, raise_error=False, x=1)
    assert wrong["error"]["code"] == "eval_http_send_internal_error"
    assert 'http.send: operand 1 invalid request parameters(s): {"x"}' in wrong["error"]["message"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"raise_error": 1}, "invalid value for raise_error field"),
        ({"cache": 1}, 'invalid value for "cache" field'),
        ({"force_json_decode": 1}, 'invalid value for "force_json_decode" field'),
        ({"force_cache": True}, "parameter is missing"),
        ({"timeout": "x"}, "invalid timeout value"),
    ],
)
def test_a_field_that_is_wrong_sends_nothing(more: dict[str, Any], expected: str) -> None:
    sender = Sender([answer()])
    with pytest.raises(BuiltinFault, match=expected):
        send(context(sender), **more)
    assert sender.sent == []


def test_an_operand_that_is_no_object_is_refused() -> None:
    with pytest.raises(OperandFault):
        TABLE["http.send"].function(context(None), [])


@pytest.mark.parametrize("name", declared(http_sending))
@given(st.data())
def test_no_operands_whatever_break_it(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(VALUES)
def test_no_field_whatever_breaks_it(value: object) -> None:
    for name in ("body", "headers", "timeout", "cache_ignored_headers", "method", "raise_error"):
        try:
            send(context(Sender([answer()])), **{name: value})
        except BuiltinFault:
            continue
