"""Nonces: accepted in the period in which they were made and in the next one, and no other text ever."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz_service.identity import jws
from authz_service.identity.nonces import MAX_CHARACTERS, MIN_SECRET_BYTES, PERIOD, Nonces

SECRET = bytes(range(MIN_SECRET_BYTES))
START = PERIOD * 11_759_136.0  # the beginning of a period, in epoch seconds

times = st.integers(1, 2**33)
secrets = st.binary(min_size=MIN_SECRET_BYTES, max_size=2 * MIN_SECRET_BYTES)


@given(times, st.integers(0, PERIOD - 1))
def test_a_nonce_is_accepted_from_its_making_to_the_end_of_the_next_period(period: int, within: int) -> None:
    """At least one period, at most two."""
    made = period * PERIOD + within
    nonce = Nonces(SECRET).current(made)
    begins = period * PERIOD
    for moment in (made, begins, begins + PERIOD - 0.001, begins + PERIOD, begins + 2 * PERIOD - 0.001):
        assert Nonces(SECRET).accepts(nonce, moment)
    for moment in (begins - 1, begins - PERIOD, begins + 2 * PERIOD, begins + 3 * PERIOD, begins + 1000 * PERIOD):
        assert not Nonces(SECRET).accepts(nonce, moment)


def test_there_is_one_nonce_in_each_period() -> None:
    """So that a client has to change it no more often than needs be."""
    nonces = Nonces(SECRET)
    first = nonces.current(START)
    assert nonces.current(START + PERIOD - 0.001) == first
    second = nonces.current(START + PERIOD)
    assert second != first
    assert nonces.current(START) == first, "even if a clock is set back"


@given(secrets, secrets, times, st.integers(-1, 1))
def test_a_nonce_of_another_secret_is_never_accepted(ours: bytes, theirs: bytes, now: int, shift: int) -> None:
    """Whichever period it is of."""
    assume(ours != theirs and ours.rstrip(b"\0") != theirs.rstrip(b"\0"))
    assert not Nonces(ours).accepts(Nonces(theirs).current(now + PERIOD + shift * PERIOD), now + PERIOD)


@given(secrets, times)
def test_replicas_with_one_secret_accept_each_others_nonces(secret: bytes, now: int) -> None:
    """None has to know what another has given out."""
    assert Nonces(secret).current(now) == Nonces(secret).current(now)
    assert Nonces(secret).accepts(Nonces(secret).current(now), now)


@given(
    place=st.integers(0, 100),
    character=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \n\0")
    | st.characters(),
    how=st.sampled_from(["replace", "insert", "delete"]),
)
def test_a_nonce_that_was_changed_is_not_accepted(place: int, character: str, how: str) -> None:
    """In any character, or by one more or less, padding and space among them."""
    nonces = Nonces(SECRET)
    nonce = nonces.current(START)
    place %= len(nonce) + (how == "insert")
    changed = nonce[:place] + ("" if how == "delete" else character) + nonce[place + (how != "insert") :]
    assert nonces.accepts(changed, START) == (changed == nonce)


@given(st.integers(0, 24 * 8 - 1))
def test_a_nonce_with_another_bit_is_not_accepted(bit: int) -> None:
    """Neither in its time nor in its MAC."""
    nonces = Nonces(SECRET)
    data = bytearray(jws.decode(nonces.current(START)))
    assert len(data) == 24
    data[bit // 8] ^= 1 << bit % 8
    for moment in (START, START + PERIOD, START + 2 * PERIOD, START - PERIOD):
        assert not nonces.accepts(jws.encode(bytes(data)), moment)


def test_a_mac_is_of_its_own_time() -> None:
    """An old nonce with the time of now is none."""
    nonces = Nonces(SECRET)
    old, new = (jws.decode(nonces.current(START + shift * PERIOD)) for shift in (0, 5))
    assert not nonces.accepts(jws.encode(new[:8] + old[8:]), START + 5 * PERIOD)


@given(st.text(max_size=MAX_CHARACTERS + 10), times)
def test_any_other_text_is_no_nonce(text: str, now: int) -> None:
    """And raises nothing."""
    assert not Nonces(SECRET).accepts(text, now)


@pytest.mark.parametrize(
    "text", ["", "A", "AA", "AAAAAAAAAAA", "A" * 32, "A" * MAX_CHARACTERS, "A" * 1_000_000, "\u00e9" * 32, "="]
)
@pytest.mark.parametrize("now", [0.0, 1.0, START])
def test_short_long_and_strange_texts_are_no_nonces(text: str, now: float) -> None:
    """In the first period of all as little as in any other."""
    assert not Nonces(SECRET).accepts(text, now)


def test_a_nonce_is_a_text_that_a_header_may_hold() -> None:
    """RFC 9449 section 8.1, and no longer than is accepted."""
    nonce = Nonces(SECRET).current(START)
    assert nonce.isascii()
    assert nonce.replace("-", "").replace("_", "").isalnum()
    assert len(nonce) <= MAX_CHARACTERS


@pytest.mark.parametrize("secret", [b"", b"x", bytes(MIN_SECRET_BYTES - 1)])
def test_a_short_secret_is_refused(secret: bytes) -> None:
    """It could be guessed, offline."""
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Nonces(secret)
