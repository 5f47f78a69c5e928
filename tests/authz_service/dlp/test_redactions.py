"""What stands in the place of a value."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.detectors import ALL
from authz_service.dlp.redactions import Redactions, mask, redact
from authz_service.dlp.scan import Span
from authz_service.dlp.tokens import Caller, Tokens

_BY_NAME = {detector.name: detector for detector in ALL}
ONE, OTHER = _BY_NAME["us_ssn_grouped"], _BY_NAME["aws_access_key_id"]
ALICE = Caller("https://idp.example", "alice")
REDACTIONS = Redactions(b"h" * 32, tokens=Tokens([b"t" * 32]))


def write(
    action: Action, value: bytes | None = b"123-45-6789", by: Redactions = REDACTIONS, **more: Caller | None
) -> str:
    """What stands in the place of a value in a request."""
    caller = more.get("caller", ALICE)
    return by.write(action, "us_ssn", value, caller, Direction.REQUEST).decode()


# For what is written down


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], "0123456789"),
        ([Span(0, 10, ONE)], "<one>"),
        ([Span(0, 2, ONE), Span(9, 10, OTHER)], "<one>2345678<other>"),
        ([Span(3, 5, ONE), Span(5, 6, OTHER)], "012<one><other>6789"),
        ([Span(4, 6, ONE)], "0123<one>6789"),
    ],
)
def test_each_span_is_replaced_by_the_name_of_its_entity(spans: list[Span], expected: str) -> None:
    """What is between them stays."""
    text = redact(b"0123456789", spans).decode()
    names = {f"[REDACTED:{ONE.entity}]": "<one>", f"[REDACTED:{OTHER.entity}]": "<other>"}
    for name, short in names.items():
        text = text.replace(name, short)
    assert text == expected


# For what goes on


def test_each_action_writes_its_own() -> None:
    """Nothing of the value but what the action is for."""
    assert write(Action.REPLACE) == "[REDACTED:us_ssn]"
    assert write(Action.MASK) == "***-**-6789"
    assert write(Action.REMOVE) == ""
    assert re.fullmatch(r"\[us_ssn:[0-9a-f]{16}\]", write(Action.HASH))
    assert re.fullmatch(r"agt1_[A-Za-z0-9_-]{46}", write(Action.TOKENIZE))


def test_the_text_is_the_operators() -> None:
    """With the entity's name in it, or without."""
    assert write(Action.REPLACE, by=Redactions(b"h", "<{entity}|{entity}>")) == "<us_ssn|us_ssn>"
    assert write(Action.REPLACE, by=Redactions(b"h", "gone")) == "gone"


def test_where_a_value_was_too_long_to_hold_the_fixed_text_stands() -> None:
    """Whatever was to be done with it."""
    for action in (Action.MASK, Action.HASH, Action.TOKENIZE, Action.REPLACE):
        assert write(action, None) == "[REDACTED:us_ssn]"
    assert write(Action.REMOVE, None) == ""


def test_without_a_caller_or_a_key_or_room_there_is_no_token() -> None:
    """Nobody could be told from anybody else."""
    assert write(Action.TOKENIZE, caller=None) == "[REDACTED:us_ssn]"
    assert write(Action.TOKENIZE, by=Redactions(b"h")) == "[REDACTED:us_ssn]"
    assert write(Action.TOKENIZE, b"1" * 1_000) == "[REDACTED:us_ssn]"


@given(st.binary(), st.binary())
def test_a_hash_is_stable_and_only_under_its_key(value: bytes, other: bytes) -> None:
    """Sixteen characters of it."""
    assert write(Action.HASH, value) == write(Action.HASH, value) == f"[us_ssn:{REDACTIONS.hash(value)}]"
    assert (write(Action.HASH, value) == write(Action.HASH, other)) is (value == other)
    assert Redactions(b"x" * 32).hash(value) != REDACTIONS.hash(value)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (b"", b""),
        (b"1234567", b"*******"),
        (b"12-34-56", b"********"),
        (b"12345678", b"****5678"),
        (b"123 45 6789", b"*** ** 6789"),
        (b"4111-1111-1111-1234", b"****-****-****-1234"),
        (b"alice@company.example", b"*****@*******.***mple"),
        (b"p$ssw0rd!x\n1", b"******rd*x*1"),
        ("über-1234567".encode(), b"****-***4567"[:0] + b"*****-***4567"),
    ],
)
def test_of_a_masked_value_the_last_four_letters_or_digits_stay(value: bytes, masked: bytes) -> None:
    """With the separators; of a short one nothing does."""
    assert mask(value) == masked


@given(st.binary())
def test_a_mask_is_as_long_as_the_value_and_shows_at_most_four_characters(value: bytes) -> None:
    masked = mask(value)
    assert len(masked) == len(value)
    shown = [byte for byte in masked if chr(byte).isascii() and chr(byte).isalnum()]
    assert len(shown) in {0, 4}
    assert all(byte in b"* .-/@:" for byte in masked if byte not in shown)
