"""Where a process listens."""

from __future__ import annotations

import re

import pytest

from service_kit.listening import MAX_PORT, ListenError, port_of


@pytest.mark.parametrize(
    ("address", "port"), [("0.0.0.0:9001", 9001), ("[::]:0", 0), ("localhost:65535", MAX_PORT), (":80", 80)]
)
def test_the_port_stands_at_the_end_of_an_address(address: str, port: int) -> None:
    """Whatever the host looks like."""
    assert port_of(address) == port


@pytest.mark.parametrize(
    "address",
    ["a:65536", "a:" + "9" * 5000, "a:-1", "a:+1", "a:1_0", "a:\u0663", "a:\u00b2", "a:http", "a:", "a", "80", ""],
)
def test_an_address_without_a_port_is_refused_by_its_name(address: str) -> None:
    """Digits of other scripts are none."""
    told = rf"^cannot listen on {re.escape(address)}: it does not end with a port from 0 to 65535$"
    with pytest.raises(ListenError, match=told):
        port_of(address)
