"""One stack for all tests that only send requests; tests that break something start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Gateway, running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("gateway") / "stack") as started:
        yield started
