"""What is asked about an opaque token, and which answers are believed."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.identity.introspection import (
    MAX_ANSWER_BYTES,
    MAX_AUDIENCES,
    MAX_MEMBERS,
    MAX_SCOPE,
    MAX_TEXT,
    AnswerError,
    question,
    read_answer,
)

FULL = {
    "active": True, "exp": 1763871017, "nbf": 1763870417, "iat": 1763870417.5, "aud": ["agent-gateway", "x"],
    "iss": "https://idp.example", "sub": "alice", "client_id": "desk", "username": "a@b.example", "scope": "r w",
    "jti": "t-1", "token_type": "Bearer", "cnf": {"jkt": "x" * 43}, "roles": ["engineer"], "realm": {"roles": ["a"]},
}  # fmt: skip
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


def read(answer: Any) -> Any:
    """Read an answer of these members."""
    return read_answer(json.dumps(answer).encode())


def fault(body: bytes) -> str:
    """The answer is not believed; why."""
    with pytest.raises(AnswerError) as caught:
        read_answer(body)
    return str(caught.value)


# The question


@given(PRINTABLE, PRINTABLE, PRINTABLE)
def test_a_client_is_named_so_that_its_id_and_secret_cannot_run_into_each_other(
    token: str, name: str, secret: str
) -> None:
    """RFC 6749 section 2.3.1: each is encoded as in a form before they are joined."""
    asked = question(token, "basic", name, secret)
    scheme, _, encoded = asked.headers["Authorization"].partition(" ")
    found = base64.b64decode(encoded).decode().split(":")
    assert (scheme, [unquote_plus(part) for part in found]) == ("Basic", [name, secret])
    assert parse_qs(asked.body.decode(), strict_parsing=True) == {
        "token": [token], "token_type_hint": ["access_token"]
    }  # fmt: skip


@given(PRINTABLE, PRINTABLE, PRINTABLE)
def test_a_client_may_be_named_in_the_form(token: str, name: str, secret: str) -> None:
    asked = question(token, "post", name, secret)
    form = parse_qs(asked.body.decode(), strict_parsing=True)
    assert (form["token"], form["client_id"], form["client_secret"]) == ([token], [name], [secret])
    assert "Authorization" not in asked.headers


def test_a_token_of_our_own_may_stand_for_the_client() -> None:
    asked = question("t", "bearer", "", "ours")
    assert asked.headers["Authorization"] == "Bearer ours"
    assert asked.body == b"token=t&token_type_hint=access_token"


# The answer


def test_what_an_answer_says_of_an_active_token_are_its_claims() -> None:
    """Those of the issuer's own too, since roles have no name in the RFC."""
    assert read(FULL) == {name: value for name, value in FULL.items() if name != "active"}
    assert read({"active": True}) == {}


def test_what_is_given_as_null_is_not_given() -> None:
    assert (
        read({**FULL, "scope": None, "exp": None, "cnf": None, "roles": None})
        .keys()
        .isdisjoint({"scope", "exp", "cnf", "roles"})
    )


def test_of_a_token_that_is_not_active_nothing_is_said() -> None:
    """Even where the issuer says more."""
    assert read({"active": False}) is None
    assert read({**FULL, "active": False, "exp": "nonsense"}) is None


@pytest.mark.parametrize("active", ["true", "false", "", 1, 0, 1.0, None, [], [True], {}, {"active": True}])
def test_only_true_is_true(active: object) -> None:
    assert fault(json.dumps({**FULL, "active": active}).encode()) == (
        "the answer does not say whether the token is active"
    )


def test_an_answer_that_does_not_say_whether_the_token_is_active_is_not_believed() -> None:
    text = "the answer does not say whether the token is active"
    assert fault(b"{}") == text
    assert fault(b'{"Active": true}') == text


@pytest.mark.parametrize(
    "body",
    [
        b'{"active": true, "active": false}',
        b'{"active": false, "active": true}',
        b'{"active": true, "sub": "alice", "sub": "root"}',
        b'{"active": true, "realm": {"roles": [], "roles": ["admin"]}}',
        b'{"active": true, "s\\u0075b": "a", "sub": "b"}',
    ],
)
def test_an_answer_in_which_a_name_stands_twice_is_not_believed(body: bytes) -> None:
    """Two readers would read it differently."""
    assert fault(body) == "the answer is not JSON that can be read in one way"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nonsense", b"<html>", b"true", b"[]", b'["active", true]', b"null", b'{"active": true', b"\xff",
        b'{"active": true} x', b'{"active": true, "exp": NaN}', b'{"active": true, "exp": Infinity}', b"[" * 10_000,
        b'{"active": true, "x": ' + b'{"x":' * 100 + b"1" + b"}" * 101, '{"active": true}'.encode("utf-16"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_json_object_is_not_believed(body: bytes) -> None:
    assert fault(body).startswith("the answer is")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1763871017", True, [], {}, 10**400])
def test_a_time_is_a_number(name: str, value: object) -> None:
    assert fault(json.dumps({**FULL, name: value}).encode()) == f"the answer's {name} is not a time"


@pytest.mark.parametrize("name", ["iss", "sub", "client_id", "username", "jti", "token_type", "scope"])
@pytest.mark.parametrize("value", [1, True, [], ["a"], {}, "x" * (MAX_SCOPE + 1)])
def test_a_name_is_a_text_of_usual_length(name: str, value: object) -> None:
    assert fault(json.dumps({**FULL, name: value}).encode()) == f"the answer's {name} is not a text of usual length"


def test_names_have_bounds_and_scopes_a_wider_one() -> None:
    assert read({**FULL, "sub": "x" * MAX_TEXT, "scope": "x" * MAX_SCOPE})["sub"] == "x" * MAX_TEXT
    assert "sub" in fault(json.dumps({**FULL, "sub": "x" * (MAX_TEXT + 1)}).encode())


@pytest.mark.parametrize("value", [1, True, {}, [1], ["a", None], ["x"] * (MAX_AUDIENCES + 1), "x" * (MAX_TEXT + 1)])
def test_an_audience_is_a_text_or_some_texts(value: object) -> None:
    assert "aud is neither" in fault(json.dumps({**FULL, "aud": value}).encode())
    assert read({**FULL, "aud": "agent-gateway"})["aud"] == "agent-gateway"


@pytest.mark.parametrize("value", ["x", [], 1, True])
def test_a_binding_is_an_object(value: object) -> None:
    """One that cannot be read must not become none."""
    assert fault(json.dumps({**FULL, "cnf": value}).encode()) == "the answer's cnf is not an object"


def test_an_answer_has_bounds() -> None:
    few = {"active": True, **{f"m{number}": 0 for number in range(MAX_MEMBERS - 1)}}
    assert len(read(few)) == MAX_MEMBERS - 1
    assert "members" in fault(json.dumps({**few, "one more": 0}).encode())
    assert len(read_answer(b'{"active": true}'.ljust(MAX_ANSWER_BYTES)) or {}) == 0
    assert "larger than" in fault(b'{"active": true}'.ljust(MAX_ANSWER_BYTES + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(FULL)), JSON) | JSON)
def test_an_answer_is_active_only_if_it_says_exactly_so_and_nothing_unforeseen_is_raised(answer: Any) -> None:
    found = None
    with contextlib.suppress(AnswerError):
        found = read(answer)
    if found is not None:
        assert answer["active"] is True


@given(st.binary(max_size=200), st.text(alphabet='{}[]":,truefalsctiv\\u00 ', max_size=60))
def test_no_bytes_raise_anything_unforeseen(data: bytes, text: str) -> None:
    for body in (data, text.encode()):
        with contextlib.suppress(AnswerError):
            read_answer(body)
