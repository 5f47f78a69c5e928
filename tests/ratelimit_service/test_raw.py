from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from ratelimit_service.raw import RawDescriptor, RawDomain


def test_a_descriptor_that_says_only_its_key_asks_for_nothing_else() -> None:
    raw = RawDescriptor("f.yaml", 3, "k")
    asked = {field.name for field in fields(raw) if getattr(raw, field.name)}
    assert asked == {"source", "line", "key"}


def test_what_was_written_does_not_change_any_more() -> None:
    with pytest.raises(FrozenInstanceError):
        RawDescriptor("f.yaml", 3, "k").value = "v"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        RawDomain("f.yaml", 1, "d", ()).domain = "e"  # type: ignore[misc]
