from __future__ import annotations

from pathlib import Path

import pytest

from service_kit.valkey.address import Address, Tls, parse


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("cache", Address("cache")),
        ("cache:7000", Address("cache", 7000)),
        ("[::1]:7000", Address("::1", 7000)),
        ("redis://cache:7000/3", Address("cache", 7000, database=3)),
        ("redis://cache/16383", Address("cache", database=16_383)),
        ("redis://:pw%40@cache", Address("cache", password="pw@")),
        ("rediss://user:pw@cache", Address("cache", tls=Tls(), username="user", password="pw")),
        ("unix:///run/valkey.sock", Address(path="/run/valkey.sock")),
        ("unix://:pw@/run/a%20b.sock", Address(path="/run/a b.sock", password="pw")),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert parse(url) == address


def test_the_port_is_the_usual_one_where_none_is_named() -> None:
    assert parse("cache").port == Address("cache").port == 6379


def test_auth_goes_before_what_the_url_says() -> None:
    assert parse("redis://a:b@cache", auth="c:d:e") == Address("cache", username="c", password="d:e")
    assert parse("redis://a:b@cache", auth="pw") == Address("cache", password="pw")
    assert parse("unix:///x", auth="pw") == Address(path="/x", password="pw")


def test_tls_may_be_asked_for_apart_from_the_url() -> None:
    tls = Tls(Path("/ca.pem"), Path("/cert.pem"), Path("/key.pem"), check_hostname=False)
    assert parse("cache", tls=tls) == Address("cache", tls=tls)
    assert parse("rediss://cache", tls=tls) == Address("cache", tls=tls)


def test_a_certificate_is_checked_against_the_host_unless_that_is_waived() -> None:
    assert Tls().check_hostname


def test_a_path_is_a_socket_where_the_type_says_so() -> None:
    assert parse("/run/valkey.sock", socket_type="unix") == Address(path="/run/valkey.sock")
    assert parse("redis://cache", socket_type="unix") == Address("cache")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://cache", "must begin with"),
        (":7000", "names no host"),
        ("redis://", "names no host"),
        ("", "names no host"),
        ("cache:port", "is no host:port"),
        ("cache:70000", "is no host:port"),
        ("cache:0", "port 0"),
        ("redis://cache/x", "the database"),
        ("redis://cache/16384", "the database"),
        ("redis://cache/99999999999999999999", "the database"),
        ("redis://cache/\u0663", "the database"),
        ("unix://", "absolute path"),
        ("unix://run", "absolute path"),
        ("[::1", "is no host:port"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(url: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse(url)


def test_a_host_where_a_socket_is_asked_for_is_refused() -> None:
    with pytest.raises(ValueError, match="absolute path"):
        parse("cache:6379", socket_type="unix")


def test_an_address_shows_no_password() -> None:
    address = parse("redis://user:s3cret@cache:7000")
    assert "s3cret" not in repr(address)
    assert str(address) == "cache:7000"
    assert str(parse("unix://:s3cret@/run/valkey.sock")) == "/run/valkey.sock"


@pytest.mark.parametrize(
    "url", ["http://u:s3cret@cache", "redis://u:s3cret@cache:port", "redis://u:s3cret@", "redis://u:s3cret@h/x"]
)
def test_a_refusal_shows_no_password(url: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        parse(url)
    assert "s3cret" not in str(caught.value)
