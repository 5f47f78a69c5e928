"""Tokens: the same caller gets his value back, nobody else gets anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import Direction
from authz_service.dlp.scan import Scanner
from authz_service.dlp.tokens import DETECTOR, MAX_TOKEN, PREFIX, Caller, Tokens

OLD, NEW = b"o" * 32, b"n" * 32
ALICE = Caller("https://idp.example", "alice")
TOKENS = Tokens([NEW])
SCANNER = Scanner([DETECTOR])
REQUEST, RESPONSE = Direction.REQUEST, Direction.RESPONSE
VALUE = b"123-45-6789"


def sealed(value: bytes = VALUE, caller: Caller = ALICE, tokens: Tokens = TOKENS, entity: str = "us_ssn") -> bytes:
    """A token that was made of a request."""
    token = tokens.seal(entity, value, caller, REQUEST)
    assert token is not None
    return token


@given(st.binary(max_size=150), st.sampled_from(["us_ssn", "a"]), st.text(max_size=5), st.text(max_size=5))
def test_the_answer_to_a_caller_has_his_values_again(value: bytes, entity: str, issuer: str, user: str) -> None:
    """Whatever they are; and the token is found in whatever text it stands."""
    caller = Caller(issuer, user)
    token = sealed(value, caller, entity=entity)
    assert TOKENS.restore(token, caller, RESPONSE) == value
    (span,) = SCANNER.scan(b"a: " + token + b".")
    assert (span.start, span.end) == (3, 3 + len(token))
    assert token.startswith(PREFIX)
    assert len(token) <= MAX_TOKEN


def test_the_same_value_of_the_same_caller_is_always_the_same_token() -> None:
    """The upstream can compare and join by it; of nobody else and of nothing else it is the same."""
    others = [
        sealed(b"123-45-6788"),
        sealed(entity="us_itin"),
        sealed(caller=Caller(ALICE.issuer, "bob")),
        sealed(caller=Caller("https://other.example", "alice")),
        sealed(tokens=Tokens([OLD])),
        TOKENS.seal("us_ssn", VALUE, ALICE, RESPONSE),
    ]
    assert sealed() == sealed()
    assert len({sealed(), *others}) == len(others) + 1


@pytest.mark.parametrize(
    "caller",
    [Caller(ALICE.issuer, "bob"), Caller("https://other.example", "alice"), Caller("https://idp.examplea", "lice")],
)
def test_another_caller_gets_nothing(caller: Caller) -> None:
    assert TOKENS.restore(sealed(), caller, RESPONSE) is None


def test_a_token_is_not_restored_in_the_direction_it_was_made_in() -> None:
    """Or an upstream would be told values by a token that somebody sends on."""
    assert TOKENS.restore(sealed(), ALICE, REQUEST) is None
    back = TOKENS.seal("us_ssn", VALUE, ALICE, RESPONSE)
    assert back is not None
    assert TOKENS.restore(back, ALICE, REQUEST) == VALUE


def test_a_new_key_seals_and_the_old_one_still_restores() -> None:
    """Until it is taken away."""
    before = sealed(tokens=Tokens([OLD]))
    both = Tokens([NEW, OLD])
    assert both.restore(before, ALICE, RESPONSE) == VALUE
    assert sealed(tokens=both) == sealed()
    assert TOKENS.restore(before, ALICE, RESPONSE) is None


@given(st.data())
def test_a_token_that_was_changed_restores_nothing(data: st.DataObject) -> None:
    """Not by one character, none more and none less, nor in another spelling of the same bytes."""
    token = sealed()
    place = data.draw(st.integers(len(PREFIX), len(token) - 1))
    other = data.draw(st.sampled_from(b"ABab01_-="))
    changed = [
        token[:place] + bytes([other]) + token[place + 1 :],
        token[:place],
        token + b"A",
        token + b"=",
        token[5:],
    ]
    for each in changed:
        assert each == token or TOKENS.restore(each, ALICE, RESPONSE) is None


@given(st.binary(max_size=300))
def test_what_is_no_token_restores_nothing(text: bytes) -> None:
    assert TOKENS.restore(text, ALICE, RESPONSE) is None
    assert TOKENS.restore(PREFIX + text, ALICE, RESPONSE) is None


def test_a_value_that_is_too_long_gets_no_token() -> None:
    """A token is no longer than what is held back of a stream."""
    assert TOKENS.seal("us_ssn", b"1" * 200, ALICE, REQUEST) is None
    longest = max(size for size in range(200) if TOKENS.seal("us_ssn", b"1" * size, ALICE, REQUEST))
    assert MAX_TOKEN - 4 < len(sealed(b"1" * longest)) <= MAX_TOKEN


def test_no_token_is_found_in_the_middle_of_a_word() -> None:
    assert SCANNER.scan(b"x" + sealed()) == []
    assert DETECTOR.example is not None
    assert len(SCANNER.scan(DETECTOR.example())) == 1
