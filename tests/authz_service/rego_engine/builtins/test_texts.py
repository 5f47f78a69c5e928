"""Texts as octets and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.texts import MAX_CHARACTERS, BoundedText, check_length, from_octets, octets
from authz_service.rego_engine.errors import BuiltinFault


@given(st.binary(max_size=40))
def test_octets_of_any_kind_survive_as_a_text(data: bytes) -> None:
    assert octets(from_octets(data)) == data


@given(st.text(max_size=20))
def test_a_text_is_its_utf_8(text: str) -> None:
    assert octets(text) == text.encode()


def test_half_of_a_surrogate_pair_is_the_replacement_character() -> None:
    assert octets("a\ud800b") == "a\ufffdb".encode()


def test_two_keys_that_are_no_utf_8_stay_different() -> None:
    assert from_octets(b"\xff\x01") != from_octets(b"\xfe\x01")


def test_a_text_grows_up_to_its_bound_and_no_further() -> None:
    made = BoundedText()
    made.add("x" * MAX_CHARACTERS)
    with pytest.raises(BuiltinFault):
        made.add("x")
    with pytest.raises(BuiltinFault):
        check_length(MAX_CHARACTERS + 1)
