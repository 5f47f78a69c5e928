"""Where Valkey or Redis is, from the words that envoyproxy/ratelimit's REDIS_* variables use. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

DEFAULT_PORT = 6379
MAX_DATABASES = 16_384


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server is known, and what it knows the client by. All are PEM files; without `ca` the system's are trusted.

    Without `check_hostname` a certificate may be of another host, but must still be signed by the CA.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    check_hostname: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """One server: `host` and `port`, or `path` of a unix socket."""

    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""
    tls: Tls | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


def parse(url: str, *, socket_type: str = "tcp", auth: str = "", tls: Tls | None = None) -> Address:
    """Read an address; raises `ValueError` with a text that holds no password.

    `url` is `host:port`, `redis://`, `rediss://` or `unix://`, or the path of a socket. `auth` is
    `password` or `user:password`, and goes before what stands in the URL. `rediss://` means TLS without `tls` too.
    """
    if (socket_type == "unix" or url.startswith("/")) and "://" not in url:
        url = f"unix://{url}"
    elif "://" not in url:
        url = f"redis://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        raise ValueError("is no host:port, redis://, rediss:// or unix:// address") from None
    username, password = _auth(auth) if auth else (unquote(parts.username or ""), unquote(parts.password or ""))
    if parts.scheme == "unix":
        if not parts.path.startswith("/"):
            raise ValueError("must be the absolute path of a socket")
        return Address(path=unquote(parts.path), username=username or None, password=password or None)
    if parts.scheme not in {"redis", "rediss"}:
        raise ValueError("must begin with redis://, rediss:// or unix://, or be host:port")
    if not host:
        raise ValueError("names no host")
    if port == 0:
        raise ValueError("port 0 cannot be connected to")
    database = parts.path.strip("/") or "0"
    if not database.isascii() or not database.isdecimal() or int(database[:9]) >= MAX_DATABASES:
        raise ValueError("the database after the host must be a number")
    return Address(
        host,
        port,
        tls=tls or (Tls() if parts.scheme == "rediss" else None),
        username=username or None,
        password=password or None,
        database=int(database),
    )


def _auth(auth: str) -> tuple[str, str]:
    username, colon, password = auth.partition(":")
    return (username, password) if colon else ("", auth)
