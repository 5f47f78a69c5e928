"""The `valkey` section: the store that replicas share, and how it is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from authz_service.settings.reading import file_named
from service_kit.strict_yaml import Section
from service_kit.valkey import topology
from service_kit.valkey.address import Address, Tls
from service_kit.valkey.address import parse as parse_address
from service_kit.valkey.topology import Kind, Topology

MIN_DEADLINE_MS, MAX_DEADLINE_MS = 10, 10_000
MAX_PASSWORD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ValkeySettings:
    """Where Valkey or Redis is. `deadline` is in seconds, for one command."""

    topology: Topology
    deadline: float


def read_valkey(root: Section, folder: Path) -> ValkeySettings | None:
    """Read `valkey`; None where there is none.

    Passwords stand in files, which can be kept from those who may read the configuration.
    """
    if not root.has("valkey"):
        return None
    with root.section("valkey") as valkey:
        kind = Kind(valkey.choice("type", [kind.value for kind in Kind], default=Kind.SINGLE.value))
        url = valkey.text("url")
        auth = _auth(valkey, folder, "username", "password_file")
        sentinel_auth = _auth(valkey, folder, "sentinel_username", "sentinel_password_file")
        if sentinel_auth and kind is not Kind.SENTINEL:
            valkey.fault("sentinel_password_file", "is for type: sentinel only")
        tls = _tls(valkey, folder)
        deadline = valkey.integer("deadline_ms", minimum=MIN_DEADLINE_MS, maximum=MAX_DEADLINE_MS, default=1000)
        found = _topology(valkey, kind, url, (auth, sentinel_auth), tls)
    return ValkeySettings(found, deadline / 1000)


def _topology(section: Section, kind: Kind, url: str, auths: tuple[str, str], tls: Tls | None) -> Topology:
    nowhere = Topology(kind, (Address(),))
    if "@" in url:
        section.fault("url", "must hold no password: put it into a file, and name that in password_file")
        return nowhere
    if not url:
        return nowhere  # that it is missing has been told

    def server(text: str, auth: str = auths[0]) -> Address:
        return parse_address(text, auth=auth, tls=tls)

    try:
        found = topology.parse(kind, url, server, lambda text: server(text, auths[1]))
    except ValueError as error:
        section.fault("url", str(error))
        return nowhere
    if tls is not None and any(address.path for address in found.addresses):
        section.fault("tls", "has no effect on a unix socket")
    return found


def _auth(section: Section, folder: Path, user_key: str, file_key: str) -> str:
    """Read `user:password`, or nothing where there is no password."""
    username = section.text(user_key) if section.has(user_key) else ""
    if not section.has(file_key):
        if username:
            section.fault(user_key, f"needs {file_key}")
        return ""
    if ":" in username:
        section.fault(user_key, "must have no colon")
    path = file_named(section, file_key, folder)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PASSWORD_BYTES + 1)
        password = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        if path.is_file():
            section.fault(file_key, f"cannot be read as text: {path}")
        return ""
    if not 0 < len(data) <= MAX_PASSWORD_BYTES or not password:
        section.fault(file_key, f"must hold a password of at most {MAX_PASSWORD_BYTES} bytes: {path}")
    return f"{username}:{password}"


def _tls(valkey: Section, folder: Path) -> Tls | None:
    if not valkey.has("tls"):
        return None
    with valkey.section("tls") as section:
        ca, certificate, key = (
            file_named(section, name, folder) if section.has(name) else None for name in ("ca", "certificate", "key")
        )
        if (certificate is None) != (key is None):
            section.fault("certificate" if certificate else "key", "needs both certificate and key")
        check = section.choice("hostname", ("check", "ignore"), default="check") == "check"
    return Tls(ca, certificate, key, check_hostname=check)
