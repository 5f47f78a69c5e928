"""The store that replicas share: every arrangement, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.settings.valkey import MAX_PASSWORD_BYTES, ValkeySettings
from service_kit.valkey.address import Address, Tls
from service_kit.valkey.topology import Kind, Topology
from tests.authz_service.settings.configured import SMALLEST, faults, loaded


def read(folder: Path, text: str) -> ValkeySettings:
    """The section, read."""
    found = loaded(folder, f"{SMALLEST}valkey: {text}\n").valkey
    assert found is not None
    return found


def test_without_the_section_there_is_no_store(folder: Path) -> None:
    """Nothing is connected to."""
    assert loaded(folder, SMALLEST).valkey is None


def test_an_address_is_all_that_is_needed(folder: Path) -> None:
    """One server, a second for each command, no password and no TLS."""
    assert read(folder, "{url: '127.0.0.1:6379'}") == ValkeySettings(
        Topology(Kind.SINGLE, (Address("127.0.0.1", 6379),)), 1.0
    )


def test_a_password_comes_from_a_file_and_its_newline_is_none_of_it(folder: Path) -> None:
    """A colon in it is one of its own."""
    (folder / "pw").write_text("se:cret\n")
    (address,) = read(folder, "{url: h, username: u, password_file: pw, deadline_ms: 250}").topology.addresses
    assert (address.username, address.password) == ("u", "se:cret")
    (address,) = read(folder, "{url: h, password_file: pw}").topology.addresses
    assert (address.username, address.password) == (None, "se:cret")
    assert "se:cret" not in repr(address)


def test_tls_is_asked_for_by_the_scheme_or_by_its_section(folder: Path) -> None:
    """The section says whom to trust and who we are."""
    assert read(folder, "{url: 'rediss://h:1'}").topology.addresses[0].tls == Tls()
    text = "{url: 'h:1', tls: {ca: tls/clients.crt, certificate: tls/server.crt, key: tls/server.key}}"
    tls = Tls(folder / "tls/clients.crt", folder / "tls/server.crt", folder / "tls/server.key")
    assert read(folder, text).topology.addresses[0].tls == tls
    found = read(folder, "{url: 'h:1', tls: {hostname: ignore}}").topology.addresses[0].tls
    assert found is not None
    assert not found.check_hostname


def test_sentinels_and_the_primary_have_passwords_of_their_own(folder: Path) -> None:
    """As they have in Valkey."""
    (folder / "pw").write_text("a")
    (folder / "spw").write_text("b")
    text = "{type: sentinel, url: 'name,s1:1,s2:2', password_file: pw, sentinel_password_file: spw}"
    found = read(folder, text).topology
    assert (found.kind, found.name, len(found.addresses)) == (Kind.SENTINEL, "name", 2)
    assert {address.password for address in found.addresses} == {"b"}
    assert found.primary is not None
    assert found.primary.password == "a"


def test_nodes_of_a_cluster_are_named_by_commas(folder: Path) -> None:
    """Any of them tells of the others."""
    found = read(folder, "{type: cluster, url: 'a:1,b:2'}").topology
    assert (found.kind, str(found)) == (Kind.CLUSTER, "a:1,b:2")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "valkey.url is missing"),
        ("{url: 'redis://u:hunter2@h'}", "valkey.url must hold no password: put it into a file, and name that in"),
        ("{url: 'http://h'}", "valkey.url must begin with redis://, rediss:// or unix://"),
        ("{url: h, type: many}", "valkey.type must be one of single, sentinel, cluster, but is 'many'"),
        ("{url: h, deadline_ms: 9}", "valkey.deadline_ms must be from 10 to 10000, but is 9"),
        ("{url: h, username: u}", "valkey.username needs password_file"),
        ("{url: h, username: 'u:v', password_file: jwks.json}", "valkey.username must have no colon"),
        ("{url: h, password_file: absent}", "valkey.password_file names no file"),
        ("{url: h, password_file: binary}", "valkey.password_file cannot be read as text"),
        ("{url: h, password_file: long}", f"valkey.password_file must hold a password of at most {MAX_PASSWORD_BYTES}"),
        ("{url: h, password_file: newline}", "valkey.password_file must hold a password"),
        ("{url: h, sentinel_password_file: word}", "valkey.sentinel_password_file is for type: sentinel only"),
        ("{url: h, tls: {key: tls/server.key}}", "valkey.tls.key needs both certificate and key"),
        ("{url: /run/valkey.sock, tls: {}}", "valkey.tls has no effect on a unix socket"),
        ("{url: h, pasword_file: word}", "unknown key 'pasword_file' in valkey; did you mean 'password_file'?"),
    ],
)
def test_what_cannot_be_is_a_fault_that_shows_no_password(folder: Path, text: str, told: str) -> None:
    """With file and line."""
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "long").write_text("x" * (MAX_PASSWORD_BYTES + 1))
    (folder / "newline").write_text("\n")
    (folder / "word").write_text("hunter2")
    (folder / "jwks.json").write_text("hunter2")
    found = [text for _, text in faults(folder, f"{SMALLEST}valkey: {text}\n")]
    assert [each for each in found if each.startswith(told)], found
    assert "hunter2" not in str(found)
