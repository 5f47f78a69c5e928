"""Presidio as an analyser, where it is installed."""

from __future__ import annotations

import pytest

pytest.importorskip(
    "presidio_analyzer", reason="presidio-analyzer is not installed: pip install 'agent-gateway[presidio]'"
)

from authz_service.deep_scan.presidio import Presidio


def test_it_finds_what_it_knows_under_our_names() -> None:
    """A card number that its own rules accept."""
    hits = Presidio().analyse("My card is 4111 1111 1111 1111.")
    assert "payment_card" in {hit.entity for hit in hits}
