"""The Authorization header: one bearer token, nothing, or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity.bearer import MAX_TOKEN_BYTES, bearer_token

TOKEN = "aaa.bbb.ccc"


def refusal(header: str) -> CredentialRefused:
    """Refused, and how."""
    with pytest.raises(CredentialRefused) as caught:
        bearer_token({"authorization": header})
    return caught.value


def test_a_request_without_the_header_brings_no_credential() -> None:
    """Whether that is enough is not decided here."""
    assert bearer_token({"x-authorization": f"Bearer {TOKEN}"}) is None


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", " Bearer {} "])
def test_the_scheme_is_read_without_regard_to_case(header: str) -> None:
    """RFC 9110 section 11.1; spaces around a field's value do not belong to it."""
    assert bearer_token({"authorization": header.format(TOKEN)}) == TOKEN


@pytest.mark.parametrize(
    ("header", "code", "error"),
    [
        ("", "scheme_unsupported", "invalid_request"),
        ("Bearer", "token_malformed", "invalid_token"),
        ("Bearer ", "token_malformed", "invalid_token"),
        (TOKEN, "scheme_unsupported", "invalid_request"),
        ("Basic YWxpY2U6c2VjcmV0", "scheme_unsupported", "invalid_request"),
        (f"Basic {TOKEN}", "scheme_unsupported", "invalid_request"),
        (f"DPoP {TOKEN}", "scheme_unsupported", "invalid_request"),
        (f"Bearer\t{TOKEN}", "scheme_unsupported", "invalid_request"),
        (f"Bearer\u00a0{TOKEN}", "scheme_unsupported", "invalid_request"),
        (f"Bearer {TOKEN},Bearer {TOKEN}", "credential_repeated", "invalid_request"),
        (f"Bearer {TOKEN},", "credential_repeated", "invalid_request"),
        (f",Bearer {TOKEN}", "credential_repeated", "invalid_request"),
        (f"Bearer {TOKEN}, Basic YWxpY2U6c2VjcmV0", "credential_repeated", "invalid_request"),
        (f"Bearer {TOKEN} {TOKEN}", "token_malformed", "invalid_token"),
        ("Bearer aaa.bbb", "token_malformed", "invalid_token"),
        ("Bearer aaa.bbb.", "token_malformed", "invalid_token"),
        ("Bearer aaa..ccc", "token_malformed", "invalid_token"),
        ("Bearer .bbb.ccc", "token_malformed", "invalid_token"),
        ("Bearer a.b.c.d.e", "token_malformed", "invalid_token"),
        ("Bearer aaa.bbb.ccc=", "token_malformed", "invalid_token"),
        ("Bearer aaa.b+b.ccc", "token_malformed", "invalid_token"),
        ("Bearer aaa.bbb.\u0441\u0441", "token_malformed", "invalid_token"),
        ("Bearer 'aaa.bbb.ccc'", "token_malformed", "invalid_token"),
    ],
)
def test_anything_but_one_well_formed_bearer_token_is_refused(header: str, code: str, error: str) -> None:
    """The code says why, and the challenge's error is one of RFC 6750."""
    refused = refusal(header)
    assert (refused.code, refused.error) == (code, error)


def test_a_token_may_be_as_large_as_the_bound_and_no_larger() -> None:
    """The bound is on the token, not on the header."""
    largest = "a" * (MAX_TOKEN_BYTES - 4) + ".b.c"
    assert bearer_token({"authorization": f"Bearer {largest}"}) == largest
    assert refusal(f"Bearer a{largest}").code == "token_too_large"


@given(st.text())
def test_whatever_comes_back_is_one_token_and_stood_in_the_header(header: str) -> None:
    """For any header: a token of three parts, or a refusal."""
    try:
        token = bearer_token({"authorization": header})
    except CredentialRefused:
        return
    assert token is not None
    assert token in header
    assert token.count(".") == 2
