"""Passwords in the addresses of databases, brokers and sites. Pure.

In a URL (RFC 3986 section 3.2.1) the whole user information goes, name and password with the `@` behind them: a name is
half of what a login takes, and what is left still says which kind of service at which host, which is what whoever reads
the redacted text wants to know. In a list of settings the setting goes, its name included; the other settings stay.
"""

from __future__ import annotations

import re2

from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.detectors.examples import made_up
from authz_service.dlp.detectors.placeholders import is_placeholder

# Schemes of databases, caches and brokers; what follows a `+` is the driver.
_SERVICES = frozenset(
    (
        b"postgres postgresql pgsql mysql mariadb mongodb redis rediss valkey valkeys amqp amqps mssql sqlserver "
        b"oracle db2 cockroachdb clickhouse cassandra neo4j neo4js bolt couchbase couchbases couchdb influxdb nats "
        b"kafka snowflake redshift memcached elasticsearch hive presto trino sybase firebird odbc jdbc mqtt mqtts "
        b"stomp ldap ldaps rabbitmq sqlalchemy timescaledb mongo edgedb libsql"
    ).split()
)
_SCHEME = 24  # bytes before the user information in which its scheme stands
_SCHEME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789+.-")
_LOCAL = (b"localhost", b"127.0.0.1")
_USER = r"[!$%&*+.0-9=A-Z_a-z~-]"
_SECRET = r"[!#-.0-:=?-\[\]-_a-~\x80-\xff]"  # noqa: S105  (a class: what is printed, but for `"`, `/`, `<`, `>`, `\` and backquote)
_USER_INFORMATION = rf"(?:\b{_USER}{{1,64}})?:{_SECRET}{{1,128}}@"
_URL_HINT = rf"://{_USER}{{0,64}}:{_SECRET}{{1,128}}@"

_SETTING = r"(?i)\b(?:password|passwd|pwd)[ ]?=[ ]?[!#-:<-~\x80-\xff]{1,128}"
_OTHERS = (
    r"(?:server|data ?source|host|hostname|hostaddr|addr|address|network address|user ?id|uid|user|user ?name|database|"
    r"dbname|initial catalog|driver|dsn|provider|port|persist security info|sslmode|encrypt|trusted_connection|"
    r"integrated security|connect timeout|connection timeout|max pool size|pooling)"
)
_BEFORE, _AFTER = 64, 32  # bytes in which another setting stands beside the password's


def _compile(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    return re2.compile(pattern.encode(), options)


_SETTING_BEFORE = _compile(rf"\b{_OTHERS} ?= ?[^;\"\n=,()]{{1,60}}[; ]$")
_SETTING_AFTER = _compile(rf"^[; ] ?{_OTHERS} ?=")
_JDBC_BEFORE = _compile(r"(?:jdbc:|://).{0,60}[?&;]$")


def _scheme(text: bytes, start: int) -> bytes | None:
    """The scheme of the URL whose user information begins at a place, without its driver; None where there is none."""
    before = text[max(0, start - _SCHEME) : start].lower()
    if not before.endswith(b"://"):
        return None
    name = before[:-3]
    length = len(name) - len(name.rstrip(bytes(_SCHEME_BYTES)))
    return name[len(name) - length :].split(b"+", 1)[0] or None


def _sureness(text: bytes, start: int, end: int) -> float:
    user, _, password = text[start : end - 1].partition(b":")
    if is_placeholder(password):
        return 0.0
    if user == password:  # what the software comes with, in every manual
        return 0.0 if text.startswith(_LOCAL, end) else 0.6
    return 0.95


def _service_login(text: bytes, start: int, end: int) -> float:
    """Judge a login by its scheme, and its password by whether it is one."""
    scheme = _scheme(text, start)
    return _sureness(text, start, end) if scheme in _SERVICES else 0.0


def _site_login(text: bytes, start: int, end: int) -> float:
    """As for services; any other scheme is a site's."""
    scheme = _scheme(text, start)
    return 0.0 if scheme is None or scheme in _SERVICES else _sureness(text, start, end)


def _setting(text: bytes, start: int, end: int) -> float:
    """Judge a password's setting by another setting of a connection beside it."""
    value = text[start:end].partition(b"=")[2].strip(b" '").rstrip(b")],'")
    if is_placeholder(value):
        return 0.0
    before, after = text[max(0, start - _BEFORE) : start], text[end : end + _AFTER]
    beside = _SETTING_BEFORE.search(before) or _SETTING_AFTER.search(after) or _JDBC_BEFORE.search(before)
    return 0.9 if beside else 0.0


DETECTORS = (
    Detector(
        "connection_string", "connection_url", _URL_HINT, _USER_INFORMATION, _service_login,
        before=_SCHEME, after=len(_LOCAL[0]),
        source="RFC 3986 section 3.2.1; the connection URIs of PostgreSQL, MySQL, MongoDB, Redis, RabbitMQ",
        example=lambda: b"postgres" + b"://app:" + made_up("database", 20) + b"@db.internal:5432/main",
    ),
    Detector(
        "connection_string", "connection_settings", r"(?i)\b(?:password|passwd|pwd)[ ]?=", _SETTING, _setting,
        before=_BEFORE, after=_AFTER,
        source="Microsoft, Connection string syntax; PostgreSQL, libpq keyword/value connection strings",
        example=lambda: b"Server=db;User Id=app;Pass" + b"word=" + made_up("settings", 20) + b";Encrypt=yes",
    ),
    Detector(
        "basic_auth_url", "basic_auth_url", _URL_HINT, _USER_INFORMATION, _site_login,
        before=_SCHEME, after=len(_LOCAL[0]), source="RFC 3986 section 3.2.1, RFC 7617",
        example=lambda: b"https" + b"://robot:" + made_up("site", 20) + b"@git.internal/x.git",
    ),
)  # fmt: skip
