"""docs/policy-input.md, held against the code that it is made from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from authz_service.policy import verdict
from authz_service.settings.policy import Policy

REPOSITORY = Path(__file__).parent.parent.parent
PAGE = (REPOSITORY / "docs" / "policy-input.md").read_text()
OURS = {"code", "reason", "policy_id"}
BLOCK = re.compile(r"<!-- python -m (authz_service policy input) -->\n(.*?)<!-- end -->\n", re.DOTALL)


def test_the_table_of_keys_is_what_the_command_prints() -> None:
    ((command, table),) = BLOCK.findall(PAGE)
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert table == done.stdout


def test_the_fields_of_a_result_are_those_that_the_code_reads() -> None:
    section = PAGE.split("## The decision\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|", section, re.MULTILINE)
    assert {name for name, allow, _ in rows if allow != "-"} - {"allowed"} == {*verdict.FOR_ALLOW, *OURS}
    assert {name for name, _, denial in rows if denial != "-"} - {"allowed"} == {*verdict.FOR_DENIAL, *OURS}


def test_the_settings_that_it_names_are_there() -> None:
    for name in ("dry_run", "skip_request_body_parse", "proto_descriptor"):
        assert f"`policy.{name}`" in PAGE
        assert name in Policy.__dataclass_fields__
