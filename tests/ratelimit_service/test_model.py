from __future__ import annotations

import pytest

from ratelimit_service.limits import MAX_UINT32, FixedWindow, Unit
from ratelimit_service.model import Charge, Count, Decision, Descriptor, Role, Status


@pytest.mark.parametrize("hits", [-1, MAX_UINT32 + 1])
def test_hits_outside_their_bounds_are_refused(hits: int) -> None:
    with pytest.raises(ValueError, match="hits"):
        Descriptor((("a", "b"),), hits)


@pytest.mark.parametrize("hits", [0, 1, MAX_UINT32])
def test_hits_may_stand_on_their_bounds(hits: int) -> None:
    assert Descriptor((("a", "b"),), hits).hits == hits


@pytest.mark.parametrize(("reset_us", "seconds"), [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)])
def test_a_reset_is_told_in_whole_seconds_rounded_up(reset_us: int, seconds: int) -> None:
    assert Count(over=False, remaining=1, reset_us=reset_us, used=1).reset_seconds == seconds


@pytest.mark.parametrize(("reset_us", "seconds"), [(0, 1), (1, 1), (1_000_001, 2)])
def test_who_is_over_waits_for_a_second_at_least(reset_us: int, seconds: int) -> None:
    assert Count(over=True, remaining=0, reset_us=reset_us, used=1).reset_seconds == seconds


def test_a_descriptor_stands_for_one_hit_that_is_charged_where_nothing_else_is_said() -> None:
    descriptor = Descriptor((("a", "b"),))
    assert (descriptor.hits, descriptor.refund, descriptor.override) == (1, False, None)


def test_a_count_comes_from_the_store_where_nothing_else_is_said() -> None:
    assert not Count(over=False, remaining=1, reset_us=1, used=1).cached


def test_a_rule_binds_where_nothing_else_is_said() -> None:
    status = Status(over=False, hits=1)
    assert (status.role, status.exceeded) == (Role.BINDING, False)
    assert Charge("k", 1, FixedWindow(1, Unit.DAY)).role is Role.BINDING
    decision = Decision("d", (), (), over=False)
    assert (decision.shadowed, decision.failure, decision.metadata) == (False, None, None)


def test_roles_are_the_numbers_that_the_script_knows() -> None:
    assert (int(Role.BINDING), int(Role.SHADOW), int(Role.QUOTA)) == (0, 1, 2)
