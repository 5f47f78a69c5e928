"""Whose certificate names a caller, by patterns."""

from __future__ import annotations

import math
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity.certificate_names import ISSUER, AcceptedName, CertificateNames, Kind
from authz_service.identity.claims import MAX_NAME
from authz_service.model import Binding, Certificate, Identity


def certificate(kind: Kind, *names: str) -> Certificate:
    """A certificate with these names of one kind."""
    return Certificate(
        "t" * 43,
        names[0] if kind == "subject" else "",
        names if kind == "uri" else (),
        names if kind == "dns" else (),
    )


def fits(kind: Kind, pattern: str, name: str) -> bool:
    """Whether a certificate with this name is accepted by this pattern."""
    try:
        found = CertificateNames([AcceptedName(kind, pattern, ())]).identify(certificate(kind, name))
    except CredentialRefused as error:
        assert (error.code, error.status) == ("certificate_not_accepted", 401)  # noqa: PT017  (either outcome will do)
        assert not name or len(name) < 4 or name not in error.text  # noqa: PT017  (either outcome will do)
        return False
    assert found.user == (name.lower() if kind == "dns" else name), "a host is one caller in any case"
    return True


def test_a_caller_is_named_by_his_certificate() -> None:
    """Without a token he has no claims, and the roles that the pattern gives him."""
    shown = Certificate("t" * 43, "CN=a", ("urn:x", "spiffe://company.example/a"), ("a.example",))
    names = CertificateNames([AcceptedName("uri", "spiffe://company.example/*", ("reader", "writer"))])
    assert names.identify(shown) == Identity(
        user="spiffe://company.example/a", agent=None, roles=("reader", "writer"), issuer=ISSUER, claims={},
        expires_at=math.inf, binding=Binding.CERTIFICATE, certificate=shown,
    )  # fmt: skip


def test_the_first_pattern_that_fits_counts() -> None:
    """In the order of the configuration, not of the certificate's names."""
    shown = Certificate("t", "CN=a", ("spiffe://a", "spiffe://b"), ("a.example",))
    patterns = [
        AcceptedName("uri", "spiffe://c", ("c",)), AcceptedName("dns", "a.example", ("dns",)),
        AcceptedName("uri", "spiffe://b", ("b",)), AcceptedName("subject", "CN=a", ("subject",)),
    ]  # fmt: skip
    assert CertificateNames(patterns).identify(shown).roles == ("dns",)
    assert CertificateNames(patterns[2:]).identify(shown).user == "spiffe://b"
    assert CertificateNames(patterns[3:]).identify(shown).user == "CN=a"


@pytest.mark.parametrize("shown", [Certificate("t", ""), Certificate("t", "CN=a", ("spiffe://a",), ("a.example",))])
def test_without_patterns_nobody_is_named(shown: Certificate) -> None:
    """Nor by those for other names."""
    for accepted in ([], [AcceptedName("uri", "spiffe://x", ())]):
        with pytest.raises(CredentialRefused):
            CertificateNames(accepted).identify(shown)


@pytest.mark.parametrize(
    ("kind", "pattern", "name", "expected"),
    [
        ("uri", "spiffe://a/b", "spiffe://a/b", True),
        ("uri", "spiffe://a/b", "spiffe://a/B", False),
        ("uri", "spiffe://a/b", "spiffe://a/b/c", False),
        ("uri", "spiffe://a/b", "xspiffe://a/b", False),
        ("uri", "spiffe://a.b/c", "spiffe://axb/c", False),
        ("uri", "spiffe://a/*", "spiffe://a/b", True),
        ("uri", "spiffe://a/*", "spiffe://a/", False),
        ("uri", "spiffe://a/*", "spiffe://a/b/c", False),
        ("uri", "spiffe://a/*/c", "spiffe://a/b/c", True),
        ("uri", "spiffe://a/*/c", "spiffe://a//c", False),
        ("uri", "spiffe://a/agent-*", "spiffe://a/agent-7", True),
        ("uri", "spiffe://a/**", "spiffe://a/b/c", True),
        ("uri", "spiffe://a/**", "spiffe://a/", False),
        ("uri", "spiffe://a/**/z", "spiffe://a/b/c/z", True),
        ("uri", "spiffe://a/**/z", "spiffe://a/z", False),
        ("uri", "spiffe://a/**/*/z", "spiffe://a/b/c/z", True),
        ("uri", "spiffe://*/x", "spiffe://a/b/x", False),
        ("uri", "spiffe://a/[b]", "spiffe://a/b", False),
        ("dns", "a.example", "A.EXAMPLE", True),
        ("dns", "A.example", "a.Example", True),
        ("dns", "*.agents.example", "a.agents.example", True),
        ("dns", "*.agents.example", "a.b.agents.example", False),
        ("dns", "*.agents.example", ".agents.example", False),
        ("dns", "*.agents.example", "agents.example", False),
        ("dns", "*.agents.example", "*.agents.example", True),
        ("dns", "**.agents.example", "a.b.agents.example", True),
        ("dns", "*.agents.example", "a.agentsxexample", False),
        ("dns", "k.example", "\u212a.example", False),
        ("dns", "s.example", "\u017f.example", False),
        ("subject", "CN=*,O=Company", "CN=a b,O=Company", True),
        ("subject", "CN=*,O=Company", "CN=a,OU=b,O=Company", False),
        ("subject", "CN=*,**,O=Company", "CN=a,OU=b,L=c,O=Company", True),
        ("subject", "CN=*,O=Company", "cn=a,o=company", False),
        # an escaped comma belongs to the name in which it stands
        ("subject", "CN=*,O=Company", "CN=admin\\,O=Company", False),
        ("subject", "CN=*,O=Company", "CN=a\\,b,O=Company", True),
        ("subject", "CN=*,O=Company", "CN=a\\\\,O=Company", True),
        ("subject", "CN=*,O=Company", "CN=a\\\\\\,O=Company", False),
        ("subject", "CN=a\\,b", "CN=a\\,b", True),
        ("subject", "CN=a,b", "CN=a\\,b", False),
        ("subject", "**,O=Company", "CN=x\\,O=Company", False),
    ],
)
def test_a_pattern_fits_the_names_that_it_means(kind: Kind, pattern: str, name: str, expected: bool) -> None:  # noqa: FBT001  (a column)
    """A star for one part, two for any number, everything else as it is."""
    assert fits(kind, pattern, name) is expected


@pytest.mark.parametrize(
    "name", ["spiffe://a/\n", "spiffe://a/\r\nx", "spiffe://a/\0", "spiffe://a/\u2028", "spiffe://a/\u202e"]
)
def test_a_name_that_could_end_a_header_early_names_nobody(name: str) -> None:
    """It travels in headers."""
    assert not fits("uri", "spiffe://a/*", name)
    assert not fits("uri", "spiffe://a/**", name)
    assert not fits("uri", name, name)


def test_so_long_may_a_name_be_and_no_longer() -> None:
    """As those of tokens."""
    assert fits("uri", "u:**", "u:" + "a" * (MAX_NAME - 2))
    assert not fits("uri", "u:**", "u:" + "a" * (MAX_NAME - 1))


kinds = st.sampled_from(["uri", "dns"])
separators = {"uri": "/", "dns": "."}


@given(kinds, st.text("ab*/.", max_size=8), st.text("abA/.", max_size=10))
@example("uri", "***", "a/")
@example("uri", "**a**a**", "aaaaa")
@example("dns", "*.*", "a.b.c")
def test_a_pattern_fits_what_the_same_pattern_as_a_regular_expression_fits(kind: Kind, pattern: str, name: str) -> None:
    """Which could be made to backtrack, and is but the oracle here."""
    parts = re.split(r"(\*\*|\*)", pattern)
    one = f"[^{re.escape(separators[kind])}]+"
    text = "".join({"*": one, "**": ".+"}.get(part, re.escape(part)) for part in parts)
    expected = re.fullmatch(text, name, re.IGNORECASE if kind == "dns" else 0) is not None
    assert fits(kind, pattern, name) is expected


@pytest.mark.parametrize("kind", ["uri", "dns", "subject"])
@pytest.mark.parametrize(
    "pattern", ["*a" * 40 + "b", "**a" * 40 + "b", "*" * 200 + "b", "**" * 100 + "b", "**a*" * 30 + "b"]
)
def test_no_pattern_and_name_take_long(kind: Kind, pattern: str) -> None:
    """However many stars there are: a regular expression would not end."""
    began = time.monotonic()
    assert not fits(kind, pattern, "a" * MAX_NAME)
    assert not fits(kind, pattern, "a" * 60_000)
    assert time.monotonic() - began < 5
