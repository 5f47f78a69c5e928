"""Ports that are given away are free, far from those of outgoing connections, and not given twice."""

from __future__ import annotations

import socket
from dataclasses import astuple
from pathlib import Path

import pytest

from devstack.ports import HOST, PortTakenError, documented, free, free_port

OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_no_port_is_given_twice() -> None:
    assert len({free_port() for _ in range(100)}) == 100
    assert len(set(astuple(free()))) == len(astuple(free()))


def test_what_is_in_use_is_not_given() -> None:
    with socket.create_server((HOST, free_port())) as taken:
        assert taken.getsockname()[1] not in {free_port() for _ in range(199)}


def test_the_port_beside_is_free_too() -> None:
    port = free_port(beside=10_000)
    with socket.create_server((HOST, port)), socket.create_server((HOST, port + 10_000)):
        pass


@pytest.mark.skipif(not OUTGOING.exists(), reason=f"{OUTGOING} is not there: only Linux tells the range so")
def test_an_outgoing_connection_never_takes_one() -> None:
    assert free_port(beside=10_000) + 10_000 < int(OUTGOING.read_text().split()[0])


def test_a_documented_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as taken:
        number = taken.getsockname()[1]
        monkeypatch.setattr("devstack.ports.Ports.__init__.__defaults__", (number,) * 9)
        with pytest.raises(PortTakenError, match=rf"in use: {number} \(gateway\)"):
            documented()
