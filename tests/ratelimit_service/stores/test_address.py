from __future__ import annotations

from pathlib import Path

import pytest

from ratelimit_service.stores.address import Address, parse


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("cache", Address("cache")),
        ("cache:7000", Address("cache", 7000)),
        ("[::1]:7000", Address("::1", 7000)),
        ("redis://cache:7000/3", Address("cache", 7000, database=3)),
        ("redis://:pw%40@cache", Address("cache", password="pw@")),
        ("rediss://user:pw@cache", Address("cache", tls=True, username="user", password="pw")),
        ("unix:///run/valkey.sock", Address(path="/run/valkey.sock")),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert parse(url) == address


def test_auth_goes_before_what_the_url_says() -> None:
    assert parse("redis://a:b@cache", auth="c:d:e") == Address("cache", username="c", password="d:e")
    assert parse("cache", auth="pw") == Address("cache", password="pw")


def test_tls_may_be_asked_for_apart_from_the_url() -> None:
    assert parse("cache", tls=True, ca=Path("/ca.pem")) == Address("cache", tls=True, ca=Path("/ca.pem"))


def test_a_path_is_a_socket_where_the_type_says_so() -> None:
    assert parse("/run/valkey.sock", socket_type="unix") == Address(path="/run/valkey.sock")


@pytest.mark.parametrize(
    "url",
    ["http://cache", ":7000", "cache:port", "cache:0", "redis://cache/x", "redis://cache/99999", "unix://", "[::1"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(url)


def test_an_address_shows_no_password() -> None:
    address = parse("redis://user:s3cret@cache:7000")
    assert "s3cret" not in repr(address)
    assert str(address) == "cache:7000"
