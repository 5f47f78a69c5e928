"""Verified claims → Identity."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity.claims import MAX_NAME, MAX_ROLES, ClaimNames, to_identity
from authz_service.model import Confirmation, Identity
from tests.authz_service.minting import ISSUER, NAMES, NOW

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=8,
)


def identity(names: ClaimNames = NAMES, **claims: Any) -> Identity:
    """Read claims that hold a user and an expiry unless told otherwise."""
    return to_identity({"sub": "alice", "exp": NOW + 600, **claims}, names, ISSUER)


def refusal(names: ClaimNames = NAMES, **claims: Any) -> str:
    """Refused, and the code."""
    with pytest.raises(CredentialRefused) as caught:
        identity(names, **claims)
    return caught.value.code


def test_an_identity_says_who_through_which_agent_with_which_roles() -> None:
    """Every part comes from the claims, the issuer from the configuration."""
    found = identity(agent_id="desktop-7", roles=["engineer", "hr_access"], jti="t-1", iss="https://evil.example")
    assert (found.user, found.agent, found.roles) == ("alice", "desktop-7", ("engineer", "hr_access"))
    assert (found.issuer, found.expires_at, found.token_id) == (ISSUER, NOW + 600, "t-1")
    assert found.claims["jti"] == "t-1"


def test_agent_and_roles_may_be_missing() -> None:
    """A policy decides whether they are needed."""
    found = identity()
    assert (found.agent, found.roles, found.token_id) == (None, (), None)


def test_a_token_that_names_no_user_is_refused() -> None:
    """Nobody is not a name."""
    assert refusal(sub=None) == "claim_missing"


@pytest.mark.parametrize(
    "name",
    ["", 7, True, ["alice"], {"name": "alice"}, 1.5, "a\r\nx-role: admin", "a\x00", "a\tb", "a\x7f", "a\x85b",
     "a\u2028b", "a\u202eb", "\ud800", "a\u200bb", "x" * (MAX_NAME + 1)],
)  # fmt: skip
@pytest.mark.parametrize("claim", ["sub", "agent_id"])
def test_a_user_or_agent_that_is_no_printable_text_is_refused(claim: str, name: Any) -> None:
    """Names travel in headers and descriptors, where a control character could end something early."""
    assert refusal(**{claim: name}) == "claim_malformed"


@pytest.mark.parametrize("name", ["a", "alice@example.com", "Zoë 李", "a b", "x" * MAX_NAME])
def test_a_printable_name_is_taken_as_it_stands(name: str) -> None:
    """Nothing is trimmed or folded: that would make two people one."""
    assert identity(sub=name).user == name


@pytest.mark.parametrize(
    "roles", [7, True, {"admin": True}, [1], [None], ["a", None], [["a"]], [""], ["a\n"], ["x" * (MAX_NAME + 1)], 1.5]
)
def test_roles_of_the_wrong_type_are_refused(roles: object) -> None:
    """A role that cannot be read is not passed over: it might be the one that a denial is built on."""
    assert refusal(roles=roles) == "claim_malformed"


def test_roles_written_as_one_text_are_its_words() -> None:
    """As OAuth writes scopes."""
    assert identity(roles="  read write\tadmin ").roles == ("read", "write", "admin")
    assert identity(roles="").roles == ()


def test_the_number_of_roles_is_bounded() -> None:
    """Both as a list and as words."""
    assert len(identity(roles=["r"] * MAX_ROLES).roles) == MAX_ROLES
    assert refusal(roles=["r"] * (MAX_ROLES + 1)) == "claim_malformed"
    assert refusal(roles="r " * (MAX_ROLES + 1)) == "claim_malformed"


def test_a_dotted_name_leads_into_nested_claims() -> None:
    """As Keycloak nests its roles."""
    names = ClaimNames("person.name", "act.sub", "realm_access.roles")
    found = identity(names, person={"name": "bob"}, act={"sub": "desk"}, realm_access={"roles": ["x"]})
    assert (found.user, found.agent, found.roles) == ("bob", "desk", ("x",))


def test_a_claim_whose_whole_name_has_dots_wins_over_the_path() -> None:
    """As Auth0 names its claims by URL."""
    names = ClaimNames("https://example.com/user", "agent_id", "a.b")
    found = identity(names, **{"https://example.com/user": "bob", "a.b": ["whole"], "a": {"b": ["nested"]}})
    assert (found.user, found.roles) == ("bob", ("whole",))


@pytest.mark.parametrize("nested", [None, "text", ["name"], 7, {}, {"other": "bob"}])
def test_a_path_that_leads_nowhere_is_a_missing_claim(nested: object) -> None:
    """Whatever stands in the way."""
    assert refusal(ClaimNames("person.name", "agent_id", "roles"), person=nested) == "claim_missing"


def test_a_token_id_that_is_no_text_is_none() -> None:
    """It is only good for revocation lists, which hold texts."""
    assert identity(jti=7).token_id is None


@given(
    st.fixed_dictionaries({"sub": JSON, "agent_id": JSON, "roles": JSON, "a": JSON}), st.sampled_from(["roles", "a.b"])
)
def test_any_claims_make_a_sound_identity_or_a_refusal(claims: dict[str, Any], roles: str) -> None:
    """No claim can raise anything else, and no name that comes out can end a header."""
    try:
        found = to_identity({**claims, "exp": NOW}, ClaimNames("sub", "agent_id", roles), ISSUER)
    except CredentialRefused:
        return
    for name in [found.user, *found.roles, *([found.agent] if found.agent is not None else [])]:
        assert 0 < len(name) <= MAX_NAME
        assert name.isprintable()


@pytest.mark.parametrize("name", [" hanna", "hanna ", " ", "\u00a0hanna", "hanna\u3000"])
def test_a_name_with_space_around_it_is_refused(name: str) -> None:
    """A header's value loses it on the way, and then it is somebody else's name."""
    assert refusal(sub=name) == "claim_malformed"
    assert refusal(agent_id=name) == "claim_malformed"


def test_a_tenant_is_read_where_its_claim_is_named() -> None:
    names = ClaimNames("sub", "agent_id", "roles", "org.id")
    assert identity(names, org={"id": "acme"}).tenant == "acme"
    assert identity(names).tenant is None
    assert identity(org={"id": "acme"}).tenant is None
    assert refusal(names, org={"id": 7}) == "claim_malformed"


JKT, X5T = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"


@pytest.mark.parametrize(
    ("cnf", "expected"),
    [
        ({"jkt": JKT}, Confirmation(jkt=JKT)),
        ({"x5t#S256": X5T}, Confirmation(x5t_s256=X5T)),
        ({"jkt": JKT, "x5t#S256": X5T}, Confirmation(JKT, X5T)),
    ],
)
def test_what_a_token_is_bound_to_is_read(cnf: dict[str, str], expected: Confirmation) -> None:
    assert identity(cnf=cnf).confirmation == expected
    assert identity().confirmation is None


@pytest.mark.parametrize(
    "cnf",
    [None, {}, [], "x", 7, True, {"jkt": ""}, {"jkt": None}, {"jkt": JKT[:-1]}, {"jkt": JKT + "A"}, {"jkt": [JKT]},
     {"jwk": {"kty": "EC"}}, {"jkt": JKT, "kid": "1"}, {"x5t": X5T}, {"x5t#S512": X5T}, {"JKT": JKT},
     {"jkt": JKT + "="}, {"jkt": JKT, "x5t#S256": 1}],
)  # fmt: skip
def test_a_binding_that_cannot_be_checked_is_refused(cnf: Any) -> None:
    """Taken without it, the token would be worth stealing."""
    assert refusal(cnf=cnf) == "binding_unsupported"
