"""Who passes: by the list, by its age, and by the operator's choice."""

from __future__ import annotations

import dataclasses

import pytest

from authz_service.errors import CredentialRefused, Outage
from authz_service.revocation.guard import Guard
from authz_service.revocation.listing import RevocationList
from authz_service.settings.revocation import RevocationSettings
from tests.authz_service.revocation.revoking import CALLER, NOW, lifted, made, user

BOB = dataclasses.replace(CALLER, user="bob")


class World:
    """A guard with a clock that is set by hand."""

    def __init__(self, *, refuse: bool = True) -> None:
        self.clock = 1000.0
        settings = RevocationSettings(30.0, refuse_when_stale=refuse)
        self.guard = Guard(settings, monotonic=lambda: self.clock)


def confirmed(*, refuse: bool = True) -> World:
    """One that has alice on its list."""
    world = World(refuse=refuse)
    world.guard.replace(RevocationList([user()]))
    world.guard.confirm()
    return world


def test_who_is_revoked_is_refused_like_any_credential_that_does_not_hold() -> None:
    """401 with a challenge; the text does not say of whom the revocation is."""
    world = confirmed()
    with pytest.raises(CredentialRefused) as caught:
        world.guard.check(CALLER, NOW)
    refused = caught.value
    assert (refused.code, refused.text, refused.error) == (
        "token_revoked",
        "the credential has been revoked",
        "invalid_token",
    )
    world.guard.check(BOB, NOW)


def test_a_list_that_is_too_old_lets_nobody_pass() -> None:
    """From the moment on, and not before."""
    world = confirmed()
    world.guard.doubt("Connection refused")
    world.clock += 30
    world.guard.check(BOB, NOW)
    assert world.guard.trouble() is None
    world.clock += 0.1
    with pytest.raises(Outage) as caught:
        world.guard.check(BOB, NOW)
    assert caught.value.code == "revocations_unknown"
    assert "Connection refused" in caught.value.detail
    assert world.guard.problem() == "out of date: Connection refused"


def test_who_is_on_an_old_list_is_revoked_and_no_outage() -> None:
    """The last known list holds."""
    world = confirmed()
    world.clock += 1e6
    with pytest.raises(CredentialRefused):
        world.guard.check(CALLER, NOW)


def test_where_it_is_chosen_so_the_last_list_goes_on_for_ever() -> None:
    """What is wrong with it is told, and decides nothing."""
    world = confirmed(refuse=False)
    world.clock += 1e6
    world.guard.check(BOB, NOW)
    with pytest.raises(CredentialRefused):
        world.guard.check(CALLER, NOW)
    assert world.guard.problem() is None
    assert world.guard.trouble() is not None


def test_a_list_that_was_never_read_is_as_old_as_can_be() -> None:
    """A service that starts without its store knows of nobody who may pass."""
    world = World()
    assert world.guard.age() == float("inf")
    with pytest.raises(Outage):
        world.guard.check(BOB, NOW)
    World(refuse=False).guard.check(BOB, NOW)


def test_it_is_young_again_once_it_is_known_to_be_the_stores() -> None:
    """No restart is needed."""
    world = confirmed()
    world.clock += 100
    world.guard.confirm()
    world.guard.check(BOB, NOW)
    assert world.guard.age() == 0


def test_changes_come_into_force_one_by_one() -> None:
    """And are counted, for whoever keeps decisions."""
    world = confirmed()
    began = world.guard.generation
    world.guard.apply(made(user("bob")))
    with pytest.raises(CredentialRefused):
        world.guard.check(BOB, NOW)
    world.guard.apply(lifted(user("bob").subject))
    world.guard.check(BOB, NOW)
    assert world.guard.generation == began + 2


def test_a_whole_list_counts_as_a_change_only_if_it_is_another() -> None:
    """It is read again each minute."""
    world = confirmed()
    began = world.guard.generation
    world.guard.replace(RevocationList([user()]))
    assert world.guard.generation == began
    world.guard.replace(RevocationList())
    assert world.guard.generation == began + 1
    world.guard.check(CALLER, NOW)


def test_what_has_ended_is_let_go_of_without_counting_as_a_change() -> None:
    """Nobody's lot is another for it."""
    world = confirmed()
    world.guard.apply(made(user("bob", until=NOW)))
    began = world.guard.generation
    world.guard.drop_ended(NOW)
    assert ([each.subject.value for each in world.guard], world.guard.generation) == (["alice"], began)


def test_what_is_joined_takes_nothing_away() -> None:
    """For lists that cannot be trusted whole."""
    world = confirmed()
    world.guard.join([user("bob")])
    assert sorted(each.subject.value for each in world.guard) == ["alice", "bob"]
    assert len(world.guard) == 2
