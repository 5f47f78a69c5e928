"""Passwords in addresses. All of these are made up."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given

from authz_service.dlp.detectors.connection import DETECTORS
from authz_service.dlp.detectors.placeholders import is_placeholder
from tests.authz_service.dlp.detectors.surroundings import (
    BASE62,
    around,
    finder,
    near_misses,
    random_text,
    randoms,
)

found = finder(DETECTORS)
SERVICES = [
    "postgres",
    "postgresql",
    "postgresql+psycopg2",
    "mysql",
    "mysql+pymysql",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "jdbc:postgresql",
    "POSTGRES",
    "clickhouse",
    "mariadb",
    "nats",
    "ldap",
]
SITES = ["http", "https", "ftp", "sftp", "git", "git+https", "ssh", "ws", "socks5", "HTTPS"]


@pytest.mark.parametrize(
    ("schemes", "name"), [(SERVICES, "connection_url"), (SITES, "basic_auth_url")], ids=["services", "sites"]
)
@given(source=randoms(), sides=around())
def test_a_login_in_an_address_is_found_name_and_all(
    schemes: list[str], name: str, source: random.Random, sides: tuple[str, str]
) -> None:
    """The scheme and the host stay."""
    for scheme in schemes:
        password = random_text(source, source.randrange(5, 60), BASE62 + "!$%&*+=?#@^~._-")
        assume(not is_placeholder(password.encode()))  # four `x` in a row, by chance
        login = f"{source.choice(['app', 'db_user', 'a.b', 'x%40y', ''])}:{password}@"
        address = f"{scheme}://{login}db.internal:5432/main?sslmode=require"
        assert found(address.join(sides)) == [(name, login)]


@pytest.mark.parametrize(
    "text",
    [
        "postgres://user:password@localhost:5432/db",
        "postgres://user:${PASSWORD}@db/x",
        "mysql://root:<password>@db/x",
        "redis://:****@cache:6379",
        "mongodb://user:pass@host/db",
        "https://user:your-password@h.example",
        "amqp://u:{{pw}}@mq",
        "postgres://$USER:$PASSWORD@db",
        "postgres://postgres:postgres@localhost/x",
        "amqp://guest:guest@127.0.0.1",
        "https://user:%s@h.example",
        "https://user:xxxxxxxx@h.example",
        "https://x:[REDACTED:basic_auth_url]@h.example",
        "https://h.example:8443/a@b",
        "https://h.example/a:b@c",
        "https://user@h.example",
        "postgres://db:5432/x",
        "mailto:a@b.example",
        "http://h.example/?next=a:b@c",
        "ssh://git@h.example:22/x",
        "time 12:30@noon",
        "a:b@c",
        "://a:b2c3d4@c",
        "{a:b2c3d4@c}",
    ],
)
def test_a_placeholder_and_an_address_without_a_password_are_not(text: str) -> None:
    """Ports, paths, users alone, and what manuals write."""
    assert found(text) == []


def test_a_name_that_is_its_own_password_is_less_sure_elsewhere_than_here() -> None:
    """What software comes with, on a host of one's own, is still a login."""
    assert found("amqp://guest:guest@mq.internal/") == [("connection_url", "guest:guest@")]


@pytest.mark.parametrize(
    "text",
    [
        "Server=db.internal;Database=main;User Id=app;Password={};Encrypt=True;",
        "Data Source=db;User ID=sa;Pwd={}",
        "Driver={{ODBC Driver 18}};Server=db;Uid=app;pwd={};",
        "password={};server=db",
        "Password={}; Host=db; Username=x",
        "host=db user=app password={} dbname=main sslmode=require",
        "jdbc:mysql://db/main?user=app&password={}",
        "jdbc:sqlserver://db:1433;user=sa;password={};encrypt=true",
    ],
)
@given(source=randoms())
def test_the_password_among_the_settings_of_a_connection_is_found(text: str, source: random.Random) -> None:
    """Its name goes with it, the other settings stay."""
    value = random_text(source, source.randrange(6, 40), BASE62 + "!$%@^~_-")
    ((name, taken),) = found(text.format(value))
    assert name == "connection_settings"
    assert taken.lower().endswith(f"={value}".lower())
    assert taken.lower().startswith(("password", "pwd"))


@pytest.mark.parametrize(
    "text",
    [
        "password=x9K2mQ7z",
        "Server=db;Password=;Database=x",
        "Server=db;Password=****;",
        "Server=db;Password=${DB_PASSWORD};",
        "Server=db;Password={0};",
        "the password = sign of trust",
        "user=app&password=x9K2mQ7z",
        "reset_password=x9K2mQ7z;server=db",
        "if password = server",
        "Server=db;Password=<password>;",
    ],
)
def test_a_password_elsewhere_and_a_placeholder_are_no_settings(text: str) -> None:
    """A form's fields are told by other detectors."""
    assert found(text) == []


@given(randoms())
def test_nothing_is_found_in_what_is_no_login(source: random.Random) -> None:
    assert [(text, found(text)) for text in near_misses(source) if found(text)] == []
