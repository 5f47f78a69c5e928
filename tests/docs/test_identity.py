"""What docs/identity.md shows can be used as it is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from authz_service import settings
from authz_service.denials import DENIED, UNAUTHENTICATED, UNAVAILABLE
from authz_service.identity.binding import Requirement
from authz_service.request_file import read_request

REPOSITORY = Path(__file__).parent.parent.parent
PAGE = (REPOSITORY / "docs" / "identity.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_loads_as_it_stands(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    (tmp_path / "authz.yaml").write_text(text)
    shutil.copytree(REPOSITORY / "rego", tmp_path / "rego")
    loaded = settings.load(tmp_path / "authz.yaml")
    assert loaded.identity.dpop is not None
    assert loaded.identity.dpop.origins == {"api.company.example": "https://api.company.example"}
    assert [route.name for route in loaded.routes] == ["machines", "payroll", "default"]
    assert loaded.routes[1].require_binding is Requirement.ANY
    assert loaded.valkey is not None


def test_the_example_of_a_request_can_be_decided_on() -> None:
    (text,) = blocks("json")
    assert json.loads(read_request(text.encode()).body) == {"month": "2026-11"}


def test_the_codes_of_json_rpc_are_those_that_are_sent() -> None:
    for code in (DENIED, UNAUTHENTICATED, UNAVAILABLE):
        assert f"`{code}`" in PAGE
