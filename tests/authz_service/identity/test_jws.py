"""A compact JWS is read in one way or not at all."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz_service.identity import jws
from authz_service.identity.jws import MAX_DEPTH, Jws, JwsError
from tests.authz_service.minting import SigningKey, encoded, key

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TOKENS = [key(algorithm).token() for algorithm in ("ES256", "EdDSA")]


def fault(text: str) -> str:
    """What is wrong with a text."""
    with pytest.raises(JwsError) as caught:
        jws.read(text)
    return str(caught.value)


def object_fault(data: bytes) -> str:
    """What is wrong with an object, which is as wrong in a header as in a payload."""
    with pytest.raises(JwsError) as caught:
        jws.read_object(data)
    assert fault(f"{encoded(data)}.{encoded({})}.AA") == str(caught.value)
    assert fault(f"{encoded({})}.{encoded(data)}.AA") == str(caught.value)
    return str(caught.value)


def read_or_none(text: str) -> Jws | None:
    """What a text says, if it is a JWS."""
    try:
        return jws.read(text)
    except JwsError:
        return None


def jwk(signing: SigningKey) -> jwt.PyJWK:
    """A public key that is ready to verify with."""
    return jwt.PyJWK(signing.public_jwk(), signing.algorithm)


def test_a_jws_says_what_was_signed() -> None:
    """The example of RFC 7515, appendix A.1."""
    text = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    found = jws.read(text)
    assert found.header == {"typ": "JWT", "alg": "HS256"}
    assert found.payload == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    assert found.signed == text.rpartition(".")[0].encode()
    assert found.signature[:4] == b"\x74\x18\xdf\xb4"


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256"])
def test_a_signature_holds_for_its_key_alone(algorithm: str) -> None:
    """Neither for another key of the kind nor for other content."""
    signer = key(algorithm)
    found = jws.read(signer.token())
    assert found.is_signed_with(jwk(signer))
    assert not found.is_signed_with(jwk(key(algorithm, number=1)))
    assert not Jws(found.header, found.payload, found.signed + b"x", found.signature).is_signed_with(jwk(signer))
    for signature in (b"", found.signature[:-1], found.signature + b"\0", bytes(len(found.signature))):
        assert not Jws(found.header, found.payload, found.signed, signature).is_signed_with(jwk(signer))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_a_key_of_another_kind_verifies_nothing(algorithm: str) -> None:
    """And raises nothing."""
    found = jws.read(key(algorithm).token())
    for other in {"ES256", "ES384", "EdDSA", "RS256"} - {algorithm}:
        assert not found.is_signed_with(jwk(key(other)))


@given(
    token=st.sampled_from(TOKENS),
    place=st.integers(0, 10_000),
    character=st.one_of(st.sampled_from(ALPHABET + "+/=. \t\r\n\0%~"), st.characters()),
    how=st.sampled_from(["replace", "insert", "delete"]),
)
def test_no_other_text_says_the_same(token: str, place: int, character: str, how: str) -> None:
    """One character more, less or instead: it says something else, or nothing."""
    place %= len(token) + (how == "insert")
    rest = token[place + (how != "insert") :]
    other = token[:place] + ("" if how == "delete" else character) + rest
    if other != token:
        assert read_or_none(other) != jws.read(token)


@given(
    token=st.sampled_from(TOKENS),
    part=st.integers(0, 2),
    ending=st.sampled_from(["=", "==", "===", " ", "\n", "\r\n", "\t", "\0", ".", "A", "AA", "AAAA"]),
)
def test_nothing_can_be_put_at_the_end_of_a_part(token: str, part: int, ending: str) -> None:
    """Padding and space least of all."""
    parts = token.split(".")
    parts[part] += ending
    assert read_or_none(".".join(parts)) != jws.read(token)
    if not set(ending) <= set(ALPHABET):
        assert fault(".".join(parts)) == "is not three parts of base64url"


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("part", [0, 1, 2])
def test_the_bits_that_the_last_character_has_left_over_must_be_zero(token: str, part: int) -> None:
    """Most readers pass them over, so that up to sixteen texts would be the same token."""
    parts = token.split(".")
    last = parts[part][-1]
    meant = jws.decode(parts[part])
    for character in set(ALPHABET) - {last}:
        parts[part] = parts[part][:-1] + character
        try:
            assert jws.decode(parts[part]) != meant
        except JwsError as error:
            assert str(error) == "is not canonical base64url"  # noqa: PT017  (either is right)


@given(st.binary(max_size=200))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    """Without loss, and without padding."""
    text = jws.encode(data)
    assert set(text) <= set(ALPHABET)
    assert jws.decode(text) == data


@given(st.one_of(st.text(max_size=12), st.text(ALPHABET + "+/=", max_size=12)))
@example("+/+/")
@example("ab+/")
@example("AB")
@example("A")
@example("AA==")
@example("\u0660AAA")
def test_what_is_decoded_has_one_spelling(text: str) -> None:
    """Neither the standard alphabet nor digits of another script are one more."""
    try:
        data = jws.decode(text)
    except JwsError:
        return
    assert jws.encode(data) == text


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.c\n", " a.b.c", "é.b.c"]
)
def test_what_has_not_three_parts_is_no_jws(text: str) -> None:
    """An unsigned one, whose third part is empty, among them."""
    assert not jws.looks_like_jws(text)
    assert fault(text) == "is not three parts of base64url"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "a": 1}', b'{"x": {"a": 1, "a": 2}}', b'{"a": 1, "\\u0061": 2}', b'{"a": NaN}', b'{"a": Infinity}',
        b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": [-1e400]}', b'{"a": "\\ud800"}', b'{"\\udfff": 1}',
        b'{"a": "\\uDE00\\uD83D"}', b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}", b"{} {}", b"{}x",
        b"{'a': 1}", b'{"a": 01}', b'{"a": .5}', b'{"a": +1}', b'{"a": 1,}', b'{"a": "\n"}', b'{"a": "\\x41"}', b"{",
        b" ", b"{}\0", b'{"a": 1/*x*/}', b"\xff\xfe{\0}\0", b'{"a": ' + b"1" * 10_000 + b"}",
    ],
)  # fmt: skip
def test_json_that_two_readers_could_read_differently_is_refused(data: bytes) -> None:
    """Repeated names, numbers that are none, halves of pairs, other encodings, whatever only some readers take."""
    assert object_fault(data) == "is not JSON that can be read in one way"


@pytest.mark.parametrize("data", [b"[]", b"1", b'"a"', b"null", b"true", b"[{}]"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    """Both parts have names."""
    assert object_fault(data) == "is not a JSON object"


def test_pairs_of_surrogates_and_other_scripts_are_read() -> None:
    """Only halves are refused."""
    assert jws.read_object(b'{"a": "\\ud83d\\ude00", "\xc3\xa9": "\\\\ud800"}') == {"a": "\U0001f600", "é": "\\ud800"}


def nested(depth: int, inside: str = "") -> bytes:
    """An object of so many levels."""
    return ('{"a":' * (depth - 1) + "{" + inside + "}" * depth).encode()


def test_so_deep_may_values_nest_and_no_deeper() -> None:
    """Objects and lists alike."""
    jws.read_object(nested(MAX_DEPTH))
    assert object_fault(nested(MAX_DEPTH + 1)) == "is nested too deeply"
    assert object_fault(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}") == "is nested too deeply"
    assert object_fault(b"[" * 100_000) == "is nested too deeply"


@pytest.mark.parametrize("text", ["]" * 500, "}" * 500, '\\"' + "]" * 500, "\\\\\\\\" + "}]" * 250])
def test_brackets_in_strings_do_not_hide_how_deep_values_nest(text: str) -> None:
    """They would, if they were taken for the end of something."""
    assert object_fault(f'{{"s":"{text}","a":{nested(MAX_DEPTH).decode()}}}'.encode()) == "is nested too deeply"


@pytest.mark.parametrize("text", ["[" * 500, "{" * 500, '\\"' + "[" * 500, "\\\\" + "{[" * 250])
def test_brackets_in_strings_are_no_nesting(text: str) -> None:
    """A text may hold as many as it likes."""
    data = f'{{"s":"{text}","a":[[]]}}'.encode()
    assert jws.read_object(data)["s"] == json.loads(data)["s"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values, max_size=4), st.booleans())
def test_any_object_is_read_as_it_is(value: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001  (drawn)
    """However its text is escaped."""
    assert jws.read_object(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60) | st.text('{}[]",:\\ue0aN1-.\n', max_size=40).map(str.encode))
def test_nothing_but_this_error_comes_of_any_bytes(data: bytes) -> None:
    """And its message quotes none of them."""
    try:
        assert isinstance(jws.read_object(data), dict)
    except JwsError as error:
        assert str(error) in {  # noqa: PT017  (either outcome will do)
            "is not JSON that can be read in one way",
            "is not a JSON object",
            "is nested too deeply",
        }


@pytest.mark.parametrize("piece", ["[", '"', '\\"', '"[', "\\", "{}", '"\\'])
def test_long_hostile_json_takes_no_longer_than_its_length(piece: str) -> None:
    """A second would be enough for many times as much."""
    data = ("[" * (MAX_DEPTH + 1) + '"' + piece * 200_000).encode()
    began = time.monotonic()
    assert object_fault(data)
    assert time.monotonic() - began < 10
