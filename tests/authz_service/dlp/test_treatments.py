"""The treatment of an exchange's findings, and what is told of them."""

from __future__ import annotations

import pytest

from authz_service.dlp.actions import Action, Actions, Direction, Overrides, Rule
from authz_service.dlp.detectors import ALL
from authz_service.dlp.found import Blocked, Found
from authz_service.dlp.redactions import Redactions
from authz_service.dlp.tokens import DETECTOR, Caller, Tokens
from authz_service.dlp.treatments import MAX_FINDINGS, MAX_NAME, Exchange, Treatments
from authz_service.model import Location
from authz_service.policy.target import Target
from authz_service.routing import Conditions

SSN = next(detector for detector in ALL if detector.entity == "us_ssn")
ALICE = Caller("https://idp.example", "alice")
REDACTIONS = Redactions(b"h" * 32, tokens=Tokens([b"t" * 32]))


def exchange(*rules: Rule, path: str = "/x", caller: Caller | None = ALICE) -> Exchange:
    """An exchange under these rules."""
    return Treatments(Actions(rules), REDACTIONS).exchange("GET", "api.example", Target(path, "", "/x"), caller)


def found(value: bytes | None = b"123-45-6789", name: str = "$.a", confidence: float = 0.8) -> Found:
    return Found(SSN, confidence, value, 7, name)


def test_a_finding_becomes_what_its_rule_says_and_is_told() -> None:
    """By place, action and keyed hash."""
    one = exchange(Rule(Action.MASK, direction=Direction.RESPONSE))
    assert one.at(Direction.RESPONSE, Location.BODY)(found()) == b"***-**-6789"
    assert one.at(Direction.REQUEST, Location.BODY)(found()) == b"[REDACTED:us_ssn]"
    told = [(each.location, each.name, each.action, each.offset, each.hash) for each in one.notes.findings]
    hashed = REDACTIONS.hash(b"123-45-6789")
    assert told == [("body", "$.a", "mask", 7, hashed), ("body", "$.a", "replace", 7, hashed)]


@pytest.mark.parametrize("action", [Action.ALLOW, Action.REPORT])
def test_what_passes_stays_as_it_is_and_is_told(action: Action) -> None:
    one = exchange(Rule(action))
    assert one.at(Direction.REQUEST, Location.BODY)(found()) is None
    assert [each.action for each in one.notes.findings] == [action]


@pytest.mark.parametrize(
    ("direction", "code"), [(Direction.REQUEST, "secret_in_request"), (Direction.RESPONSE, "secret_in_response")]
)
def test_what_is_blocked_is_told_before_it_is_raised(direction: Direction, code: str) -> None:
    """And no word of it holds the value."""
    one = exchange(Rule(Action.BLOCK))
    with pytest.raises(Blocked) as caught:
        one.at(direction, Location.BODY)(found())
    assert caught.value.code == code
    assert "6789" not in str(caught.value) + repr(caught.value)
    assert [each.action for each in one.notes.findings] == ["block"]


def test_rules_are_chosen_by_the_request() -> None:
    rule = Rule(Action.REMOVE, conditions=Conditions(paths=("/a",)))
    assert exchange(rule, path="/a/b").at(Direction.RESPONSE, Location.BODY)(found()) == b""
    assert exchange(rule, path="/b").at(Direction.RESPONSE, Location.BODY)(found()) == b"[REDACTED:us_ssn]"


def test_what_the_policy_says_holds_and_what_was_noted_before_does_not_come_along() -> None:
    one = exchange()
    one.at(Direction.REQUEST, Location.HEADER)(found())
    other = one.overridden(Overrides({"us_ssn": Action.REMOVE}))
    assert other.at(Direction.REQUEST, Location.HEADER)(found()) == b""
    assert [each.action for each in other.notes.findings] == ["remove"]
    assert [each.action for each in one.notes.findings] == ["replace"]


def test_alike_findings_are_one_with_their_count() -> None:
    """Place and hash are the first's, the confidence is the highest."""
    one = exchange()
    treat = one.at(Direction.REQUEST, Location.BODY)
    for confidence in (0.5, 0.9, 0.7):
        treat(found(confidence=confidence))
    treat(found(None, "$.b"))
    first, second = one.notes.findings
    assert (first.count, first.confidence, first.name) == (3, 0.9, "$.a")
    assert (second.count, second.hash) == (1, "")


def test_there_are_at_most_so_many_findings_and_the_rest_is_counted() -> None:
    """Names are cut; all of them are treated all the same."""
    one = exchange()
    treat = one.at(Direction.REQUEST, Location.BODY)
    for number in range(MAX_FINDINGS + 50):
        assert treat(found(name=f"$.{number:03}" + "x" * 1_000)) == b"[REDACTED:us_ssn]"
    assert len(one.notes.findings) == MAX_FINDINGS
    assert one.notes.untold == 50
    assert {len(each.name) for each in one.notes.findings} == {MAX_NAME}


def test_a_token_of_ours_is_restored_and_is_no_finding() -> None:
    """For its owner, in the other direction; else it stays."""
    one = exchange(Rule(Action.TOKENIZE))
    token = one.at(Direction.REQUEST, Location.BODY)(found())
    assert token is not None
    sent = Found(DETECTOR, 1.0, token, 0)
    assert one.at(Direction.RESPONSE, Location.BODY)(sent) == b"123-45-6789"
    assert one.at(Direction.REQUEST, Location.BODY)(sent) is None
    assert exchange(caller=None).at(Direction.RESPONSE, Location.BODY)(sent) is None
    assert exchange(caller=Caller(ALICE.issuer, "bob")).at(Direction.RESPONSE, Location.BODY)(sent) is None
    assert one.at(Direction.RESPONSE, Location.BODY)(Found(DETECTOR, 1.0, None, 0)) is None
    assert [each.action for each in one.notes.findings] == ["tokenize"]
