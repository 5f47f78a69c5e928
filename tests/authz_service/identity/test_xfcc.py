"""Forwarded client certificates: hash and certificate of the trusted element; nothing that a name could add."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity import jws
from authz_service.identity.xfcc import MAX_ELEMENTS, MAX_HEADER, Forwarded, Trust, read_header
from tests.authz_service.certifying import certificate

OWN, OTHER = certificate("spiffe://company.example/a", 21), certificate("spiffe://company.example/b", 22)
HASH = f"Hash={OWN.hexdigest}"
PEM = quote(OWN.pem, safe="")
TRUSTED = [Trust.ONLY, Trust.LAST]


def refusal(header: str, trust: Trust) -> str:
    """Refused, and the code."""
    with pytest.raises(CredentialRefused) as caught:
        read_header(header, trust)
    assert caught.value.status == 401
    return caught.value.code


@pytest.mark.parametrize("header", ["", HASH, "x", "Hash=", f"{HASH},{HASH}", "\0" * 100_000], ids=range(6))
def test_without_trust_the_header_says_nothing(header: str) -> None:
    """Whatever is in it; nor is it an error."""
    assert read_header(header, Trust.NONE) is None


@pytest.mark.parametrize("trust", TRUSTED)
def test_hash_and_certificate_of_an_element_are_told(trust: Trust) -> None:
    written = f'By=spiffe://x;{HASH};Cert="{PEM}";Subject="CN=a,O=b";URI=spiffe://a;URI=spiffe://b;DNS=a.example'
    assert read_header(written, trust) == Forwarded(OWN.thumbprint, PEM)
    assert read_header(HASH, trust) == Forwarded(OWN.thumbprint, "")
    assert read_header(HASH.upper().replace("HASH", "hash"), trust) == Forwarded(OWN.thumbprint, "")
    assert read_header("", trust) is None


@pytest.mark.parametrize("trust", TRUSTED)
def test_a_proxy_with_several_names_of_its_own_writes_each(trust: Trust) -> None:
    assert read_header(f"By=spiffe://p;By=spiffe://q;{HASH}", trust) == Forwarded(OWN.thumbprint, "")


def test_of_several_elements_the_last_is_our_proxys() -> None:
    assert read_header(f"Hash={OTHER.hexdigest},{HASH}", Trust.LAST) == Forwarded(OWN.thumbprint, "")
    assert refusal(f"Hash={OTHER.hexdigest},{HASH}", Trust.ONLY) == "certificate_ambiguous"


@pytest.mark.parametrize(
    "name",
    [
        f"spiffe://c/m,Hash={OTHER.hexdigest}",
        f"spiffe://c/m;Hash={OTHER.hexdigest}",
        f"spiffe://c/m;Cert={PEM};Cert={PEM}",
    ],
    ids=["element", "hash", "certificate"],
)
def test_no_name_adds_an_element_or_a_hash_where_there_must_be_one(name: str) -> None:
    """Envoy writes a certificate's URIs as they are."""
    assert refusal(f"{HASH};URI={name}", Trust.ONLY) in {"certificate_ambiguous", "certificate_malformed"}


@pytest.mark.parametrize("digest", ["", "x", "a" * 63, "a" * 65, "g" * 64, '"' + "a" * 64, "\u0661" * 64])
@pytest.mark.parametrize("trust", TRUSTED)
def test_a_hash_that_is_none_is_refused(digest: str, trust: Trust) -> None:
    assert refusal(f"Hash={digest}", trust) == "certificate_malformed"


@pytest.mark.parametrize(
    "header",
    [
        "x", ";", ",", f";{HASH}", f"{HASH};", f",{HASH}", f"{HASH},", f"{HASH};{HASH}", f"{HASH};Sub=x",
        f"{HASH} ;URI=x",
        f'{HASH};Subject="a', f'{HASH};Subject="a"b', f"{HASH};Subject=a;Subject=b", f"{HASH};Cert=a;Cert=b",
        f"{HASH};=x",
        f"{HASH};URI", f"{HASH};URI=a\\b", "URI=spiffe://a", "Subject=x", f"{HASH}\n;URI=x",
    ],
    ids=range(20),
)  # fmt: skip
@pytest.mark.parametrize("trust", TRUSTED)
def test_a_header_that_can_be_read_in_two_ways_is_refused(header: str, trust: Trust) -> None:
    assert refusal(header, trust) == "certificate_malformed"


@pytest.mark.parametrize("trust", TRUSTED)
def test_so_long_may_a_header_be_and_no_longer(trust: Trust) -> None:
    room = MAX_HEADER - len(HASH) - len(";DNS=")
    assert read_header(f"{HASH};DNS={'a' * room}", trust) is not None
    assert refusal(f"{HASH};DNS={'a' * (room + 1)}", trust) == "certificate_malformed"


def test_so_many_elements_may_there_be_and_no_more() -> None:
    assert read_header(",".join([HASH] * MAX_ELEMENTS), Trust.LAST) is not None
    assert refusal(",".join([HASH] * (MAX_ELEMENTS + 1)), Trust.LAST) == "certificate_malformed"


digests = st.binary(min_size=32, max_size=32)
pieces = st.text('Hashx=,;"\\ 0a', max_size=30)


@given(pieces, digests)
@example(f'Hash={OTHER.hexdigest};Subject="', bytes(32))
def test_whatever_came_in_before_our_proxys_element_does_not_change_it(before: str, digest: bytes) -> None:
    try:
        found = read_header(f"{before},Hash={digest.hex()}", Trust.LAST)
    except CredentialRefused:
        return
    assert found == Forwarded(jws.encode(digest), "")


@given(digests, st.data())
def test_no_header_that_was_changed_tells_of_another_certificate(digest: bytes, data: st.DataObject) -> None:
    """Unless it is the hash itself that was changed."""
    header = f'By=spiffe://p;Hash={digest.hex()};Subject="CN=a";URI=spiffe://a'
    place, cut = data.draw(st.integers(0, len(header))), data.draw(st.integers(0, 2))
    changed = header[:place] + data.draw(st.text(',;="\\Hash0', max_size=3)) + header[place + cut :]
    try:
        found = read_header(changed, Trust.ONLY)
    except CredentialRefused:
        return
    assert found is not None
    assert f"hash={jws.decode(found.sha256).hex()}" in changed.lower()
    if digest.hex() in changed:
        assert found.sha256 == jws.encode(digest)


@pytest.mark.parametrize("piece", ["a", '\\"', ";", "=", ",Hash=", "By=x;"])
@pytest.mark.parametrize("start", ["", ';Subject="', ";URI="])
def test_long_hostile_headers_take_no_longer_than_their_length(piece: str, start: str) -> None:
    header = (HASH + start + piece * MAX_HEADER)[:MAX_HEADER]
    began = time.perf_counter()
    for trust in TRUSTED:
        try:
            read_header(header, trust)
        except CredentialRefused:
            continue
    assert time.perf_counter() - began < 5
