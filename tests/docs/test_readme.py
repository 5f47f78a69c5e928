"""What the documents say can be done, done."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from authz_service import settings
from ratelimit_service import config
from ratelimit_service.config import Source

REPOSITORY = Path(__file__).parent.parent.parent
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
README = (REPOSITORY / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


def test_the_example_configuration_of_authz_service_loads(tmp_path: Path) -> None:
    example = next(block for block in _blocks("yaml") if block.startswith("listen:"))
    (tmp_path / "authz.yaml").write_text(example)
    shutil.copytree(REPOSITORY / "rego", tmp_path / "rego")
    loaded = settings.load(tmp_path / "authz.yaml")
    assert loaded.listen.grpc == "127.0.0.1:9191"
    assert loaded.identity.issuers[0].algorithms == ("RS256", "ES256", "EdDSA")
    assert loaded.policy.decision == "agent_gateway/decision"


def test_the_example_limits_load(tmp_path: Path) -> None:
    example = next(block for block in _blocks("yaml") if block.startswith("domain:"))
    (tmp_path / "limits.yaml").write_text(example)
    assert set(config.load(Source(tmp_path)).domains) == {"agent_gateway"}


def test_the_example_of_the_page_on_limits_loads_without_a_warning(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs" / "limits.md").read_text(), re.DOTALL)
    (tmp_path / "limits.yaml").write_text(example)
    limits = config.load(Source(tmp_path))
    assert sum(1 for _ in limits.rules()) == 3
    assert not limits.warnings


def test_the_page_on_limits_tells_every_key_and_algorithm() -> None:
    page = (REPOSITORY / "docs" / "limits.md").read_text()
    for word in (*config.KEYS - {"domain"}, *config.ALGORITHMS, "unit_multiplier", "burst"):
        assert f"`{word}" in page, word


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    named = set(re.findall(r"(?:^    |`)make ([a-z][a-z0-9-]*)", document.read_text(), re.MULTILINE))
    assert named <= _targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_exists(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", document.read_text())
    assert not [link for link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize("module", ["authz_service", "ratelimit_service", "devstack"])
def test_every_program_explains_itself(module: str) -> None:
    assert f"python -m {module}" in README or module == "devstack"
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"usage: python -m {module}")


@pytest.mark.parametrize(
    "line", re.findall(r"^    (.*python -m (?:authz_service policy|ratelimit_service [a-z]) .*)$", README, re.MULTILINE)
)
def test_every_command_can_be_pasted(line: str) -> None:
    command = line.replace("python -m", f"{sys.executable} -m")
    done = subprocess.run(command, shell=True, cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_make_alone_prints_every_target_with_its_meaning() -> None:
    done = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for target in ("run", "demo", "test", "check", "e2e", "bench", "clean"):
        assert re.search(rf"^  make {target} +\S", done.stdout, re.MULTILINE)


def test_the_commands_of_continuous_integration_are_the_developers_own() -> None:
    assert "exec make check" in (REPOSITORY / ".ci" / "run").read_text()
    assert ".ci/run" in (REPOSITORY / ".github" / "workflows" / "ci.yaml").read_text()


def test_the_lock_holds_a_hash_for_everything_and_no_address() -> None:
    for file in sorted((REPOSITORY / "lock").iterdir()):
        text = file.read_text()
        requirements = re.findall(r"^[a-z0-9][^\s]*==", text, re.MULTILINE)
        assert requirements
        assert "://" not in text
        for requirement in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE):
            assert not requirement.strip() or "--hash=sha256:" in requirement
