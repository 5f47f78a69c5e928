"""JSON Web Tokens."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.tokens import DETECTORS
from tests.authz_service.dlp.detectors.surroundings import (
    BASE64URL,
    around,
    finder,
    near_misses,
    random_text,
    randoms,
)

found = finder(DETECTORS)
TYPES = st.sampled_from(["JWT", "at+jwt", "dpop+jwt", "JOSE"])


def encoded(value: Any, **more: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, **more).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@given(
    st.fixed_dictionaries(
        {"alg": st.sampled_from(["none", "HS256", "RS256", "ES512", "EdDSA", "dir", "RSA-OAEP-256"])},
        optional={"typ": TYPES, "kid": st.text(max_size=40), "enc": st.just("A256GCM"), "cty": TYPES},
    ),
    st.sampled_from([None, 1, (",", ":")]),
    st.dictionaries(st.sampled_from(["sub", "aud", "x"]), st.text(max_size=200)),
    randoms(),
    around(),
)
def test_every_token_is_found_anywhere_to_its_end(
    header: dict[str, str], style: Any, claims: dict[str, str], source: random.Random, sides: tuple[str, str]
) -> None:
    """Whatever its parameters, their order and the white space between them."""
    spaces = {"indent": style} if isinstance(style, int) else {"separators": style}
    token = ".".join((encoded(header, **spaces), encoded(claims), random_text(source, 86, BASE64URL)))
    assert found(token.join(sides)) == [("jwt", token)]


@pytest.mark.parametrize(
    "rest",
    ["{}..{}.{}.{}", "{}.{}.{}.{}.{}", "{}..{}", "{}.{}.", "{}.{}"],
    ids=["key agreed on", "encrypted", "detached", "unsigned", "cut short"],
)
@given(source=randoms())
def test_other_shapes_of_tokens_are_found(rest: str, source: random.Random) -> None:
    """RFC 7516's five parts, RFC 7515's appendix F, and what is left of a token without its signature."""
    header = encoded({"alg": "dir", "enc": "A128GCM"})
    token = rest.format(header, *(random_text(source, 40, BASE64URL) for _ in range(4)))
    assert found(f"x {token} y") == [("jwt", token)]


def test_a_header_that_is_longer_than_what_is_read_is_known_by_its_beginning() -> None:
    """A chain of certificates is kilobytes long."""
    token = f"{encoded({'alg': 'RS256', 'x5c': ['MIIC' * 900]})}.{encoded({'sub': 'x'})}.{'aB3' * 100}"
    assert found(token) == [("jwt", token)]
    assert found(encoded({"name": "x" * 2_000}) + ".aaaa.bbbb") == []


def test_a_token_is_taken_as_far_as_sixteen_kibibytes() -> None:
    """What is longer than any header is cut there."""
    token = f"{encoded({'alg': 'HS256'})}.{'aB3d' * 8_000}"
    assert [len(text) for _, text in found(token)] == [16 * 1024]


@pytest.mark.parametrize(
    "text",
    [
        "eyJ.x.y",
        "eyJust.a.word",
        "keyJoined.something.else",
        encoded({"alg": "HS256"}),
        encoded({"alg": "HS256"}) + ".",
        encoded({"alg": "HS256"}) + ".ts",
        encoded({"typ": "JWT"}) + ".aaaa.bbbb",
        encoded({"alg": 5}) + ".aaaa.bbbb",
        encoded(["alg", "HS256"]) + ".aaaa.bbbb",
        encoded(b'{"alg": "HS256"') + ".aaaa.bbbb",
        "eyJhbGciOiJIUzI1NiJ9 .aaaa.bbbb",
        encoded({"user": "x", "roles": ["a", "b"]}) + "." + encoded({"alg": "x"}),
        "eyJ" + "a" * 400,
        encoded(b'{"\xff": 1}') + ".aaaa",
        "eyJ" + "[" * 40,
        encoded(b'{"a":' + b"[" * 150) + ".aaaa.bbbb",
    ],
)
def test_what_only_begins_like_one_is_not(text: str) -> None:
    """Cut short, no object, no algorithm, other JSON in base64."""
    assert found(text) == []


@given(randoms())
def test_nothing_is_found_in_what_is_no_token(source: random.Random) -> None:
    assert [(text, found(text)) for text in near_misses(source) if found(text)] == []
