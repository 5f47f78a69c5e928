"""docs/dlp-bodies.md agrees with the code."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from authz_service.dlp import event_body
from authz_service.dlp.deltas import USUAL_PATHS

_PAGE = (Path(__file__).parents[2] / "docs" / "dlp-bodies.md").read_text()


def test_the_places_where_deltas_are_joined_are_those_of_the_code() -> None:
    """In their order."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)
    assert tuple(yaml.safe_load(block)["dlp"]["body"]["joined_deltas"]) == USUAL_PATHS


def test_the_bounds_of_what_waits_are_those_of_the_code() -> None:
    """With their units."""
    page = " ".join(_PAGE.split())
    assert f"{event_body.MAX_WAITING // 1024} KiB of events wait, and {event_body.MAX_TEXTS} texts are open" in page
    assert f"more than {event_body.MAX_EVENT // 1024} KiB are judged by themselves" in page
