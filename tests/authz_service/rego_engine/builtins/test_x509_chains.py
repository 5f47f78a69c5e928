"""Chains of certificates, good and bad."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from authz_service.rego_engine.builtins import x509_chains
from authz_service.rego_engine.builtins.x509_certificates import certificate
from authz_service.rego_engine.builtins.x509_chains import Demands, verified
from tests.authz_service.rego_engine.builtins import certificate_examples as examples

NOW = datetime(2023, 11, 14, tzinfo=UTC)
CLIENT, CODE, ANY = 2, 3, 0
SIGNS_NOTHING = (x509.KeyUsage(*[True, *[False] * 8]), True)
UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"x"), True)
POLICY = (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), False)
NEEDS_POLICY = (x509.PolicyConstraints(0, None), True)
CA = examples.authority()


def usage(*kinds: x509.ObjectIdentifier) -> tuple[Any, bool]:
    """Return the extension of extended key usages."""
    return x509.ExtendedKeyUsage(kinds), False


def check(made: Sequence[x509.Certificate], **demands: Any) -> list[str] | None:
    """Verify a chain and return the names of the one that was found."""
    found = verified([certificate(examples.der(one)) for one in made], Demands(**{"at": NOW, **demands}))
    return None if found is None else [one.subject[0][1] for one in found]


def test_a_leaf_comes_from_its_root_through_others() -> None:
    assert check(examples.chain()) == ["Leaf", "Between", "Root"]


def test_a_leaf_may_come_from_its_root_directly() -> None:
    root, between, _ = examples.chain()
    assert check([root, between]) == ["Between", "Root"]


def test_the_order_of_those_between_does_not_matter() -> None:
    root, between, leaf = examples.chain()
    stranger = examples.certificate("Stranger", "Root", examples.key(number=9), examples.key(number=9), [CA])
    assert check([root, stranger, between, leaf]) == ["Leaf", "Between", "Root"]


def test_a_root_is_its_own_chain() -> None:
    root = examples.chain()[0]
    assert check([root, root]) == ["Root"]
    assert check([root]) is None
    assert check([]) is None


@pytest.mark.parametrize(
    "made",
    [
        examples.chain(root=[]),
        examples.chain(between=[]),
        examples.chain(between=[(x509.BasicConstraints(ca=False, path_length=None), True)]),
        examples.chain(root=[examples.authority(0)]),
        examples.chain(between=[CA, SIGNS_NOTHING]),
        examples.chain(leaf=[UNKNOWN]),
        examples.chain(between=[CA, UNKNOWN]),
        examples.chain(end=datetime(2023, 1, 1)),  # noqa: DTZ001
        examples.chain(start=datetime(2024, 1, 1)),  # noqa: DTZ001
        examples.chain(between=[CA, NEEDS_POLICY]),
        examples.chain(between=[CA, NEEDS_POLICY, POLICY]),
        examples.chain()[::2],
        [examples.chain()[1], examples.chain()[2], examples.chain()[0]],
    ],
)
def test_a_chain_with_a_flaw_is_none(made: list[x509.Certificate]) -> None:
    """No authority, too long a path, no right to sign, something critical unknown, out of date, no policy, a gap."""
    assert check(made) is None


def test_a_signature_by_another_key_of_the_same_name_is_none() -> None:
    root, between, _ = examples.chain()
    forged = examples.certificate("Leaf", "Between", examples.key(number=3), examples.key(number=8))
    assert check([root, between, forged]) is None


def test_a_policy_that_all_name_is_enough() -> None:
    made = examples.chain(between=[CA, NEEDS_POLICY, POLICY], leaf=[POLICY])
    assert check(made) == ["Leaf", "Between", "Root"]


@pytest.mark.parametrize(
    ("made", "usages", "good"),
    [
        (examples.chain(), (CLIENT,), True),
        (examples.chain(leaf=[usage(ExtendedKeyUsageOID.CLIENT_AUTH)]), (), False),
        (examples.chain(leaf=[usage(ExtendedKeyUsageOID.CLIENT_AUTH)]), (CLIENT,), True),
        (examples.chain(leaf=[usage(ExtendedKeyUsageOID.CLIENT_AUTH)]), (CODE, CLIENT), True),
        (examples.chain(leaf=[usage(ExtendedKeyUsageOID.CLIENT_AUTH)]), (ANY,), True),
        (examples.chain(leaf=[usage(x509.ObjectIdentifier("1.2.3"))]), (CLIENT,), False),
        (examples.chain(between=[CA, usage(ExtendedKeyUsageOID.CODE_SIGNING)]), (CLIENT,), False),
        (examples.chain(between=[CA, usage(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)]), (CLIENT,), True),
    ],
)
def test_a_chain_is_good_for_the_usages_that_all_allow(
    made: list[x509.Certificate], usages: tuple[int, ...], *, good: bool
) -> None:
    assert (check(made, usages=usages) is not None) is good


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("www.example.org", True), ("WWW.example.org.", True), ("example.org", False), ("a.example.net", True),
        ("a.a.example.net", False), ("example.net", False), ("192.0.2.1", True), ("192.0.2.2", False), ("[::1]", True),
        ("..", False),
    ],
)  # fmt: skip
def test_a_leaf_is_for_the_hosts_that_it_names(host: str, *, good: bool) -> None:
    addresses = [x509.IPAddress(__import__("ipaddress").ip_address(one)) for one in ("192.0.2.1", "::1")]
    made = examples.chain(leaf=[examples.names("www.example.org", "*.example.net", *addresses)])
    assert (check(made, host=host) is not None) is good


def test_signatures_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates by the hundred, of one name, must not cost a signature each."""
    monkeypatch.setattr(x509_chains, "MAX_SIGNATURES", 5)
    root, between, leaf = examples.chain()
    decoys = [
        examples.certificate("Between", "Root", examples.key(number=20), examples.key(number=1), [CA], serial=number)
        for number in range(1, 7)
    ]
    assert check([root, *decoys[:3], between, leaf]) == ["Leaf", "Between", "Root"]
    assert check([root, *decoys, between, leaf]) is None
