"""E-mail addresses and network addresses."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz_service.dlp.detectors.contact import DETECTORS
from tests.authz_service.dlp.detectors.finding import SURROUNDINGS, Finder

mail = Finder(DETECTORS, "email_address")
machines = Finder(DETECTORS, "ip_address")

LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\Z")
TOPS = st.sampled_from(["com", "org", "de", "io", "museum", "xn--p1ai"])
LOCALS = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9_+%-]{0,20}[A-Za-z0-9_])?(\.[A-Za-z0-9_]{1,8}){0,2}\Z")


@given(LOCALS, st.lists(LABELS, min_size=1, max_size=4), TOPS, SURROUNDINGS)
def test_an_address_is_found_at_any_place(local: str, labels: list[str], top: str, around: tuple[str, str]) -> None:
    """Whatever its parts are."""
    assume(not (len(labels) > 1 and labels[0].isdigit() and labels[1].isdigit()))
    assume(not around[0].endswith("'"))  # behind a letter it is an apostrophe, and the letter's word part of the name
    address = f"{local}@{'.'.join(labels)}.{top}"
    assert mail(around[0] + address + around[1]) == [address]


@pytest.mark.parametrize(
    "address",
    ["jane.doe@example.com", "jane+news@example.co.uk", "o'brien@example.org", "JANE@EXAMPLE.COM", "j@x.io",
     "_jane@example.com", "jané@example.org", "jane@bücher.example", "1234@example.com",
     "jane_doe-x@sub.sub.example.com", "a&b@example.com"],
)  # fmt: skip
def test_addresses_of_all_kinds_are_found(address: str) -> None:
    """In mail headers, links and keys too."""
    for text in (address, f"Jane <{address}>", f"mailto:{address}", f"email={address}&x=1", f'"{address}"',
                 f"{address}.", f"[{address}](mailto:{address})", f"https://example.org/?to={address}"):  # fmt: skip
        assert set(mail(text)) == {address}


@pytest.mark.parametrize(
    "text",
    ["icon@2x.png", "img/logo@3x.jpg", "user@host", "root@localhost", "lodash@4.17.21", "react@18.2.0-rc.beta",
     "@decorator.name", "a @ b.com", "jane@example", "jane@.com", "jane@example..com", "jane@-example.com",
     "jane@example-.com", "jane@example.c", "jane@example.1", "git@github.com:team/project.git",
     "https://user@host.example/path", "postgres://user@db.example.org/x", "x@y.z", "jane@example.com2",
     "a" * 65 + "@example.com", "jane@" + "a" * 64 + ".com", "jane@" + ("a" * 60 + ".") * 4 + "a" * 12 + ".com",
     "style@app.css", ""],
)  # fmt: skip
def test_what_has_an_at_sign_need_not_be_an_address(text: str) -> None:
    """Files, packages, machines, repositories; parts that are too long (RFC 5321)."""
    assert mail(text) == []


OCTETS = st.integers(0, 255)


@given(OCTETS, OCTETS, OCTETS, OCTETS, SURROUNDINGS)
def test_an_ipv4_address_is_found_at_any_place(a: int, b: int, c: int, d: int, around: tuple[str, str]) -> None:
    """But for this network, loopback, and masks."""
    address = f"{a}.{b}.{c}.{d}"
    assert machines(around[0] + address + around[1]) == ([] if a in {0, 127, 255} else [address])


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1:8080", "10.0.0.1/24", "http://10.0.0.1/x", "ip=10.0.0.1", '"client_ip": "10.0.0.1"', "10.0.0.1.",
     "(10.0.0.1)", "from 10.0.0.1 port 22", "::ffff 10.0.0.1", "user@10.0.0.1", "x-forwarded-for: 10.0.0.1, 10.0.0.1",
     "10.0.0.1-10.0.0.1"],
)  # fmt: skip
def test_an_address_is_found_in_what_is_written_of_machines(text: str) -> None:
    """Private addresses too: they show a company's inside."""
    assert set(machines(text)) == {"10.0.0.1"}


@pytest.mark.parametrize(
    "text",
    ["1.2.3.4.5", "v1.2.3.4", "version 1.2.3.4", "Version: 1.2.3.4", '"version": "1.2.3.4"',
     '"app_version": "1.2.3.4"', "Chrome/120.0.0.0", "pkg==1.2.3.4", "pkg>=1.2.3.4", "^1.2.3.4", "256.1.1.1",
     "1.1.1.256", "01.2.3.4", "1.2.3", "1.2.3.4-5", "section 4.1.2.3", "§ 4.1.2.3", "1.3.6.1.4.1.311", "127.0.0.1",
     "0.0.0.0", "255.255.255.0", "a1.2.3.4", "1.2.3.4b", "release 10.2.3.4", ""],
)  # fmt: skip
def test_versions_and_sections_are_no_addresses(text: str) -> None:
    """Nor those that are everybody's."""
    assert machines(text) == []


GIVEN_OUT = st.integers(0x2000 << 112, (0x4000 << 112) - 1).map(ipaddress.IPv6Address)


@given(GIVEN_OUT, SURROUNDINGS)
def test_an_ipv6_address_is_found_at_any_place(address: ipaddress.IPv6Address, around: tuple[str, str]) -> None:
    """Compressed, in full, in capitals."""
    for written in {str(address), address.exploded, str(address).upper()}:
        assert machines(around[0] + written + around[1]) == [written]


@pytest.mark.parametrize(
    "address",
    ["2001:db8::1", "2001:db8:0:0:1::1", "2a00:1450:4001::", "fe80::1", "fd12:3456:789a::1", "::ffff:192.0.2.1",
     "64:ff9b::192.0.2.33", "2001:DB8::A", "2001:db8::8:800:200c:417a", "fe80::1ff:fe23:4567:890a"],
)  # fmt: skip
def test_the_forms_of_the_standards_are_found(address: str) -> None:
    """RFC 4291 and RFC 5952."""
    for text in (
        address,
        f"[{address}]:443",
        f"http://[{address}]/",
        f"{address}/64",
        f"{address}%eth0",
        f'"{address}"',
        f"ip={address}",
    ):
        assert machines(text) == [address]


@pytest.mark.parametrize(
    "text",
    ["12:34:56", "00:1a:2b:3c:4d:5e", "::1", "::", "std::vector", "a::b", "face::add", "Foo::Bar", "dead:beef",
     "2001:db8", "2001:db8::1::2", "2001:db8:1:2:3:4:5:6:7", "g2001:db8::1", "2001:db8::12345", "::ffff:300.1.1.1",
     "arn:aws:iam::123456789012:role", "20:01:0d:b8:00:00:00:01", "20:01:0d:b8:00:00:00:01:aa:bb:cc", "a:b:c:d",
     "{a::1}", ""],
)  # fmt: skip
def test_times_hardware_addresses_and_programs_are_no_addresses(text: str) -> None:
    """Only blocks that are given out count."""
    assert machines(text) == []
