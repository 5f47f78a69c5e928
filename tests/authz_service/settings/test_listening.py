"""Where the service listens, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from service_kit.listening import Server
from tests.authz_service.settings.configured import FULL, fault, loaded

HOSTED = FULL.replace("listen:\n", "listen:\n  server: pyvoy\n  workers: 2\n  envoy_admin: tls\n")


def test_the_host_and_its_workers_are_chosen(folder: Path) -> None:
    """The folder for admin sockets is one that is there."""
    listen = loaded(folder, HOSTED).listen
    assert (listen.server, listen.workers, listen.admin) == (Server.PYVOY, 2, folder / "tls")


@pytest.mark.parametrize(
    ("written", "instead", "line", "told"),
    [
        ("server: pyvoy", "server: go", 2, "listen.server must be one of auto, pyvoy, grpcio, but is 'go'"),
        ("workers: 2", "workers: 65", 3, "listen.workers must be from 1 to 64, but is 65"),
        ("127.0.0.1:9001", "unix:///s", 3, "listen.workers must be 1 with a unix socket, which belongs to one process"),
        (
            "envoy_admin: tls",
            "envoy_admin: absent",
            4,
            "listen.envoy_admin must be a folder for admin sockets, but is none",
        ),
    ],
)
def test_a_host_that_cannot_be_is_a_fault(folder: Path, written: str, instead: str, line: int, told: str) -> None:
    """A server that is not known, too many workers, workers on a unix socket, an admin folder that is not there."""
    found, text = fault(folder, written, instead, HOSTED)
    assert (found, text.partition(": /")[0]) == (line, told)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "gateway:65535", "[::]:0", "unix:///run/authz.sock"])
def test_a_grpc_address_is_a_host_and_port_or_a_socket(folder: Path, address: str) -> None:
    """Names resolve when the service listens."""
    assert loaded(folder, FULL.replace("127.0.0.1:9001", f'"{address}"')).listen.grpc == address


@pytest.mark.parametrize(
    "address", ["9001", ":9001", "host", "host:", "host:65536", "::1:9001", "unix:/x", "http://h:1", "a b:1", "host:1 "]
)
def test_an_address_that_is_none_is_a_fault(folder: Path, address: str) -> None:
    """On both listeners."""
    line, text = fault(folder, "127.0.0.1:9001", f'"{address}"')
    assert (line, text) == (2, f"listen.grpc must be host:port or unix:///path, but is {address!r}")
    line, text = fault(folder, '"[::1]:9002"', f'"{address}"')
    assert (line, text) == (3, f"listen.http must be host:port, but is {address!r}")


def test_metrics_are_not_served_on_a_socket_file(folder: Path) -> None:
    """Scrapers and probes speak TCP."""
    assert fault(folder, '"[::1]:9002"', "unix:///run/x.sock")[0] == 3


def test_half_of_a_tls_pair_is_a_fault(folder: Path) -> None:
    """A certificate needs its key."""
    line, text = fault(folder, "    key: tls/server.key\n", "")
    assert (line, text) == (5, "listen.tls.key is missing")
