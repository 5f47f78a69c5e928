"""What a value weighs is no less than what it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.decision_log.weighing import weigh
from authz_service.model import HttpRequest, Identity, Peer

LARGE = "x" * 100_000
REQUEST = HttpRequest("GET", "/a")


@pytest.mark.parametrize(
    "value",
    [
        LARGE,
        LARGE.encode(),
        "\U0001f600" * 25_000,
        {LARGE: 1},
        {"a": [{"b": (LARGE,)}]},
        {"a": {LARGE}, "b": frozenset({LARGE})},
        HttpRequest("GET", "/a", headers={LARGE: ""}),
        HttpRequest("GET", "/a", metadata={"f": {"a": [LARGE]}}),
        HttpRequest("GET", "/a", route_metadata={"f": {LARGE: None}}),
        HttpRequest("GET", "/a", source=Peer(certificate=LARGE)),
        HttpRequest("GET", "/a", context_extensions={"a": LARGE}),
        Identity("u", None, (), "i", {"claim": [LARGE]}, 0.0),
        Identity("u", None, (LARGE,), "i", {}, 0.0),
        [None] * 12_500,
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_that_is_large_weighs_little(value: Any) -> None:
    """Wherever in the value it is."""
    assert weigh(REQUEST, value) >= 100_000


def test_a_value_may_be_as_deep_as_it_likes() -> None:
    value: Any = LARGE
    for _ in range(100_000):
        value = [value]
    assert weigh(value) > 100_000


def test_a_kind_of_value_that_is_not_known_weighs_as_python_says() -> None:
    assert 0 < weigh(object(), str, Peer) < 10_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_a_value_weighs_no_less_than_its_text(value: Any) -> None:
    assert weigh(value) >= len(json.dumps(value, ensure_ascii=False).encode())
