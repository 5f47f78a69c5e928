"""Forwarded client certificates: only what a trusted proxy has written counts, however the rest is written."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity import jws
from authz_service.identity.xfcc import MAX_ELEMENTS, MAX_HEADER, MAX_NAMES, Trust, read_header
from authz_service.model import Certificate

HASH = "ab" * 31 + "0F"
OTHER = "cd" * 32
SHA256 = jws.encode(bytes.fromhex(HASH))
ELEMENT = f'By=spiffe://proxy;Hash={HASH};Subject="CN=a,O=Company";URI=spiffe://a;DNS=a.example;DNS=b.example'
CERTIFICATE = Certificate(SHA256, "CN=a,O=Company", ("spiffe://a",), ("a.example", "b.example"))
TRUSTED = (Trust.ONLY, Trust.LAST)


def quoted(value: str) -> str:
    """A value in quotes, as Envoy writes it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def refusal(header: str, trust: Trust) -> str:
    """The code with which a header is refused; nothing of it is in the text."""
    with pytest.raises(CredentialRefused) as caught:
        read_header(header, trust)
    assert caught.value.status == 401
    assert HASH not in str(caught.value)
    return caught.value.code


def read_or_none(header: str, trust: Trust) -> Certificate | None:
    """The certificate, or None where the header is refused."""
    try:
        return read_header(header, trust)
    except CredentialRefused:
        return None


@pytest.mark.parametrize("header", ["", ELEMENT, "x", "Hash=", f"{ELEMENT},{ELEMENT}", "\0" * 100_000])
def test_without_trust_the_header_says_nothing(header: str) -> None:
    """Not even that it is malformed."""
    assert read_header(header, Trust.NONE) is None


@pytest.mark.parametrize("trust", TRUSTED)
def test_an_element_tells_of_a_certificate(trust: Trust) -> None:
    """As a trusted proxy saw it."""
    assert read_header(ELEMENT, trust) == CERTIFICATE
    assert read_header("", trust) is None


@pytest.mark.parametrize("trust", TRUSTED)
def test_the_hash_alone_is_enough(trust: Trust) -> None:
    """Everything else is for names."""
    assert read_header(f"Hash={HASH}", trust) == Certificate(SHA256, "")
    assert read_header(f"hash={HASH.lower()}", trust) == Certificate(SHA256, "")
    assert read_header(f'HASH="{HASH.upper()}"', trust) == Certificate(SHA256, "")


def test_of_several_elements_the_last_is_our_proxys() -> None:
    """The others came in from outside."""
    for before in (
        f"Hash={OTHER}",
        f"Hash={OTHER};URI=spiffe://admin",
        "By=x",
        'Subject="a,b;c"',
        "Hash=x",
        "URI=;DNS=",
    ):
        assert read_header(f"{before},{ELEMENT}", Trust.LAST) == CERTIFICATE
        assert read_header(f"{before},{before},{ELEMENT}", Trust.LAST) == CERTIFICATE


def test_where_there_must_be_one_element_several_are_refused() -> None:
    """A proxy that lets others through is not the one that was told of."""
    assert refusal(f"Hash={OTHER},{ELEMENT}", Trust.ONLY) == "certificate_ambiguous"
    assert refusal(f"{ELEMENT},{ELEMENT}", Trust.ONLY) == "certificate_ambiguous"


@pytest.mark.parametrize(
    "digest",
    ["", "ab", HASH[:-1], HASH + "a", HASH[:-1] + "g", HASH[:-1] + " ", " " + HASH[:-1],
    "\uff11" * 64, f"{HASH}:{HASH}",
     ":".join([HASH[:2]] * 22)],
)  # fmt: skip
@pytest.mark.parametrize("trust", TRUSTED)
def test_a_hash_that_is_none_is_refused(digest: str, trust: Trust) -> None:
    """Whatever else the element says."""
    for element in (f"Hash={digest}", f'Hash="{digest}"', f"Hash={digest};URI=spiffe://a", f"URI=a;Hash={digest}"):
        assert refusal(element, trust) == "certificate_malformed"


@pytest.mark.parametrize(
    "header",
    ["x", "=", ";", ",", "Hash", "By=x",
    "URI=spiffe://a", f"Hash={HASH};", f"Hash={HASH},", f";Hash={HASH}", f",Hash={HASH}",
     f"Hash={HASH};;URI=a", f"Hash={HASH},,Hash={HASH}", f" Hash={HASH}", f"Hash={HASH} ", f"Hash={HASH};Hash={HASH}",
     f"Hash={HASH};hash={OTHER}", f"Hash ={HASH}", f"Hash= {HASH}", f"H\u0430sh={HASH}", f"Hash={HASH};By=a;by=b",
     f'Hash={HASH};Subject="a";subject="b"', f"Hash={HASH};Cert=a;CERT=b", f"Hash={HASH};Chain=a;chain=b",
     f"Hash={HASH};Unknown=x", f'Hash={HASH};Subject="a', f'Hash={HASH};Subject=a"', f'Hash={HASH};Subject="a"b',
     f'Hash={HASH};Subject="a""b"', f'Hash={HASH};Subject="a\\"', f"Hash={HASH};URI=a\\b", f"Hash={HASH};URI=\\;By=x",
     f'"Hash"={HASH}', f"Hash={HASH}\n", f"Hash={HASH};\nURI=a", f"\ufeffHash={HASH}"],
)  # fmt: skip
@pytest.mark.parametrize("trust", TRUSTED)
def test_a_header_that_can_be_read_in_two_ways_is_refused(header: str, trust: Trust) -> None:
    """Rather than read in one of them."""
    assert refusal(header, trust) in {"certificate_malformed", "certificate_ambiguous"}


@pytest.mark.parametrize("trust", TRUSTED)
def test_names_that_are_empty_are_none(trust: Trust) -> None:
    """Envoy writes the key where a certificate has no name of the kind."""
    found = read_header(f'By=;Hash={HASH};Subject="";URI=;DNS=;DNS=a', trust)
    assert found == Certificate(SHA256, "", (), ("a",))


@pytest.mark.parametrize("trust", TRUSTED)
def test_so_long_may_a_header_be_and_no_longer(trust: Trust) -> None:
    """Before it is split."""
    start = f"Hash={HASH};URI="
    assert read_header(start + "a" * (MAX_HEADER - len(start)), trust) is not None
    assert refusal(start + "a" * (MAX_HEADER - len(start) + 1), trust) == "certificate_malformed"


def test_so_many_elements_may_there_be_and_no_more() -> None:
    """A chain of proxies is not longer."""
    assert read_header(",".join(["By=x"] * (MAX_ELEMENTS - 1) + [ELEMENT]), Trust.LAST) == CERTIFICATE
    assert refusal(",".join(["By=x"] * MAX_ELEMENTS + [ELEMENT]), Trust.LAST) == "certificate_malformed"


def test_so_many_names_are_read_and_no_more() -> None:
    """The first ones."""
    names = "".join(f";URI=u{n};DNS=d{n}" for n in range(MAX_NAMES + 5))
    found = read_header(f"Hash={HASH}{names}", Trust.ONLY)
    assert found is not None
    assert found.uris == tuple(f"u{n}" for n in range(MAX_NAMES))
    assert found.dns_names == tuple(f"d{n}" for n in range(MAX_NAMES))


texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)
plain = st.text("abcdefgh:/.-=%+ ", min_size=1, max_size=12)
digests = st.binary(min_size=32, max_size=32)


@given(digests, texts, st.lists(texts, max_size=3), st.lists(texts, max_size=3), st.sampled_from(TRUSTED))
@example(bytes(32), '";Hash=', [",Hash=" + OTHER], ["\\", '\\"', '"'], Trust.LAST)
def test_what_is_quoted_is_read_as_it_was(
    digest: bytes, subject: str, uris: list[str], names: list[str], trust: Trust
) -> None:
    """Commas, semicolons, quotes and backslashes in it end nothing."""
    pairs = [f"Hash={digest.hex()}", f"Subject={quoted(subject)}", *(f"URI={quoted(uri)}" for uri in uris)]
    header = ";".join([*pairs, *(f"DNS={quoted(name)}" for name in names)])
    expected = Certificate(jws.encode(digest), subject, tuple(filter(None, uris)), tuple(filter(None, names)))
    assert read_header(header, trust) == expected
    assert read_header(f'By="{OTHER}";Subject={quoted(subject)},{header}', Trust.LAST) == expected


pieces = st.lists(
    st.sampled_from(
        ['"', '\\"', "\\", ",", ";", "=", "Hash=", f"Hash={OTHER}", 'Subject="', "Subject=", "URI=",
        "URI=spiffe://admin", "By=",
         "DNS=admin", "CN=", " ", "a", 'Cert="', f',Hash={OTHER};Subject="', f'";Hash={OTHER}']
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(pieces, digests, st.text('abc=,;"\\ ', max_size=10), plain, st.booleans())
@example(f'Hash={OTHER};Subject="', bytes(32), "x", "spiffe://a", True)
@example(f'Hash={OTHER};URI=spiffe://admin;Subject="', bytes(32), "x", "spiffe://a", False)
def test_whatever_came_in_before_our_proxys_element_does_not_change_it(
    before: str,
    digest: bytes,
    subject: str,
    uri: str,
    has_subject: bool,  # noqa: FBT001
) -> None:
    """A caller can have the header refused, and no more: an open quote of his ends where ours begins."""
    ours = (
        f"By=spiffe://proxy;Hash={digest.hex()}"
        + (f";Subject={quoted('CN=' + subject)}" if has_subject else "")
        + f";URI={uri}"
    )
    expected = Certificate(jws.encode(digest), "CN=" + subject if has_subject else "", (uri,))
    assert read_or_none(f"{before},{ours}", Trust.LAST) in {None, expected}
    assert read_or_none(f"{before},{ours}", Trust.ONLY) is None


@given(
    place=st.integers(0, len(ELEMENT)),
    character=st.sampled_from('",;=\\ HhabBf0:x\n\0') | st.characters(),
    how=st.sampled_from(["replace", "insert", "delete"]),
    trust=st.sampled_from(TRUSTED),
)
def test_a_header_that_was_changed_names_the_same_certificate_but_for_the_name_that_was_changed(
    place: int, character: str, how: str, trust: Trust
) -> None:
    """Or is refused. The hash always rules: it is that in the header or there is none."""
    place = min(place, len(ELEMENT) - (how != "insert"))
    changed = ELEMENT[:place] + ("" if how == "delete" else character) + ELEMENT[place + (how != "insert") :]
    found = read_or_none(changed, trust)
    if found is None or found == CERTIFICATE:
        return
    start = ELEMENT.index("Hash=") + len("Hash=")
    in_hash = start <= place < start + len(HASH) and how == "replace"
    assert in_hash == (found.sha256 != CERTIFICATE.sha256)
    if in_hash:
        assert replace(found, sha256=SHA256) == CERTIFICATE
        assert found.sha256 == jws.encode(bytes.fromhex(changed[start : start + len(HASH)]))
        return
    # A separator that is put into a name can only cut it short; one that is taken away joins the names beside it.
    differing = [
        name for name in ("subject", "uris", "dns_names") if getattr(found, name) != getattr(CERTIFICATE, name)
    ]
    assert len(differing) == 1 or (len(differing) == 2 and ELEMENT[place] == ";" and how != "insert"), found
    begins = ELEMENT.index({"subject": "Subject", "uris": "URI", "dns_names": "DNS"}[differing[0]])
    assert place >= begins


@given(pieces, st.sampled_from(TRUSTED))
def test_any_header_is_read_or_refused_and_its_hash_is_one_that_stands_in_it(header: str, trust: Trust) -> None:
    """Nothing else comes of it."""
    assume(header)
    found = read_or_none(header, trust)
    assert found is None or found.sha256 == jws.encode(bytes.fromhex(OTHER))


@pytest.mark.parametrize(
    "piece", ['"', "\\", '\\"', '\\\\"', ";", "DNS=a;", "a", ",", 'Subject="', 'DNS="', "=", 'DNS="\\']
)
@pytest.mark.parametrize("start", [f"Hash={HASH};", f'Hash={HASH};Subject="', f"Hash={HASH};URI="])
def test_long_hostile_headers_take_no_longer_than_their_length(piece: str, start: str) -> None:
    """Seconds would be enough for many times as much."""
    header = (start + piece * MAX_HEADER)[:MAX_HEADER]
    began = time.monotonic()
    for _ in range(5):
        read_or_none(header, Trust.LAST)
    assert time.monotonic() - began < 10
