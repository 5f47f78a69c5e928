from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.errors import NoConfigurationError
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.limits import FixedWindow, Unit
from ratelimit_service.model import Charge, Count, Decision, Descriptor, FailureMode, Role
from ratelimit_service.prepared import OVERRIDE
from ratelimit_service.rules import Limits
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.local_cache import LocalCache
from ratelimit_service.stores.memory import MemoryStore
from service_kit.valkey.errors import StoreUnavailableError
from tests.ratelimit_service import configured

NOW_US = 1_763_870_400_000_000
RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: day, requests_per_unit: 2}
    descriptors:
      - key: path
        rate_limit: {unit: day, requests_per_unit: 5, algorithm: token_bucket, burst: 1}
  - key: never
    rate_limit: {unit: day, requests_per_unit: 0}
  - key: free
  - key: open
    rate_limit: {unlimited: true}
  - key: shadow
    shadow_mode: true
    rate_limit: {unit: day, requests_per_unit: 0}
  - key: quota
    quota_mode: true
    rate_limit: {unit: day, requests_per_unit: 1}
  - key: shadow-quota
    shadow_mode: true
    quota_mode: true
    rate_limit: {unit: day, requests_per_unit: 0}
"""


class AbsentStore:
    """A store that never answers."""

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        del charges, denied
        raise StoreUnavailableError("away")


class RecordingStore:
    """Passes calls on, and keeps them."""

    def __init__(self) -> None:
        self.calls: list[Sequence[Charge]] = []
        self._store = memory()

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        self.calls.append(charges)
        return await self._store.hit(charges, denied=denied)


def memory(buckets: int = 1000) -> MemoryStore:
    return MemoryStore(lambda: NOW_US, buckets)


@pytest.fixture
def limits() -> Limits:
    return configured.limits(RULES)


def limiter(limits: Limits, store: CounterStore | None = None, modes: Modes | None = None, room: int = 9) -> Limiter:
    made = Limiter(memory() if store is None else store, memory(room), modes or Modes())
    made.use(limits)
    return made


def decide(limiter: Limiter, *descriptors: Descriptor, domain: str = "d") -> Decision:
    return asyncio.run(limiter.decide(limiter.prepare(domain, descriptors)))


def overs(decision: Decision) -> list[bool]:
    return [status.over for status in decision.statuses]


def of(key: str, value: str = "x", hits: int = 1, *, refund: bool = False) -> Descriptor:
    return Descriptor(((key, value),), hits, refund=refund)


USER = of("user", "alice")
PATH = Descriptor((("user", "alice"), ("path", "/x")))
NEVER, FREE, OPEN, UNKNOWN = of("never"), of("free"), of("open"), of("nobody")
SHADOW, QUOTA = of("shadow"), of("quota")


def test_without_a_configuration_nothing_is_decided() -> None:
    bare = Limiter(memory(), memory(), Modes())
    with pytest.raises(NoConfigurationError):
        decide(bare, USER)
    with pytest.raises(NoConfigurationError):
        _ = bare.limits


@pytest.mark.parametrize("mode", FailureMode)
def test_what_the_local_cache_knows_to_be_over_stays_so_while_the_store_is_away(
    limits: Limits, mode: FailureMode
) -> None:
    class Failing:
        away = False

        async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
            if self.away:
                raise StoreUnavailableError("away")
            return await store.hit(charges, denied=denied)

    store, failing = memory(), Failing()
    service = limiter(limits, LocalCache(failing, lambda: NOW_US, 10), Modes(mode))
    assert not decide(service, of("user", "bob", 2)).over
    assert decide(service, of("user", "bob")).over
    failing.away = True
    decision = decide(service, of("user", "bob"), of("user", "carol"))
    assert (decision.over, decision.failure) == (True, mode)
    assert overs(decision) == [True, mode is FailureMode.DENY]


@pytest.mark.parametrize(
    "change",
    [
        ("requests_per_unit: 0}\n  - key: free", "requests_per_unit: 9}\n  - key: free"),  # of another rule
        ("domain: d", "# a comment moves every line\ndomain: d"),
        ("  - key: open", "  - key: alien\n    rate_limit: {unit: day, requests_per_unit: 1}\n  - key: open"),
    ],
)
def test_a_reload_keeps_the_counts_of_the_rules_that_it_leaves_alone(limits: Limits, change: tuple[str, str]) -> None:
    service = limiter(limits)
    asked = [USER, PATH, SHADOW, QUOTA]
    decide(service, *asked)
    changed = RULES.replace(*change)
    assert changed != RULES
    service.use(configured.limits(changed))
    counts = [status.count for status in decide(service, *asked).statuses]
    assert [count.used for count in counts if count is not None] == [2, 1, 2, 2]


def test_the_limits_in_use_are_those_that_were_given_last(limits: Limits) -> None:
    service = limiter(limits)
    assert service.limits is limits
    other = configured.limits("domain: e\n")
    service.use(other)
    assert service.limits is other


# What applies


def test_a_value_less_key_counts_each_value_apart(limits: Limits) -> None:
    service = limiter(limits)
    assert [decide(service, USER).over for _ in range(3)] == [False, False, True]
    assert not decide(service, of("user", "bob")).over


def test_statuses_come_in_the_order_of_descriptors(limits: Limits) -> None:
    decision = decide(limiter(limits), UNKNOWN, PATH, FREE, USER, NEVER)
    paths = [status.rule.path if status.rule else None for status in decision.statuses]
    assert paths == [None, "user,path", "free", "user", "never"]
    assert overs(decision) == [False, False, False, False, True]
    assert [status.count is not None for status in decision.statuses] == [False, True, False, True, True]
    assert decision.over
    assert decision.descriptors == (UNKNOWN, PATH, FREE, USER, NEVER)


def test_a_descriptor_without_entries_matches_nothing(limits: Limits) -> None:
    (status,) = decide(limiter(limits), Descriptor(())).statuses
    assert (status.over, status.rule, status.limit) == (False, None, None)


def test_what_no_limit_applies_to_never_reaches_the_store(limits: Limits) -> None:
    store = RecordingStore()
    assert not decide(limiter(limits, store), FREE, UNKNOWN, OPEN).over
    assert not decide(limiter(limits, store), USER, NEVER, domain="other").over
    assert store.calls == []


def test_an_unlimited_rule_is_told_and_counts_nothing(limits: Limits) -> None:
    (status,) = decide(limiter(limits), OPEN).statuses
    assert status.rule is not None
    assert status.rule.unlimited
    assert (status.over, status.limit, status.count) == (False, None, None)


def test_a_request_is_one_call_to_the_store(limits: Limits) -> None:
    store = RecordingStore()
    decide(limiter(limits, store), USER, PATH, USER, FREE)
    assert [[charge.key for charge in call] for call in store.calls] == [
        ["rl:{d}:w86400:user=alice", "rl:{d}:b:user=alice:path=/x", "rl:{d}:w86400:user=alice"]
    ]


def test_the_same_bucket_twice_in_a_request_is_charged_twice(limits: Limits) -> None:
    assert overs(decide(limiter(limits), USER, USER, USER)) == [False, False, True]


def test_new_limits_count_from_the_next_request_on(limits: Limits) -> None:
    service = limiter(limits)
    assert not decide(service, USER).over
    service.use(configured.limits(RULES.replace("requests_per_unit: 2", "requests_per_unit: 1")))
    assert decide(service, USER).over


def test_an_override_needs_a_known_domain_but_no_rule(limits: Limits) -> None:
    descriptor = Descriptor((("nobody", "x"),), override=FixedWindow(1, Unit.HOUR))
    service = limiter(limits)
    assert [decide(service, descriptor).over for _ in range(2)] == [False, True]
    assert decide(service, descriptor).statuses[0].rule is OVERRIDE
    (status,) = decide(service, descriptor, domain="other").statuses
    assert (status.over, status.rule, status.limit) == (False, None, None)


def test_an_override_goes_before_the_configured_limit_and_all_its_flags(limits: Limits) -> None:
    override = FixedWindow(0, Unit.HOUR)
    for key in ("user", "shadow", "quota", "open"):
        (status,) = decide(limiter(limits), Descriptor(((key, "x"),), override=override)).statuses
        assert (status.over, status.limit, status.role) == (True, override, Role.BINDING)


def test_an_override_of_the_same_span_shares_the_bucket_of_its_rule(limits: Limits) -> None:
    service = limiter(limits)
    decide(service, USER, USER)
    (status,) = decide(service, Descriptor(USER.entries, override=FixedWindow(5, Unit.DAY))).statuses
    assert status.count is not None
    assert status.count.remaining == 2


# Hits


def test_hits_count_as_many_as_they_are(limits: Limits) -> None:
    service = limiter(limits)
    (status,) = decide(service, of("user", hits=2)).statuses
    assert status.count is not None
    assert (status.over, status.hits, status.count.remaining) == (False, 2, 0)
    assert decide(service, of("user")).over


def test_a_look_counts_nothing(limits: Limits) -> None:
    service = limiter(limits)
    for _ in range(3):
        (status,) = decide(service, of("user", hits=0)).statuses
        assert status.count is not None
        assert status.count.remaining == 2


def test_a_refund_gives_hits_back_and_is_never_over(limits: Limits) -> None:
    service = limiter(limits)
    decide(service, of("user", hits=3))
    assert decide(service, of("user", hits=0)).over
    assert overs(decide(service, of("user", hits=3, refund=True))) == [False]
    (status,) = decide(service, of("user", hits=0)).statuses
    assert status.count is not None
    assert (status.over, status.count.remaining) == (False, 2)


def test_a_refund_of_one_descriptor_counts_in_a_request_that_another_denies(limits: Limits) -> None:
    service = limiter(limits)
    decide(service, of("user", hits=2))
    assert decide(service, of("user", refund=True), NEVER).over
    assert not decide(service, of("user")).over


# Wildcards and what they share


SHARING = """
domain: d
descriptors:
  - {key: path, value: '/shared/*', share_threshold: true, rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: path, value: '/each/*', rate_limit: {unit: day, requests_per_unit: 2}}
  - {key: 'x-*', rate_limit: {unit: day, requests_per_unit: 2}}
"""


def test_values_of_a_pattern_share_one_bucket_only_where_that_is_asked_for() -> None:
    service = limiter(configured.limits(SHARING))
    assert [decide(service, of("path", f"/shared/{name}")).over for name in "abc"] == [False, False, True]
    assert [decide(service, of("path", f"/each/{name}")).over for name in "abc"] == [False, False, False]
    assert [decide(service, of("path", "/each/a")).over for _ in range(2)] == [False, True]


def test_keys_of_a_pattern_count_apart() -> None:
    service = limiter(configured.limits(SHARING))
    assert [decide(service, of("x-a", "1")).over for _ in range(3)] == [False, False, True]
    assert not decide(service, of("x-b", "1")).over
    assert not decide(service, of("x-a", "2")).over


# Replacing


REPLACING = """
domain: d
descriptors:
  - {key: any, rate_limit: {name: general, unit: day, requests_per_unit: 1}}
  - {key: other, rate_limit: {name: general, unit: day, requests_per_unit: 1}}
  - {key: open, rate_limit: {name: general, unlimited: true}}
  - {key: special, rate_limit: {name: special, unit: day, requests_per_unit: 5, replaces: [{name: general}]}}
  - {key: waived, rate_limit: {unlimited: true, replaces: [{name: general}]}}
  - {key: nameless, rate_limit: {unit: day, requests_per_unit: 1}}
"""


@pytest.mark.parametrize("replacing", ["special", "waived"])
def test_a_rule_that_is_replaced_is_neither_told_nor_counted(replacing: str) -> None:
    service = limiter(configured.limits(REPLACING))
    for _ in range(3):
        decision = decide(service, of("any"), of(replacing), of("other"), of("open"))
        assert not decision.over
        for place in (0, 2, 3):
            status = decision.statuses[place]
            assert (status.rule, status.limit, status.count) == (None, None, None)
    assert [decide(service, of("any")).over for _ in range(2)] == [False, True]


def test_a_rule_is_replaced_in_the_request_of_the_other_only() -> None:
    service = limiter(configured.limits(REPLACING))
    decide(service, of("special"))
    assert [decide(service, of("any")).over for _ in range(2)] == [False, True]


def test_what_has_no_name_or_another_is_not_replaced() -> None:
    decision = decide(limiter(configured.limits(REPLACING)), of("special"), of("nameless"), UNKNOWN)
    assert [status.rule is not None for status in decision.statuses] == [True, True, False]


def test_an_override_is_not_replaced() -> None:
    descriptor = Descriptor((("any", "x"),), override=FixedWindow(1, Unit.DAY))
    assert decide(limiter(configured.limits(REPLACING)), of("special"), descriptor).statuses[1].limit is not None


def test_an_override_takes_the_place_of_a_rule_that_would_replace_others() -> None:
    descriptor = Descriptor((("special", "x"),), override=FixedWindow(1, Unit.DAY))
    assert decide(limiter(configured.limits(REPLACING)), of("any"), descriptor).statuses[0].limit is not None


def test_two_rules_may_replace_each_other() -> None:
    text = """
domain: d
descriptors:
  - {key: a, rate_limit: {name: a, unit: day, requests_per_unit: 0, replaces: [{name: b}]}}
  - {key: b, rate_limit: {name: b, unit: day, requests_per_unit: 0, replaces: [{name: a}]}}
"""
    assert overs(decide(limiter(configured.limits(text)), of("a"), of("b"))) == [False, False]


# Roles


def test_a_rule_in_shadow_mode_is_counted_and_found_over_and_denies_nothing(limits: Limits) -> None:
    decision = decide(limiter(limits), SHADOW)
    (status,) = decision.statuses
    assert (decision.over, decision.shadowed) == (False, False)
    assert (status.over, status.exceeded, status.role) == (False, True, Role.SHADOW)
    assert status.count is not None
    assert (status.count.over, status.count.remaining) == (True, 0)


def test_shadow_mode_goes_before_quota_mode(limits: Limits) -> None:
    assert not decide(limiter(limits), of("shadow-quota")).over


def test_the_global_shadow_mode_lets_requests_pass_and_statuses_tell_the_truth(limits: Limits) -> None:
    decision = decide(limiter(limits, modes=Modes(shadow=True)), NEVER, USER, SHADOW)
    assert overs(decision) == [True, False, False]
    assert (decision.over, decision.shadowed) == (False, True)
    assert not decide(limiter(limits, modes=Modes(shadow=True)), USER).shadowed


def test_the_global_shadow_mode_charges_what_passes(limits: Limits) -> None:
    service = limiter(limits, modes=Modes(shadow=True))
    assert overs(decide(service, NEVER, PATH)) == [True, False]
    assert overs(decide(service, PATH)) == [True]


def test_a_request_is_over_by_quotas_only_when_all_of_them_are(limits: Limits) -> None:
    service = limiter(limits)
    decide(service, of("quota", "a"))
    one = decide(service, of("quota", "a"), of("quota", "b"))
    assert (overs(one), one.over) == ([True, False], False)
    both = decide(service, of("quota", "a"), of("quota", "b"))
    assert (overs(both), both.over) == ([True, True], True)


def test_quotas_are_not_weighed_against_what_is_none(limits: Limits) -> None:
    service = limiter(limits)
    decide(service, QUOTA)
    assert decide(service, QUOTA, USER, FREE, UNKNOWN, SHADOW).over


def test_a_rule_that_binds_denies_whatever_quotas_say(limits: Limits) -> None:
    decision = decide(limiter(limits), QUOTA, NEVER)
    assert (overs(decision), decision.over) == ([False, True], True)


def test_the_global_quota_mode_makes_every_rule_a_quota_but_overrides(limits: Limits) -> None:
    modes = Modes(quota=True)
    decision = decide(limiter(limits, modes=modes), NEVER, USER)
    assert (overs(decision), decision.over) == ([True, False], False)
    assert decide(limiter(limits, modes=modes), NEVER).over
    assert [status.role for status in decision.statuses] == [Role.QUOTA, Role.QUOTA]
    override = Descriptor((("nobody", "x"),), override=FixedWindow(0, Unit.HOUR))
    assert decide(limiter(limits, modes=modes), USER, override).over


def test_a_rule_in_shadow_mode_stays_so_in_the_global_quota_mode(limits: Limits) -> None:
    assert not decide(limiter(limits, modes=Modes(quota=True)), SHADOW).over


def test_a_request_that_is_denied_takes_no_tokens(limits: Limits) -> None:
    service = limiter(limits)
    for _ in range(3):
        assert decide(service, NEVER, PATH).over
    assert not decide(service, PATH).over


ROLES = st.sampled_from(["binding", "shadow", "quota"])


@given(st.lists(st.tuples(ROLES, st.booleans()), max_size=6), st.booleans())
def test_a_request_is_over_when_one_binds_or_all_quotas_are(rules: list[tuple[str, bool]], shadow: bool) -> None:  # noqa: FBT001
    text = "domain: d\ndescriptors:\n" + "".join(
        f"- {{key: k{number}, shadow_mode: {role == 'shadow'}, quota_mode: {role == 'quota'}, "
        f"rate_limit: {{unit: day, requests_per_unit: {int(not over)}}}}}\n"
        for number, (role, over) in enumerate(rules)
    )
    decision = decide(
        limiter(configured.limits(text + "- key: free\n"), modes=Modes(shadow=shadow)),
        FREE,
        *(of(f"k{number}") for number in range(len(rules))),
    )
    quotas = [over for role, over in rules if role == "quota"]
    over = any(over for role, over in rules if role == "binding") or (bool(quotas) and all(quotas))
    assert (decision.over, decision.shadowed) == (over and not shadow, over and shadow)
    assert overs(decision)[1:] == [over and role != "shadow" for role, over in rules]
    assert [status.exceeded for status in decision.statuses][1:] == [over for _, over in rules]


# Metadata


DESCRIBED = """
domain: d
descriptors:
  - {key: a, metadata: {team: search, tier: 1}}
  - {key: b, metadata: {tier: 2, cost: 5}, rate_limit: {unit: day, requests_per_unit: 1}}
  - {key: c, metadata: {tier: 3}, shadow_mode: true, rate_limit: {unit: day, requests_per_unit: 0}}
  - {key: none}
"""


def test_metadata_of_what_passed_comes_together_and_the_first_of_a_name_counts() -> None:
    service = limiter(configured.limits(DESCRIBED))
    assert decide(service, of("none"), of("b"), of("a")).metadata == {"tier": 2, "cost": 5, "team": "search"}
    assert decide(service, of("b"), of("a")).metadata == {"team": "search", "tier": 1}  # b is over now
    assert decide(service, of("c")).metadata == {"tier": 3}
    assert decide(service, of("none")).metadata is None


# Without a store


def test_allow_admits_when_the_store_is_away(limits: Limits) -> None:
    decision = decide(limiter(limits, AbsentStore()), USER, FREE)
    assert decision.failure is FailureMode.ALLOW
    assert overs(decision) == [False, False]
    assert all(status.count is None for status in decision.statuses)


def test_allow_does_not_admit_what_a_limit_of_zero_always_denies(limits: Limits) -> None:
    decision = decide(limiter(limits, AbsentStore()), USER, NEVER, of("never", hits=0), of("never", refund=True))
    assert overs(decision) == [False, True, False, False]
    assert decision.over


def test_deny_denies_every_descriptor_that_has_a_limit_and_binds(limits: Limits) -> None:
    deny = Modes(FailureMode.DENY)
    decision = decide(limiter(limits, AbsentStore(), deny), USER, FREE, PATH, UNKNOWN, SHADOW, of("user", refund=True))
    assert decision.failure is FailureMode.DENY
    assert overs(decision) == [True, False, True, False, False, False]
    assert all(status.count is None for status in decision.statuses)


def test_deny_denies_nothing_in_the_global_shadow_mode(limits: Limits) -> None:
    decision = decide(limiter(limits, AbsentStore(), Modes(FailureMode.DENY, shadow=True)), USER)
    assert (decision.over, decision.shadowed) == (False, True)


def test_deny_denies_quotas_together(limits: Limits) -> None:
    assert decide(limiter(limits, AbsentStore(), Modes(FailureMode.DENY)), QUOTA, FREE).over


def test_local_counts_in_memory_when_the_store_is_away(limits: Limits) -> None:
    service = limiter(limits, AbsentStore(), Modes(FailureMode.LOCAL))
    decisions = [decide(service, USER) for _ in range(3)]
    assert [decision.over for decision in decisions] == [False, False, True]
    assert {decision.failure for decision in decisions} == {FailureMode.LOCAL}
    assert decisions[0].statuses[0].count is not None


def test_local_denies_when_its_memory_is_full(limits: Limits) -> None:
    service = limiter(limits, AbsentStore(), Modes(FailureMode.LOCAL), room=1)
    assert not decide(service, USER).over
    assert decide(service, of("user", "bob")).over


def test_a_request_without_limits_is_no_failure_when_the_store_is_away(limits: Limits) -> None:
    assert decide(limiter(limits, AbsentStore(), Modes(FailureMode.DENY)), FREE).failure is None
