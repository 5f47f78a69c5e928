"""What becomes of a finding: the first rule that is for it, what is usual, and what the policy says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import (
    NO_OVERRIDES,
    USUALLY_REPORTED,
    Action,
    Actions,
    Choices,
    Direction,
    Overrides,
    Rule,
    Table,
)
from authz_service.model import Location
from authz_service.policy.target import Target
from authz_service.routing import Conditions

ENTITIES = ("us_ssn", "payment_card", "email_address")


def found(table: Table, entity: str = "us_ssn", confidence: float = 1.0) -> Action:
    """What becomes of an entity in a request's header."""
    return table.find(entity, confidence, Direction.REQUEST, Location.HEADER).action


def table(actions: Actions, path: str = "/x", host: str = "api.example", method: str = "GET") -> Table:
    return actions.table(method, host, Target(path, "", "/x"))


def test_without_rules_contact_data_is_reported_and_all_else_replaced() -> None:
    """In both directions and everywhere."""
    usual = table(Actions())
    for direction in Direction:
        for location in Location:
            assert usual.find("us_ssn", 0.1, direction, location).action is Action.REPLACE
            assert usual.find("made_up", 0.1, direction, location).action is Action.REPLACE
            assert usual.find("email_address", 1.0, direction, location).action is Action.REPORT


def test_a_rule_for_routes_is_for_no_other_request() -> None:
    """Routes are told apart as the section `routes` tells them."""
    conditions = Conditions(("*.hr.example",), ("/People/",), ("POST",))
    actions = Actions([Rule(Action.ALLOW, conditions=conditions), Rule(Action.MASK, frozenset({"us_ssn"}))])
    assert found(table(actions, "/people/7", "api.HR.example:8443", "POST")) is Action.ALLOW
    assert found(table(actions, "/people/7", "api.hr.example", "GET")) is Action.MASK
    assert found(table(actions, "/peoples", "api.hr.example", "POST")) is Action.MASK
    assert found(table(actions, "/people", "hr.example", "POST")) is Action.MASK
    assert found(table(actions, "/people/7", "api.hr.example", "POST"), "iban") is Action.ALLOW
    assert found(table(actions), "iban") is Action.REPLACE


def test_requests_that_the_same_rules_are_for_share_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is made once; so many that memory would not hold them are made anew each time."""
    actions = Actions([Rule(Action.ALLOW, conditions=Conditions(paths=(f"/{name}",))) for name in "abc"])
    assert table(actions, "/a/1") is table(actions, "/a/2")
    assert table(actions, "/a/1") is not table(actions, "/b/1")
    monkeypatch.setattr("authz_service.dlp.actions.MAX_TABLES", 2)
    assert table(actions, "/c") is not table(actions, "/c")
    assert found(table(actions, "/c")) is Action.ALLOW


def test_a_finding_that_a_rule_is_not_sure_enough_of_is_left_to_the_next() -> None:
    actions = Actions(
        [
            Rule(Action.BLOCK, minimum_confidence=0.9),
            Rule(Action.MASK, minimum_confidence=0.5),
        ]
    )
    sure = [(1.0, "block"), (0.9, "block"), (0.89, "mask"), (0.5, "mask"), (0.49, "replace"), (0.0, "replace")]
    assert [(confidence, found(table(actions), confidence=confidence)) for confidence, _ in sure] == sure


RULES = st.builds(
    Rule,
    st.sampled_from(Action),
    st.frozensets(st.sampled_from(ENTITIES), max_size=2),
    st.sampled_from([None, *Direction]),
    st.frozensets(st.sampled_from(Location), max_size=2),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([Conditions(), Conditions(paths=("/a",)), Conditions(methods=("GET",)), Conditions(("h",))]),
    st.booleans(),
)


@given(
    st.lists(RULES, max_size=6),
    st.tuples(st.sampled_from(["/a", "/b"]), st.sampled_from(["GET", "PUT"]), st.sampled_from(["h", "i"])),
    st.tuples(st.sampled_from([*ENTITIES, "iban"]), st.sampled_from([0.1, 0.5, 1.0])),
    st.sampled_from(Direction),
    st.sampled_from(Location),
)
def test_the_first_rule_of_which_everything_holds_counts(
    rules: list[Rule], request: tuple[str, str, str], what: tuple[str, float], direction: Direction, location: Location
) -> None:
    """As one would read them, one after the other."""
    (path, method, host), (entity, confidence) = request, what
    expected = (Action.REPORT if entity in USUALLY_REPORTED else Action.REPLACE, False)
    for rule in reversed(rules):
        wanted = rule.conditions
        if (
            (not rule.entities or entity in rule.entities)
            and (rule.direction is None or rule.direction is direction)
            and (not rule.locations or location in rule.locations)
            and confidence >= rule.minimum_confidence
            and (not wanted.paths or path in wanted.paths)
            and (not wanted.methods or method in wanted.methods)
            and (not wanted.hosts or host in wanted.hosts)
        ):
            expected = (rule.action, rule.final)
    actions = Actions(rules)
    for _ in range(2):  # made, and looked up
        choice = table(actions, path, host, method).find(entity, confidence, direction, location)
        assert (choice.action, choice.final) == expected


def test_the_policy_goes_before_rules_that_are_not_final() -> None:
    """By the entity's name, and else by the star; of the other direction it has said nothing."""
    rules = [Rule(Action.BLOCK, frozenset({"iban"}), final=True), Rule(Action.MASK)]
    choices = Choices(table(Actions(rules)), Overrides({"us_ssn": Action.ALLOW, "*": Action.REMOVE}))
    asked = [
        choices.find(entity, 1.0, direction, Location.BODY)
        for direction in (Direction.REQUEST, Direction.RESPONSE)
        for entity in ("us_ssn", "payment_card", "iban")
    ]
    assert asked == ["allow", "remove", "block", "mask", "mask", "block"]


def test_what_says_nothing_is_none() -> None:
    assert not NO_OVERRIDES
    assert Overrides({"us_ssn": Action.ALLOW})
    assert Overrides(response={"us_ssn": Action.ALLOW})
    assert Overrides({"us_ssn": Action.ALLOW}).find("iban", Direction.REQUEST) is None


def test_what_usually_is_changed_is_hidden_from_logs_whatever_a_rule_lets_pass() -> None:
    """What usually is reported is, once some rule changes it."""
    assert Actions([Rule(Action.ALLOW)]).hides("us_ssn")
    assert not Actions([Rule(Action.REPORT)]).hides("email_address")
    assert not Actions([Rule(Action.MASK, frozenset({"us_ssn"}))]).hides("email_address")
    assert Actions([Rule(Action.MASK, frozenset({"email_address"}))]).hides("email_address")
    assert Actions([Rule(Action.MASK, conditions=Conditions(paths=("/a",)))]).hides("ip_address")
