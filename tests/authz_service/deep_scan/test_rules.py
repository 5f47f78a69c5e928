"""What is done about hits."""

from __future__ import annotations

from authz_service.deep_scan.analyser import Hit
from authz_service.deep_scan.note import Note
from authz_service.deep_scan.rules import AUTHOR, Response, Rule, Summary, respond
from authz_service.revocation.model import Kind

NOTE = Note("d-1", "r-1", "request", "alice", "cowork", "https://idp", "j-1", "/reports")
SSN, NAME = Hit("us_ssn", 3, 14, 0.9), Hit("person", 20, 25, 0.6)
REVOKE_AGENT = Rule(frozenset({"us_ssn"}), 0.8, Kind.AGENT, 3600.0)


def revoked(response: Response) -> list[tuple[str, float | None]]:
    """Whom, and for how long."""
    return [(str(order.subject), order.seconds) for order in response.orders]


def test_hits_of_one_entity_are_told_once_with_their_number() -> None:
    """And with the best score."""
    hits = [SSN, Hit("us_ssn", 30, 41, 0.7), NAME]
    assert respond(NOTE, hits, [], 0.5).findings == [Summary("person", 1, 0.6), Summary("us_ssn", 2, 0.9)]


def test_hits_that_are_not_sure_enough_are_none() -> None:
    """Nor is anything done about them."""
    assert respond(NOTE, [NAME], [Rule(revoke=Kind.USER)], 0.7) == Response()
    assert respond(NOTE, [], [Rule(revoke=Kind.USER, webhook=True)], 0.0) == Response()


def test_the_first_rule_that_covers_a_hit_says_what_is_done() -> None:
    """A later one does not add to it."""
    rules = [REVOKE_AGENT, Rule(webhook=True, revoke=Kind.USER)]
    response = respond(NOTE, [SSN], rules, 0.5)
    assert (revoked(response), response.webhook) == ([("agent cowork of issuer https://idp", 3600.0)], False)
    response = respond(NOTE, [SSN, NAME], rules, 0.5)
    assert revoked(response) == [
        ("agent cowork of issuer https://idp", 3600.0), ("user alice of issuer https://idp", None),
    ]  # fmt: skip
    assert response.webhook


def test_a_rule_is_for_its_entities_and_its_scores() -> None:
    """And for no other hit."""
    assert respond(NOTE, [NAME], [REVOKE_AGENT], 0.0).orders == []
    assert respond(NOTE, [Hit("us_ssn", 0, 1, 0.79)], [REVOKE_AGENT], 0.0).orders == []


def test_a_revocation_says_who_and_why() -> None:
    """For the list and the audit log: the kinds that were found."""
    (order,) = respond(NOTE, [SSN, NAME], [REVOKE_AGENT], 0.5).orders
    assert (order.by, order.reason) == (AUTHOR, "deep scan found person, us_ssn")


def test_of_two_revocations_of_the_same_the_longer_holds() -> None:
    """Without an end is longest."""
    short, long = Rule(frozenset({"us_ssn"}), revoke=Kind.USER, seconds=60.0), Rule(revoke=Kind.USER)
    for rules in ([short, long], [Rule(frozenset({"us_ssn"}), revoke=Kind.USER), Rule(revoke=Kind.USER, seconds=9.0)]):
        (order,) = respond(NOTE, [SSN, NAME], rules, 0.5).orders
        assert order.seconds is None


def test_whom_the_exchange_does_not_name_nobody_can_revoke() -> None:
    """An anonymous request, a token without an id."""
    nobody = Note("d-1", "r-1", "request")
    rules = [Rule(revoke=kind) for kind in (Kind.AGENT, Kind.USER, Kind.TOKEN_ID)]
    assert all(respond(nobody, [SSN], [rule], 0.5).orders == [] for rule in rules)
    strange = Note("d-1", "r-1", "request", user=" ", issuer="x")
    assert respond(strange, [SSN], [Rule(revoke=Kind.USER)], 0.5).orders == []
