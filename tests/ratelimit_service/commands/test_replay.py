from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.commands import replay
from ratelimit_service.commands.access_log import Request, Unreadable
from ratelimit_service.commands.replay import Outcome
from ratelimit_service.model import Descriptor
from ratelimit_service.rules import Limits
from tests.ratelimit_service import configured

START = 1_763_870_400
LIMITS = configured.limits(
    """
    domain: d
    descriptors:
      - key: user
        rate_limit: {unit: minute, requests_per_unit: 2}
      - key: agent
        shadow_mode: true
        rate_limit: {unit: second, requests_per_unit: 1, algorithm: token_bucket, burst: 1}
    """
)


def ask(seconds: float, *entries: tuple[str, str], domain: str = "d", hits: int = 1) -> Request:
    descriptors = tuple(Descriptor((entry,), hits) for entry in entries)
    return Request(1, int((START + seconds) * 1_000_000), domain, descriptors)


def run(
    requests: Sequence[Request | Unreadable], limits: Limits = LIMITS, max_buckets: int = 1_000
) -> tuple[Outcome, int]:
    heard = []
    outcome = asyncio.run(
        replay.replay(requests, limits, heard=lambda each: heard.append(each.lines), max_buckets=max_buckets)
    )
    return outcome, len(heard)


def test_limits_hold_by_the_time_of_the_log() -> None:
    requests = [ask(second, ("user", "alice")) for second in (0, 1, 2, 59, 60, 61, 62)]
    outcome, _ = run(requests)
    assert (outcome.tally.requests, outcome.tally.denied) == (7, 3)


def test_shadow_rules_deny_nothing_and_are_counted() -> None:
    outcome, _ = run([ask(0, ("agent", "a")), ask(0.5, ("agent", "a")), ask(1.5, ("agent", "a"))])
    (shadow,) = outcome.tally.shadow.counted()
    assert (outcome.tally.denied, shadow.asked, shadow.over) == (0, 3, 1)


def test_what_comes_late_comes_when_the_latest_before_came() -> None:
    outcome, _ = run([ask(60, ("user", "alice")), ask(0, ("user", "alice")), ask(59, ("user", "alice"))])
    assert (outcome.tally.late, outcome.tally.late_by_us, outcome.tally.denied) == (2, 60_000_000, 1)


def test_lines_that_cannot_be_read_and_domains_without_limits_are_counted() -> None:
    outcome, _ = run([*(Unreadable(line, "x") for line in range(30)), ask(0, ("user", "a"), domain="e")])
    assert (outcome.lines, outcome.unreadable, [each.line for each in outcome.told]) == (31, 30, list(range(10)))
    assert (outcome.tally.foreign, outcome.tally.foreign_domains, outcome.tally.without_limit) == (1, {"e"}, 1)


def test_a_request_for_which_there_is_no_room_passes_and_is_told() -> None:
    outcome, _ = run([ask(0, ("user", str(number))) for number in range(5)], max_buckets=3)
    assert (outcome.tally.uncounted, outcome.tally.denied) == (2, 0)
    outcome, _ = run([ask(number * 61, ("user", str(number))) for number in range(5)], max_buckets=3)
    assert outcome.tally.uncounted == 0  # the windows of those before are over


def test_it_is_told_now_and_then_how_far_that_is() -> None:
    assert run([ask(0)] * (3 * replay.PAUSE + 1))[1] == 3


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from("ab"), st.integers(0, 3)), max_size=20))
def test_no_window_of_the_log_lets_more_through_than_its_limit(asked: list[tuple[int, str, int]]) -> None:
    asked.sort()
    requests = [ask(second, ("user", user), hits=hits) for second, user, hits in asked]

    async def denied() -> list[int]:
        ends = range(len(requests) + 1)
        outcomes = [await replay.replay(requests[:end], LIMITS, heard=lambda _: None) for end in ends]
        return [outcome.tally.denied for outcome in outcomes]

    admitted: dict[tuple[int, str], int] = {}
    for (second, user, hits), (before, now) in zip(asked, pairwise(asyncio.run(denied())), strict=True):
        if before == now:
            admitted[second // 60, user] = admitted.get((second // 60, user), 0) + hits
    assert all(number <= 2 for number in admitted.values())
