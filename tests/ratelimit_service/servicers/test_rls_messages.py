"""Requests are read and answers written as Envoy means them, with what a request may take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ratelimit_service.errors import InvalidRequestError
from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.model import Count, Decision, Descriptor, Role, Status
from ratelimit_service.prepared import Match
from ratelimit_service.rules import Rule
from ratelimit_service.servicers.rls_messages import MAX_TEXT_BYTES, Extras, HeaderNames, draft_of, parse, respond
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor

OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT
UNITS = RateLimitResponse.RateLimit
STATUS = RateLimitResponse.DescriptorStatus
BINDING, SHADOW, QUOTA = Role.BINDING, Role.SHADOW, Role.QUOTA
DESCRIPTOR = Descriptor((("k", "v"),))


def answer(*statuses: Status, extras: Extras | None = None, over: bool = False) -> RateLimitResponse:
    """How these statuses are written."""
    draft = draft_of(Match(DESCRIPTOR, status.rule, status.limit, "", status.role) for status in statuses)
    decision = Decision("d", (DESCRIPTOR,) * len(statuses), statuses, over)
    return respond(draft, decision, RateLimitRequest(), extras or Extras())


KINDS: list[Callable[[Unit, int], Limit]] = [
    lambda unit, multiplier: FixedWindow(1, unit, multiplier=multiplier),
    lambda unit, multiplier: SlidingWindow(1, unit, multiplier=multiplier),
    lambda unit, multiplier: TokenBucket(1, unit, 1, multiplier=multiplier),
]
COUNT = Count(over=False, remaining=0, reset_us=1, used=1)


def written(limit: Limit) -> RateLimitResponse.DescriptorStatus:
    """How the status of this limit is written."""
    rule = Rule("r", (), "f.yaml", 1, limit)
    return answer(Status(over=False, hits=1, rule=rule, limit=limit, count=COUNT)).statuses[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", Unit)
def test_every_unit_has_its_own_in_the_response(kind: Callable[[Unit, int], Limit], unit: Unit) -> None:
    assert written(kind(unit, 1)).current_limit.unit == UNITS.Unit.Value(unit.name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("unit", "multiplier", "told"),
    [
        (Unit.SECOND, 60, "MINUTE"),
        (Unit.MINUTE, 60, "HOUR"),
        (Unit.HOUR, 24, "DAY"),
        (Unit.DAY, 7, "WEEK"),
        (Unit.DAY, 30, "MONTH"),
        (Unit.DAY, 365, "YEAR"),
        (Unit.MINUTE, 5, "UNKNOWN"),
        (Unit.WEEK, 4, "UNKNOWN"),
    ],
)
def test_a_span_of_several_units_is_told_in_one_that_is_just_as_long_or_in_none(
    kind: Callable[[Unit, int], Limit], unit: Unit, multiplier: int, told: str
) -> None:
    assert written(kind(unit, multiplier)).current_limit.unit == UNITS.Unit.Value(told)


@pytest.mark.parametrize("limit", [kind(unit, 1) for kind in KINDS for unit in (Unit.SECOND, Unit.WEEK)])
def test_a_decision_without_counts_says_only_codes(limit: Limit) -> None:
    rule = Rule("r", (), "f.yaml", 1, limit)
    statuses = (Status(over=True, hits=1, rule=rule, limit=limit), Status(over=False, hits=1, rule=rule, limit=limit))
    response = answer(*statuses, extras=Extras(HeaderNames()), over=True)
    assert response.overall_code == OVER_LIMIT
    assert list(response.statuses) == [STATUS(code=OVER_LIMIT), STATUS(code=OK)]
    assert not response.response_headers_to_add


def limits_told(*remaining: tuple[int, bool, Role]) -> int | None:
    """Of statuses with what remains, whether they are over, and their role: the number of the one that is told."""
    statuses = [
        Status(
            over=over,
            hits=1,
            rule=Rule("r", (), "f.yaml", 1),
            limit=FixedWindow(number, Unit.DAY),
            count=Count(over, left, 1_000_000, 1),
            exceeded=over,
            role=role,
        )
        for number, (left, over, role) in enumerate(remaining)
    ]
    response = answer(*statuses, extras=Extras(HeaderNames()))
    told = {header.key: header.value for header in response.response_headers_to_add}
    return int(told["RateLimit-Limit"]) if told else None


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ([], None),
        ([(5, False, BINDING), (3, False, BINDING), (4, False, BINDING)], 1),
        ([(3, False, BINDING), (3, False, BINDING)], 0),
        ([(0, False, BINDING), (0, True, BINDING), (9, False, BINDING)], 1),
        ([(0, True, BINDING), (2, True, BINDING), (0, False, BINDING)], 1),
        ([(2, True, BINDING), (0, False, BINDING)], 0),
        ([(2, True, QUOTA), (1, False, BINDING)], 1),
        ([(0, True, QUOTA), (0, True, BINDING), (0, True, QUOTA)], 1),
        ([(3, False, BINDING), (2, True, QUOTA), (4, False, BINDING)], 1),
        ([(3, False, SHADOW), (5, False, QUOTA)], 0),
    ],
)
def test_headers_tell_the_last_that_binds_and_is_over_or_else_the_least_that_remains(
    statuses: list[tuple[int, bool, Role]], told: int | None
) -> None:
    assert limits_told(*statuses) == told


def test_the_bytes_of_a_request_are_bounded_as_a_whole() -> None:
    def request(length: int) -> RateLimitRequest:
        return RateLimitRequest(
            domain="d", descriptors=[RateLimitDescriptor(entries=[{"key": "k", "value": "v" * length}])]
        )

    around = request(MAX_TEXT_BYTES - 100).ByteSize() - (MAX_TEXT_BYTES - 100)
    largest = request(MAX_TEXT_BYTES - around)
    assert largest.ByteSize() == MAX_TEXT_BYTES == 1_048_576
    assert len(parse(largest)) == 1
    with pytest.raises(InvalidRequestError):
        parse(request(MAX_TEXT_BYTES - around + 1))


def test_one_draft_serves_answers_that_have_nothing_of_one_another() -> None:
    limit = FixedWindow(5, Unit.DAY, "daily")
    match = Match(DESCRIPTOR, Rule("r", (), "f.yaml", 1, limit), limit, "", BINDING)
    draft = draft_of([match, match])
    over = Status(True, 1, match.rule, limit, Count(True, 0, 9_000_000, 6), True)
    within = Status(False, 1, match.rule, limit, Count(False, 4, 5_000_000, 1))
    answers = [
        respond(draft, Decision("d", (DESCRIPTOR,) * 2, statuses, statuses[0].over), RateLimitRequest(), Extras())
        for statuses in ((over, within), (within, within))
    ]
    assert [each.overall_code for each in answers] == [OVER_LIMIT, OK]
    told = [
        [(each.code, each.limit_remaining, each.duration_until_reset.seconds) for each in a.statuses] for a in answers
    ]
    assert told == [[(OVER_LIMIT, 0, 9), (OK, 4, 5)], [(OK, 4, 5), (OK, 4, 5)]]
    assert {each.current_limit.name for a in answers for each in a.statuses} == {"daily"}
