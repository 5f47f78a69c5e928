"""A refusal blames whom it is due to, in the form that the client reads."""

from __future__ import annotations

import json

import pytest

from authz_service.denials import Denials
from authz_service.dlp.actions import Direction
from authz_service.exchange.refusals import answer, request_of, status_of


@pytest.mark.parametrize(
    ("code", "status"), [("unknown_coding", 415), ("body_too_large", 413), ("partial_content", 400), ("any_other", 403)]
)
def test_a_request_is_refused_for_what_it_is_like(code: str, status: int) -> None:
    assert status_of(code, Direction.REQUEST) == status
    assert status_of(code, Direction.RESPONSE) == 502


def test_the_answer_is_json_with_a_code_and_the_decision() -> None:
    made = answer("secret_found", Direction.RESPONSE, "d-1", request_of([(":method", "GET")], b""), Denials())
    assert json.loads(made.body) == {
        "error": "secret_found",
        "message": "the response holds something that may not pass",
        "decision_id": "d-1",
    }
    assert ("content-type", "application/json") in made.headers


def test_the_operator_may_have_it_in_other_words() -> None:
    made = answer("unknown_coding", Direction.REQUEST, "d", request_of([], b""), Denials({"unknown_coding": "No."}))
    assert json.loads(made.body)["message"] == "No."


def test_a_grpc_client_gets_one_line() -> None:
    request = request_of([("content-type", "application/grpc")], b"")
    assert "\n" not in answer("secret_found", Direction.REQUEST, "d-1", request, Denials()).body


def test_headers_that_repeat_are_joined_and_long_bodies_left_out() -> None:
    request = request_of([("a", "1"), ("a", "2")], bytes(65 * 1024))
    assert (request.headers["a"], request.body) == ("1,2", b"")
