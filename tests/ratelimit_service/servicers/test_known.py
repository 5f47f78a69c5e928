"""Requests are remembered when they come again, under the limits that they were read with, and never too many."""

from __future__ import annotations

from ratelimit_service.prepared import prepare
from ratelimit_service.servicers.known import MAX_REQUEST_BYTES, Known, KnownRequests
from tests.ratelimit_service import configured

LIMITS = configured.limits("domain: d\ndescriptors: [{key: user, rate_limit: {unit: day, requests_per_unit: 1}}]")
OTHERS = configured.limits("domain: d\ndescriptors: [{key: user, rate_limit: {unit: day, requests_per_unit: 2}}]")
KNOWN = Known(prepare(LIMITS, "d", []), b"")


def heard(requests: KnownRequests, message: bytes) -> bool:
    """Whether it was known; it is noted as the servicer notes it."""
    if requests.find(LIMITS, message) is not None:
        return True
    requests.keep(message, KNOWN)
    return False


def test_a_request_is_known_from_its_third_coming_on() -> None:
    requests = KnownRequests()
    assert [heard(requests, b"a") for _ in range(4)] == [False, False, True, True]
    assert not heard(requests, b"b")


def test_other_limits_forget_everything() -> None:
    requests = KnownRequests()
    for _ in range(3):
        heard(requests, b"a")
    assert requests.find(OTHERS, b"a") is None
    assert requests.find(LIMITS, b"a") is None
    assert [heard(requests, b"a") for _ in range(3)] == [False, False, True]


def test_the_one_that_was_remembered_first_makes_room() -> None:
    requests = KnownRequests(max_bytes=2)
    for name in (b"a", b"a", b"b", b"b", b"c", b"c"):
        heard(requests, name)
    assert [requests.find(LIMITS, name) is not None for name in (b"a", b"b", b"c")] == [False, True, True]
    assert len(requests) == 2


def test_a_larger_one_takes_more_room() -> None:
    requests = KnownRequests(max_bytes=3)
    for name in (b"a", b"a", b"b", b"b", b"ccc", b"ccc"):
        heard(requests, name)
    assert [requests.find(LIMITS, name) is not None for name in (b"a", b"b", b"ccc")] == [False, False, True]


def test_requests_that_come_once_push_none_out() -> None:
    requests = KnownRequests(max_bytes=2)
    heard(requests, b"a")
    heard(requests, b"a")
    for number in range(100):
        assert not heard(requests, b"%d" % number)
    assert heard(requests, b"a")
    assert len(requests) == 1


def test_a_large_request_is_not_remembered() -> None:
    requests = KnownRequests()
    largest, larger = b"x" * MAX_REQUEST_BYTES, b"x" * (MAX_REQUEST_BYTES + 1)
    assert [heard(requests, largest) for _ in range(3)] == [False, False, True]
    assert [heard(requests, larger) for _ in range(3)] == [False, False, False]
