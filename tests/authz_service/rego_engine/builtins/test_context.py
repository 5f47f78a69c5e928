"""What one evaluation hands to the built-ins."""

from __future__ import annotations

from authz_service.rego_engine.builtins.context import Context


def test_a_context_by_itself_reaches_nothing_outside() -> None:
    """No host, no output, no environment; what it keeps is its own."""
    one, two = Context(), Context()
    assert (one.http, one.printed, dict(one.runtime)) == (None, None, {})
    one.cache["k"] = 1
    assert two.cache == {}
