"""What docs/deep-scan.md shows can be used as it is."""

from __future__ import annotations

import base64
import json
import re
import shutil
from dataclasses import fields
from pathlib import Path

from audit_log.deep_scan import DeepScanEvent
from authz_service import settings
from authz_service.deep_scan.note import Note
from authz_service.deep_scan.webhook import SIGNATURE, message
from tests.authz_service.settings.configured import SMALLEST

REPOSITORY = Path(__file__).parent.parent.parent
PAGE = (REPOSITORY / "docs" / "deep-scan.md").read_text()


def test_the_example_loads_as_it_stands(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "deep-scan.key").write_bytes(base64.b64encode(bytes(32)))
    (tmp_path / "keys" / "webhook.secret").write_text("shared")
    shutil.copytree(REPOSITORY / "rego", tmp_path / "rego", dirs_exist_ok=True)
    for name in re.findall(r"(?:jwks_file: |\[)([\w./-]+\.(?:json|rego))", SMALLEST):
        (tmp_path / name).write_text("{}" if name.endswith("json") else "package x\n")
    (tmp_path / "authz.yaml").write_text(SMALLEST + text)
    found = settings.load(tmp_path / "authz.yaml").dlp.deep_scan
    assert found is not None
    assert [rule.webhook for rule in found.rules] == [True, True]


def test_the_example_of_an_event_has_the_fields_of_one() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert set(json.loads(text)) == {"schema", *(field.name for field in fields(DeepScanEvent))}


def test_the_message_has_the_fields_that_are_told() -> None:
    told = json.loads(message("1-0", Note("d", "r", "request"), []))
    assert SIGNATURE in PAGE
    for name in told:
        assert f"`{name}`" in PAGE
