"""Client certificates as the proxy hands them over: what they say, when they hold, and what is none."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
from functools import cache
from urllib.parse import quote, quote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity import certificates, jws
from authz_service.identity.certificates import MAX_CERTIFICATE, MAX_NAMES, Certificates
from authz_service.model import Certificate

BEGINS = 1_700_000_000
ENDS = 1_800_000_000
NOW = 1_763_870_417.0  # epoch seconds
URI = "spiffe://company.example/agent/desktop-7"
# The object identifiers of subjectAltName and issuerAltName.
SUBJECT_ALTERNATIVE, ISSUER_ALTERNATIVE = b"\x06\x03\x55\x1d\x11", b"\x06\x03\x55\x1d\x12"


@cache
def private() -> ec.EllipticCurvePrivateKey:
    """The key of every certificate here."""
    return ec.generate_private_key(ec.SECP256R1())


def certificate(*names: x509.GeneralName, common: str = "agent", more: x509.ExtensionType | None = None) -> bytes:
    """A certificate, as DER."""
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Company"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private().public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime.fromtimestamp(BEGINS, dt.UTC))
        .not_valid_after(dt.datetime.fromtimestamp(ENDS, dt.UTC))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if more is not None:
        builder = builder.add_extension(more, critical=False)
    return builder.sign(private(), hashes.SHA256()).public_bytes(Encoding.DER)


@cache
def usual() -> bytes:
    """A certificate with a name of each kind."""
    return certificate(
        x509.DNSName("a.agents.example"),
        x509.UniformResourceIdentifier(URI),
        x509.DNSName("b.agents.example"),
        x509.RFC822Name("a@company.example"),
    )


def handed(der: bytes) -> str:
    """A certificate as Envoy hands it over: PEM, every character escaped that a URL may not hold."""
    return quote(ssl.DER_cert_to_PEM_cert(der), safe="")


def refusal(text: str, now: float = NOW) -> CredentialRefused:
    """Why a certificate is refused; nothing of it is in the text."""
    with pytest.raises(CredentialRefused) as caught:
        Certificates().read(text, now)
    assert caught.value.status == 401
    assert "agent" not in str(caught.value)
    return caught.value


def test_a_certificate_says_who_it_is_for() -> None:
    """Its thumbprint is that of RFC 8705 section 3.1, computed here from the DER itself."""
    found = Certificates().read(handed(usual()), NOW)
    assert found == Certificate(
        sha256=jws.encode(hashlib.sha256(usual()).digest()),
        subject="CN=agent,O=Company",
        uris=(URI,),
        dns_names=("a.agents.example", "b.agents.example"),
    )
    assert len(found.sha256) == 43


def test_a_certificate_may_have_no_other_names() -> None:
    """Its thumbprint is enough for a binding."""
    found = Certificates().read(handed(certificate()), NOW)
    assert (found.uris, found.dns_names, found.subject) == ((), (), "CN=agent,O=Company")


def test_a_plus_sign_is_no_space() -> None:
    """PEM holds them, and not every proxy escapes them."""
    pems = ((common, ssl.DER_cert_to_PEM_cert(certificate(common=common))) for common in map(str, range(50)))
    common, pem = next((common, pem) for common, pem in pems if "+" in pem)
    assert Certificates().read(quote(pem, safe="+/="), NOW).subject == f"CN={common},O=Company"
    assert Certificates().read(quote(pem, safe=""), NOW).subject == f"CN={common},O=Company"
    assert refusal(quote_plus(pem.replace("BEGIN CERT", "BEGIN  CERT"))).code == "certificate_malformed"


def test_a_comma_in_a_subject_is_told_from_one_between_its_parts() -> None:
    """RFC 4514 section 2.4."""
    found = Certificates().read(handed(certificate(common="admin,O=Other")), NOW)
    assert found.subject.startswith("CN=admin\\,O")


@pytest.mark.parametrize("now", [BEGINS - 1, BEGINS - 0.001, ENDS + 0.001, ENDS + 1, 0.0, 1e12])
def test_a_certificate_does_not_hold_outside_of_its_time(now: float) -> None:
    """Connections outlive certificates."""
    assert refusal(handed(usual()), now).code == "certificate_expired"


@pytest.mark.parametrize("now", [BEGINS, BEGINS + 0.001, NOW, ENDS - 0.001, ENDS])
def test_a_certificate_holds_in_its_time(now: float) -> None:
    """Both ends included (RFC 5280 section 4.1.2.5)."""
    assert Certificates().read(handed(usual()), now).uris == (URI,)


def test_the_time_of_a_certificate_that_is_kept_is_looked_at_again() -> None:
    """It may have ended since."""
    kept = Certificates()
    first = kept.read(handed(usual()), NOW)
    assert kept.read(handed(usual()), NOW + 1) is first
    with pytest.raises(CredentialRefused) as caught:
        kept.read(handed(usual()), ENDS + 1.0)
    assert caught.value.code == "certificate_expired"
    assert kept.read(handed(usual()), NOW) is first


def test_so_many_certificates_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes; what cannot be read is not kept at all."""
    monkeypatch.setattr(certificates, "MAX_KEPT", 2)
    kept = Certificates()
    texts = [handed(certificate(common=common)) for common in "abc"]
    read = [kept.read(text, NOW) for text in texts]
    assert len(kept) == 2
    with pytest.raises(CredentialRefused):
        kept.read("x", NOW)
    assert len(kept) == 2
    assert kept.read(texts[2], NOW) is read[2]
    assert kept.read(texts[0], NOW) == read[0]
    assert kept.read(texts[0], NOW) is not read[0]


def test_a_certificate_in_another_spelling_is_read_anew() -> None:
    """What is kept is kept by the whole text, not by a part of it."""
    kept = Certificates()
    pem = ssl.DER_cert_to_PEM_cert(usual())
    assert kept.read(quote(pem), NOW) == kept.read(quote(pem, safe=""), NOW)
    assert len(kept) == 2


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "%", "%zz", "%ff%fe", "%C3%A9", "é", "-----BEGIN CERTIFICATE-----", "\0", "%00",
     "-----BEGIN CERTIFICATE-----%0A-----END CERTIFICATE-----%0A",
     "-----BEGIN CERTIFICATE-----%0AAAAA%0A-----END CERTIFICATE-----%0A",
     "-----BEGIN PRIVATE KEY-----%0AAAAA%0A-----END PRIVATE KEY-----%0A"],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(text: str) -> None:
    """With the same words, whatever is wrong with it."""
    told = refusal(text)
    assert (told.code, told.text) == ("certificate_malformed", "the client certificate cannot be read")


def test_so_long_may_a_certificate_be_and_no_longer() -> None:
    """Before it is hashed."""
    assert refusal("A" * (MAX_CERTIFICATE + 1)).text == "the client certificate is too large"
    assert refusal("A" * MAX_CERTIFICATE).text == "the client certificate cannot be read"


def test_so_many_names_of_each_kind_are_read_and_no_more() -> None:
    """The first ones."""
    names = [
        name for n in range(MAX_NAMES + 5) for name in (x509.DNSName(f"n{n}"), x509.UniformResourceIdentifier(f"u:{n}"))
    ]
    found = Certificates().read(handed(certificate(*names)), NOW)
    assert found.dns_names == tuple(f"n{n}" for n in range(MAX_NAMES))
    assert found.uris == tuple(f"u:{n}" for n in range(MAX_NAMES))


def test_a_certificate_whose_names_are_there_twice_is_refused() -> None:
    """Which of them counts, two readers could see differently."""
    twice = certificate(x509.DNSName("a.example"), more=x509.IssuerAlternativeName([x509.DNSName("b.example")]))
    assert ISSUER_ALTERNATIVE in twice
    assert refusal(handed(twice.replace(ISSUER_ALTERNATIVE, SUBJECT_ALTERNATIVE))).code == "certificate_malformed"


@pytest.mark.parametrize("version", [3, 4, 9])
def test_a_certificate_of_an_unknown_version_is_refused(version: int) -> None:
    """There are three."""
    changed = usual().replace(b"\xa0\x03\x02\x01\x02", bytes([0xA0, 3, 2, 1, version]), 1)
    assert changed != usual()
    assert refusal(handed(changed)).code == "certificate_malformed"


@pytest.mark.parametrize("tag", [0x80, 0xA3, 0xA5, 0x83, 0x89, 0x30])
def test_a_certificate_with_a_name_of_an_unknown_kind_is_refused(tag: int) -> None:
    """With our error, not the library's."""
    name = b"\x82\x10a.agents.example"
    assert usual().count(name) == 1
    assert refusal(handed(usual().replace(name, bytes([tag]) + name[1:]))).code == "certificate_malformed"


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_certificate_that_was_changed_is_read_or_refused_and_never_has_the_thumbprint_of_before(
    changes: list[tuple[int, int]],
) -> None:
    """Whatever bytes are in it, nothing else comes of it."""
    der = bytearray(usual())
    for place, byte in changes:
        der[place % len(der)] = byte
    try:
        found = Certificates().read(handed(bytes(der)), NOW)
    except CredentialRefused as error:
        assert error.code in {"certificate_malformed", "certificate_expired"}  # noqa: PT017  (either outcome will do)
        return
    assert found.sha256 == jws.encode(hashlib.sha256(der).digest())


@given(st.text(max_size=80))
def test_any_text_is_refused(text: str) -> None:
    """None of this size is a certificate."""
    assert refusal(text).code == "certificate_malformed"
