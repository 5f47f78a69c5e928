"""What counts as the answer that was wanted."""

from __future__ import annotations

import pytest

from bench.peers import answers
from bench.peers.answers import WrongAnswerError
from service_kit.wire import envoy_type_pb2, ext_authz_pb2, rate_limit_pb2

OK, OVER = rate_limit_pb2.RateLimitResponse.OK, rate_limit_pb2.RateLimitResponse.OVER_LIMIT


def _limits(codes: list[rate_limit_pb2.RateLimitResponse.Code], remaining: int = 7) -> bytes:
    overall = OVER if OVER in codes else OK
    answer = rate_limit_pb2.RateLimitResponse(overall_code=overall)
    for code in codes:
        status = answer.statuses.add(code=code, limit_remaining=remaining)
        status.current_limit.requests_per_unit = 10
    return answer.SerializeToString()


def _denied(http: int, code: int = 16) -> bytes:
    answer = ext_authz_pb2.CheckResponse()
    answer.status.code = code
    answer.denied_response.status.code = envoy_type_pb2.StatusCode.Name(http)  # type: ignore[assignment]
    return answer.SerializeToString()


def test_an_ok_of_the_rate_limiter_begins_with_its_overall_code() -> None:
    """Which is all that later answers are compared by, since what remains differs."""
    assert answers.within_limits(2)(_limits([OK, OK])) == b"\x08\x01"
    assert answers.remaining(_limits([OK], remaining=5)) == 5


@pytest.mark.parametrize(
    "data",
    [
        _limits([OK]),
        _limits([OK, OVER]),
        rate_limit_pb2.RateLimitResponse(overall_code=OK).SerializeToString(),
        b"",
        b"\xff",
    ],
)
def test_anything_else_of_the_rate_limiter_is_wrong(data: bytes) -> None:
    """Too few statuses, over the limit, nothing, no message."""
    with pytest.raises(WrongAnswerError):
        answers.within_limits(2)(data)


def test_a_descriptor_without_a_limit_is_wrong() -> None:
    """It was not counted."""
    answer = rate_limit_pb2.RateLimitResponse(overall_code=OK)
    answer.statuses.add(code=OK)
    with pytest.raises(WrongAnswerError, match="no limit"):
        answers.within_limits(1)(answer.SerializeToString())


def test_an_allow_begins_with_a_status_of_zero() -> None:
    """A denial has a code there, so that it does not pass for an allow."""
    answer = ext_authz_pb2.CheckResponse()
    answer.status.code = 0
    answer.ok_response.headers_to_remove.append("authorization")
    assert answers.allowed(answer.SerializeToString()) == b"\x0a\x00"
    assert not _denied(403, 7).startswith(b"\x0a\x00")


@pytest.mark.parametrize("data", [_denied(403), _denied(401), b""])
def test_a_denial_or_nothing_is_no_allow(data: bytes) -> None:
    """Nothing is what Envoy would take for OK."""
    with pytest.raises(WrongAnswerError):
        answers.allowed(data)


def test_a_refusal_for_want_of_a_token_is_a_401() -> None:
    """And begins with its code."""
    assert answers.unauthenticated(_denied(401)) == b"\x0a\x02\x08\x10"
    for data in (_denied(403), b"\x0a\x00"):
        with pytest.raises(WrongAnswerError):
            answers.unauthenticated(data)
