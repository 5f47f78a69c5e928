from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.commands.tally import MAX_NAMED, MAX_TEXT, Limited, Tally, Who
from ratelimit_service.limits import FixedWindow, Unit
from ratelimit_service.model import Decision, Descriptor, FailureMode, Status
from ratelimit_service.rules import Rule

LIMIT = FixedWindow(1, Unit.MINUTE)
RULE = Rule("user", (("user", ""),), "f.yaml", 3, LIMIT)
SHADOW = Rule("agent", (("agent", ""),), "f.yaml", 6, LIMIT, shadow_mode=True)
FREE = Rule("free", (("free", ""),), "f.yaml", 9)


def who(user: str) -> Who:
    return Who("d", (("user", user),))


def decision(*statuses: tuple[str, Rule | None, bool], failure: FailureMode | None = None) -> Decision:
    descriptors = tuple(Descriptor(((rule.path if rule else "x", value),)) for value, rule, _ in statuses)
    found = tuple(
        Status(
            over=exceeded and rule is not SHADOW,
            hits=1,
            rule=rule,
            limit=rule.limit if rule else None,
            exceeded=exceeded,
        )
        for _, rule, exceeded in statuses
    )
    return Decision("d", descriptors, found, over=any(each.over for each in found), failure=failure)


def test_requests_are_counted_by_rule_and_shadow_rules_apart() -> None:
    tally = Tally()
    for number, each in enumerate(
        [
            decision(("alice", RULE, True), ("a1", SHADOW, True)),
            decision(("alice", RULE, False), ("a1", SHADOW, True)),
            decision(("bob", FREE, False)),
            decision(("bob", None, False)),
            decision(("bob", RULE, False), failure=FailureMode.ALLOW),
        ]
    ):
        tally.at(number)
        tally.decided(each)
    assert (tally.requests, tally.denied, tally.without_limit, tally.uncounted) == (5, 1, 2, 1)
    assert [(each.rule, each.asked, each.over) for each in tally.binding.counted()] == [(RULE, 3, 1)]
    assert [(each.rule, each.asked, each.over) for each in tally.shadow.counted()] == [(SHADOW, 2, 2)]
    assert [(name, each.times) for name, each in tally.binding.limited.top(9)] == [(who("alice"), 1)]
    assert [each.times for _, each in tally.shadow.limited.top(9)] == [2]


@given(st.lists(st.integers(0, 1_000), min_size=1))
def test_the_time_never_goes_back_and_what_comes_late_is_counted(times: list[int]) -> None:
    tally = Tally()
    told = [tally.at(time) for time in times]
    assert told == [max(times[: at + 1]) for at in range(len(times))]
    assert tally.late == sum(time < now for time, now in zip(times, told, strict=True))
    assert tally.late_by_us == max(now - time for time, now in zip(times, told, strict=True))
    assert (tally.first_us, tally.last_us) == (times[0], max(times))


def test_a_stretch_goes_on_until_a_request_passes() -> None:
    limited = Limited()
    for time, over in (
        (10, False),
        (20, True),
        (30, True),
        (45, True),
        (50, False),
        (60, True),
        (70, True),
        (99, False),
    ):
        limited.note(who("alice"), time, over=over)
    limited.note(who("bob"), 100, over=True)
    (_, alice), (_, bob) = limited.top(2)
    assert (alice.times, alice.longest_us, alice.longest_from_us) == (5, 25, 20)
    assert (bob.times, bob.longest_us, bob.longest_from_us) == (1, 0, 100)
    longest = limited.longest()
    assert longest is not None
    assert longest[0] == who("alice")
    assert Limited().longest() is None


@given(st.lists(st.integers(0, 30), max_size=300), st.integers(2, 8))
def test_memory_is_bounded_and_what_a_count_may_lack_is_told(users: list[int], most: int) -> None:
    limited = Limited(most)
    for time, user in enumerate(users):
        limited.note(who(str(user)), time, over=True)
        assert len(limited) <= most
    counted = {name: found.times for name, found in limited.top(most)}
    for user in set(users):
        true = users.count(user)
        assert counted.get(who(str(user)), 0) <= true <= counted.get(who(str(user)), 0) + limited.forgotten


def test_long_values_and_many_unknown_domains_take_no_more_than_their_share() -> None:
    tally = Tally()
    tally.at(0)
    tally.decided(decision(("x" * 10_000, RULE, True)))
    ((name, _),) = tally.binding.limited.top(1)
    assert len(name.entries[0][1]) == MAX_TEXT
    for number in range(MAX_NAMED * 2):
        tally.unknown_domain(str(number))
    assert (tally.foreign, len(tally.foreign_domains)) == (MAX_NAMED * 2, MAX_NAMED)
