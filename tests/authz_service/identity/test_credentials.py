"""Headers and query → the one credential of a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused, Scheme
from authz_service.identity.credentials import MAX_PROOF_BYTES, MAX_TOKEN_BYTES, Credential, read_credential

TOKEN = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
PROOF = "eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.cHJvb2Y"


def refusal(authorization: str | None, proof: str | None = None, query: str = "") -> CredentialRefused:
    """Why a request's credential is refused; whatever was sent is not in the text."""
    headers = {"authorization": authorization, "dpop": proof}
    with pytest.raises(CredentialRefused) as caught:
        read_credential({name: value for name, value in headers.items() if value is not None}, query)
    told = caught.value
    assert TOKEN not in told.text
    assert PROOF not in told.text
    return told


def test_a_request_may_bring_nothing() -> None:
    """Which is not a fault of its form."""
    assert read_credential({}) is None
    assert read_credential({"cookie": "a=b", "x-dpop": "z"}, "a=b") is None


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER", "bEARER"])
@pytest.mark.parametrize("between", [" ", "  ", "     "])
def test_a_bearer_token_is_read(word: str, between: str) -> None:
    """Schemes are case-insensitive (RFC 9110 section 11.1)."""
    assert read_credential({"authorization": f"{word}{between}{TOKEN}"}) == Credential(Scheme.BEARER, TOKEN)
    assert read_credential({"authorization": f" \t{word}{between}{TOKEN} \t"}) == Credential(Scheme.BEARER, TOKEN)


@pytest.mark.parametrize("word", ["DPoP", "dpop", "DPOP"])
def test_a_token_with_its_proof_is_read(word: str) -> None:
    """Space around the proof is the header's."""
    for proof in (PROOF, f" {PROOF}\t"):
        found = read_credential({"authorization": f"{word} {TOKEN}", "dpop": proof})
        assert found == Credential(Scheme.DPOP, TOKEN, PROOF)


@pytest.mark.parametrize("token", ["a", "a.b.c", "~+/-._", "opaque==", "0=", "A" * MAX_TOKEN_BYTES])
def test_any_b64token_may_be_a_token(token: str) -> None:
    """RFC 6750 section 2.1; opaque ones too."""
    assert read_credential({"authorization": f"Bearer {token}"}) == Credential(Scheme.BEARER, token)


@pytest.mark.parametrize(
    "token",
    ["", "a b", "a\tb", "=", "a=b", "a;b", '"a"', "tökén", "\uff21", "a\n", "a\x00", "a\u2003", "\u00a0a", "a:b"],
)
def test_what_is_no_b64token_is_refused(token: str) -> None:
    """Space within, other scripts, control characters."""
    told = refusal(f"Bearer {token}")
    assert (told.code, told.error, told.status, told.scheme) == ("token_malformed", "invalid_token", 401, Scheme.BEARER)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "Basic YTpi",
        "Bearer\ta",
        "Bearera",
        "Digest",
        TOKEN,
        "Bearer:x",
        "DPoP=x",
        "B\u00e9arer a",
        ":",
        "Token a",
    ],
)
def test_another_scheme_is_refused(header: str) -> None:
    """With a challenge and no error, as if nothing had been sent (RFC 6750 section 3); an empty header too."""
    told = refusal(header)
    assert (told.code, told.status, told.error) == ("scheme_unsupported", 401, None)


@pytest.mark.parametrize(
    "header",
    [f"Bearer {TOKEN},Bearer {TOKEN}", f"Bearer {TOKEN}, DPoP {TOKEN}", f"DPoP {TOKEN},{TOKEN}", f"Bearer {TOKEN},",
    ",",
     f",Bearer {TOKEN}", f"Basic YTpi,Bearer {TOKEN}"],
)  # fmt: skip
def test_two_credentials_are_never_taken_for_one(header: str) -> None:
    """Envoy joins repeated headers with commas; RFC 6750 section 2 allows one way at a time."""
    for proof in (None, PROOF):
        told = refusal(header, proof)
        assert (told.code, told.error, told.status) == ("credential_repeated", "invalid_request", 400)


@pytest.mark.parametrize(
    "query",
    [
        "access_token=x",
        "a=b&access_token=x",
        "access_token",
        "access_token=",
        "access%5Ftoken=x",
        "%61ccess_token=x&a",
        "&&access_token&",
    ],
)
@pytest.mark.parametrize("scheme", [Scheme.BEARER, Scheme.DPOP])
def test_a_second_token_in_the_query_is_one_too_many(query: str, scheme: Scheme) -> None:
    """However its name is escaped."""
    told = refusal(f"{scheme} {TOKEN}", PROOF if scheme is Scheme.DPOP else None, query)
    assert (told.code, told.status, told.scheme) == ("credential_repeated", 400, scheme)


@pytest.mark.parametrize(
    "query", ["", "a=access_token", "xaccess_token=1", "access_token2=1", "Access_Token=1", "access+token=1"]
)
def test_other_parameters_are_nobodys_token(query: str) -> None:
    """Names are compared as a whole."""
    assert read_credential({"authorization": f"Bearer {TOKEN}"}, query) is not None


def test_so_large_may_a_token_be_and_no_larger() -> None:
    """Before anything looks at what it holds."""
    told = refusal("Bearer " + "A" * (MAX_TOKEN_BYTES + 1))
    assert (told.code, told.error, told.status) == ("token_too_large", "invalid_token", 401)
    assert refusal("DPoP " + "\u00e9" * (MAX_TOKEN_BYTES + 1), PROOF).code == "token_too_large"


def test_so_large_may_a_proof_be_and_no_larger() -> None:
    """Before it is decoded."""
    largest = "a.b." + "c" * (MAX_PROOF_BYTES - 4)
    found = read_credential({"authorization": f"DPoP {TOKEN}", "dpop": largest})
    assert found == Credential(Scheme.DPOP, TOKEN, largest)
    told = refusal(f"DPoP {TOKEN}", largest + "c")
    assert (told.code, told.error, told.scheme) == ("proof_too_large", "invalid_dpop_proof", Scheme.DPOP)


def test_a_proof_without_a_token_is_refused() -> None:
    """It could only be a mistake, or a trial."""
    told = refusal(None, PROOF)
    assert (told.code, told.status, told.scheme) == ("proof_without_token", 400, Scheme.DPOP)


@pytest.mark.parametrize("proof", [PROOF, "", "x,y"])
def test_a_proof_beside_a_bearer_token_is_refused(proof: str) -> None:
    """Whoever sends one means the other scheme."""
    told = refusal(f"Bearer {TOKEN}", proof)
    assert (told.code, told.status, told.scheme) == ("scheme_mixed", 400, Scheme.DPOP)


def test_a_dpop_token_without_a_proof_is_refused() -> None:
    """With the error that makes a client send one."""
    told = refusal(f"DPoP {TOKEN}")
    assert (told.code, told.error, told.status) == ("proof_missing", "invalid_dpop_proof", 401)


@pytest.mark.parametrize("proof", [f"{PROOF},{PROOF}", f"{PROOF}, {PROOF}", f"{PROOF},", ",", f",{PROOF}"])
def test_more_than_one_proof_is_refused(proof: str) -> None:
    """RFC 9449 section 4.3, item 1."""
    assert refusal(f"DPoP {TOKEN}", proof).code == "proof_repeated"


@pytest.mark.parametrize(
    "proof", ["", " ", "a", "a.b", "a.b.", "a.b.c.d", "a.b.c=", "a .b.c", "a.b.c\n", "\u00e9.b.c", "a.b.c+"]
)
def test_a_proof_that_is_no_jws_is_refused(proof: str) -> None:
    """RFC 9449 section 4.3, item 2."""
    told = refusal(f"DPoP {TOKEN}", proof)
    assert (told.code, told.error) == ("proof_malformed", "invalid_dpop_proof")


pieces = st.lists(
    st.sampled_from(["Bearer", "DPoP", " ", ",", "\t", TOKEN, PROOF, "=", "\n", "Basic", "\u00e9", "\0", ";"]),
    max_size=6,
).map("".join)


@given(st.one_of(st.none(), pieces, st.text(max_size=20)), st.one_of(st.none(), pieces), pieces)
def test_whatever_comes_is_read_or_refused_with_a_code(header: str | None, proof: str | None, query: str) -> None:
    """And what is read is one token, under one scheme, with a proof exactly where the scheme has one."""
    headers = {name: value for name, value in (("authorization", header), ("dpop", proof)) if value is not None}
    try:
        found = read_credential(headers, query)
    except CredentialRefused as error:
        assert error.status == (400 if error.error == "invalid_request" else 401)  # noqa: PT017  (either outcome will do)
        return
    if found is None:
        assert not headers
        return
    assert header is not None
    assert header.count(found.token) >= 1
    assert "," not in header + (proof or "")
    assert (found.scheme is Scheme.DPOP) == (found.proof is not None) == (proof is not None)
