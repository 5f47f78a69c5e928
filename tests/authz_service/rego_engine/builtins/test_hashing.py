"""Digests and message authentication codes."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import hashing
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

DIGESTS = ("crypto.md5", "crypto.sha1", "crypto.sha256")
CODES = ("crypto.hmac.md5", "crypto.hmac.sha1", "crypto.hmac.sha256", "crypto.hmac.sha512")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("crypto.md5", "0cc175b9c0f1b6a831c399e269772661"),
        ("crypto.sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("crypto.sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ],
)
def test_a_digest_is_lower_case_hexadecimal(name: str, expected: str) -> None:
    assert call(name, "a") == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_digest_is_of_the_utf_8(text: str) -> None:
    for name in DIGESTS:
        assert call(name, text) == hashlib.new(name.rpartition(".")[2], text.encode()).hexdigest()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_code_is_the_message_s_by_the_key(message: str, secret: str) -> None:
    for name in CODES:
        expected = hmac.new(secret.encode(), message.encode(), name.rpartition(".")[2]).hexdigest()
        assert call(name, message, secret) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"), [("ab", "ab", True), ("ab", "ac", False), ("ab", "a", False), ("é", "é", True)]
)
def test_codes_are_compared_whole(one: str, other: str, *, same: bool) -> None:
    assert call("crypto.hmac.equal", one, other) is same


def test_octets_that_are_no_utf_8_stay_apart() -> None:
    """What base64.decode gives for a key can be any octets."""
    assert call("crypto.sha256", "\udcff") == hashlib.sha256(b"\xff").hexdigest()


@pytest.mark.parametrize("name", [*CODES, "crypto.hmac.equal"])
def test_the_operand_of_the_wrong_type_is_named(name: str) -> None:
    assert fault(name, "a", 1).text == "operand 2 must be string but got number"
    assert fault(name, None, "a").text == "operand 1 must be string but got null"


@pytest.mark.parametrize("name", declared(hashing))
@given(st.data())
def test_no_operands_whatever_break_them(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
