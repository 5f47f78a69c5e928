"""Servers for the tests that need no more of them than that they are there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.valkey_servers import Server


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    """One server for the tests of a module that only use it."""
    with Server() as started:
        yield started


@pytest.fixture
def server(shared: Server) -> Server:
    """That server, empty."""
    with shared.client() as client:
        client.flushall()
    return shared
