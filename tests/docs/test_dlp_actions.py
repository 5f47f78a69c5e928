"""What docs/dlp-actions.md says, held against the code."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.overrides import read_overrides
from authz_service.dlp.redactions import mask
from authz_service.model import Location
from authz_service.settings.dlp import BodySettings, read_dlp
from service_kit import strict_yaml
from service_kit.faults import Faults

PAGE = (Path(__file__).parent.parent.parent / "docs" / "dlp-actions.md").read_text()


def test_the_example_can_be_configured(tmp_path: Path) -> None:
    """And its bounds of bodies are those that hold without it."""
    (tmp_path / "keys").mkdir()
    for name in ("dlp-hash.key", "dlp-token.key"):
        (tmp_path / "keys" / name).write_bytes(base64.b64encode(bytes(32)))
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    faults = Faults()
    with strict_yaml.parse(text.encode(), "page", faults) as root:
        settings = read_dlp(root, tmp_path)
    faults.raise_if_any()
    assert [rule.action for rule in settings.actions] == ["tokenize", "block", "mask"]
    assert settings.body == BodySettings()


def test_every_action_is_told_of_in_order() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE.split("## Actions")[1].split("```")[0], re.MULTILINE) == list(Action)
    assert mask(b"123-45-6789").decode() in PAGE


def test_every_place_and_direction_can_be_found() -> None:
    assert all(f"`{name}`" in PAGE for name in (*Location, *Direction))


def test_the_policys_examples_are_understood() -> None:
    said = [json.loads(line)["dlp"] for line in re.findall(r'^    (\{"allowed".*\})$', PAGE, re.MULTILINE)]
    assert len([read_overrides(each) for each in said]) == 2
