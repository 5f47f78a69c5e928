"""The port that policy engines stand behind."""

from __future__ import annotations

import asyncio

from authz_service.policy.engine import Engine
from authz_service.rego_engine.values import UNDEFINED
from tests.authz_service.policy.engines import engine_of


def test_the_embedded_engine_keeps_the_ports_promises() -> None:
    """A revision that stays, JSON values, and a document that is not changed."""
    engine: Engine = engine_of("package a\nd := input.x", "a/d")
    assert engine.revision == engine_of("package a\nd := input.x", "a/d").revision
    document = {"x": {"y": [1, "z"]}}
    assert asyncio.run(engine.decide("a/d", document)) == {"y": [1, "z"]}
    assert document == {"x": {"y": [1, "z"]}}
    assert asyncio.run(engine.decide("a/d", {})) is UNDEFINED
