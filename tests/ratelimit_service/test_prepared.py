"""What applies to a request is found without counting anything."""

from __future__ import annotations

import pytest

from ratelimit_service.limits import FixedWindow, Unit
from ratelimit_service.model import Charge, Descriptor, Role
from ratelimit_service.prepared import OVERRIDE, match_all, prepare
from ratelimit_service.rules import Limits
from tests.ratelimit_service import configured

RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: day, requests_per_unit: 2}
  - key: quota
    quota_mode: true
    rate_limit: {unit: day, requests_per_unit: 1}
  - key: told
    metadata: {tier: gold}
    rate_limit: {unit: day, requests_per_unit: 1}
"""
DAY = FixedWindow(2, Unit.DAY)
USER, QUOTA, UNKNOWN = (Descriptor(((key, "alice"),)) for key in ("user", "quota", "unknown"))


@pytest.fixture
def limits() -> Limits:
    return configured.limits(RULES)


def test_what_applies_can_be_asked_without_counting(limits: Limits) -> None:
    first, second, third = match_all(limits, "d", [USER, UNKNOWN, QUOTA])
    assert (first.rule.path if first.rule else "", first.key, first.role) == (
        "user",
        "rl:{d}:w86400:user=alice",
        Role.BINDING,
    )
    assert (second.rule, second.limit, second.key) == (None, None, "")
    assert third.role is Role.QUOTA
    assert match_all(limits, "d", [USER], quota=True)[0].role is Role.QUOTA
    assert [match.rule for match in match_all(limits, "other", [USER, QUOTA])] == [None, None]


def test_what_is_counted_is_charged_and_what_is_not_is_not(limits: Limits) -> None:
    prepared = prepare(limits, "d", [USER, UNKNOWN])
    assert list(prepared.charges) == [Charge("rl:{d}:w86400:user=alice", 1, DAY, Role.BINDING)]
    assert prepared.known_domain
    assert not prepared.tells


def test_a_refund_charges_less_than_nothing_and_in_shadow_mode_no_charge_denies(limits: Limits) -> None:
    given_back = Descriptor(USER.entries, 3, refund=True)
    (charge,) = prepare(limits, "d", [given_back], shadow=True).charges
    assert (charge.hits, charge.role) == (-3, Role.SHADOW)


def test_an_override_is_charged_whatever_the_rules_say(limits: Limits) -> None:
    override = FixedWindow(7, Unit.HOUR)
    prepared = prepare(limits, "d", [Descriptor(UNKNOWN.entries, override=override)])
    assert [match.rule for match in prepared.matches] == [OVERRIDE]
    assert [charge.limit for charge in prepared.charges] == [override]


def test_a_request_of_a_domain_without_limits_is_known_as_such(limits: Limits) -> None:
    prepared = prepare(limits, "other", [USER])
    assert (prepared.known_domain, list(prepared.charges)) == (False, [])


def test_whether_a_rule_has_metadata_to_tell_is_known(limits: Limits) -> None:
    assert prepare(limits, "d", [USER, Descriptor((("told", "x"),))]).tells
