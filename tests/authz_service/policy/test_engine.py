"""The port that policy engines stand behind."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

from authz_service.policy.engine import UNDEFINED, Engine
from authz_service.policy.regopy_engine import build_engine
from authz_service.policy.sources import PolicySources


def test_undefined_is_itself_and_nothing_else() -> None:
    """Neither null, nor false, nor a copy of it."""
    others: list[Any] = [None, False, 0, "", "UNDEFINED", 1]
    assert UNDEFINED not in others
    assert copy.deepcopy(UNDEFINED) is UNDEFINED
    assert pickle.loads(pickle.dumps(UNDEFINED)) is UNDEFINED  # noqa: S301  (our own)


def test_the_embedded_engine_keeps_the_ports_promises() -> None:
    """A revision that stays, JSON values, and a document that is not changed."""
    sources = PolicySources({"a.rego": "package a\nd := input.x"}, {})
    engine: Engine = asyncio.run(build_engine(sources, ["a/d"]))
    assert engine.revision == sources.revision
    document = {"x": {"y": [1, "z"]}}
    assert engine.evaluate(document) == {"y": [1, "z"]}
    assert document == {"x": {"y": [1, "z"]}}
    assert engine.evaluate({}) is UNDEFINED
