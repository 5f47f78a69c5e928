"""What an answer must say, and how such an answer begins on the wire, which the load generator compares. Pure."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import DecodeError

from service_kit.wire import envoy_type_pb2, ext_authz_pb2, rate_limit_pb2


class WrongAnswerError(Exception):
    """A program answers, but not what it should."""


Expectation = Callable[[bytes], bytes]
"""Reads an answer; returns the bytes that every further one must begin with, or raises `WrongAnswerError`."""


def within_limits(descriptors: int) -> Expectation:
    """A rate limit's OK, with a status for each descriptor that tells of a limit."""

    def read(data: bytes) -> bytes:
        answer = rate_limit_pb2.RateLimitResponse()
        _parse(answer, data)
        codes = [status.code for status in answer.statuses]
        if answer.overall_code != answer.OK or codes != [answer.OK] * descriptors:
            raise WrongAnswerError(f"not OK, or not for {descriptors} descriptors: {answer}")
        if not all(status.HasField("current_limit") for status in answer.statuses):
            raise WrongAnswerError(f"a descriptor found no limit: {answer}")
        return _field(data, rate_limit_pb2.RateLimitResponse(overall_code=answer.OK).SerializeToString())

    return read


def remaining(data: bytes) -> int:
    """Return what is left of the first descriptor's limit, by an answer of the rate limiter."""
    return int(rate_limit_pb2.RateLimitResponse.FromString(data).statuses[0].limit_remaining)


def allowed(data: bytes) -> bytes:
    """Read a check's allow."""
    answer = ext_authz_pb2.CheckResponse()
    _parse(answer, data)
    if not answer.HasField("status") or answer.status.code or answer.HasField("denied_response"):
        raise WrongAnswerError(f"not allowed: {answer}")
    return _status(answer, data)


def unauthenticated(data: bytes) -> bytes:
    """Read a check's 401."""
    answer = ext_authz_pb2.CheckResponse()
    _parse(answer, data)
    if not answer.status.code or answer.denied_response.status.code != envoy_type_pb2.StatusCode.Unauthorized:
        raise WrongAnswerError(f"not refused with 401: {answer}")
    return _status(answer, data)


def _parse(answer: rate_limit_pb2.RateLimitResponse | ext_authz_pb2.CheckResponse, data: bytes) -> None:
    try:
        answer.ParseFromString(data)
    except DecodeError as error:
        raise WrongAnswerError("the answer is no message of its type") from error


def _status(answer: ext_authz_pb2.CheckResponse, data: bytes) -> bytes:
    return _field(data, ext_authz_pb2.CheckResponse(status=answer.status).SerializeToString())


def _field(data: bytes, begins: bytes) -> bytes:
    if not data.startswith(begins):
        raise WrongAnswerError("the answer's first field is not the one that decides")
    return begins
