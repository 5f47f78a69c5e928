"""What a compiling process hands over, part by part."""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy import artifacts
from authz_service.rego_engine.compiled import translate
from authz_service.rego_engine.plan import Plan

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(Decimal("0.33333333333333333334")),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=3), children, max_size=4),
    max_leaves=60,
)


@given(DOCUMENTS, st.integers(1, 8))
def test_a_document_that_is_taken_apart_is_put_together_as_it_was(document: Any, size: int) -> None:
    """Whatever the size of a part."""
    before = artifacts.MAX_PART_VALUES
    artifacts.MAX_PART_VALUES = size
    try:
        assert artifacts.assemble(artifacts.pieces(document)) == document
    finally:
        artifacts.MAX_PART_VALUES = before


def test_a_large_document_goes_in_small_parts() -> None:
    """So that each is taken in quickly."""
    document = {"users": {f"user-{number}": {"roles": ["a", "b"], "note": "x" * 100} for number in range(5_000)}}
    parts = list(artifacts.pieces(document))
    assert len(parts) > 20
    assert max(len(pickle.dumps(part)) for part in parts) < 256 * 1024
    assert artifacts.assemble(iter(parts)) == document


def test_an_artifact_is_loaded_as_it_was_written(tmp_path: Path) -> None:
    """Code, data and revision."""
    code = translate(Plan({}, {}), {"k": 1})
    artifacts.write(tmp_path / "compiled", artifacts.Artifact(code, {"k": [1, 2]}, "r1"))
    policy, revision = artifacts.load(tmp_path / "compiled")
    assert (policy.source, policy.rules, revision) == ("".join(code.source), [], "r1")
